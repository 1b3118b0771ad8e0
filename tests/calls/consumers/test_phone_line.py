"""A telephone line as the agent's tools move it, with rows that a test holds in its hand."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError

from calls.consumers.phone.line import PhoneLine, Switchboard
from calls.engine.asides import LineGiven
from calls.engine.toolspec import Destination
from calls.enums import EndReason, TransferStatus
from calls.errors import ToolRefusedError
from calls.runner.simulation import run_virtually
from calls.services.briefing import DECLINED, GONE, TAKEN

CALL = UUID("01930000-0000-7000-8000-0000000000a1")
DESK = Destination(name="sales", e164="+15005550043")


class Board:
    """Does what it is asked for, or fails."""

    def __init__(self, *, failure: Exception | None = None, looks: tuple[Any, ...] = (), is_there: bool = True) -> None:
        self.did: list[tuple[Any, ...]] = []
        self._failure = failure
        self._looks = list(looks)
        self._is_there = is_there

    def _asking(self, name: str) -> Any:
        async def do(*arguments: Any) -> Any:
            self.did.append((name, *arguments))
            if self._failure is not None:
                raise self._failure
            return self._is_there

        return do

    async def _look(self, attempt_id: UUID) -> TransferStatus:
        assert attempt_id == CALL
        found = self._looks.pop(0)
        if isinstance(found, Exception):
            raise found
        if found is None:
            await asyncio.sleep(60)
        return TransferStatus(found)

    def line(self) -> PhoneLine:
        names = ("suppress", "transfer", "consult", "accept", "decline")
        return PhoneLine(CALL, Switchboard(look=self._look, **{name: self._asking(name) for name in names}))


async def test_what_a_tool_wants_is_asked_for_this_call() -> None:
    board = Board()
    line = board.line()
    await line.suppress("stop")
    await line.transfer(DESK)
    await line.consult(DESK, "prices")
    assert board.did == [("suppress", CALL, "stop"), ("transfer", CALL, DESK), ("consult", CALL, DESK, "prices")]
    assert line.is_telephone


async def test_a_database_that_is_away_is_a_refusal_that_the_model_reads() -> None:
    line = Board(failure=DatabaseError("away")).line()
    for asked in (line.suppress("stop"), line.transfer(DESK), line.consult(DESK, "")):
        with pytest.raises(ToolRefusedError, match="not possible at the moment"):
            await asked


@pytest.mark.parametrize(
    ("last", "is_accepted"), [("accepted", True), ("connected", True), ("failed", False), ("canceled", False)]
)
def test_a_colleague_is_waited_for_also_over_a_database_that_is_away(last: str, is_accepted: bool) -> None:
    looks = ("pending", DatabaseError("away"), None, "pending", last)
    assert run_virtually(Board(looks=looks).line().is_consultation_accepted()) is is_accepted


@pytest.mark.parametrize(
    ("key", "is_there", "last"),
    [
        ("1", True, LineGiven(TAKEN, EndReason.TRANSFERRED)),
        ("1", False, LineGiven(GONE, EndReason.AGENT_SAID_GOODBYE)),
        ("2", True, LineGiven(DECLINED, EndReason.AGENT_SAID_GOODBYE)),
        ("5", True, None),
    ],
)
async def test_a_colleagues_key_decides(key: str, is_there: bool, last: LineGiven | None) -> None:
    board = Board(is_there=is_there)
    assert await board.line().answer_briefing(key) == last
    assert board.did == ([("accept" if key == "1" else "decline", CALL)] if last else [])


async def test_a_key_that_could_not_be_stored_decides_nothing() -> None:
    assert await Board(failure=DatabaseError("away")).line().answer_briefing("1") is None
