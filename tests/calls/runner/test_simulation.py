import asyncio
import time
from pathlib import Path

import pytest

from calls.demo import DEMO_AGENT
from calls.enums import EndReason, Role, Speaker
from calls.errors import ProviderUnavailableError
from calls.providers.base import SpeechOptions, TextToSpeech
from calls.providers.cache import SpeechCache
from calls.providers.registry import CallProviders
from calls.providers.scripted import ScriptedAgent, ScriptedSpeechToText, ScriptedTextToSpeech
from calls.providers.vad import EnergyDetector
from calls.runner.call import CallLimits
from calls.runner.simulation import CollectingSink, SimulatedCall, run_virtually, simulate

LIMITS = CallLimits(fallback_lines=("Again?", "A moment.", "Goodbye."), turn_budget_seconds=4.0)
LINES = ["is this about the solar panels", "!how much does it cost", "goodbye"]


def hold(folder: Path) -> SimulatedCall:
    async def work() -> SimulatedCall:
        providers = CallProviders(
            stt=ScriptedSpeechToText([line.removeprefix("!") for line in LINES]),
            llms=(ScriptedAgent(),),
            tts=(ScriptedTextToSpeech(),),
            vad=EnergyDetector(),
            cache=SpeechCache(folder),
        )
        return await simulate(DEMO_AGENT, providers, LINES, LIMITS)

    return run_virtually(work())


def test_time_jumps_from_timer_to_timer() -> None:
    async def work() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run_virtually(work()) == 3600
    assert time.monotonic() - began < 60


def test_work_for_a_thread_is_done_at_once_and_its_failure_reaches_the_caller() -> None:
    async def work() -> int:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        return await asyncio.to_thread(lambda: 7)

    assert run_virtually(work()) == 7


def test_a_whole_call_is_held_with_a_barge_in_and_comes_out_the_same_each_time(tmp_path: Path) -> None:
    first, second = hold(tmp_path / "a"), hold(tmp_path / "b")

    turns = [(turn.speaker, turn.text) for turn in first.sink.turns]
    assert [text for speaker, text in turns if speaker is Speaker.CALLER] == [line.removeprefix("!") for line in LINES]
    cut = [turn for turn in first.sink.turns if turn.interrupted]
    assert [turn.speaker for turn in cut] == [Speaker.AGENT]
    assert first.sink.reason is EndReason.AGENT_SAID_GOODBYE
    assert first.sink.turns == second.sink.turns
    assert first.seconds == second.seconds


def test_a_line_that_cannot_be_spoken_ends_the_call_and_is_no_secret(tmp_path: Path) -> None:
    class Hoarse(SpeechCache):
        async def make(self, tts: TextToSpeech, options: SpeechOptions, text: str, *, keep: bool = True) -> bytes:
            if text == "How are you?":
                message = "no voice"
                raise ProviderUnavailableError(message, provider="scripted", role=Role.TTS)
            return await super().make(tts, options, text, keep=keep)

    async def work() -> None:
        providers = CallProviders(
            stt=ScriptedSpeechToText(LINES),
            llms=(ScriptedAgent(),),
            tts=(ScriptedTextToSpeech(),),
            vad=EnergyDetector(),
            cache=Hoarse(tmp_path),
        )
        await simulate(DEMO_AGENT, providers, ["How are you?"], LIMITS)

    with pytest.raises(ExceptionGroup) as raised:
        run_virtually(work())
    assert "no voice" in str(raised.value.exceptions)


def test_cut_agent_audio_is_kept_up_to_the_cut_and_the_callers_stays() -> None:
    sink = CollectingSink()
    sink.record_audio(Speaker.AGENT, 0, bytes(1600), 8000)
    sink.record_audio(Speaker.CALLER, 0, bytes(1600), 8000)
    sink.record_audio(Speaker.AGENT, 100, bytes(1600), 8000)
    sink.cut_agent_audio(50)
    assert sink.audio == [
        (Speaker.AGENT, 0, bytes(800), 8000),
        (Speaker.CALLER, 0, bytes(1600), 8000),
    ]
