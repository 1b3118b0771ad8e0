import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from pytest_django.fixtures import Settings

from calls.engine.agent import AgentSpec, Endpointing
from calls.engine.events import EagerEndOfTurn, EndOfTurn, SpeechStarted, TranscriptReceived, TurnResumed
from calls.enums import AudioEncoding
from calls.errors import ProviderError, ProviderRejectedError, ProviderTimeoutError, ProviderUnavailableError
from calls.providers.base import RecognitionEvent, RecognitionOptions
from calls.providers.deepgram import Deepgram
from calls.providers.deepgram import stream as stream_module
from calls.providers.deepgram.audiolog import AudioLog
from calls.providers.deepgram.dialects import Flux, Nova
from calls.providers.deepgram.stream import DeepgramStream
from calls.wire.audio import AudioFormat
from tests.simulators import sound
from tests.simulators.deepgram import DeepgramSimulator
from tests.simulators.faults import Fault

SPEC = AgentSpec(name="Ada", prompt="Be kind.", key_terms=("Vantum",))
PCM8 = AudioFormat(encoding=AudioEncoding.PCM16, rate=8000)
SPELLING = {AudioEncoding.PCM16: "linear16", AudioEncoding.MULAW: "mulaw", AudioEncoding.ALAW: "alaw"}


def audio(words: str, silence_ms: float = 0, form: AudioFormat = PCM8) -> bytes:
    spelling = SPELLING[form.encoding]
    return sound.encode(spelling, sound.spoken(words, form.rate)) + sound.encode(
        spelling, sound.silence(silence_ms, form.rate)
    )


@asynccontextmanager
async def hearing(
    settings: Settings, simulator: DeepgramSimulator, model: str, form: AudioFormat = PCM8, spec: AgentSpec = SPEC
) -> AsyncIterator[DeepgramStream]:
    settings.DEEPGRAM_BASE_URL, settings.DEEPGRAM_API_KEY, settings.DEEPGRAM_MODEL = simulator.url, "key", model
    stream = Deepgram().open(RecognitionOptions(format=form, spec=spec))
    try:
        yield stream
    finally:
        await stream.aclose()


async def until(stream: DeepgramStream, last: type | str) -> list[RecognitionEvent]:
    """Collect events up to an event of a class, or up to the settled transcript."""
    events: list[RecognitionEvent] = []
    async with asyncio.timeout(8):
        async for event in stream.events():
            events.append(event)
            is_settled = isinstance(event, TranscriptReceived) and event.is_settled
            if (last == "settled" and is_settled) or (isinstance(last, type) and isinstance(event, last)):
                return events
    return events


def finals(events: list[RecognitionEvent]) -> str:
    pieces = [event.text for event in events if isinstance(event, TranscriptReceived) and event.is_final]
    return " ".join(piece for piece in pieces if piece)


def interim(text: str) -> TranscriptReceived:
    return TranscriptReceived(text, is_final=False, confidence=0.5)


async def heard_until(simulator: DeepgramSimulator, connection: int, seconds: float) -> None:
    async with asyncio.timeout(5):
        while len(simulator.audio_seconds) < connection or simulator.audio_seconds[connection - 1] < seconds:  # noqa: ASYNC110 (polls)
            await asyncio.sleep(0.01)


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


# --- a connection that breaks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault(drop_after=0.5), Fault(drop_after=0.5, close_code=1011)])
@pytest.mark.parametrize("split", [0, 1])
async def test_nova_loses_and_doubles_no_word_when_the_connection_breaks(
    settings: Settings, fault: Fault, split: int
) -> None:
    async with DeepgramSimulator(final_every_words=split) as simulator:
        simulator.faults.extend([fault, Fault(status=503)])
        async with hearing(settings, simulator, "nova-3") as stream:
            await stream.connect()
            stream.hear(audio("one two three"))
            await heard_until(simulator, 1, 0.5)
            stream.hear(audio("four five", 400))
            events = await until(stream, "settled")
            assert stream.reconnects == 1
    assert finals(events) == "one two three four five"
    assert events.count(SpeechStarted()) == 1
    assert stream.dropped_ms == 0


async def test_flux_loses_and_doubles_no_word_when_the_connection_breaks(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator:
        simulator.faults.extend([Fault(drop_after=0.5), Fault(status=500), Fault(drop_after=0.8)])
        async with hearing(settings, simulator, "flux-general-en") as stream:
            await stream.connect()
            stream.hear(audio("one two three"))
            await heard_until(simulator, 1, 0.5)
            stream.hear(audio("four five", 600))
            events = await until(stream, EndOfTurn)
            assert stream.reconnects == 2
    assert events[-1] == EndOfTurn("one two three four five", 0.5)
    assert events.count(SpeechStarted()) == 1


async def test_words_said_before_a_finished_turn_are_not_heard_again(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "flux-general-en") as stream:
        await stream.connect()
        stream.hear(audio("one two", 600))
        await until(stream, EndOfTurn)
        await simulator.drop_all()
        stream.hear(audio("three", 600))
        events = await until(stream, EndOfTurn)
    assert events[-1] == EndOfTurn("three", 0.5)


async def test_a_half_open_connection_is_noticed_and_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Nova, "stall_seconds", 0.3)
    monkeypatch.setattr(stream_module, "_TICK_SECONDS", 0.1)
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        simulator.faults.append(Fault(mute_after=0.3))
        await stream.connect()
        stream.hear(audio("one two three", 400))
        assert finals(await until(stream, "settled")) == "one two three"
        assert stream.reconnects == 1


async def test_a_recogniser_that_stays_away_is_lost_for_good(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "_GIVE_UP_SECONDS", 0.3)
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        simulator.faults.extend([Fault(drop_after=0.1), *[Fault(status=503)] * 20])
        await stream.connect()
        stream.hear(audio("one"))
        with pytest.raises(ProviderUnavailableError, match="deepgram"):
            await until(stream, "settled")


async def test_audio_that_deepgram_cannot_decode_is_not_sent_again(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        simulator.faults.append(Fault(drop_after=0.1, close_code=1008))
        await stream.connect()
        stream.hear(audio("one"))
        with pytest.raises(ProviderRejectedError, match="1008"):
            await until(stream, "settled")
        assert len(simulator.requests) == 1


async def test_an_error_message_leads_to_a_new_connection(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "flux-general-en") as stream:
        simulator.faults.append(Fault(error="INTERNAL_SERVER_ERROR"))
        await stream.connect()
        stream.hear(audio("two", 600))
        assert (await until(stream, EndOfTurn))[-1] == EndOfTurn("two", 0.5)
        assert stream.reconnects == 1


@pytest.mark.parametrize(
    ("status", "error", "attempts"),
    [
        (400, ProviderRejectedError, 1),
        (401, ProviderRejectedError, 1),
        (402, ProviderRejectedError, 1),
        (429, ProviderUnavailableError, 2),
        (500, ProviderUnavailableError, 2),
    ],
)
async def test_a_refusal_is_sorted_and_only_what_may_pass_is_tried_once_more(
    settings: Settings, status: int, error: type[ProviderError], attempts: int
) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        simulator.faults.extend([Fault(status=status)] * 3)
        with pytest.raises(error, match=str(status)):
            await stream.connect()
        assert len(simulator.faults) == 3 - attempts


async def test_nobody_listening_is_unavailable(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator:
        pass
    async with hearing(settings, simulator, "nova-3") as stream:
        with pytest.raises(ProviderUnavailableError):
            await stream.connect()


async def test_a_handshake_that_hangs_costs_only_the_budget(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "_OPEN_SECONDS", 0.5)
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        simulator.faults.extend([Fault(hang=True)] * 2)
        started = time.monotonic()
        with pytest.raises(ProviderTimeoutError):
            await stream.connect()
        assert time.monotonic() - started < 0.8


async def test_closing_takes_less_than_a_second_whatever_the_server_does(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        simulator.faults.append(Fault(ignore_close=True))
        await stream.connect()
        stream.hear(audio("one"))
        started = time.monotonic()
        await stream.aclose()
        assert time.monotonic() - started < 1.0
        assert [event async for event in stream.events()] == []


async def test_a_bug_in_the_stream_is_told_to_the_call(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(_self: Nova, _message: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Nova, "read", break_down)
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        await stream.connect()
        stream.hear(audio("one", 400))
        with pytest.raises(ProviderError, match="internal error"):
            await until(stream, "settled")
    assert "ended by a bug" in caplog.text


def test_the_rates_are_the_models(settings: Settings) -> None:
    settings.DEEPGRAM_MODEL = "flux-general-en"
    flux = Deepgram()
    settings.DEEPGRAM_MODEL = "nova-3"
    nova = Deepgram()
    odd = AudioFormat(encoding=AudioEncoding.PCM16, rate=12_000)
    assert (flux.accepts(PCM8), flux.accepts(odd)) == (True, False)
    assert (nova.accepts(PCM8), nova.accepts(odd)) == (True, True)
    assert flux.accepts(flux.preferred)
    assert nova.accepts(nova.preferred)


# --- the pure parts -------------------------------------------------------------------------------------------------


def test_the_log_drops_the_oldest_and_counts_only_what_was_never_sent() -> None:
    log = AudioLog(PCM8, limit_seconds=1.0)
    log.append(bytes(16_000))
    assert len(log.take(0.25)) == 4000
    assert log.append(bytes(3000)) == 0
    assert log.append(bytes(3000)) == 2000
    assert (log.base, log.cursor, log.head, log.dropped_ms) == (6000, 6000, 22_000, 125.0)


def test_the_log_keeps_what_was_not_sent_even_when_it_is_released() -> None:
    log = AudioLog(PCM8)
    log.append(bytes(range(100)))
    log.take(0.001)
    log.release(60)
    assert (log.base, log.cursor) == (16, 16)
    log.take(1.0)
    log.release(60)
    log.rewind()
    assert log.take(1.0) == bytes(range(60, 100))


def turn_info(event: str, transcript: str = "", end: float = 1.0, words: tuple[tuple[str, float], ...] = ()) -> object:
    spoken = [SimpleNamespace(word=word, end=at, confidence=1.0) for word, at in words]
    return SimpleNamespace(type="TurnInfo", event=event, transcript=transcript, audio_window_end=end, words=spoken)


def test_a_turn_longer_than_the_log_keeps_its_first_words() -> None:
    flux = Flux()
    flux.read(turn_info("StartOfTurn", "one two", words=(("one", 0.5), ("two", 21.0))))
    flux.reconnect(10.0, 12.0)
    assert flux.read(turn_info("EndOfTurn", "two three")) == ([EndOfTurn("one two three")], 1.0)


def test_a_turn_that_the_replay_does_not_find_again_ends_with_the_words_heard() -> None:
    flux = Flux()
    flux.read(turn_info("StartOfTurn", "one two"))
    flux.reconnect(0.0, 1.0)
    assert flux.read(turn_info("Update", "", end=1.5)) == ([], None)
    assert flux.read(turn_info("Update", "", end=2.0)) == ([EndOfTurn("one two")], 0.5)


def test_an_eager_end_is_not_repeated_by_a_replay() -> None:
    flux = Flux()
    flux.read(turn_info("StartOfTurn", "one"))
    assert flux.read(turn_info("EagerEndOfTurn", "one")) == ([EagerEndOfTurn("one")], None)
    flux.reconnect(0.0, 1.0)
    assert flux.read(turn_info("StartOfTurn", "one")) == ([], None)
    assert flux.read(turn_info("EagerEndOfTurn", "one")) == ([], None)
    assert flux.read(turn_info("EagerEndOfTurn", "one two")) == ([TurnResumed(), EagerEndOfTurn("one two")], None)


def test_an_event_that_flux_learns_later_is_passed_over() -> None:
    assert Flux().read(turn_info("Sneeze")) == ([], None)


def test_an_utterance_end_settles_what_no_speech_final_did() -> None:
    nova = Nova()
    best = SimpleNamespace(transcript="hello", confidence=None)
    results = SimpleNamespace(
        type="Results", is_final=True, speech_final=False, from_finalize=None, start=0.0, duration=1.0,
        channel=SimpleNamespace(alternatives=[best]),
    )  # fmt: skip
    assert nova.read(results) == ([TranscriptReceived("hello", is_final=True)], 1.0)
    end = SimpleNamespace(type="UtteranceEnd")
    assert nova.read(end) == ([TranscriptReceived("", is_final=True, is_settled=True)], None)
    assert nova.read(end) == ([], None)
