"""The toolbox: built-in tools on a telephone line and on none, time limits, fillers, and the log."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from calls.engine.events import InterruptRequested, TextTyped, ToolRequest
from calls.engine.toolspec import Destination
from calls.enums import ConversationState, EndReason, TransferKind
from calls.errors import ToolRefusedError
from calls.providers.base import TextDelta
from calls.runner.tools import NoTelephone, ToolAccess
from tests.calls.runner.fakes import FakeModel, agent
from tests.calls.runner.test_call import Call, hold

SALES = Destination(name="sales", e164="+442079460000", description="prices")
DANA = Destination(name="Dana", e164="+442079460001", kind=TransferKind.WARM)
NOW = "For the caller it is now Monday, 2026-03-02 07:00."
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Telephone:
    """A line that does what it is asked for, and keeps it."""

    is_telephone = True

    def __init__(self, *, failure: Exception | None = None) -> None:
        self.did: list[tuple[Any, ...]] = []
        self.failure = failure
        self.accepted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def _do(self, *what: Any) -> None:
        self.did.append(what)
        if self.failure is not None:
            raise self.failure

    async def suppress(self, words: str) -> None:
        self._do("suppress", words)

    async def transfer(self, destination: Destination) -> None:
        self._do("transfer", destination.name)

    async def consult(self, destination: Destination, summary: str) -> None:
        self._do("consult", destination.name, summary)

    async def is_consultation_accepted(self) -> bool:
        return await self.accepted


def asks(name: str, **arguments: Any) -> list[Any]:
    return [ToolRequest("t1", name, json.dumps(arguments))]


def phoning(folder: Path, *scripts: list[Any], telephone: bool = True, **parts: Any) -> Call:
    """A call with every tool, on a telephone line or on none."""
    line = parts.pop("line", None) or (Telephone() if telephone else None)
    access = ToolAccess(wall=lambda: NOON, time_zone="America/New_York", line=line or NoTelephone())
    tools = ("end_call", "transfer_call", "send_digits", "schedule_callback", "do_not_call")
    spec = agent(tools=tools, destinations=(SALES, DANA), **parts)
    return Call(spec, FakeModel(*scripts), folder=folder, access=access)


async def ask(call: Call) -> None:
    await call.until(lambda: call.door.state is ConversationState.LISTENING)
    call.runner.receive(TextTyped("Please."))


async def leave(call: Call) -> None:
    await call.until(lambda: call.door.state is ConversationState.LISTENING)
    call.runner.shut_down(EndReason.CALLER_DISCONNECTED)


def events(call: Call, *kinds: str) -> list[tuple[str, Any]]:
    return [(kind, detail) for kind, _, detail in call.sink.events if kind in kinds]


def test_a_callback_is_noted_in_the_callers_zone_and_with_his_words(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        await ask(call)
        await call.until(lambda: len(call.models[0].requests) == 2)
        await leave(call)

    asked = asks("schedule_callback", at="2026-03-03T15:00", words="tomorrow at three")
    call = hold(lambda: phoning(tmp_path, asked, [TextDelta("All right.")]), scenario)
    assert events(call, "callback_requested") == [
        (
            "callback_requested",
            {"at": "2026-03-03T15:00-05:00", "zone": "America/New_York", "words": "tomorrow at three"},
        )
    ]
    assert call.models[0].requests[1].messages[-1].content == "Noted: Tuesday, 2026-03-03 15:00."
    described = {tool["name"]: tool["description"] for tool in call.models[0].requests[0].tools}
    assert "Monday, 2026-03-02 07:00 (America/New_York)" in described["schedule_callback"]


def test_do_not_call_suppresses_and_takes_leave_without_asking_the_model_again(tmp_path: Path) -> None:
    call = hold(lambda: phoning(tmp_path, asks("do_not_call", words="Never call me again")), ask)
    assert call.runner._toolbox._line.did == [("suppress", "Never call me again")]  # type: ignore[attr-defined]
    assert (call.sink.reason, call.words()[-1][1]) == (
        EndReason.OPTED_OUT,
        "I am sorry for the trouble. We will not call you again. Goodbye.",
    )
    assert len(call.models[0].requests) == 1


def test_who_cuts_in_while_a_number_is_suppressed_is_taken_leave_of_all_the_same(tmp_path: Path) -> None:
    class Slow(Telephone):
        async def suppress(self, words: str) -> None:
            await asyncio.sleep(2)
            await super().suppress(words)

    async def scenario(call: Call) -> None:
        await ask(call)
        await asyncio.sleep(1)
        call.runner.receive(TextTyped("Are you still there?"))

    asked = asks("do_not_call", words="Never call me again")
    call = hold(lambda: phoning(tmp_path, asked, [TextDelta("Yes, I am.")], line=Slow()), scenario)
    assert call.runner._toolbox._line.did == [("suppress", "Never call me again")]  # type: ignore[attr-defined]
    assert (call.sink.reason, call.words()[-1][1]) == (
        EndReason.OPTED_OUT,
        "I am sorry for the trouble. We will not call you again. Goodbye.",
    )


def test_a_cold_transfer_is_handed_over_when_its_last_words_were_played(tmp_path: Path) -> None:
    call = hold(lambda: phoning(tmp_path, asks("transfer_call", destination="Sales", summary="prices")), ask)
    assert call.runner._toolbox._line.did == [("transfer", "sales")]  # type: ignore[attr-defined]
    assert (call.sink.reason, call.words()[-1][1]) == (
        EndReason.TRANSFERRED,
        "I'll put you through now. One moment, please.",
    )
    assert events(call, "recording_ended") == [("recording_ended", {"reason": "transfer"})]


def test_a_caller_who_cuts_in_before_a_cold_transfer_stays_with_the_agent(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        await ask(call)
        await call.until(lambda: call.door.state is ConversationState.RESPONDING)
        call.runner.receive(TextTyped("Wait, one more thing."))
        await call.until(lambda: len(call.models[0].requests) == 2)
        await leave(call)

    asked = asks("transfer_call", destination="sales")
    call = hold(lambda: phoning(tmp_path, asked, [TextDelta("Yes?")]), scenario)
    assert call.runner._toolbox._line.did == []  # type: ignore[attr-defined]


def test_a_transfer_that_cannot_be_stored_is_told_by_an_event(tmp_path: Path) -> None:
    def make() -> Call:
        line = Telephone(failure=ToolRefusedError("no"))
        return phoning(tmp_path, asks("transfer_call", destination="sales"), line=line)

    call = hold(make, ask)
    assert (call.sink.reason, events(call, "transfer_failed", "recording_ended")) == (
        EndReason.TRANSFERRED,
        [("transfer_failed", {"error": "ToolRefusedError"})],
    )


@pytest.mark.parametrize("is_accepted", [True, False])
def test_a_caller_waits_while_a_colleague_is_called_and_then_goes_on(tmp_path: Path, is_accepted: bool) -> None:
    async def scenario(call: Call) -> None:
        await ask(call)
        await call.until(lambda: ("audio", 0, 800 * 2) in call.door.shown)
        await asyncio.sleep(40)
        assert call.door.state is ConversationState.LISTENING
        call.runner._toolbox._line.accepted.set_result(is_accepted)  # type: ignore[attr-defined]
        if not is_accepted:
            await call.until(lambda: call.door.state is ConversationState.RESPONDING)
            await leave(call)

    call = hold(lambda: phoning(tmp_path, asks("transfer_call", destination="dana")), scenario)
    assert call.runner._toolbox._line.did == [("consult", "Dana", "The caller said: Please.")]  # type: ignore[attr-defined]
    agents = [text for speaker, text, _ in call.words() if speaker == "agent"]
    lines = call.runner._spec.transfer_lines
    assert agents == [lines.calling, lines.connecting if is_accepted else lines.returned]
    assert call.sink.reason is (EndReason.TRANSFERRED if is_accepted else EndReason.CALLER_DISCONNECTED)
    assert len(events(call, "recording_ended")) == is_accepted


def test_keys_are_played_and_then_the_model_is_told(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        await ask(call)
        await call.until(lambda: len(call.models[0].requests) == 2)
        assert len(call.door.audio[0]) == 3 * 200 * 16
        await leave(call)

    call = hold(lambda: phoning(tmp_path, asks("send_digits", digits="1 2#"), [TextDelta("Done.")]), scenario)
    assert call.models[0].requests[1].messages[-1].content == "The keys 1 2 # were pressed."


def test_who_cuts_in_while_keys_are_pressed_cuts_none_of_them(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        await ask(call)
        await call.until(lambda: len(call.door.audio.get(0, b"")) > 0)
        call.runner.receive(InterruptRequested())
        await asyncio.sleep(3)
        await leave(call)

    asked = [TextDelta("I press."), *asks("send_digits", digits="1234")]
    call = hold(lambda: phoning(tmp_path, asked), scenario)
    assert len(call.door.audio[0]) == 4 * 200 * 16
    assert "cancel" not in call.kinds()


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("send_digits", {"digits": "call"}, "Not done: digits: expected 1 to 32 of 0-9, * and #"),
        ("send_digits", {}, "Not done: Object missing required field `digits`"),
        ("transfer_call", {"destination": "HR"}, "Not done: there is no destination 'HR'; there are: sales, Dana"),
        (
            "schedule_callback",
            {"at": "2026-03-01T15:00"},
            f"Not done: 2026-03-01T15:00 has passed. {NOW} Ask for a time in the future.",
        ),
        ("teleport", {}, "There is no tool named 'teleport'. Go on without it."),
    ],
)
def test_what_cannot_be_done_tells_the_model_the_remedy(
    tmp_path: Path, name: str, arguments: dict[str, Any], result: str
) -> None:
    async def scenario(call: Call) -> None:
        await ask(call)
        await call.until(lambda: len(call.models[0].requests) == 2)
        await leave(call)

    call = hold(lambda: phoning(tmp_path, asks(name, **arguments), [TextDelta("Well.")]), scenario)
    assert call.models[0].requests[1].messages[-1].content == result


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("send_digits", {"digits": "1"}),
        ("do_not_call", {"words": "stop"}),
        ("transfer_call", {"destination": "sales"}),
        ("transfer_call", {"destination": "dana"}),
    ],
)
def test_without_a_telephone_the_model_is_told_so(tmp_path: Path, name: str, arguments: dict[str, Any]) -> None:
    async def scenario(call: Call) -> None:
        await ask(call)
        await call.until(lambda: len(call.models[0].requests) == 2)
        await leave(call)

    made = [asks(name, **arguments), [TextDelta("Well.")]]
    call = hold(lambda: phoning(tmp_path, *made, telephone=False), scenario)
    result = call.models[0].requests[1].messages[-1].content
    assert result.startswith("Not done: This conversation has no telephone line, so ")


def test_only_what_the_agent_may_do_is_described(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        await ask(call)
        await call.until(lambda: len(call.models[0].requests) == 1)
        await leave(call)

    spec = agent(tools=("end_call", "transfer_call", "teleport"))
    call = hold(lambda: Call(spec, FakeModel([TextDelta("Yes.")]), folder=tmp_path), scenario)
    assert [tool["name"] for tool in call.models[0].requests[0].tools] == ["end_call"]
