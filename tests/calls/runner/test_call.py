"""The runner with the real engine and controllable providers, on a virtual clock."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from calls.engine.agent import AgentSpec, Silence
from calls.engine.events import EndOfTurn, HangUpRequested, TextTyped, ToolRequest
from calls.enums import CancelReason, ConversationState, EndReason, ErrorCode, Role, Speaker
from calls.errors import ProviderRejectedError, ProviderUnavailableError
from calls.providers.base import TextDelta
from calls.providers.cache import SpeechCache
from calls.providers.registry import CallProviders
from calls.runner.call import CallLimits, CallRunner
from calls.runner.options import CallOptions
from calls.runner.simulation import CollectingDoor, CollectingSink, run_virtually
from calls.wire.audio import AudioFormat
from tests.calls.runner.fakes import FakeDetector, FakeModel, FakeRecogniser, FakeSynthesiser, agent

WIRE = AudioFormat(rate=8000)
LINES = ("Say that again?", "One moment.", "We will call back. Goodbye.")


class Call:
    """One call under test: the runner with everything around it."""

    def __init__(self, spec: AgentSpec, *models: FakeModel, **parts: Any) -> None:
        self.recogniser = parts.get("recogniser") or FakeRecogniser()
        self.synthesisers: tuple[FakeSynthesiser, ...] = parts.get("synthesisers") or (FakeSynthesiser(),)
        self.models = models or (FakeModel(),)
        self.door = CollectingDoor()
        self.sink = CollectingSink()
        self.runner = CallRunner(
            spec=spec,
            options=CallOptions(input=parts.get("input", WIRE), output=WIRE, variables={}),
            door=self.door,
            sink=self.sink,
            providers=CallProviders(
                stt=self.recogniser,
                llms=self.models,
                tts=self.synthesisers,
                vad=parts.get("detector") or FakeDetector(),
                cache=SpeechCache(parts["folder"]),
            ),
            limits=CallLimits(fallback_lines=LINES, turn_budget_seconds=4.0),
            access=parts.get("access"),
            clock=asyncio.get_running_loop().time,
        )

    @property
    def stream(self) -> Any:
        return self.recogniser.streams[-1]

    async def until(self, predicate: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until something was shown that makes ``predicate`` true."""
        async with asyncio.timeout(seconds):
            while not predicate():
                self.door.changed.clear()
                await self.door.changed.wait()

    def kinds(self) -> list[str]:
        return [shown[0] for shown in self.door.shown]

    def words(self) -> list[tuple[Speaker, str, bool]]:
        return [(turn.speaker, turn.text, turn.interrupted) for turn in self.sink.turns]


def hold(call_maker: Callable[[], Call], scenario: Callable[[Call], Awaitable[None]]) -> Call:
    """Run a whole call on a virtual clock while ``scenario`` plays the far side; give the call to look at."""

    async def both() -> Call:
        call = call_maker()
        running = asyncio.create_task(call.runner.run())
        await scenario(call)
        await running
        await asyncio.sleep(60)  # what other calls may share, like a line that is being made, ends by itself
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return call

    return run_virtually(both())


async def speak(call: Call, seconds: float, *, loud: bool = True) -> None:
    """Send 20 ms frames at their own pace."""
    for _ in range(round(seconds / 0.02)):
        call.runner.hear((b"\1" if loud else b"\0") * 320)
        await asyncio.sleep(0.02)


def test_the_opening_goes_out_in_a_short_chunk_and_then_in_longer_ones(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        await call.until(lambda: call.door.state is ConversationState.LISTENING)
        call.runner.shut_down(EndReason.CALLER_DISCONNECTED)

    call = hold(lambda: Call(agent(opening="Hello, this is Ada calling."), folder=tmp_path), scenario)

    sizes = [shown[2] for shown in call.door.shown if shown[0] == "audio"]
    text_ms = len("Hello, this is Ada calling.") * 60
    assert sum(sizes) == text_ms * 16
    assert sizes[0] == 100 * 16
    assert all(size <= 300 * 16 for size in sizes)
    assert call.words() == [(Speaker.AGENT, "Hello, this is Ada calling.", False)]
    assert call.sink.reason is EndReason.CALLER_DISCONNECTED


def test_audio_is_sent_at_most_the_lead_ahead_of_its_playing(tmp_path: Path) -> None:
    sent: list[tuple[float, float]] = []

    async def scenario(call: Call) -> None:
        original = call.door.send_audio

        async def timed(reply: int, pcm: bytes) -> None:
            sent.append((asyncio.get_running_loop().time(), WIRE.duration_ms(len(pcm))))
            await original(reply, pcm)

        call.door.send_audio = timed  # type: ignore[method-assign]
        await call.until(lambda: call.door.state is ConversationState.LISTENING)
        call.runner.shut_down(EndReason.CALLER_DISCONNECTED)

    hold(lambda: Call(agent(opening="A" * 100 + "."), folder=tmp_path), scenario)

    began = sent[0][0]
    total = 0.0
    for at, duration in sent:
        total += duration
        assert total - (at - began) * 1000 <= 2000 + 1
    assert total == 101 * 60


def test_a_typed_turn_is_answered_and_both_turns_are_recorded(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        call.runner.receive(TextTyped("What does it cost?"))
        await call.until(lambda: "complete" in call.kinds())
        await call.until(lambda: call.door.state is ConversationState.LISTENING)
        call.runner.shut_down(EndReason.CALLER_DISCONNECTED)

    model = FakeModel([0.2, TextDelta("It costs "), TextDelta("ten dollars.")])
    call = hold(lambda: Call(agent(), model, folder=tmp_path), scenario)

    assert call.words() == [
        (Speaker.CALLER, "What does it cost?", False),
        (Speaker.AGENT, "It costs ten dollars.", False),
    ]
    latency = call.sink.turns[1].latency
    assert latency is not None
    assert latency.llm == pytest.approx(200)
    assert model.closed == 1


def test_a_spoken_turn_of_a_turn_detecting_recogniser_is_answered(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        await speak(call, 1.0)
        call.stream.emit(EndOfTurn("How are you?"))
        await call.until(lambda: "complete" in call.kinds())
        await call.until(lambda: call.door.state is ConversationState.LISTENING)
        call.runner.shut_down(EndReason.CALLER_DISCONNECTED)

    model = FakeModel([TextDelta("Fine, thank you.")])
    call = hold(lambda: Call(agent(), model, recogniser=FakeRecogniser(detects_turns=True), folder=tmp_path), scenario)

    assert call.words() == [(Speaker.CALLER, "How are you?", False), (Speaker.AGENT, "Fine, thank you.", False)]
    assert call.stream.hints == [True]
    assert call.stream.is_closed


def test_a_barge_in_cancels_at_once_and_no_byte_of_the_reply_follows(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        await call.until(lambda: call.door.state is ConversationState.RESPONDING)
        await speak(call, 1.0, loud=False)
        await speak(call, 0.5)
        await call.until(lambda: "cancel" in call.kinds())
        call.stream.emit(EndOfTurn("Wait, who is this?"))
        await call.until(lambda: call.kinds().count("start") == 2)
        await call.until(lambda: call.door.state is ConversationState.LISTENING)
        call.runner.shut_down(EndReason.CALLER_DISCONNECTED)

    opening = "Hello, this is a rather long opening line that takes its time."
    model = FakeModel([TextDelta("It is Ada.")])
    call = hold(
        lambda: Call(agent(opening=opening), model, recogniser=FakeRecogniser(detects_turns=True), folder=tmp_path),
        scenario,
    )

    at = call.kinds().index("cancel")
    cancel = call.door.shown[at]
    assert cancel[1:3] == (1, CancelReason.BARGE_IN)
    assert opening.startswith(cancel[3])
    assert not [shown for shown in call.door.shown[at:] if shown[0] == "audio" and shown[1] == 1]
    assert call.words() == [
        (Speaker.AGENT, cancel[3], True),
        (Speaker.CALLER, "Wait, who is this?", False),
        (Speaker.AGENT, "It is Ada.", False),
    ]
    heard_ms = sum(len(pcm) / 16 for side, _, pcm, _ in call.sink.audio if side is Speaker.AGENT)
    assert heard_ms < (len(opening) + len("It is Ada.")) * 60


def test_a_cough_while_the_model_still_writes_loses_no_word_of_the_reply(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        call.runner.receive(TextTyped("Tell me."))
        await call.until(lambda: call.door.state is ConversationState.RESPONDING)
        await speak(call, 1.0, loud=False)
        await speak(call, 0.3)
        await speak(call, 8.0, loud=False)
        await call.until(lambda: call.door.state is ConversationState.LISTENING)
        call.runner.shut_down(EndReason.CALLER_DISCONNECTED)

    model = FakeModel([TextDelta("This is the first sentence of it. "), 2.0, TextDelta("And this is the second one.")])
    call = hold(lambda: Call(agent(), model, recogniser=FakeRecogniser(detects_turns=True), folder=tmp_path), scenario)

    assert "cancel" in call.kinds()
    assert call.words() == [
        (Speaker.CALLER, "Tell me.", False),
        (Speaker.AGENT, "This is the first sentence of it. And this is the second one.", False),
    ]
    assert len(model.requests) == 1


def test_every_spoken_text_has_the_calls_variables_and_the_recogniser_the_agents_own_words(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        await call.until(lambda: call.door.state is ConversationState.LISTENING)
        await call.until(lambda: call.kinds().count("complete") == 2)
        await call.until(lambda: call.door.state is ConversationState.LISTENING)
        call.runner.shut_down(EndReason.CALLER_DISCONNECTED)

    spec = agent(
        opening="Hello {{name|you}}.", silence=Silence(reprompts=("Still there, {{name|you}}?",), max_reprompts=1)
    )
    call = hold(lambda: Call(spec, folder=tmp_path), scenario)

    assert [text for _, text, _ in call.words()] == ["Hello you.", "Still there, you?"]
    assert call.stream.options.spec.opening == "Hello {{name|you}}."


def test_a_model_that_fails_is_replaced_by_the_fallback(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        call.runner.receive(TextTyped("Hello?"))
        await call.until(lambda: call.door.state is ConversationState.RESPONDING)
        await call.until(lambda: call.door.state is ConversationState.LISTENING)
        call.runner.shut_down(EndReason.CALLER_DISCONNECTED)

    broken = FakeModel([ProviderUnavailableError("HTTP 500", provider="openai", role=Role.LLM)])
    call = hold(lambda: Call(agent(), broken, FakeModel([TextDelta("Hi!")]), folder=tmp_path), scenario)

    assert call.words() == [(Speaker.CALLER, "Hello?", False), (Speaker.AGENT, "Hi!", False)]


def test_a_synthesiser_that_fails_is_replaced_by_the_fallback(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        call.runner.receive(TextTyped("Hello?"))
        await call.until(lambda: call.door.state is ConversationState.RESPONDING)
        await call.until(lambda: call.door.state is ConversationState.LISTENING)
        call.runner.shut_down(EndReason.CALLER_DISCONNECTED)

    def make() -> Call:
        broken = FakeSynthesiser()
        broken.failures = [ProviderUnavailableError("gone", provider="cartesia", role=Role.TTS)] * 9
        return Call(
            agent(), FakeModel([TextDelta("Hi there!")]), synthesisers=(broken, FakeSynthesiser()), folder=tmp_path
        )

    call = hold(make, scenario)

    assert call.words() == [(Speaker.CALLER, "Hello?", False), (Speaker.AGENT, "Hi there!", False)]
    assert call.synthesisers[1].said == ["Hi there!"]


def test_a_model_that_hangs_gives_a_cached_fallback_line_within_the_budget(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        await asyncio.sleep(30)  # the cache is warm by then
        call.synthesisers[0].failures = [ProviderUnavailableError("gone", provider="tts", role=Role.TTS)] * 9
        began = asyncio.get_running_loop().time()
        call.runner.receive(TextTyped("Hello?"))
        await call.until(lambda: call.door.state is ConversationState.RESPONDING)
        assert asyncio.get_running_loop().time() - began <= 4.01
        await call.until(lambda: call.door.state is ConversationState.LISTENING)
        call.runner.shut_down(EndReason.CALLER_DISCONNECTED)

    spec = agent(silence=Silence(reprompt_after_seconds=600.0))
    call = hold(lambda: Call(spec, FakeModel([3600.0]), folder=tmp_path), scenario)

    assert call.words() == [(Speaker.CALLER, "Hello?", False), (Speaker.AGENT, LINES[0], False)]
    errors = [shown[1] for shown in call.door.shown if shown[0] == "error"]
    assert errors == [ErrorCode.LLM]


def test_a_recogniser_that_cannot_be_reached_is_a_connection_error(tmp_path: Path) -> None:
    recogniser = FakeRecogniser()
    recogniser.refusal = ProviderRejectedError("HTTP 401", provider="deepgram", role=Role.STT)

    async def scenario(_call: Call) -> None:
        pass

    call = hold(lambda: Call(agent(), recogniser=recogniser, folder=tmp_path), scenario)

    assert [shown[1] for shown in call.door.shown if shown[0] == "error"] == [ErrorCode.CONNECTION]
    assert call.sink.reason is EndReason.PROVIDER_FAILED


def test_a_goodbye_tool_ends_the_call_after_the_goodbye_was_played(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        call.runner.receive(TextTyped("Bye."))

    model = FakeModel([ToolRequest("t1", "end_call", '{"goodbye": "Goodbye, and thank you."}')])
    call = hold(lambda: Call(agent(), model, folder=tmp_path), scenario)

    assert call.words() == [(Speaker.CALLER, "Bye.", False), (Speaker.AGENT, "Goodbye, and thank you.", False)]
    assert call.sink.reason is EndReason.AGENT_SAID_GOODBYE
    assert sum(map(len, call.door.audio.values())) == len("Goodbye, and thank you.") * 60 * 16


def test_a_hang_up_by_the_caller_is_answered_with_a_goodbye(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        call.runner.receive(HangUpRequested())

    call = hold(lambda: Call(agent(), folder=tmp_path), scenario)

    assert [turn.speaker for turn in call.sink.turns] == [Speaker.AGENT]
    assert call.sink.reason is EndReason.CALLER_ENDED


def test_a_cancelled_call_records_what_was_said_and_ends_as_shut_down(tmp_path: Path) -> None:
    async def both() -> Call:
        call = Call(agent(opening="Hello, this is Ada calling from the office."), folder=tmp_path)
        running = asyncio.create_task(call.runner.run())
        await call.until(lambda: call.door.state is ConversationState.RESPONDING)
        await asyncio.sleep(1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return call

    call = run_virtually(both())

    assert [(turn.speaker, turn.interrupted) for turn in call.sink.turns] == [(Speaker.AGENT, True)]
    assert call.sink.reason is EndReason.SHUTDOWN


def test_a_bug_in_the_engine_surfaces_and_the_call_is_closed(tmp_path: Path) -> None:
    async def both() -> Call:
        call = Call(agent(), folder=tmp_path)
        running = asyncio.create_task(call.runner.run())
        await asyncio.sleep(0.1)
        call.runner.receive("not an event")  # type: ignore[arg-type]
        with pytest.raises(ExceptionGroup):
            await running
        return call

    call = run_virtually(both())

    assert call.sink.reason is EndReason.INTERNAL_ERROR
    assert call.stream.is_closed


def test_audio_that_the_recogniser_takes_as_it_is_is_not_converted(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        await speak(call, 0.2)
        call.runner.shut_down(EndReason.CALLER_DISCONNECTED)

    call = hold(lambda: Call(agent(), folder=tmp_path), scenario)

    assert bytes(call.stream.heard) == b"\1" * 3200
    assert call.stream.options.format == WIRE


def test_audio_of_another_rate_reaches_the_recogniser_at_its_own(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        await speak(call, 1.0)
        call.runner.shut_down(EndReason.CALLER_DISCONNECTED)

    call = hold(lambda: Call(agent(), recogniser=FakeRecogniser(rates=(16_000,)), folder=tmp_path), scenario)

    assert call.stream.options.format == AudioFormat(rate=16_000)
    assert len(call.stream.heard) / 32 == pytest.approx(1000, abs=5)
