import asyncio
import time

import pytest
from pytest_django.fixtures import Settings

from calls.engine.agent import AgentSpec, Endpointing
from calls.engine.events import EagerEndOfTurn, EndOfTurn, SpeechStarted, TranscriptReceived, TurnResumed
from calls.enums import AudioEncoding
from calls.providers.base import RecognitionOptions
from calls.providers.deepgram import Deepgram
from calls.providers.deepgram import stream as stream_module
from calls.wire.audio import AudioFormat
from tests.calls.providers.hearing import PCM8, SPEC, audio, finals, hearing, interim, until
from tests.simulators.deepgram import DeepgramSimulator
from tests.simulators.faults import Fault

# --- nova -----------------------------------------------------------------------------------------------------------


async def test_nova_gives_interim_words_and_one_settled_final(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        await stream.connect()
        stream.hear(audio("one two three", 400))
        events = await until(stream, "settled")
    assert events[0] == SpeechStarted()
    assert events[-1] == TranscriptReceived("one two three", is_final=True, confidence=0.5, is_settled=True)
    assert events[1:-1] == [interim("one"), interim("one two"), interim("one two three")]


async def test_nova_is_asked_for_what_a_call_needs(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        await stream.connect()
        assert stream.detects_turns is False
        assert simulator.headers[0]["authorization"] == "Token key"
    assert simulator.requests == [
        {
            "model": ["nova-3"],
            "language": ["en-US"],
            "interim_results": ["true"],
            "vad_events": ["true"],
            "smart_format": ["true"],
            "endpointing": ["250"],
            "utterance_end_ms": ["1000"],
            "keyterm": ["Vantum"],
            "encoding": ["linear16"],
            "sample_rate": ["8000"],
        }
    ]


@pytest.mark.parametrize("encoding", list(AudioEncoding))
@pytest.mark.parametrize("rate", [8000, 16000, 48000])
async def test_the_lines_own_format_goes_out_as_it_is(settings: Settings, encoding: AudioEncoding, rate: int) -> None:
    form = AudioFormat(encoding=encoding, rate=rate)
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3", form) as stream:
        await stream.connect()
        stream.hear(audio("four nine", 400, form))
        assert finals(await until(stream, "settled")) == "four nine"


async def test_finals_are_pieces_and_an_empty_last_one_settles_them(settings: Settings) -> None:
    async with DeepgramSimulator(final_every_words=2) as simulator, hearing(settings, simulator, "nova-3") as stream:
        await stream.connect()
        stream.hear(audio("one two three four", 400))
        events = await until(stream, "settled")
    assert finals(events) == "one two three four"
    assert events[-1] == TranscriptReceived("", is_final=True, confidence=0.5, is_settled=True)


async def test_finalize_brings_the_words_at_once(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        await stream.connect()
        stream.hear(audio("five six"))
        stream.finalize()
        assert finals(await until(stream, "settled")) == "five six"
        assert simulator.control == ["Finalize"]


async def test_finalize_is_asked_again_on_a_new_connection(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        simulator.faults.append(Fault(drop_after=0.4))
        await stream.connect()
        stream.hear(audio("five six"))
        stream.finalize()
        assert finals(await until(stream, "settled")) == "five six"


async def test_messages_that_nobody_knows_are_passed_over(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        simulator.faults.append(Fault(unknown=True))
        await stream.connect()
        stream.hear(audio("seven", 400))
        assert finals(await until(stream, "settled")) == "seven"
        assert stream.reconnects == 0


async def test_audio_heard_before_the_connection_is_sent_after(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        stream.hear(audio("eight nine", 400))
        await stream.connect()
        assert finals(await until(stream, "settled")) == "eight nine"


async def test_when_the_caller_sends_nothing_silence_lets_the_utterance_end(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        await stream.connect()
        stream.hear(audio("one"))
        started = time.monotonic()
        assert finals(await until(stream, "settled")) == "one"
        assert time.monotonic() - started < 1.5


async def test_a_quiet_line_is_kept_alive(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "_PAD_SECONDS", 0.0)
    monkeypatch.setattr(stream_module, "_KEEP_ALIVE_SECONDS", 0.1)
    async with DeepgramSimulator(idle_seconds=0.8) as simulator, hearing(settings, simulator, "nova-3") as stream:
        await stream.connect()
        await asyncio.sleep(1.0)
        assert simulator.control.count("KeepAlive") >= 5
        assert (len(simulator.requests), simulator.live) == (1, 1)


# --- Flux -----------------------------------------------------------------------------------------------------------


async def test_flux_tells_the_turns(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "flux-general-en") as stream:
        await stream.connect()
        assert stream.detects_turns is True
        stream.hear(audio("one two", 300) + audio("three", 500))
        events = await until(stream, EndOfTurn)
    assert [event for event in events if not isinstance(event, TranscriptReceived)] == [
        SpeechStarted(),
        EagerEndOfTurn("one two", 0.5),
        TurnResumed(),
        EagerEndOfTurn("one two three", 0.5),
        EndOfTurn("one two three", 0.5),
    ]
    interims = [event for event in events if isinstance(event, TranscriptReceived)]
    assert interims == [interim("one"), interim("one two"), interim("one two three")]


async def test_flux_is_asked_for_eager_ends_only_if_the_agent_speculates(settings: Settings) -> None:
    careful = AgentSpec(name="Ada", prompt="", endpointing=Endpointing(eager_ms=0))
    async with DeepgramSimulator() as simulator:
        async with hearing(settings, simulator, "flux-general-en") as stream:
            await stream.connect()
        async with hearing(settings, simulator, "flux-general-en", spec=careful) as stream:
            await stream.connect()
    asked = {
        "model": ["flux-general-en"],
        "eot_threshold": ["0.7"],
        "eot_timeout_ms": ["5000"],
        "encoding": ["linear16"],
        "sample_rate": ["8000"],
    }
    assert simulator.requests == [asked | {"eager_eot_threshold": ["0.4"], "keyterm": ["Vantum"]}, asked]


async def test_another_language_than_english_is_heard_by_the_multilingual_flux(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator:
        settings.DEEPGRAM_BASE_URL, settings.DEEPGRAM_MODEL = simulator.url, "flux-general-en"
        stream = Deepgram().open(RecognitionOptions(format=PCM8, spec=SPEC, language="de-DE"))
        await stream.connect()
        await stream.aclose()
    assert simulator.requests[0]["model"] == ["flux-general-multi"]
    assert simulator.requests[0]["language_hint"] == ["de"]


async def test_flux_ends_its_turn_when_finalized(settings: Settings) -> None:
    simulator = DeepgramSimulator(end_of_turn_ms=60_000)
    async with simulator, hearing(settings, simulator, "flux-general-en") as stream:
        await stream.connect()
        stream.hear(audio("five six", 100))
        stream.finalize()
        events = await until(stream, EndOfTurn)
    assert events[-1] == EndOfTurn("five six", 0.5)
    assert "ForceEndTurn" in simulator.control


async def test_flux_gets_silence_while_the_caller_sends_nothing(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "flux-general-en") as stream:
        await stream.connect()
        stream.hear(audio("one two"))
        events = await until(stream, EndOfTurn)
        assert events[-1] == EndOfTurn("one two", 0.5)
        assert "KeepAlive" not in simulator.control


@pytest.mark.parametrize("model", ["nova-3", "flux-general-en"])
async def test_a_script_can_speak_for_any_voice(settings: Settings, model: str) -> None:
    lines = ("I am caller {connection}, turn {turn}.",)
    simulator = DeepgramSimulator(script=lines, final_delay_ms=30)
    async with simulator, hearing(settings, simulator, model) as stream:
        await stream.connect()
        stream.hear(audio("one two", 500) + audio("three", 500))
        last = EndOfTurn if model.startswith("flux") else "settled"
        first, second = await until(stream, last), await until(stream, last)
    assert [getattr(events[-1], "text", "") for events in (first, second)] == [
        "I am caller 1, turn 0.",
        "I am caller 1, turn 1.",
    ]
    assert [delay.key for delay in simulator.delays] == ["I am caller 1, turn 0.", "I am caller 1, turn 1."]
    assert all(delay.answered_at - delay.asked_at >= 0.03 for delay in simulator.delays)
