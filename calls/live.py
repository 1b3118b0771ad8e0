"""Who is on the line in this process: capacity, and the drain before a shutdown."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from calls.enums import EndReason

_END_SECONDS = 3.0
"""How long a call that was told to end may take to close its streams."""


class LiveCall(Protocol):
    """A call that can be asked to end."""

    def shut_down(self, reason: EndReason) -> None:
        """End the call now, with everything heard so far recorded."""


class LiveCalls:
    """The calls of one process. Used from its event loop only."""

    def __init__(self) -> None:
        self._calls: dict[LiveCall, Callable[[], None] | None] = {}
        self._changed = asyncio.Event()
        self.is_draining = False

    @property
    def count(self) -> int:
        """How many calls are live."""
        return len(self._calls)

    def may_take(self, limit: int) -> bool:
        """Whether one more call may begin."""
        return not self.is_draining and len(self._calls) < limit

    def add(self, call: LiveCall, *, move: Callable[[], None] | None = None) -> None:
        """Count a call in. ``move`` has it go on in another process, where it can."""
        self._calls[call] = move

    def discard(self, call: LiveCall) -> None:
        """Count a call out; idempotent."""
        self._calls.pop(call, None)
        self._changed.set()

    async def drain(self, seconds: float, *, wait_for_another: Callable[[], Awaitable[object]] | None = None) -> None:
        """Take no new call, give the live ones ``seconds`` to end by themselves, then end them.

        ``wait_for_another`` returns when another process takes calls; those that can move there then do.
        """
        self.is_draining = True
        moving = asyncio.create_task(self._move(wait_for_another)) if wait_for_another and self._calls else None
        try:
            if await self._is_empty_within(seconds):
                return
        finally:
            if moving is not None:
                moving.cancel()
                await asyncio.gather(moving, return_exceptions=True)
        for call in tuple(self._calls):
            call.shut_down(EndReason.SHUTDOWN)
        await self._is_empty_within(_END_SECONDS)

    async def _move(self, wait_for_another: Callable[[], Awaitable[object]]) -> None:
        await wait_for_another()
        for move in filter(None, tuple(self._calls.values())):
            move()

    async def _is_empty_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while self._calls:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True


live_calls = LiveCalls()
