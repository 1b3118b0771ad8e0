import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from pytest_django.fixtures import Settings

from calls.engine.agent import AgentSpec
from calls.engine.events import Word
from calls.enums import AudioEncoding
from calls.errors import ProviderError, ProviderRejectedError, ProviderTimeoutError, ProviderUnavailableError
from calls.providers import cartesia as cartesia_module
from calls.providers.base import SentenceAudio, SentenceEnded, SentenceWords, SpeechOptions, SpeechPiece
from calls.providers.cartesia import Cartesia
from calls.providers.cartesia import context as context_module
from calls.providers.cartesia.context import CartesiaContext
from calls.providers.cartesia.ledger import Ledger
from calls.providers.pronunciation import Reading
from calls.wire.audio import AudioFormat
from tests.simulators.cartesia import CartesiaSimulator
from tests.simulators.faults import Fault

PHONE = AudioFormat(encoding=AudioEncoding.MULAW, rate=8000)
SPEC = AgentSpec(name="Ada", prompt="")
VOICE = "a0e99841-438c-4a64-b679-ae501e7d6091"
DEFAULT_VOICE = "694f9389-aac1-45b6-b726-9d9369183238"


@asynccontextmanager
async def voice(settings: Settings, simulator: CartesiaSimulator) -> AsyncIterator[Cartesia]:
    settings.CARTESIA_BASE_URL, settings.CARTESIA_API_KEY = simulator.url, "key"
    provider = Cartesia()
    try:
        yield provider
    finally:
        await provider.aclose()


def options(spec: AgentSpec = SPEC, form: AudioFormat = PHONE, own_voice: str = "") -> SpeechOptions:
    return SpeechOptions(format=form, spec=spec, voice=own_voice)


async def gather(context: CartesiaContext) -> list[SpeechPiece]:
    async with asyncio.timeout(6):
        return [piece async for piece in context.pieces()]


async def speak(provider: Cartesia, *texts: str, how: SpeechOptions | None = None) -> list[SpeechPiece]:
    context = provider.open(how or options()).begin(1)
    for number, text in enumerate(texts):
        await context.say(number, text)
    await context.finish()
    return await gather(context)


def seconds_of(pieces: list[SpeechPiece], sentence: int, form: AudioFormat = PHONE) -> float:
    audio = [piece.audio for piece in pieces if isinstance(piece, SentenceAudio) and piece.sentence == sentence]
    return round(form.duration_ms(sum(map(len, audio))) / 1000, 2)


def outline(pieces: list[SpeechPiece]) -> list[str]:
    """Write the order of the pieces, runs of audio as one: a0 w0 a0 e0."""
    letters = {SentenceAudio: "a", SentenceWords: "w", SentenceEnded: "e"}
    marks = [f"{letters[type(piece)]}{piece.sentence}" for piece in pieces]
    return [mark for number, mark in enumerate(marks) if number == 0 or mark != marks[number - 1]]


async def test_sentences_come_back_in_order_each_with_its_audio_words_and_end(settings: Settings) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        pieces = await speak(provider, "Hello there.", "How are you?")
    assert outline(pieces) == ["a0", "w0", "a0", "e0", "a1", "w1", "a1", "e1"]
    assert (seconds_of(pieces, 0), seconds_of(pieces, 1)) == (0.66, 0.66)
    assert [piece for piece in pieces if isinstance(piece, SentenceWords)] == [
        SentenceWords(0, (Word("Hello", 0.0, 300.0), Word("there.", 300.0, 660.0))),
        SentenceWords(1, (Word("How", 0.0, 198.0), Word("are", 198.0, 396.0), Word("you?", 396.0, 660.0))),
    ]


async def test_the_request_is_for_the_lines_own_format_without_buffering(settings: Settings) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        await speak(provider, "Hello.")
        assert simulator.headers[0]["authorization"] == "Bearer key"
    common = {
        "context_id": simulator.requests[0]["context_id"],
        "model_id": "sonic-3",
        "voice": {"id": DEFAULT_VOICE},
        "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
        "language": "en",
        "add_timestamps": True,
        "use_normalized_timestamps": False,
        "max_buffer_delay_ms": 0,
    }
    assert simulator.requests == [
        common | {"transcript": "Hello. ", "continue": True},
        common | {"transcript": "", "continue": True, "flush": True},
        common | {"transcript": "", "continue": False},
    ]


@pytest.mark.parametrize(
    ("wanted", "made"),
    [
        (PHONE, PHONE),
        (AudioFormat(AudioEncoding.ALAW, 8000), AudioFormat(AudioEncoding.ALAW, 8000)),
        (AudioFormat(AudioEncoding.PCM16, 48_000), AudioFormat(AudioEncoding.PCM16, 48_000)),
        (AudioFormat(AudioEncoding.PCM16, 12_000), AudioFormat(AudioEncoding.PCM16, 16_000)),
        (AudioFormat(AudioEncoding.PCM16, 32_000), AudioFormat(AudioEncoding.PCM16, 44_100)),
    ],
)
async def test_another_rate_than_cartesias_is_told_to_the_call(
    settings: Settings, wanted: AudioFormat, made: AudioFormat
) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        assert provider.open(options(form=wanted)).format == made
        pieces = await speak(provider, "Hello there.", how=options(form=wanted))
    assert seconds_of(pieces, 0, made) == 0.66


def test_the_voice_is_the_first_that_can_be_cartesias(settings: Settings) -> None:
    def chosen(own: str, agents: str) -> str:
        how = options(AgentSpec(name="Ada", prompt="", voice=agents), own_voice=own)
        return cartesia_module._voice(how)

    settings.CARTESIA_VOICE = DEFAULT_VOICE
    assert chosen("", "") == DEFAULT_VOICE
    assert chosen("en+f3", VOICE) == VOICE
    assert chosen(VOICE, "anything") == VOICE


@pytest.mark.parametrize("has_flush_ids", [True, False])
@pytest.mark.parametrize("times_by_sentence", [True, False])
@pytest.mark.parametrize("flushes_itself", [True, False])
async def test_sentences_are_told_apart_however_the_server_counts(
    settings: Settings, has_flush_ids: bool, times_by_sentence: bool, flushes_itself: bool
) -> None:
    simulator = CartesiaSimulator(
        has_flush_ids=has_flush_ids, times_by_sentence=times_by_sentence, flushes_itself=flushes_itself
    )
    async with simulator, voice(settings, simulator) as provider:
        pieces = await speak(provider, "One, two.", "...", "Three four five.")
    assert outline(pieces) == ["a0", "w0", "a0", "e0", "e1", "a2", "w2", "a2", "e2"]
    assert (seconds_of(pieces, 0), seconds_of(pieces, 2)) == (0.49, 0.88)
    assert simulator.spoken == ["One, two. ", "Three four five. "]
    timed = [piece.words[0].start_ms for piece in pieces if isinstance(piece, SentenceWords)]
    assert timed == [0.0, pytest.approx(0.0, abs=0.1)]


async def test_a_reply_without_a_sound_ends_at_once(settings: Settings) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        assert await speak(provider, "...") == [SentenceEnded(0)]
        assert simulator.connections == 0


async def test_pronunciations_are_spoken_and_the_words_come_back_as_written(settings: Settings) -> None:
    spec = AgentSpec(name="Ada", prompt="", pronunciations={"SQL": "sequel server", "New York": "Noo Yawk"})
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        pieces = await speak(provider, "I like sql, in New York.", how=options(spec))
    assert simulator.spoken == ["I like sequel server, in Noo Yawk. "]
    (timed,) = (piece for piece in pieces if isinstance(piece, SentenceWords))
    assert [word.text for word in timed.words] == ["I", "like", "sql,", "in", "New York."]
    assert timed.words[-1].end_ms == pytest.approx(seconds_of(pieces, 0) * 1000, abs=10)


async def test_calls_share_one_connection(settings: Settings) -> None:
    async with CartesiaSimulator(pace=0.1) as simulator, voice(settings, simulator) as provider:
        await provider.warm_up()
        replies = await asyncio.gather(*(speak(provider, f"Caller {number}.") for number in range(20)))
        assert simulator.connections == 1
    assert [outline(pieces) for pieces in replies] == [["a0", "w0", "a0", "e0"]] * 20


async def test_an_idle_connection_that_was_closed_is_replaced(settings: Settings) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        await provider.warm_up()
        await simulator.close_idle()
        await provider.open(options()).connect()
        assert outline(await speak(provider, "Hello."))[-1] == "e0"
        assert simulator.connections == 2


# --- cancelling -------------------------------------------------------------------------------------------------------


async def test_a_cancel_ends_the_consumer_and_the_generation(settings: Settings) -> None:
    async with CartesiaSimulator(pace=1) as simulator, voice(settings, simulator) as provider:
        context = provider.open(options()).begin(1)
        await context.say(0, "This is a rather long sentence that takes a while.")
        pieces = context.pieces()
        assert isinstance(await anext(pieces), SentenceAudio)
        consumer = asyncio.create_task(anext(pieces, None))
        await asyncio.sleep(0)
        await context.cancel()
        await context.cancel()
        async with asyncio.timeout(0.5):
            while not simulator.cancelled:  # noqa: ASYNC110 (polls)
                await asyncio.sleep(0.005)
            await consumer
            assert [piece async for piece in pieces] == []
        assert simulator.cancelled == [simulator.requests[0]["context_id"]]


async def test_after_a_cancel_the_next_reply_is_spoken_on_the_same_connection(settings: Settings) -> None:
    async with CartesiaSimulator(pace=0.2) as simulator, voice(settings, simulator) as provider:
        stream = provider.open(options())
        first = stream.begin(1)
        await first.say(0, "This is the first reply, and it is long.")
        await first.cancel()
        assert outline(await speak(provider, "Second."))[-1] == "e0"
        assert simulator.connections == 1


async def test_closing_the_stream_cancels_what_it_says_and_keeps_the_connection(settings: Settings) -> None:
    async with CartesiaSimulator(pace=1) as simulator, voice(settings, simulator) as provider:
        stream = provider.open(options())
        context = stream.begin(1)
        await context.say(0, "This is a rather long sentence.")
        await stream.aclose()
        assert await gather(context) == []
        assert (await provider.socket()).is_open


# --- failing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error", "attempts"),
    [
        (401, ProviderRejectedError, 1),
        (402, ProviderRejectedError, 1),
        (429, ProviderUnavailableError, 2),
        (500, ProviderUnavailableError, 2),
    ],
)
async def test_a_refused_connection_is_sorted_and_only_what_may_pass_is_tried_once_more(
    settings: Settings, status: int, error: type[ProviderError], attempts: int
) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        simulator.faults.extend([Fault(status=status)] * 3)
        with pytest.raises(error, match=str(status)):
            await provider.open(options()).connect()
        assert len(simulator.faults) == 3 - attempts


async def test_nobody_listening_is_unavailable(settings: Settings) -> None:
    async with CartesiaSimulator() as simulator:
        pass
    async with voice(settings, simulator) as provider:
        with pytest.raises(ProviderUnavailableError):
            await speak(provider, "Hello.")


async def test_a_handshake_that_hangs_costs_only_the_budget(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cartesia_module, "_OPEN_SECONDS", 0.5)
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        simulator.faults.extend([Fault(hang=True)] * 2)
        started = time.monotonic()
        with pytest.raises(ProviderTimeoutError):
            await provider.open(options()).connect()
        assert time.monotonic() - started < 0.8


@pytest.mark.parametrize("fault", [Fault(drop_after=2), Fault(drop_after=2, close_code=1011)])
async def test_a_connection_lost_in_the_middle_ends_every_reply_on_it(settings: Settings, fault: Fault) -> None:
    async with CartesiaSimulator(pace=0.2) as simulator, voice(settings, simulator) as provider:
        simulator.faults.append(fault)
        replies = [speak(provider, "A sentence of some length.") for _ in range(2)]
        results = await asyncio.gather(*replies, return_exceptions=True)
        assert [type(result) for result in results] == [ProviderUnavailableError] * 2
        assert outline(await speak(provider, "Hello."))[-1] == "e0"


async def test_a_connection_lost_before_the_first_audio_is_replaced_and_nothing_is_heard_of_it(
    settings: Settings,
) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        simulator.faults.append(Fault(drop_after=0))
        pieces = await speak(provider, "Hello there.", "How are you?")
        assert outline(pieces) == ["a0", "w0", "a0", "e0", "a1", "w1", "a1", "e1"]
        assert simulator.connections == 2


async def test_a_half_open_connection_is_replaced_within_the_budget(settings: Settings) -> None:
    settings.TURN_BUDGET_SECONDS = 0.8
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        simulator.faults.append(Fault(ignore_close=True))
        started = time.monotonic()
        assert outline(await speak(provider, "Hello."))[-1] == "e0"
        assert time.monotonic() - started < 0.8
        assert simulator.connections == 2


async def test_speech_that_never_comes_times_out_within_the_budget(settings: Settings) -> None:
    settings.TURN_BUDGET_SECONDS = 0.5
    async with CartesiaSimulator(first_audio_ms=60_000) as simulator, voice(settings, simulator) as provider:
        started = time.monotonic()
        with pytest.raises(ProviderTimeoutError):
            await speak(provider, "Hello.")
        assert time.monotonic() - started < 0.8


async def test_speech_that_stops_in_the_middle_times_out(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_module, "_GAP_SECONDS", 0.2)
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        simulator.faults.append(Fault(mute_after=2))
        with pytest.raises(ProviderTimeoutError, match="no audio"):
            await speak(provider, "A sentence of some length.")


async def test_waiting_for_the_next_sentence_is_not_a_failure(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context_module, "_GAP_SECONDS", 0.1)
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        context = provider.open(options()).begin(1)
        await context.say(0, "One.")
        collecting = asyncio.create_task(gather(context))
        await asyncio.sleep(0.4)
        await context.say(1, "Two.")
        await context.finish()
        assert outline(await collecting) == ["a0", "w0", "a0", "e0", "a1", "w1", "a1", "e1"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(error="voice_not_found", code=404), ProviderRejectedError),
        (Fault(error="concurrency_limited", code=429), ProviderUnavailableError),
        (Fault(error="internal", code=500), ProviderUnavailableError),
        (Fault(error="quota_exceeded", code=402, anonymous=True), ProviderRejectedError),
    ],
)
async def test_an_error_message_ends_the_reply_even_when_it_names_no_context(
    settings: Settings, fault: Fault, error: type[ProviderError]
) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        simulator.faults.append(fault)
        with pytest.raises(error, match=fault.error):
            await speak(provider, "Hello.")


async def test_messages_that_nobody_knows_are_passed_over(settings: Settings) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        simulator.faults.append(Fault(unknown=True))
        assert outline(await speak(provider, "Hello."))[-1] == "e0"


async def test_a_dropped_connection_counts_once_however_many_calls_were_on_it(settings: Settings) -> None:
    async with CartesiaSimulator(pace=1) as simulator, voice(settings, simulator) as provider:
        talking = [asyncio.create_task(speak(provider, "A sentence of some length.")) for _ in range(10)]
        await asyncio.sleep(0.3)
        await simulator.drop_all()
        results = await asyncio.gather(*talking, return_exceptions=True)
        assert all(isinstance(result, ProviderError) for result in results)
        simulator.pace = 0
        assert outline(await speak(provider, "Hello."))[-1] == "e0"


async def test_audio_beyond_all_measure_ends_the_reply(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_module, "_MOST_BYTES", 3000)
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        context = provider.open(options()).begin(1)
        await context.say(0, "A sentence of some length.")
        await asyncio.sleep(0.1)
        with pytest.raises(ProviderRejectedError, match="more audio"):
            await gather(context)


async def test_closing_takes_less_than_a_second_whatever_the_server_does(settings: Settings) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        socket = await provider.socket()
        for connection in simulator._server.connections:
            connection.transport.pause_reading()
        started = time.monotonic()
        await socket.close()
        assert time.monotonic() - started < 1.0


# --- the pure parts ---------------------------------------------------------------------------------------------------


def test_a_message_out_of_place_is_passed_over() -> None:
    ledger = Ledger(PHONE)
    assert ledger.hear(1, b"xx") == []
    ledger.add(0, Reading("One.", {}))
    assert ledger.flushed(7) == []
    assert ledger.hear(2, b"xx") == [SentenceAudio(0, b"xx")]
    assert ledger.flushed(1) == []
    assert ledger.finished() == [SentenceEnded(0)]
    assert ledger.finished() == []


async def test_a_malformed_message_is_a_provider_error(settings: Settings) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        context = provider.open(options()).begin(1)
        await context.say(0, "Hello.")
        times = SimpleNamespace(words=["a"], start=None, end=None)
        context.receive(SimpleNamespace(type="timestamps", word_timestamps=times, context_id=None))
        with pytest.raises(ProviderUnavailableError, match="not understood"):
            await gather(context)
