"""What a client sends before its call has begun."""

from collections import deque

from calls.engine.events import Event
from calls.wire.audio import AudioFormat

AUDIO_SECONDS = 3
MAX_EVENTS = 100

Item = bytes | AudioFormat | Event


class Backlog:
    """Audio, changes of its format, and events, in their order."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._audio_bytes = 0

    def add_audio(self, audio: bytes, rate: int) -> bool:
        """Keep audio; False when older audio had to go, since more than three seconds wait."""
        self._items.append(audio)
        self._audio_bytes += len(audio)
        return self.trim(rate)

    @property
    def has_room(self) -> bool:
        """Whether there are few enough events that one more may wait."""
        return sum(1 for item in self._items if not isinstance(item, bytes)) < MAX_EVENTS

    def add(self, item: Item) -> None:
        """Keep an event."""
        self._items.append(item)

    def trim(self, rate: int) -> bool:
        """Keep the last three seconds of audio at ``rate``; False when there were more."""
        surplus = self._audio_bytes - AudioFormat(rate=rate).bytes_per_second * AUDIO_SECONDS
        if surplus <= 0:
            return True
        self._audio_bytes -= surplus
        kept: deque[Item] = deque()
        for item in self._items:
            cut = min(surplus, len(item)) if isinstance(item, bytes) else 0
            surplus -= cut
            if not isinstance(item, bytes):
                kept.append(item)
            elif cut < len(item):
                kept.append(item[cut:])
        self._items = kept
        return False

    def take(self) -> list[Item]:
        """Give everything and keep nothing."""
        items = list(self._items)
        self._items.clear()
        self._audio_bytes = 0
        return items
