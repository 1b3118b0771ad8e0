"""A telephone line as the agent's tools move it: through rows that the carrier's next question is answered from."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar
from uuid import UUID

from django.db import DatabaseError
from msgspec import Struct

from calls.engine.asides import LineGiven
from calls.engine.toolspec import Destination
from calls.enums import EndReason, TransferStatus
from calls.errors import ToolRefusedError
from calls.services.briefing import DECLINED, GONE, TAKEN

log = logging.getLogger(__name__)

T = TypeVar("T")

_LOOK_SECONDS = 0.5
_LOOK_TIMEOUT_SECONDS = 5.0
_NOT_NOW = "this is not possible at the moment; say so, and go on"

TAKE_KEY, DECLINE_KEY = "1", "2"


class Switchboard(Struct, frozen=True, kw_only=True):
    """What can be done with a telephone call. Each may raise ``DatabaseError``; the first three ``ToolRefusedError``.

    Calls are named by their attempt; ``accept`` and ``decline`` are about the colleague's own.
    """

    suppress: Callable[[UUID, str], Awaitable[None]]
    transfer: Callable[[UUID, Destination], Awaitable[None]]
    consult: Callable[[UUID, Destination, str], Awaitable[None]]
    look: Callable[[UUID], Awaitable[TransferStatus]]
    accept: Callable[[UUID], Awaitable[bool]]
    decline: Callable[[UUID], Awaitable[None]]


class PhoneLine:
    """The runner's ``Line`` of one call on the telephone."""

    is_telephone = True

    def __init__(self, attempt_id: UUID, switchboard: Switchboard) -> None:
        self._attempt_id = attempt_id
        self._switchboard = switchboard

    async def suppress(self, words: str) -> None:
        """Have the other party's number never called again."""
        await _refusing(self._switchboard.suppress(self._attempt_id, words))

    async def transfer(self, destination: Destination) -> None:
        """Have the carrier ring the destination once this stream ends."""
        await _refusing(self._switchboard.transfer(self._attempt_id, destination))

    async def consult(self, destination: Destination, summary: str) -> None:
        """Call a colleague, who is told the summary."""
        await _refusing(self._switchboard.consult(self._attempt_id, destination, summary))

    async def is_consultation_accepted(self) -> bool:
        """Wait until the colleague has taken the call, or will not; whichever process he talks to."""
        while True:
            with suppress(DatabaseError, TimeoutError):  # it is asked again
                async with asyncio.timeout(_LOOK_TIMEOUT_SECONDS):
                    status = await self._switchboard.look(self._attempt_id)
                if status is not TransferStatus.PENDING:
                    return status in {TransferStatus.ACCEPTED, TransferStatus.CONNECTED}
            await asyncio.sleep(_LOOK_SECONDS)

    async def answer_briefing(self, key: str) -> LineGiven | None:
        """Do what a colleague's key says, and give the last words to him; None: it says nothing, or was not stored."""
        board = self._switchboard
        try:
            async with asyncio.timeout(_LOOK_TIMEOUT_SECONDS):
                if key == TAKE_KEY:
                    is_there = await board.accept(self._attempt_id)
                    ends = EndReason.TRANSFERRED if is_there else EndReason.AGENT_SAID_GOODBYE
                    return LineGiven(TAKEN if is_there else GONE, ends)
                if key == DECLINE_KEY:
                    await board.decline(self._attempt_id)
                    return LineGiven(DECLINED, EndReason.AGENT_SAID_GOODBYE)
        except (DatabaseError, TimeoutError) as error:
            log.warning("a colleague's key could not be stored: %s", type(error).__name__)
        return None


async def _refusing(work: Awaitable[T]) -> T:
    """Make a database that is away a refusal: the conversation goes on without it."""
    try:
        return await work
    except DatabaseError as error:
        log.warning("a tool could not be used: %s", type(error).__name__)
        raise ToolRefusedError(_NOT_NOW) from error
