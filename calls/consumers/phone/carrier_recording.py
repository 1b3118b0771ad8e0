"""The carrier's own recording of a call: from the notice's end until somebody objects.

While the caller is handed on it pauses; it goes on where nobody took him.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from django.db import DatabaseError

from calls.enums import OBJECTION, EventKind, RecordingOrder
from calls.errors import CallError

log = logging.getLogger(__name__)

_ASK_SECONDS = 10.0

Order = Callable[[UUID, RecordingOrder], Awaitable[None]]


class CarrierRecording:
    """Heeds what is recorded of a call. What the carrier refuses is logged, and the call goes on without."""

    def __init__(self, attempt_id: UUID, *, order: Order, tasks: asyncio.TaskGroup) -> None:
        self._attempt_id = attempt_id
        self._order = order
        self._tasks = tasks
        self._asking: asyncio.Task[None] | None = None
        self._has_objected = False

    def heed(self, kind: str, detail: Mapping[str, Any]) -> None:
        """Take an event of the call; never waits."""
        if kind == EventKind.RECORDING_STOPPED and detail.get("reason") == OBJECTION:
            self._has_objected = True
            self._ask(RecordingOrder.STOP)
        elif kind == EventKind.RECORDING_ENDED:
            self._ask(RecordingOrder.PAUSE)
        elif self._has_objected:
            # Who objects over the notice hears the rest of it all the same.
            return
        elif kind == EventKind.RECORDING_RESUMED:
            self._ask(RecordingOrder.RESUME)
        elif kind == EventKind.NOTICE_PLAYED:
            self._ask(RecordingOrder.START)

    def _ask(self, order: RecordingOrder) -> None:
        self._asking = self._tasks.create_task(self._ask_after(self._asking, order))

    async def _ask_after(self, earlier: asyncio.Task[None] | None, order: RecordingOrder) -> None:
        """Ask when what was asked before is answered: a stop must not overtake its start."""
        if earlier is not None:
            await asyncio.wait({earlier})
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                await self._order(self._attempt_id, order)
        except (CallError, DatabaseError, TimeoutError, KeyError) as error:
            log.warning("the carrier's recording is not as it should be: %s", error or type(error).__name__)
