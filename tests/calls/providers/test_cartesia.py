import asyncio

import pytest
from pytest_django.fixtures import Settings

from calls.engine.agent import AgentSpec
from calls.engine.events import Word
from calls.enums import AudioEncoding
from calls.providers import cartesia as cartesia_module
from calls.providers.base import SentenceAudio, SentenceEnded, SentenceWords
from calls.wire.audio import AudioFormat
from tests.calls.providers.speaking import (
    DEFAULT_VOICE,
    PHONE,
    VOICE,
    gather,
    options,
    outline,
    seconds_of,
    speak,
    voice,
)
from tests.simulators.cartesia import CartesiaSimulator


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
