"""What a call leaves behind: totals, failures, log lines; and that it leaves nothing else."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

from calls.engine.agent import VoiceActivity
from calls.engine.events import TextTyped
from calls.enums import ConversationState, EndReason, Role
from calls.errors import ProviderRejectedError, ProviderTimeoutError, ProviderUnavailableError
from calls.providers.base import GenerationPiece, GenerationRequest, TextDelta, VoiceReport
from calls.runner.ports import CallTotals
from calls.wire.audio import AudioFormat
from tests.calls.runner.fakes import FakeDetector, FakeModel, FakeSynthesiser, FakeVoiceStream, agent
from tests.calls.runner.test_call import Call, hold, speak
from vantum.logs import call_log, current_call


def test_the_totals_say_what_the_recogniser_dropped_and_how_often_it_was_reconnected(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        await speak(call, 0.1)
        call.stream.dropped_ms, call.stream.reconnects = 39.6, 2
        call.runner.shut_down(EndReason.CALLER_DISCONNECTED)

    call = hold(lambda: Call(agent(), folder=tmp_path), scenario)

    assert call.sink.totals == CallTotals(dropped_input_ms=40, reconnects=2)


def test_each_failure_of_a_provider_is_recorded_without_its_words(tmp_path: Path) -> None:
    async def scenario(call: Call) -> None:
        call.runner.receive(TextTyped("Hello?"))
        await call.until(lambda: call.door.state is ConversationState.RESPONDING)
        call.stream.emit(ProviderUnavailableError("secret", provider="deepgram", role=Role.STT))

    def make() -> Call:
        broken = FakeSynthesiser()
        broken.failures = [ProviderTimeoutError("secret", provider="cartesia", role=Role.TTS)] * 9
        models = (
            FakeModel([ProviderRejectedError("secret", provider="openai", role=Role.LLM)]),
            FakeModel([TextDelta("Hi there!")]),
        )
        return Call(agent(), *models, synthesisers=(broken, FakeSynthesiser()), folder=tmp_path)

    call = hold(make, scenario)

    assert [detail for kind, _, detail in call.sink.events if kind == "provider_failed"] == [
        {"role": "llm", "provider": "openai", "error": "ProviderRejectedError"},
        {"role": "tts", "provider": "cartesia", "error": "ProviderTimeoutError"},
        {"role": "stt", "provider": "deepgram", "error": "ProviderUnavailableError"},
        {"role": "tts", "provider": "cartesia", "error": "ProviderTimeoutError"},  # at the last line
    ]


def test_what_a_call_starts_logs_under_the_call_whoever_brings_it_the_event(tmp_path: Path) -> None:
    class Witness(FakeModel):
        async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationPiece, None]:
            assert current_call() == "this call"
            async for piece in super().generate(request):
                yield piece

    async def scenario(call: Call) -> None:
        with call_log("another call"):
            call.runner.receive(TextTyped("Hello?"))
        await call.until(lambda: "complete" in call.kinds())
        call.runner.shut_down(EndReason.CALLER_DISCONNECTED)

    def make() -> Call:
        with call_log("this call"):
            return Call(agent(), Witness([TextDelta("Hi!")]), folder=tmp_path)

    assert hold(make, scenario).sink.reason is EndReason.CALLER_DISCONNECTED


def test_a_call_that_is_over_listens_to_no_other_format(tmp_path: Path) -> None:
    opened: list[int] = []

    class Detector(FakeDetector):
        def open(self, rate: int, settings: VoiceActivity, on_report: Callable[[VoiceReport], None]) -> FakeVoiceStream:
            opened.append(rate)
            return super().open(rate, settings, on_report)

    async def scenario(call: Call) -> None:
        await speak(call, 0.1)
        call.runner.change_input(AudioFormat(rate=16_000))
        call.runner.shut_down(EndReason.SHUTDOWN)
        call.runner.change_input(AudioFormat(rate=24_000))

    hold(lambda: Call(agent(), detector=Detector(), folder=tmp_path), scenario)

    assert opened == [8000, 16_000]
