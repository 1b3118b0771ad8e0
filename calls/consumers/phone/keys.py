"""Keys that the caller presses: one soon after the other, they are one answer."""

import asyncio
from collections.abc import Callable

KEY_SECONDS = 2.0
"""Who goes on dialling presses the next key within this time."""
_END = "#"
_MOST = 32


class KeyPad:
    """Collects keys and gives them on together: after a pause, after ``#``, or when there are very many."""

    def __init__(self, on_keys: Callable[[str], None]) -> None:
        self._on_keys = on_keys
        self._keys = ""
        self._timer: asyncio.TimerHandle | None = None

    def press(self, digit: str) -> None:
        """Take a key."""
        self._keys += digit
        self.stop()
        if digit == _END or len(self._keys) >= _MOST:
            self._give()
        else:
            self._timer = asyncio.get_running_loop().call_later(KEY_SECONDS, self._give)

    def stop(self) -> None:
        """Give nothing on any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give(self) -> None:
        keys, self._keys = self._keys, ""
        self._on_keys(keys)
