"""The carrier's own recording of a call: from the notice's end until somebody objects, or the caller is handed on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from django.db import DatabaseError

from calls.enums import EventKind
from calls.errors import CallError

log = logging.getLogger(__name__)

OBJECTION = "objection"
"""The reason of a stopped recording, as the recorder writes it."""
_ASK_SECONDS = 10.0

Ask = Callable[[UUID], Awaitable[None]]


class CarrierRecording:
    """Heeds what is recorded of a call. What the carrier refuses is logged, and the call goes on without."""

    def __init__(self, attempt_id: UUID, *, start: Ask, stop: Ask, tasks: asyncio.TaskGroup) -> None:
        self._attempt_id = attempt_id
        self._start = start
        self._stop = stop
        self._tasks = tasks
        self._asking: asyncio.Task[None] | None = None
        self._has_objected = False

    def heed(self, kind: str, detail: Mapping[str, Any]) -> None:
        """Take an event of the call; never waits."""
        is_objection = kind == EventKind.RECORDING_STOPPED and detail.get("reason") == OBJECTION
        if is_objection or kind == EventKind.RECORDING_ENDED:
            self._has_objected |= is_objection
            self._ask(self._stop)
        elif kind == EventKind.NOTICE_PLAYED and not self._has_objected:
            # Who objects over the notice hears the rest of it all the same.
            self._ask(self._start)

    def _ask(self, ask: Ask) -> None:
        self._asking = self._tasks.create_task(self._ask_after(self._asking, ask))

    async def _ask_after(self, earlier: asyncio.Task[None] | None, ask: Ask) -> None:
        """Ask when what was asked before is answered: a stop must not overtake its start."""
        if earlier is not None:
            await asyncio.wait({earlier})
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                await ask(self._attempt_id)
        except (CallError, DatabaseError, TimeoutError, KeyError) as error:
            log.warning("the carrier's recording is not as it should be: %s", error or type(error).__name__)
