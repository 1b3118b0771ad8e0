"""The deterministic ears and voice."""

import numpy as np
import pytest

from calls.engine.agent import AgentSpec, Intent
from calls.engine.events import SpeechStarted, TranscriptReceived, Word
from calls.enums import AudioEncoding
from calls.providers.base import (
    RecognitionEvent,
    RecognitionOptions,
    RecognitionStream,
    SentenceAudio,
    SentenceEnded,
    SentenceWords,
    SpeechOptions,
    SpeechPiece,
    SpeechToText,
    TextToSpeech,
)
from calls.providers.scripted import ScriptedSpeechToText, ScriptedTextToSpeech
from calls.wire.audio import AudioFormat, decode, encode, silence

SPEC = AgentSpec(
    name="Ada",
    prompt="",
    intents=(
        Intent(name="a", examples=("first words", "x"), answer=""),
        Intent(name="b", examples=("second",), answer=""),
    ),
)
FORMATS = [AudioFormat(), AudioFormat(encoding=AudioEncoding.MULAW, rate=8000), AudioFormat(rate=44_100)]


def tone(audio: AudioFormat, duration_ms: float) -> bytes:
    at = np.arange(round(audio.rate * duration_ms / 1000)) / audio.rate
    return encode((8000 * np.sin(2 * np.pi * 300 * at)).astype("<i2").tobytes(), audio.encoding)


def final(text: str) -> TranscriptReceived:
    return TranscriptReceived(text, is_final=True, is_settled=True)


def interim(text: str) -> TranscriptReceived:
    return TranscriptReceived(text, is_final=False)


async def heard(stream: RecognitionStream) -> list[RecognitionEvent]:
    await stream.aclose()
    return [event async for event in stream.events()]


def listen(provider: SpeechToText, audio: AudioFormat = FORMATS[0]) -> RecognitionStream:
    assert provider.accepts(audio)
    return provider.open(RecognitionOptions(format=audio, spec=SPEC))


@pytest.mark.parametrize("audio", FORMATS, ids=str)
async def test_each_stretch_of_sound_is_the_next_utterance(audio: AudioFormat) -> None:
    stream = listen(ScriptedSpeechToText(["good morning", "bye"]), audio)
    stream.hear(tone(audio, 600) + silence(audio, 500) + tone(audio, 300) + silence(audio, 500))
    assert await heard(stream) == [
        SpeechStarted(),
        interim("good"),
        interim("good morning"),
        final("good morning"),
        SpeechStarted(),
        interim("bye"),
        final("bye"),
    ]


async def test_how_the_audio_is_cut_changes_nothing() -> None:
    sound = tone(FORMATS[0], 700) + silence(FORMATS[0], 500)
    whole, cut = listen(ScriptedSpeechToText(["one two three"])), listen(ScriptedSpeechToText(["one two three"]))
    whole.hear(sound)
    for start in range(0, len(sound), 1111):
        cut.hear(sound[start : start + 1111])
    assert await heard(cut) == await heard(whole)


async def test_a_short_pause_does_not_end_an_utterance() -> None:
    stream = listen(ScriptedSpeechToText(["one two"]))
    stream.hear(tone(FORMATS[0], 300) + silence(FORMATS[0], 200) + tone(FORMATS[0], 300) + silence(FORMATS[0], 500))
    assert await heard(stream) == [SpeechStarted(), interim("one"), interim("one two"), final("one two")]


async def test_a_click_is_no_utterance() -> None:
    stream = listen(ScriptedSpeechToText(["one"]))
    stream.hear(tone(FORMATS[0], 40) + silence(FORMATS[0], 500))
    assert await heard(stream) == []


async def test_finalize_gives_the_whole_utterance_at_once_and_nothing_where_nothing_was_said() -> None:
    stream = listen(ScriptedSpeechToText(["one two"]))
    stream.finalize()
    stream.hear(tone(FORMATS[0], 100))
    stream.finalize()
    assert await heard(stream) == [final(""), SpeechStarted(), final("one two")]


async def test_without_a_script_the_first_examples_are_heard_round_and_round() -> None:
    stream = listen(ScriptedSpeechToText())
    for _ in range(3):
        stream.hear(tone(FORMATS[0], 100) + silence(FORMATS[0], 500))
    finals = [event.text for event in await heard(stream) if isinstance(event, TranscriptReceived) and event.is_final]
    assert finals == ["first words", "second", "first words"]


async def test_every_call_begins_the_script_anew() -> None:
    provider = ScriptedSpeechToText(["one", "two"])
    for _ in range(2):
        stream = listen(provider)
        await stream.connect()
        stream.voice_changed(is_speech=True)
        stream.hear(tone(FORMATS[0], 100))
        stream.finalize()
        assert (await heard(stream))[-1] == final("one")
    await provider.aclose()


async def speak(provider: TextToSpeech, audio: AudioFormat, *sentences: str) -> list[SpeechPiece]:
    stream = provider.open(SpeechOptions(format=audio, spec=SPEC))
    assert stream.format == audio
    await stream.connect()
    context = stream.begin(1)
    for index, text in enumerate(sentences):
        await context.say(index, text)
    await context.finish()
    pieces = [piece async for piece in context.pieces()]
    await stream.aclose()
    return pieces


@pytest.mark.parametrize("audio", FORMATS, ids=str)
async def test_a_sentence_sounds_60_ms_per_character_and_its_words_where_they_are_said_to(audio: AudioFormat) -> None:
    words, first, second, end = await speak(ScriptedTextToSpeech(), audio, "Hi there")
    assert words == SentenceWords(0, (Word("Hi", 0.0, 120.0), Word("there", 180.0, 480.0)))
    assert end == SentenceEnded(0)
    assert isinstance(first, SentenceAudio)
    assert isinstance(second, SentenceAudio)
    assert audio.duration_ms(len(first.audio + second.audio)) == pytest.approx(480, abs=0.1)
    pcm = np.frombuffer(decode(first.audio, audio.encoding), "<i2").astype(float)
    loud = round(audio.rate * 0.12)
    assert np.sqrt(np.mean(pcm[:loud] ** 2)) == pytest.approx(8000 / np.sqrt(2), rel=0.05)
    assert np.abs(pcm[loud:]).max() < 10


async def test_sentences_come_in_their_order_and_the_same_each_time() -> None:
    once = await speak(ScriptedTextToSpeech(), FORMATS[0], "One two.", "Three.")
    assert once == await speak(ScriptedTextToSpeech(), FORMATS[0], "One two.", "Three.")
    assert [piece.sentence for piece in once] == [0, 0, 0, 0, 1, 1, 1]


async def test_a_cancelled_reply_gives_nothing_more() -> None:
    context = ScriptedTextToSpeech().open(SpeechOptions(format=FORMATS[0], spec=SPEC)).begin(1)
    await context.say(0, "One two three")
    await context.cancel()
    await context.cancel()
    assert [piece async for piece in context.pieces()] == []
