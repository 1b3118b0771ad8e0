"""The carrier's verdict on who answered, on its way from the process that its callback came to to the one that talks.

It goes by the channel layer: in a single process that is memory, beyond one it is Redis. A layer that is away costs the
verdict, never the call: the verdict is stored as well, and is one signal among others.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from django.conf import settings

log = logging.getLogger(__name__)

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


async def follow(attempt_id: UUID, tell: Callable[[str], None]) -> None:
    """Hand the verdict on when it comes; returns when the layer is away, else until it is cancelled."""
    layer, group = get_channel_layer(), group_of(attempt_id)
    channel = await layer.new_channel()
    try:
        await layer.group_add(group, channel)
        while True:
            message = await layer.receive(channel)
            tell(str(message.get("answered_by", "")))
    except _away() as error:
        log.warning("the carrier's verdict on who answered will not be heard: %s", type(error).__name__)
    finally:
        with suppress(*_away()):
            async with asyncio.timeout(_LAYER_SECONDS):
                await layer.group_discard(group, channel)
