"""The carrier's verdict on who answered, on its way from the process that its callback came to to the one that talks.

It goes by the channel layer: in a single process that is memory, beyond one it is Redis. It is stored as well, and each
process reads the rows of the calls that wait for one, once a second for all of them together: so it comes where there
is no layer between two processes, a little later, and a layer that is away costs nothing else.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError

from calls import services

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_WAIT_SECONDS = 60.0
_LAYER_SECONDS = 2.0
"""A layer that takes longer, such as a Redis behind a half-open connection, is away."""


def _away() -> tuple[type[Exception], ...]:
    """Give what a layer raises that cannot be reached."""
    if not settings.REDIS_URL:
        return (ChannelFull, TimeoutError)
    from redis.exceptions import RedisError  # noqa: PLC0415 (an installation without it does not pay for it)

    return (OSError, TimeoutError, RedisError, ChannelFull)


def group_of(attempt_id: UUID) -> str:
    """Give the group of who holds a call."""
    return f"attempt.{attempt_id}"


def announce(attempt_id: UUID, answered_by: str) -> None:
    """Tell whoever holds the call what the carrier found."""
    message = {"type": "answerer.detected", "answered_by": answered_by}
    try:
        async_to_sync(_send)(group_of(attempt_id), message)
    except _away() as error:
        log.warning("a verdict on who answered goes no further than the database: %s", type(error).__name__)


async def _send(group: str, message: dict[str, str]) -> None:
    async with asyncio.timeout(_LAYER_SECONDS):
        await get_channel_layer().group_send(group, message)


class Rows:
    """The calls of this process that wait for a verdict, and the one task that reads their rows while there are any."""

    def __init__(self, read: Callable[[Collection[UUID]], Awaitable[Mapping[UUID, str]]]) -> None:
        self._read = read
        self._waiting: dict[UUID, tuple[Callable[[str], None], float]] = {}
        self._looking: asyncio.Task[None] | None = None

    def expect(self, attempt_id: UUID, tell: Callable[[str], None]) -> None:
        """Have a verdict handed on that comes within a minute; the carrier has made up its mind by then."""
        loop = asyncio.get_running_loop()
        self._waiting[attempt_id] = tell, loop.time() + _WAIT_SECONDS
        if self._looking is None or self._looking.done() or self._looking.get_loop() is not loop:
            self._looking = loop.create_task(self._look())

    def forget(self, attempt_id: UUID, tell: Callable[[str], None]) -> None:
        """Wait no more, unless another stream has the call by now; idempotent."""
        if attempt_id in self._waiting and self._waiting[attempt_id][0] is tell:
            del self._waiting[attempt_id]

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            await asyncio.sleep(_LOOK_SECONDS)
            now = loop.time()
            self._waiting = {each: waits for each, waits in self._waiting.items() if waits[1] > now}
            try:
                found = await self._read(tuple(self._waiting)) if self._waiting else {}
            except DatabaseError as error:
                log.warning("verdicts on who answered cannot be read now: %s", type(error).__name__)
                continue
            for attempt_id, answered_by in found.items():
                if attempt_id in self._waiting:
                    tell, _ = self._waiting.pop(attempt_id)
                    tell(answered_by)


stored = Rows(database_sync_to_async(services.machine_detections, thread_sensitive=False))


async def follow(attempt_id: UUID, tell: Callable[[str], None], *, rows: Rows = stored) -> None:
    """Hand the verdict on when it comes, perhaps twice. It ends with its cancellation."""
    rows.expect(attempt_id, tell)
    try:
        await _follow_layer(attempt_id, tell)
        await asyncio.Event().wait()  # the rows are still looked at
    finally:
        rows.forget(attempt_id, tell)


async def _follow_layer(attempt_id: UUID, tell: Callable[[str], None]) -> None:
    """Listen to the layer until cancelled; returns when it is away."""
    layer, group = get_channel_layer(), group_of(attempt_id)
    channel = await layer.new_channel()
    try:
        await layer.group_add(group, channel)
        while True:
            message = await layer.receive(channel)
            tell(str(message.get("answered_by", "")))
    except _away() as error:
        log.warning("verdicts on who answered come by the database only: %s", type(error).__name__)
    finally:
        with suppress(*_away()):
            async with asyncio.timeout(_LAYER_SECONDS):
                await layer.group_discard(group, channel)
