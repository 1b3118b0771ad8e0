import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from calls.engine.agent import AgentSpec
from calls.engine.events import Word
from calls.enums import AudioEncoding, Role
from calls.errors import ProviderTimeoutError, ProviderUnavailableError
from calls.providers import cache as cache_module
from calls.providers.base import SentenceAudio, SentenceEnded, SentenceWords, SpeechOptions, SpeechPiece
from calls.providers.cache import SpeechCache, line_key
from calls.wire.audio import AudioFormat

PHONE = AudioFormat(encoding=AudioEncoding.MULAW, rate=8000)
OPTIONS = SpeechOptions(format=PHONE, spec=AgentSpec(name="Ada", prompt=""), voice="v")


class Voice:
    """A synthesiser, its stream and its context in one: speaks the text's own letters, or fails as told."""

    name = "acme"

    def __init__(self, form: AudioFormat = PHONE) -> None:
        self.format = form
        self.made: list[str] = []
        self.is_down = False
        self.is_silent = False
        self.closed = 0

    def open(self, options: SpeechOptions) -> "Voice":  # noqa: ARG002 (the protocol's)
        return self

    async def connect(self) -> None:
        await asyncio.sleep(0)
        if self.is_down:
            message = "down"
            raise ProviderUnavailableError(message, provider=self.name, role=Role.TTS)

    def begin(self, reply: int) -> "Voice":  # noqa: ARG002 (the protocol's)
        return self

    async def say(self, sentence: int, text: str) -> None:  # noqa: ARG002 (the protocol's)
        self.made.append(text)

    async def finish(self) -> None:
        pass

    async def pieces(self) -> AsyncIterator[SpeechPiece]:
        if not self.is_silent:
            yield SentenceWords(0, (Word("x", 0.0, 10.0),))
            yield SentenceAudio(0, self.made[-1].encode() * 2)
        yield SentenceEnded(0)

    async def cancel(self) -> None:
        pass

    async def aclose(self) -> None:
        self.closed += 1


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_a_line_is_made_once_and_then_at_hand(tmp_path: Path) -> None:
    cache, voice = SpeechCache(tmp_path), Voice()
    assert cache.get(voice, OPTIONS, "Hello.") is None
    assert await cache.make(voice, OPTIONS, "Hello.") == b"Hello.Hello."
    assert await cache.make(voice, OPTIONS, "Hello.") == b"Hello.Hello."
    assert cache.get(voice, OPTIONS, "Hello.") == b"Hello.Hello."
    assert cache.words(voice, OPTIONS, "Hello.") == (Word("x", 0.0, 10.0),)
    assert (voice.made, voice.closed) == (["Hello."], 1)


async def test_another_process_has_it_from_disk_with_the_synthesiser_down(tmp_path: Path) -> None:
    await SpeechCache(tmp_path).make(Voice(), OPTIONS, "Sorry.")
    voice = Voice()
    voice.is_down = True
    cache = SpeechCache(tmp_path)
    assert await cache.make(voice, OPTIONS, "Sorry.") == b"Sorry.Sorry."
    assert cache.words(voice, OPTIONS, "Sorry.") == (Word("x", 0.0, 10.0),)


async def test_callers_who_want_the_same_line_share_one_synthesis(tmp_path: Path) -> None:
    cache, voice = SpeechCache(tmp_path), Voice()
    await asyncio.gather(*(cache.make(voice, OPTIONS, "Hello.") for _ in range(5)))
    assert voice.made == ["Hello."]


async def test_a_caller_who_hangs_up_does_not_stop_the_others_line(tmp_path: Path) -> None:
    cache, voice = SpeechCache(tmp_path), Voice()
    first = asyncio.create_task(cache.make(voice, OPTIONS, "Hello."))
    second = asyncio.create_task(cache.make(voice, OPTIONS, "Hello."))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == b"Hello.Hello."


async def test_a_failure_is_raised_and_not_kept(tmp_path: Path) -> None:
    cache, voice = SpeechCache(tmp_path), Voice()
    voice.is_down = True
    with pytest.raises(ProviderUnavailableError):
        await cache.make(voice, OPTIONS, "Hello.")
    voice.is_down = False
    assert await cache.make(voice, OPTIONS, "Hello.") == b"Hello.Hello."


async def test_silence_is_not_a_line(tmp_path: Path) -> None:
    cache, voice = SpeechCache(tmp_path), Voice()
    voice.is_silent = True
    with pytest.raises(ProviderUnavailableError, match="without audio"):
        await cache.make(voice, OPTIONS, "Hello.")
    assert files(tmp_path) == set()


async def test_another_format_is_brought_to_the_lines_own(tmp_path: Path) -> None:
    made = AudioFormat(encoding=AudioEncoding.PCM16, rate=16_000)
    line = await SpeechCache(tmp_path).make(Voice(made), OPTIONS, "A" * 1600)
    assert PHONE.duration_ms(len(line)) == pytest.approx(made.duration_ms(3200), abs=1)


@pytest.mark.parametrize(
    "other",
    [
        SpeechOptions(format=PHONE, spec=OPTIONS.spec, voice="w"),
        SpeechOptions(format=PHONE, spec=OPTIONS.spec, voice="v", language="de-DE"),
        SpeechOptions(format=AudioFormat(AudioEncoding.ALAW, 8000), spec=OPTIONS.spec, voice="v"),
        SpeechOptions(format=PHONE, spec=AgentSpec(name="Ada", prompt="", pronunciations={"a": "b"}), voice="v"),
    ],
)
def test_whatever_changes_the_sound_changes_the_key(other: SpeechOptions) -> None:
    assert line_key(Voice(), OPTIONS, "Hello.") != line_key(Voice(), other, "Hello.")


def test_what_does_not_change_the_sound_leaves_the_key() -> None:
    other = SpeechOptions(format=PHONE, spec=AgentSpec(name="Bob", prompt="x", voice="v"))
    assert line_key(Voice(), OPTIONS, "Hello.") == line_key(Voice(), other, "Hello.")


async def test_memory_holds_the_lines_used_last(tmp_path: Path) -> None:
    cache, voice = SpeechCache(tmp_path, memory_bytes=20), Voice()
    await cache.make(voice, OPTIONS, "One.")
    await cache.make(voice, OPTIONS, "Two.")
    cache.get(voice, OPTIONS, "One.")
    await cache.make(voice, OPTIONS, "Red.")
    held = [text for text in ("One.", "Two.", "Red.") if cache.get(voice, OPTIONS, text)]
    assert held == ["One.", "Red."]
    assert await cache.make(voice, OPTIONS, "Two.") == b"Two.Two."
    assert voice.made == ["One.", "Two.", "Red."]


async def test_the_folder_keeps_to_its_size(tmp_path: Path) -> None:
    cache, voice = SpeechCache(tmp_path, disk_bytes=1000), Voice()
    for number in range(5):
        await cache.make(voice, OPTIONS, f"{number}" * 200)
        os.utime(tmp_path / line_key(voice, OPTIONS, f"{number}" * 200), (number, number))
    assert files(tmp_path) == {line_key(voice, OPTIONS, f"{number}" * 200) for number in (3, 4)}


async def test_a_torn_file_is_made_again(tmp_path: Path) -> None:
    voice = Voice()
    await SpeechCache(tmp_path).make(voice, OPTIONS, "Hello.")
    path = tmp_path / line_key(voice, OPTIONS, "Hello.")
    path.write_bytes(path.read_bytes()[:5])
    assert await SpeechCache(tmp_path).make(voice, OPTIONS, "Hello.") == b"Hello.Hello."
    assert voice.made == ["Hello.", "Hello."]


async def test_a_full_disk_costs_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    cache, voice = SpeechCache(tmp_path), Voice()
    assert await cache.make(voice, OPTIONS, "Hello.") == b"Hello.Hello."
    assert cache.get(voice, OPTIONS, "Hello.") == b"Hello.Hello."
    assert files(tmp_path) == set()
    assert "could not be kept" in caplog.text


async def test_a_synthesis_that_never_ends_is_a_timeout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_LINE_SECONDS", 0.05)
    voice = Voice()

    async def hang() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(voice, "connect", hang)
    with pytest.raises(ProviderTimeoutError):
        await SpeechCache(tmp_path).make(voice, OPTIONS, "Hello.")
    assert voice.closed == 1


async def test_what_is_said_to_one_person_is_kept_in_memory_only(tmp_path: Path) -> None:
    voice, cache = Voice(), SpeechCache(tmp_path)
    await cache.make(voice, OPTIONS, "Hello Ada.", keep=False)
    assert cache.get(voice, OPTIONS, "Hello Ada.") == b"Hello Ada." * 2
    assert os.listdir(tmp_path) == []  # noqa: PTH208 (a coroutine)
