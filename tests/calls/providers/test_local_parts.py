"""The parts of local speech that need no process: frames, the script's model, word times, utterances."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from socket import socketpair
from typing import cast

import msgspec
import numpy as np
import pytest
from pytest_django.fixtures import Settings

from calls.engine.agent import AgentSpec, Intent
from calls.engine.answered import STANDING_SENTENCES
from calls.engine.events import TranscriptReceived, Word
from calls.enums import Role
from calls.errors import ProviderRejectedError, ProviderUnavailableError
from calls.providers.base import RecognitionOptions, SpeechOptions
from calls.providers.local import LocalSpeechToText, LocalTextToSpeech, process
from calls.providers.local.espeak import WordStart
from calls.providers.local.frames import Finish, Hear, Heard, Listen, frame, read_frame, receive_frame
from calls.providers.local.hearing import CallWorkers, LocalRecognitionStream
from calls.providers.local.script_model import DICTIONARY, LM, corpus, model_folder
from calls.providers.local.voice_worker import time_words
from calls.wire.audio import AudioFormat, silence

SPEC = AgentSpec(
    name="Ada",
    prompt="",
    opening="Hello {{name|there}}, tea?",
    key_terms=("Earl Grey",),
    intents=(Intent(name="tea", examples=("i am thirsty", "tea please"), answer="Here you are. Enjoy!"),),
)
PHONES = {"earl": "ER L", "grey": "G R EY", "tea": "T IY", "tea(2)": "T EY", "please": "P L IY Z", "pot": "P AA T"}
FORMAT = AudioFormat()


def listening(cache: Path, *sentences: str, context: tuple[str, ...] = ()) -> Listen:
    return Listen(sentences=sentences, context=context, pronunciations={"EGT": "earl grey tea"}, cache=str(cache))


# --- frames -----------------------------------------------------------------------------------------------------------


def test_a_frame_comes_through_a_socket_whole_and_the_end_is_none() -> None:
    ours, theirs = socketpair()
    with theirs:
        with ours:
            ours.sendall(frame(Hear(3, b"\1\2")) + frame(Finish(3)) + b"\0\0")
        decoder = msgspec.msgpack.Decoder(Hear | Finish)
        assert [receive_frame(theirs, decoder) for _ in range(3)] == [Hear(3, b"\1\2"), Finish(3), None]


async def test_a_reader_gets_the_same_frames() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(frame(Heard(1, "tea", 0.5, is_final=True)) + b"\0")
    reader.feed_eof()
    decoder = msgspec.msgpack.Decoder(Heard)
    first, second = await read_frame(reader, decoder), await read_frame(reader, decoder)
    assert (first, second) == (Heard(1, "tea", 0.5, is_final=True), None)


# --- the script's model -----------------------------------------------------------------------------------------------


def test_the_corpus_holds_examples_often_contractions_too_and_the_agents_own_words_once() -> None:
    written = corpus(
        ("I am thirsty!", "tea"), ("Hello {{name|there}}, tea? Or {{drink}} instead.",), lambda word: word != "xyz"
    )
    assert written == ["i am thirsty"] * 5 + ["i'm thirsty"] * 2 + ["tea"] * 5 + ["hello tea", "or instead"]


def test_words_that_nobody_can_pronounce_are_left_out() -> None:
    assert corpus(("tea xyz", "xyz"), (), lambda word: word != "xyz") == ["tea"] * 5


def test_the_model_is_made_once_and_kept_under_the_hash_of_the_script(tmp_path: Path) -> None:
    first, is_temporary = model_folder(listening(tmp_path, "tea please"), PHONES.get)
    assert not is_temporary
    assert first.parent == tmp_path
    made = (first / LM).stat().st_mtime_ns
    again, _ = model_folder(listening(tmp_path, "tea please"), PHONES.get)
    other, _ = model_folder(listening(tmp_path, "please"), PHONES.get)
    assert (again, (again / LM).stat().st_mtime_ns) == (first, made)
    assert other != first
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([first.name, other.name])


def test_its_dictionary_has_all_ways_to_say_a_word_pronunciations_and_compounds(tmp_path: Path) -> None:
    folder, _ = model_folder(listening(tmp_path, "EGT please", "teapot tea"), PHONES.get)
    assert (folder / DICTIONARY).read_text().splitlines() == [
        "egt ER L G R EY T IY",
        "please P L IY Z",
        "tea T IY",
        "tea(2) T EY",
        "teapot T IY P AA T",
    ]


def test_where_nothing_can_be_kept_the_model_is_temporary(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder, is_temporary = model_folder(listening(tmp_path / "file" / "cache", "tea please"), PHONES.get)
    assert is_temporary
    assert (folder / LM).exists()
    for path in (folder / LM, folder / DICTIONARY):
        path.unlink()
    folder.rmdir()


# --- word times -------------------------------------------------------------------------------------------------------


def test_words_end_where_they_are_last_audible_and_signs_take_no_time() -> None:
    levels = np.array([900] * 20 + [0] * 10 + [900] * 30 + [0] * 40, np.float32)
    starts = [WordStart(0, 0.0), WordStart(6, 300.0)]
    assert time_words("Hello - there", [starts[0], WordStart(8, 300.0)], levels) == (
        Word("Hello", 0.0, 200.0),
        Word("-", 200.0, 200.0),
        Word("there", 300.0, 600.0),
    )
    assert time_words("Hello there", starts, levels) == (Word("Hello", 0.0, 200.0), Word("there", 300.0, 600.0))


def test_a_number_that_is_read_as_many_words_is_one_word() -> None:
    levels = np.full(100, 900, np.float32)
    starts = [WordStart(0, 0.0), WordStart(2, 200.0), WordStart(3, 300.0), WordStart(6, 700.0)]
    assert time_words(
        "It 1,500 ok", [starts[0], WordStart(3, 200.0), WordStart(5, 400.0), WordStart(9, 700.0)], levels
    ) == (
        Word("It", 0.0, 200.0),
        Word("1,500", 200.0, 700.0),
        Word("ok", 700.0, 1000.0),
    )


# --- utterances -------------------------------------------------------------------------------------------------------


class FakeWorkers:
    """Workers that the test plays itself: each lease hands it the far end."""

    def __init__(self) -> None:
        self.ends: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.given_back = 0
        self._decoder: msgspec.msgpack.Decoder[Listen | Hear | Finish] = msgspec.msgpack.Decoder(Listen | Hear | Finish)

    async def lease(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        ours, theirs = socketpair()
        ours.settimeout(0)
        theirs.settimeout(0)
        self.ends.append(await asyncio.open_connection(sock=theirs))
        return await asyncio.open_connection(sock=ours)

    def give_back(self, writer: asyncio.StreamWriter) -> None:
        writer.close()
        self.given_back += 1

    def lost(self, message: str) -> ProviderUnavailableError:
        return ProviderUnavailableError(message, provider="local", role=Role.STT)

    async def read(self, count: int, worker: int = -1) -> list[object]:
        """Read so many frames and write them shortly: audio as its utterance and its milliseconds."""
        reader = self.ends[worker][0]
        found: list[object] = []
        async with asyncio.timeout(3):
            while len(found) < count:
                message = await read_frame(reader, self._decoder)
                found.append((message.utterance, len(message.pcm) / 32) if isinstance(message, Hear) else message)
        return found

    def answer(self, heard: Heard, worker: int = -1) -> None:
        self.ends[worker][1].write(frame(heard))

    def die(self) -> None:
        self.ends[-1][1].close()


@pytest.fixture
async def workers() -> AsyncIterator[FakeWorkers]:
    fake = FakeWorkers()
    yield fake
    for _, writer in fake.ends:
        writer.close()


@pytest.fixture
async def stream(workers: FakeWorkers, settings: Settings, tmp_path: Path) -> AsyncIterator[LocalRecognitionStream]:
    settings.DATA_DIR = tmp_path
    opened = LocalRecognitionStream(cast("CallWorkers", workers), RecognitionOptions(format=FORMAT, spec=SPEC))
    yield opened
    await opened.aclose()


def quiet(duration_ms: float) -> bytes:
    return silence(FORMAT, duration_ms)


async def take(stream: LocalRecognitionStream, count: int) -> list[object]:
    events: list[object] = []
    async with asyncio.timeout(3):
        async for event in stream.events():
            events.append(event)
            if len(events) == count:
                break
    return events


async def test_the_worker_is_told_the_agent_as_shipped(
    stream: LocalRecognitionStream, workers: FakeWorkers, tmp_path: Path
) -> None:
    await stream.connect()
    assert await workers.read(1) == [
        Listen(
            sentences=("i am thirsty", "tea please", "Earl Grey"),
            context=("Hello {{name|there}}, tea?", "Here you are. Enjoy!"),
            pronunciations={},
            cache=str(tmp_path / "local-models"),
        )
    ]


async def test_on_a_telephone_it_is_told_what_the_engine_itself_has_to_understand_too(
    workers: FakeWorkers, settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    options = RecognitionOptions(format=FORMAT, spec=SPEC, is_telephone=True)
    opened = LocalRecognitionStream(cast("CallWorkers", workers), options)
    await opened.connect()
    (told,) = await workers.read(1)
    await opened.aclose()
    assert isinstance(told, Listen)
    assert told.context == ("Hello {{name|there}}, tea?", "Here you are. Enjoy!", *STANDING_SENTENCES)


async def test_an_utterance_begins_before_it_was_noticed_and_ends_after_a_pause(
    stream: LocalRecognitionStream, workers: FakeWorkers
) -> None:
    await stream.connect()
    stream.hear(quiet(1000))
    stream.voice_changed(is_speech=True)
    stream.hear(quiet(500))
    stream.voice_changed(is_speech=False)
    stream.hear(quiet(200))
    stream.voice_changed(is_speech=True)
    stream.hear(quiet(100))
    stream.voice_changed(is_speech=False)
    stream.hear(quiet(200))
    stream.hear(quiet(100))
    stream.hear(quiet(1000))
    sent = (await workers.read(8))[1:]
    assert sent == [(1, 400), (1, 500), (1, 200), (1, 100), (1, 200), (1, 100), Finish(1)]


async def test_words_come_back_as_transcripts_and_settle_when_nothing_is_open(
    stream: LocalRecognitionStream, workers: FakeWorkers
) -> None:
    await stream.connect()
    for _ in range(2):
        stream.voice_changed(is_speech=True)
        stream.hear(quiet(500))
        stream.voice_changed(is_speech=False)
        stream.hear(quiet(300))
    workers.answer(Heard(1, "tea", 0.9, is_final=False))
    workers.answer(Heard(1, "tea please", 0.8, is_final=True))
    workers.answer(Heard(2, "", 0.0, is_final=True))
    assert await take(stream, 3) == [
        TranscriptReceived("tea", is_final=False, confidence=0.9),
        TranscriptReceived("tea please", is_final=True, confidence=0.8),
        TranscriptReceived("", is_final=True, confidence=0.0, is_settled=True),
    ]


async def test_finalize_ends_the_utterance_and_speech_that_goes_on_is_a_new_one(
    stream: LocalRecognitionStream, workers: FakeWorkers
) -> None:
    await stream.connect()
    stream.voice_changed(is_speech=True)
    stream.hear(quiet(100))
    stream.finalize()
    stream.hear(quiet(60))
    assert (await workers.read(4))[1:] == [(1, 100), Finish(1), (2, 60)]


async def test_finalize_without_speech_settles_at_once(stream: LocalRecognitionStream) -> None:
    await stream.connect()
    stream.hear(quiet(500))
    stream.finalize()
    assert await take(stream, 1) == [TranscriptReceived("", is_final=True, is_settled=True)]


async def test_an_endless_utterance_is_cut_after_20_seconds(
    stream: LocalRecognitionStream, workers: FakeWorkers
) -> None:
    await stream.connect()
    stream.voice_changed(is_speech=True)
    reading = asyncio.create_task(workers.read(25))
    for _ in range(23):
        stream.hear(quiet(1000))
        await asyncio.sleep(0)
    sent = (await reading)[1:]
    assert sent == [(1, 1000)] * 20 + [Finish(1)] + [(2, 1000)] * 3


async def test_audio_from_before_the_connection_is_kept_ten_seconds_and_the_oldest_goes_first(
    stream: LocalRecognitionStream, workers: FakeWorkers
) -> None:
    stream.voice_changed(is_speech=True)
    stream.hear(quiet(1000))
    for _ in range(11):
        stream.hear(quiet(900))
    assert stream.dropped_ms == 1000.0
    await stream.connect()
    assert (await workers.read(12))[1:] == [(1, 900)] * 11


async def test_a_worker_that_dies_is_replaced_and_hears_what_has_no_words_yet(
    stream: LocalRecognitionStream, workers: FakeWorkers
) -> None:
    await stream.connect()
    stream.voice_changed(is_speech=True)
    stream.hear(quiet(100))
    stream.finalize()
    stream.hear(quiet(60))
    stream.hear(quiet(40))
    await workers.read(5)
    workers.die()
    while len(workers.ends) < 2:  # noqa: ASYNC110 (the stream notices by itself)
        await asyncio.sleep(0.005)
    assert (await workers.read(4))[1:] == [(1, 100), Finish(1), (2, 100)]
    assert stream.reconnects == 1
    workers.answer(Heard(1, "tea", 0.7, is_final=True))
    assert await take(stream, 1) == [TranscriptReceived("tea", is_final=True, confidence=0.7)]


async def test_when_workers_die_again_and_again_the_recogniser_is_lost(
    stream: LocalRecognitionStream, workers: FakeWorkers
) -> None:
    await stream.connect()
    for number in range(4):
        while len(workers.ends) <= number:  # noqa: ASYNC110 (the stream notices by itself)
            await asyncio.sleep(0.005)
        workers.die()
    with pytest.raises(ProviderUnavailableError, match="died again and again"):
        await take(stream, 1)
    assert workers.given_back == 4


async def test_closing_ends_the_events_and_lets_the_worker_go(
    stream: LocalRecognitionStream, workers: FakeWorkers
) -> None:
    await stream.connect()
    await stream.aclose()
    assert [event async for event in stream.events()] == []
    assert workers.given_back == 1


async def test_closing_before_connecting_ends_the_events(stream: LocalRecognitionStream) -> None:
    await stream.aclose()
    assert [event async for event in stream.events()] == []


async def test_a_language_that_it_does_not_know_is_refused_with_the_remedy(workers: FakeWorkers) -> None:
    options = RecognitionOptions(format=FORMAT, spec=SPEC, language="de-DE")
    with pytest.raises(ProviderRejectedError, match="knows English, not de-DE; choose another with STT_PROVIDER"):
        await LocalRecognitionStream(cast("CallWorkers", workers), options).connect()


# --- what is not installed --------------------------------------------------------------------------------------------


async def test_without_the_packages_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "find_spec", lambda _: None)
    ear = LocalSpeechToText()
    voice = LocalTextToSpeech()
    with pytest.raises(ProviderRejectedError, match="'pocketsphinx' is not installed; run: pip install -r req"):
        await ear.open(RecognitionOptions(format=FORMAT, spec=SPEC)).connect()
    with pytest.raises(ProviderRejectedError, match="'espeakng_loader' is not installed; run: pip install -r req"):
        await voice.open(SpeechOptions(format=FORMAT, spec=SPEC)).connect()
    await ear.aclose()
    await voice.aclose()


async def test_a_process_that_cannot_start_is_unavailable() -> None:
    shared = process.SharedProcess("calls.no_such_module", package="msgspec", provider="local", role=Role.TTS)
    with pytest.raises(ProviderUnavailableError, match="did not start"):
        await shared.take()
    await shared.aclose()


async def test_more_calls_than_the_machine_can_hear_are_refused() -> None:
    full = CallWorkers()
    full._free = 0
    with pytest.raises(ProviderUnavailableError, match="as many calls as this machine can hear locally"):
        await full.lease()
    await full.aclose()
