"""Connections opened while a telephone rings, each waiting for a call that takes it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from calls.providers.deepgram.connection import Connection
from calls.providers.resilience import abandon

_KEEP_ALIVE_SECONDS = 4.0
"""Deepgram closes what has been silent for ten seconds, and asks for a sign every three to five."""

Open = Callable[[], Coroutine[Any, Any, Connection]]


class _Place:
    """One connection, or its opening."""

    def __init__(self, opening: asyncio.Task[Connection]) -> None:
        self.opening = opening
        self.taken = asyncio.Event()

    @property
    def is_usable(self) -> bool:
        """Whether it is open or may still become so."""
        if not self.opening.done():
            return True
        return self.opening.exception() is None and self.opening.result().is_open


class Waiting:
    """The waiting connections of one event loop. Any call that asks for what one was opened with may have it.

    Each lives inside ``keep``, whose end closes it, unless ``take`` has given it away.
    """

    def __init__(self) -> None:
        self._places: dict[bytes, list[_Place]] = {}

    async def keep(self, key: bytes, opening: Open, silence: bytes) -> None:
        """Open a connection and keep it alive until it is taken; raises ``ProviderError`` where it fails or is lost.

        ``silence`` is audio to send for a sign of life; empty where Deepgram knows KeepAlive.
        """
        place = _Place(asyncio.create_task(opening()))
        self._places.setdefault(key, []).append(place)
        try:
            await asyncio.wait({place.opening})  # whoever takes the place meanwhile waits for it too
            while not place.taken.is_set():
                connection = place.opening.result()
                if not await _is_set_within(place.taken, _KEEP_ALIVE_SECONDS):
                    await connection.keep_alive(silence)
        finally:
            if not place.taken.is_set():
                self._remove(key, place)
                await _close(place.opening)

    async def take(self, key: bytes) -> Connection | None:
        """Give the longest waiting connection away; one that is still being opened is worth waiting for.

        Raises ``ProviderError`` where that opening fails.
        """
        place = next((place for place in self._places.get(key, ()) if place.is_usable), None)
        if place is None:
            return None
        self._remove(key, place)
        place.taken.set()
        try:
            return await asyncio.shield(place.opening)
        except asyncio.CancelledError:
            abandon(place.opening, late=Connection.close)
            raise

    def _remove(self, key: bytes, place: _Place) -> None:
        places = self._places[key]
        places.remove(place)
        if not places:
            del self._places[key]


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    return True


async def _close(opening: asyncio.Task[Connection]) -> None:
    opening.cancel()
    await asyncio.wait({opening})
    if not opening.cancelled() and opening.exception() is None:
        await opening.result().close()
