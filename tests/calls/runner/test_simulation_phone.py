"""Whole telephone calls without a telephone: the runner, the recogniser's pace and the engine together."""

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from calls.demo import DEMO_AGENT
from calls.engine.agent import Telephone
from calls.enums import Direction, EndReason, OpeningWaits, Speaker
from calls.providers.cache import SpeechCache
from calls.providers.registry import CallProviders
from calls.providers.scripted import ScriptedAgent, ScriptedSpeechToText, ScriptedTextToSpeech
from calls.providers.vad import EnergyDetector
from calls.runner.simulation import SimulatedCall, run_virtually, simulate
from tests.calls.runner.test_simulation import LIMITS

NOTICE = "I am Robin, an AI assistant. This call is recorded."
MAILBOX = "hi you have reached tom i can't come to the phone right now please leave a message after the tone"
MENU = (
    "thank you for calling acme for sales press one for support press two",
    "for the directory press three to hear these choices again press nine",
)
SCREENING = "the person you called uses call screening please say your name and why you're calling"


def hold(folder: Path, *lines: str, **manners: Any) -> SimulatedCall:
    """Hold a call that we placed; the callee says the lines."""
    waits = OpeningWaits.ANSWER if lines[0].startswith("!") else OpeningWaits.GREETING
    spec = replace(DEMO_AGENT, telephone=Telephone(notice=NOTICE, **{"opening_waits": waits, **manners}))

    async def work() -> SimulatedCall:
        providers = CallProviders(
            stt=ScriptedSpeechToText([line.removeprefix("!") for line in lines if not line.startswith("~")]),
            llms=(ScriptedAgent(),),
            tts=(ScriptedTextToSpeech(),),
            vad=EnergyDetector(),
            cache=SpeechCache(folder),
        )
        return await simulate(spec, providers, lines, LIMITS, telephone=Direction.OUTBOUND)

    return run_virtually(work())


def texts(call: SimulatedCall, speaker: Speaker) -> list[str]:
    return [turn.text for turn in call.sink.turns if turn.speaker is speaker]


def details(call: SimulatedCall, kind: str) -> list[Any]:
    return [detail for found, _, detail in call.sink.events if found == kind]


def test_an_opt_out_over_the_opening_is_recorded_and_ends_the_call_within_ten_seconds(tmp_path: Path) -> None:
    call = hold(tmp_path, "!stop calling me")
    assert call.sink.reason is EndReason.OPTED_OUT
    turn = next(turn for turn in call.sink.turns if turn.speaker is Speaker.CALLER)
    assert turn.text == "stop calling me"
    assert details(call, "opted_out") == [{"source": "spoken", "turn": turn.index}]
    assert texts(call, Speaker.AGENT)[-1] == Telephone().opt_out_goodbye
    assert call.seconds - turn.ended_ms / 1000 <= 10.0


def test_a_greeting_is_waited_for_and_the_notice_comes_first(tmp_path: Path) -> None:
    call = hold(tmp_path, "hello")
    assert [turn.speaker for turn in call.sink.turns[:2]] == [Speaker.CALLER, Speaker.AGENT]
    greeting, opening = call.sink.turns[:2]
    assert opening.text.startswith(NOTICE)
    assert opening.started_ms - greeting.ended_ms <= 1500
    assert details(call, "notice_played")
    assert [detail["by"] for detail in details(call, "answered")] == ["human"]


def test_a_mailbox_is_left_without_a_word(tmp_path: Path) -> None:
    call = hold(tmp_path, MAILBOX, "~5")
    assert (call.sink.reason, texts(call, Speaker.AGENT)) == (EndReason.MACHINE_ANSWERED, [])
    assert details(call, "answered")[0]["signals"] == ["timing", "words"]


def test_an_assistant_is_told_who_calls_and_the_person_hears_the_opening(tmp_path: Path) -> None:
    call = hold(tmp_path, SCREENING, "hello", screening_answer="Robin of Northlight, about your roof.")
    said = texts(call, Speaker.AGENT)
    assert said[0] == "Robin of Northlight, about your roof."
    assert said[1].startswith(NOTICE)
    assert [detail["by"] for detail in details(call, "answered")] == ["screening", "human"]


def test_a_menu_gets_its_keys(tmp_path: Path) -> None:
    call = hold(tmp_path, *MENU, "~3", "acme how can i help you", ivr_digits="0")
    assert details(call, "digits_sent") == [{"digits": "0"}]
    assert texts(call, Speaker.AGENT)[0].startswith(NOTICE)


def test_an_objection_stops_the_recording_and_the_call_goes_on(tmp_path: Path) -> None:
    call = hold(tmp_path, "hello", "i do not want to be recorded", "how much does it cost")
    assert not call.sink.is_recording
    said = texts(call, Speaker.AGENT)
    assert Telephone().objection_line in said
    assert "dollars" in said[-1]
