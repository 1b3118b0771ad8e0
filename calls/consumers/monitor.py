"""The page of somebody who watches a telephone call: ``/live/ws/<attempt>``, texts of JSON, one way only.

``{"type": "call", ...}`` says where the call is, as the database has it; ``{"type": "facts", "state", "turns"}`` what
is said, as the process that holds it tells. After the call's end come its turns as they are stored, and the socket
closes with 1000.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar
from uuid import UUID

from channels.layers import get_channel_layer
from django.db import DatabaseError
from msgspec import Struct

from calls.consumers.admission import admit_staff, refuse
from calls.consumers.lean import LeanConsumer
from calls.consumers.outbox import Outbox
from calls.consumers.watching import ASK_EVERY_SECONDS, CALLS_GROUP, ask_to_watch, watchers_group

log = logging.getLogger(__name__)

T = TypeVar("T")

PERMISSION = "calls.view_callattempt"
_LOOK_EVERY_SECONDS = 0.5
_LOOK_SECONDS = 5.0
_LAST_TURNS_SECONDS = 3.0
"""How long the end of a conversation may be on its way into the database."""


class MonitorParts(Struct, frozen=True, kw_only=True):
    """Where a monitor looks. Both may raise ``DatabaseError``.

    ``look`` gives where a call is (``is_over`` and ``is_stored`` among it), None for one that is not there; ``read``
    its turns as they are stored.
    """

    look: Callable[[UUID], Awaitable[Mapping[str, Any] | None]]
    read: Callable[[UUID], Awaitable[list[Mapping[str, Any]]]]


class MonitorConsumer(LeanConsumer):
    """One watcher of one call."""

    def __init__(self, parts: MonitorParts) -> None:
        self._parts = parts
        self._outbox: Outbox | None = None

    async def connect(self) -> None:
        """Let staff in who may see telephone calls."""
        refusal = await admit_staff(self.scope, PERMISSION)
        if refusal is not None:
            await refuse(self.scope, self.base_send, refusal)
            self.over.set()
            return
        self._attempt_id: UUID = self.scope["url_route"]["kwargs"]["attempt_id"]
        self._outbox = Outbox(self.base_send, self.over.set, is_text=True)
        await self.base_send({"type": "websocket.accept"})
        self.help_with(self._write(self._outbox))
        self.help_with(self._follow())
        self.help_with(self._look())

    def take_frame(self, binary: bytes | None, text: str | None) -> None:
        """Who watches says nothing."""

    async def _write(self, outbox: Outbox) -> None:
        with suppress(OSError):
            await outbox.write()
        self.over.set()

    def _tell(self, kind: str, facts: Mapping[str, Any]) -> None:
        if self._outbox is not None:
            self._outbox.put(json.dumps({"type": kind, **facts}).encode())

    # --- what is said -------------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Ask the call's process for facts, again and again, and pass them on."""
        layer = get_channel_layer()
        channel = await layer.new_channel()
        group = watchers_group(self._attempt_id)
        await layer.group_add(group, channel)
        asking = self.help_with(self._ask(layer))
        try:
            while True:
                message = await layer.receive(channel)
                self._tell("facts", {"state": message["state"], "turns": message["turns"]})
        finally:
            asking.cancel()
            with suppress(Exception):
                await layer.group_discard(group, channel)

    async def _ask(self, layer: Any) -> None:
        is_new = True
        while True:
            await layer.group_send(CALLS_GROUP, ask_to_watch(self._attempt_id, is_new=is_new))
            is_new = False
            await asyncio.sleep(ASK_EVERY_SECONDS)

    # --- where the call is --------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Tell where the call is, each time it is elsewhere, to its end."""
        loop = asyncio.get_running_loop()
        told: Mapping[str, Any] | None = None
        over_since: float | None = None
        while True:
            call = await self._answered(self._parts.look)
            if call is not None and call != told:
                self._tell("call", call)
                told = call
            if call is not None and call["is_over"]:
                over_since = over_since or loop.time()
                if call["is_stored"] or loop.time() - over_since > _LAST_TURNS_SECONDS:
                    break
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        self._tell("stored", {"turns": await self._answered(self._parts.read) or []})
        if self._outbox is not None:
            await self._outbox.close(1000)

    async def _answered(self, question: Callable[[UUID], Awaitable[T]]) -> T | None:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                return await question(self._attempt_id)
        except (DatabaseError, TimeoutError) as error:
            log.warning("a watched call could not be looked up: %s", type(error).__name__)
            return None
