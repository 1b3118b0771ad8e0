from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from calls.enums import AudioEncoding, Role
from calls.errors import ProviderUnavailableError
from calls.sandbox.voice import Voices, beeps
from calls.wire.audio import decode

LINE = "tuesday at ten"


def level(mulaw: bytes) -> float:
    return float(np.sqrt(np.mean(np.frombuffer(decode(mulaw, AudioEncoding.MULAW), "<i2").astype(float) ** 2)))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_without_local_speech_each_word_is_a_beep() -> None:
    assert len(beeps("one two three")) == 3 * len(beeps("one"))
    assert level(beeps("one")) > 1000
    assert beeps("") == b""


@pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="local speech is not installed")
async def test_a_line_is_spoken_once_and_kept_without_its_words(tmp_path: Path) -> None:
    voices = Voices(tmp_path)
    try:
        spoken = await voices.prepare(["", LINE], "en-gb")
        other = await voices.speak(LINE, "en-us+f3")
    finally:
        await voices.aclose()
    assert (spoken[""], set(spoken)) == (b"", {"", LINE})
    assert level(spoken[LINE]) > 300
    assert 4000 < len(spoken[LINE]) < 24_000
    assert other != spoken[LINE]
    kept = contents(tmp_path)
    assert len(kept) == 2
    assert not any(LINE.encode() in content or "tuesday" in name for name, content in kept.items())
    again = Voices(tmp_path)
    again._tts._voices = None  # type: ignore[union-attr]  # (nobody could speak any more)
    assert await again.speak(LINE, "en-gb") == spoken[LINE]


async def test_a_voice_that_fails_beeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    voices = Voices(tmp_path)
    monkeypatch.setattr(voices, "_tts", voices._tts or object())

    async def fail(*_: object) -> bytes:
        message = "gone"
        raise ProviderUnavailableError(message, provider="local", role=Role.TTS)

    monkeypatch.setattr(voices._cache, "make", fail)
    assert await voices.speak(LINE, "en-gb") == beeps(LINE)
