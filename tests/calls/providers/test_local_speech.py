"""Local speech as it is: espeak-ng speaks the demo agent's script, PocketSphinx understands it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from pytest_django.fixtures import Settings

from calls.demo import DEMO_AGENT
from calls.engine.agent import AgentSpec
from calls.engine.events import TranscriptReceived, Word
from calls.enums import AudioEncoding
from calls.providers.base import (
    RecognitionEvent,
    RecognitionOptions,
    SentenceAudio,
    SentenceEnded,
    SentenceWords,
    SpeechOptions,
    SpeechPiece,
)
from calls.providers.local import LocalSpeechToText, LocalTextToSpeech
from calls.providers.local.espeak import Espeak
from calls.providers.local.hearing import LocalRecognitionStream
from calls.providers.scripted.intents import IntentMatcher
from calls.wire.audio import AudioFormat, Converter, decode, silence
from tests.conftest import need

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORMAT = AudioFormat()
PHONE = AudioFormat(encoding=AudioEncoding.MULAW, rate=8000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def voice() -> AsyncIterator[LocalTextToSpeech]:
    need("espeak-ng", is_there=find_spec("espeakng_loader") is not None, remedy="pip install -r requirements-local.txt")
    provider = LocalTextToSpeech()
    await provider.warm_up()
    yield provider
    await provider.aclose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ear() -> AsyncIterator[LocalSpeechToText]:
    need("PocketSphinx", is_there=find_spec("pocketsphinx") is not None, remedy="pip install -r requirements-local.txt")
    provider = LocalSpeechToText()
    await provider.warm_up()
    yield provider
    await provider.aclose()


async def speak(
    provider: LocalTextToSpeech,
    *sentences: str,
    audio: AudioFormat = FORMAT,
    voice: str = "",
    language: str = "en-US",
    spec: AgentSpec = DEMO_AGENT,
) -> list[SpeechPiece]:
    stream = provider.open(SpeechOptions(format=audio, spec=spec, voice=voice, language=language))
    await stream.connect()
    context = stream.begin(1)
    for index, text in enumerate(sentences):
        await context.say(index, text)
    await context.finish()
    async with asyncio.timeout(10):
        return [piece async for piece in context.pieces()]


def audio_of(pieces: list[SpeechPiece]) -> bytes:
    return b"".join(piece.audio for piece in pieces if isinstance(piece, SentenceAudio))


def words_of(pieces: list[SpeechPiece]) -> tuple[Word, ...]:
    return next(piece.words for piece in pieces if isinstance(piece, SentenceWords))


@asynccontextmanager
async def listening(provider: LocalSpeechToText) -> AsyncIterator[LocalRecognitionStream]:
    stream = provider.open(RecognitionOptions(format=FORMAT, spec=DEMO_AGENT))
    try:
        yield stream
    finally:
        await stream.aclose()


def say_into(stream: LocalRecognitionStream, speech: bytes) -> None:
    """Speak as a microphone and our voice activity detection would, only faster."""
    stream.hear(silence(FORMAT, 300))
    stream.voice_changed(is_speech=True)
    for start in range(0, len(speech), 640):
        stream.hear(speech[start : start + 640])
    stream.voice_changed(is_speech=False)
    stream.hear(silence(FORMAT, 200))


async def until_settled(stream: LocalRecognitionStream) -> list[RecognitionEvent]:
    events: list[RecognitionEvent] = []
    async with asyncio.timeout(20):
        async for event in stream.events():
            events.append(event)
            if isinstance(event, TranscriptReceived) and event.is_settled:
                break
    return events


async def recognise(provider: LocalSpeechToText, speech: bytes) -> str:
    async with listening(provider) as stream:
        await stream.connect()
        say_into(stream, speech)
        stream.finalize()
        final = (await until_settled(stream))[-1]
        assert isinstance(final, TranscriptReceived)
        return final.text


def intent_of(text: str) -> str:
    ranked = IntentMatcher(DEMO_AGENT.intents).rank(text)
    return ranked[0].intent.name if ranked else ""


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


# --- the voice --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audio", [FORMAT, PHONE, AudioFormat(rate=24_000)], ids=str)
async def test_a_sentence_is_audible_and_its_words_are_timed(voice: LocalTextToSpeech, audio: AudioFormat) -> None:
    pieces = await speak(voice, "Hello there, it costs $1,500.", audio=audio)
    assert [type(piece) for piece in pieces] == [SentenceWords, SentenceAudio, SentenceEnded]
    words = words_of(pieces)
    duration_ms = audio.duration_ms(len(audio_of(pieces)))
    pcm = np.frombuffer(decode(audio_of(pieces), audio.encoding), "<i2").astype(float)
    assert [word.text for word in words] == ["Hello", "there,", "it", "costs", "$1,500."]
    assert 2000 < duration_ms < 5000
    assert np.sqrt(np.mean(pcm**2)) > 1000
    edges = [edge for word in words for edge in (word.start_ms, word.end_ms)]
    assert edges == sorted(edges)
    assert edges[0] == 0.0
    assert duration_ms - 300 < edges[-1] < duration_ms


async def test_sentences_come_in_order(voice: LocalTextToSpeech) -> None:
    pieces = await speak(voice, "One.", "Two.", "Three.")
    assert [piece.sentence for piece in pieces if isinstance(piece, SentenceEnded)] == [0, 1, 2]


async def test_a_pronunciation_changes_the_sound_and_not_the_words(voice: LocalTextToSpeech) -> None:
    plain = await speak(voice, "Ask SQL now.", spec=AgentSpec(name="Ada", prompt=""))
    spec = AgentSpec(name="Ada", prompt="", pronunciations={"sql": "structured query language"})
    read = await speak(voice, "Ask SQL now.", spec=spec)
    assert len(audio_of(read)) > 1.3 * len(audio_of(plain))
    assert [word.text for word in words_of(read)] == ["Ask", "SQL", "now."]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("en-US",), "gmw/en-US"),
        (("de-DE",), "gmw/de"),
        (("German", "en-us"), "gmw/de"),
        (("694f9389-aac1-45b6-b726-9d9369183238", "", "fr-FR", "en-US"), "roa/fr"),
        (("en-us+f3",), "gmw/en-US+f3"),
        (("../../x", "xx-XX", ""), "gmw/en-US"),
    ],
    ids=str,
)
async def test_a_voice_that_does_not_exist_gives_way_to_the_next_name(names: tuple[str, ...], found: str) -> None:
    need("espeak-ng", is_there=find_spec("espeakng_loader") is not None, remedy="pip install -r requirements-local.txt")
    assert Espeak().find_voice(names) == found


async def test_an_unknown_voice_is_heard_all_the_same(voice: LocalTextToSpeech) -> None:
    for name in ("694f9389-aac1-45b6-b726-9d9369183238", "../../x", "en-us+nobody", "de"):
        assert len(audio_of(await speak(voice, "Guten Tag", voice=name))) > 16_000


async def test_what_cannot_be_spoken_is_a_sentence_all_the_same(voice: LocalTextToSpeech) -> None:
    pieces = await speak(voice, "...", "\0", "\N{PARTY POPPER}")
    assert [piece.sentence for piece in pieces if isinstance(piece, SentenceEnded)] == [0, 1, 2]


async def test_a_cancelled_reply_stops_and_the_next_is_not_held_up(voice: LocalTextToSpeech) -> None:
    context = voice.open(SpeechOptions(format=FORMAT, spec=DEMO_AGENT)).begin(1)
    await context.say(0, "word " * 20_000)
    collected: list[SpeechPiece] = []

    async def collect() -> None:
        collected.extend([piece async for piece in context.pieces()])

    collecting = asyncio.create_task(collect())
    await asyncio.sleep(0.05)
    await context.cancel()
    await context.cancel()
    async with asyncio.timeout(2):
        await collecting
        assert audio_of(await speak(voice, "Next."))
    assert collected == []


async def test_a_speech_process_that_dies_is_started_again(voice: LocalTextToSpeech) -> None:
    child = await voice._voices._process.take()
    child.kill()
    assert audio_of(await speak(voice, "Still here."))
    assert (await voice._voices._process.take()).pid != child.pid


async def test_a_speech_process_that_dies_in_the_middle_is_asked_once_more(voice: LocalTextToSpeech) -> None:
    speaking = asyncio.create_task(speak(voice, "A rather long sentence. " * 300))
    child = await voice._voices._process.take()
    await asyncio.sleep(0.02)
    child.kill()
    assert [type(piece) for piece in await speaking] == [SentenceWords, SentenceAudio, SentenceEnded]


# --- the ear ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "how much does it cost",
        "are you a robot",
        "tuesday at ten",
        "stop calling me",
        "who are you",
        "i am not interested",
    ],
)
async def test_a_sentence_of_the_script_is_understood(
    voice: LocalTextToSpeech, ear: LocalSpeechToText, line: str
) -> None:
    assert intent_of(await recognise(ear, audio_of(await speak(voice, line)))) == intent_of(line)


async def test_the_telephone_band_is_good_enough_for_plain_sentences(
    voice: LocalTextToSpeech, ear: LocalSpeechToText
) -> None:
    line = "i want to talk to a human"
    down, up = Converter(FORMAT, PHONE), Converter(PHONE, FORMAT)
    narrow = down.feed(audio_of(await speak(voice, line))) + down.flush()
    assert intent_of(await recognise(ear, up.feed(narrow) + up.flush())) == "wants_a_human"


async def test_speech_outside_the_script_is_still_transcribed(voice: LocalTextToSpeech, ear: LocalSpeechToText) -> None:
    text = await recognise(ear, audio_of(await speak(voice, "what do you think about football")))
    assert "what" in text
    assert "think about" in text


async def test_interims_come_while_the_caller_speaks(voice: LocalTextToSpeech, ear: LocalSpeechToText) -> None:
    speech = audio_of(await speak(voice, "i want to talk to a human"))
    async with listening(ear) as stream:
        await stream.connect()
        stream.voice_changed(is_speech=True)
        stream.hear(speech[: 32 * 1000])
        async with asyncio.timeout(5):
            while stream._events.empty():  # noqa: ASYNC110 (another process hears)
                await asyncio.sleep(0.01)
        stream.hear(speech[32 * 1000 :])
        stream.voice_changed(is_speech=False)
        stream.finalize()
        events = await until_settled(stream)
    transcripts = [event for event in events if isinstance(event, TranscriptReceived)]
    assert [event.is_final for event in transcripts] == [False] * (len(transcripts) - 1) + [True]
    assert len(transcripts) > 1
    assert transcripts[-1].text == "i want to talk to a human"
    assert 0.3 < transcripts[-1].confidence <= 1.0


async def test_a_pause_gives_the_words_without_being_asked(voice: LocalTextToSpeech, ear: LocalSpeechToText) -> None:
    async with listening(ear) as stream:
        await stream.connect()
        say_into(stream, audio_of(await speak(voice, "who are you")))
        stream.hear(silence(FORMAT, 100))
        final = (await until_settled(stream))[-1]
    assert isinstance(final, TranscriptReceived)
    assert final.text == "who are you"


async def test_what_was_said_while_connecting_is_heard(voice: LocalTextToSpeech, ear: LocalSpeechToText) -> None:
    async with listening(ear) as stream:
        say_into(stream, audio_of(await speak(voice, "who are you")))
        stream.finalize()
        await stream.connect()
        final = (await until_settled(stream))[-1]
    assert isinstance(final, TranscriptReceived)
    assert final.text == "who are you"


async def test_a_worker_killed_in_the_middle_costs_no_word(voice: LocalTextToSpeech, ear: LocalSpeechToText) -> None:
    parent = (await ear._workers._process.take()).pid
    speech = audio_of(await speak(voice, "can you call me tomorrow please"))
    async with listening(ear) as stream:
        before = set(children_of(parent))
        await stream.connect()
        stream.voice_changed(is_speech=True)
        stream.hear(speech[: 32 * 700])
        while not (new := set(children_of(parent)) - before):  # noqa: ASYNC110 (another process makes it)
            await asyncio.sleep(0.005)
        os.kill(new.pop(), signal.SIGKILL)
        stream.hear(speech[32 * 700 :])
        stream.voice_changed(is_speech=False)
        stream.finalize()
        final = (await until_settled(stream))[-1]
    assert isinstance(final, TranscriptReceived)
    assert intent_of(final.text) == "busy"


async def test_a_dead_recogniser_process_is_started_again_for_the_next_call(
    voice: LocalTextToSpeech, ear: LocalSpeechToText
) -> None:
    (await ear._workers._process.take()).kill()
    assert await recognise(ear, audio_of(await speak(voice, "who are you"))) == "who are you"


async def test_calls_end_their_workers(ear: LocalSpeechToText) -> None:
    parent = (await ear._workers._process.take()).pid
    async with listening(ear) as stream:
        await stream.connect()
        while not children_of(parent):  # noqa: ASYNC110 (another process makes it)
            await asyncio.sleep(0.005)
    async with asyncio.timeout(5):
        while children_of(parent):  # noqa: ASYNC110 (another process ends)
            await asyncio.sleep(0.01)


async def test_the_script_model_is_kept_under_the_data_directory(ear: LocalSpeechToText, settings: Settings) -> None:
    del ear
    models = list((Path(settings.DATA_DIR) / "local-models").iterdir())
    kept = {tuple(sorted(path.name for path in model.iterdir())) for model in models}
    assert kept == {("script.dict", "script.lm")}
