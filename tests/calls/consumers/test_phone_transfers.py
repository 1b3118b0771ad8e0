"""Keys, waiting, briefings and an operator's last line on a media stream, with the real runner."""

import asyncio
from pathlib import Path

from calls.engine.agent import AgentSpec, Intent
from calls.engine.toolspec import Destination
from calls.enums import EndReason, TransferKind, TransferStatus
from calls.services.briefing import TAKEN
from tests.calls.consumers.phone_driver import ATTEMPT_ID, Exchange, hold, scripted
from tests.calls.consumers.test_phone_line import Board
from tests.calls.runner.fakes import agent
from tests.simulators.media_stream import AsgiLine

DANA = Destination(name="Dana", e164="+15005550044", kind=TransferKind.WARM)


def menu() -> AgentSpec:
    """An agent that puts callers through who press 1."""
    transfer = Intent(
        name="transfer", examples=("pressed 1",), answer="", tool="transfer_call", arguments={"destination": "Dana"}
    )
    hours = Intent(name="hours", examples=("pressed 2",), answer="We are open all day.")
    return agent(
        opening="Press 1 for a person, 2 for our hours.",
        tools=("end_call", "transfer_call"),
        destinations=(DANA,),
        intents=(transfer, hours),
    )


def exchange(folder: Path, board: Board, spec: AgentSpec | None = None, **planned: object) -> Exchange:
    made = Exchange(spec or menu(), providers=scripted(folder))
    made.planned = planned
    made.switchboard = board.line()._switchboard
    return made


def said(made: Exchange) -> list[tuple[str, str]]:
    return [(turn.speaker.value, turn.text) for turn in made.sink.turns]


def test_keys_are_an_answer_that_the_agent_understands(tmp_path: Path) -> None:
    made = exchange(tmp_path, Board())

    async def scenario(line: AsgiLine) -> None:
        await asyncio.sleep(6)
        line.leg.press("2")
        await asyncio.sleep(8)

    hold(made, scenario)
    assert said(made)[1:] == [("caller", "Pressed 2"), ("agent", "We are open all day.")]


def test_a_caller_waits_for_a_colleague_and_is_handed_over_when_he_takes_the_call(tmp_path: Path) -> None:
    board = Board(looks=("pending",) * 40 + (TransferStatus.ACCEPTED,))
    made = exchange(tmp_path, board)

    async def scenario(line: AsgiLine) -> None:
        await asyncio.sleep(6)
        line.leg.press("1")
        assert await line.ended() == 1000

    hold(made, scenario)
    lines = made.spec.transfer_lines
    assert board.did == [("consult", ATTEMPT_ID, DANA, board.did[0][3])]
    assert "Pressed 1" in board.did[0][3]
    assert said(made)[1:] == [("caller", "Pressed 1"), ("agent", lines.calling), ("agent", lines.connecting)]
    assert made.sink.reason is EndReason.TRANSFERRED
    # Nobody hangs the caller up: the carrier asks what comes next.
    assert made.ended_legs == []


def test_a_caller_whose_stream_was_lost_goes_on_waiting(tmp_path: Path) -> None:
    made = exchange(tmp_path, Board(looks=("pending", "failed")), is_consulting=True)

    async def scenario(_: AsgiLine) -> None:
        await asyncio.sleep(15)

    hold(made, scenario)
    lines = made.spec.transfer_lines
    assert said(made)[-1] == ("agent", lines.returned)


def test_a_colleague_takes_the_call_with_a_key(tmp_path: Path) -> None:
    board = Board()
    made = exchange(tmp_path, board, agent(opening="A caller for you. Press 1."), is_briefing=True)

    async def scenario(line: AsgiLine) -> None:
        await asyncio.sleep(4)
        line.leg.press("7")
        line.leg.press("1")
        assert await line.ended() == 1000

    hold(made, scenario)
    assert board.did == [("accept", ATTEMPT_ID)]
    assert (said(made)[-1], made.sink.reason) == (("agent", TAKEN), EndReason.TRANSFERRED)


def test_an_operators_last_line_is_all_that_is_said(tmp_path: Path) -> None:
    made = exchange(tmp_path, Board(), last_line="Please call us back. Goodbye.")

    async def scenario(line: AsgiLine) -> None:
        await line.ended()

    hold(made, scenario)
    assert said(made) == [("agent", "Please call us back. Goodbye.")]
    assert (made.sink.reason, made.ended_legs) == (EndReason.OPERATOR, [ATTEMPT_ID])


def test_without_a_switchboard_nobody_is_transferred(tmp_path: Path) -> None:
    made = exchange(tmp_path, Board())
    made.switchboard = None

    async def scenario(line: AsgiLine) -> None:
        await asyncio.sleep(6)
        line.leg.press("1")
        await asyncio.sleep(8)

    hold(made, scenario)
    assert said(made)[-1] == ("agent", "I am sorry, that did not work just now.")
