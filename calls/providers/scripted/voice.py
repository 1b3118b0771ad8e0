"""A synthesiser that hums: one tone per word, as long as the word has letters. Its word times are exact."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np

from calls.engine.events import Word
from calls.providers.base import SentenceAudio, SentenceEnded, SentenceWords, SpeechOptions, SpeechPiece
from calls.wire.audio import AudioFormat, encode

CHARACTER_MS = 60
"""How long each character sounds; a space is as long a silence."""
_AMPLITUDE = 8000.0
_LOWEST_HZ = 220.0
_STEPS = 12
"""Tones go round one octave, so that neighbouring words differ."""


class ScriptedTextToSpeech:
    """A ``TextToSpeech`` that makes the same audio for the same text, at once."""

    name = "scripted"

    def open(self, options: SpeechOptions) -> "ScriptedSpeechStream":
        """Hum in the format asked for."""
        return ScriptedSpeechStream(options.format)

    async def aclose(self) -> None:
        """Hold nothing."""


class ScriptedSpeechStream:
    """One call's hum."""

    def __init__(self, audio: AudioFormat) -> None:
        self.format = audio

    async def connect(self) -> None:
        """Need no connection."""

    def begin(self, reply: int) -> "ScriptedSpeechContext":
        """Begin a reply."""
        del reply
        return ScriptedSpeechContext(self.format)

    async def aclose(self) -> None:
        """Hold nothing."""


class ScriptedSpeechContext:
    """The hum of one reply."""

    def __init__(self, audio: AudioFormat) -> None:
        self._format = audio
        self._pieces: asyncio.Queue[SpeechPiece | None] = asyncio.Queue()  # bounded by the reply's length

    async def say(self, sentence: int, text: str) -> None:
        """Hum each word and tell when it sounds."""
        timed = word_times(text)
        self._pieces.put_nowait(SentenceWords(sentence, timed))
        for index, word in enumerate(timed):
            pause_ms = CHARACTER_MS if index + 1 < len(timed) else 0
            pcm = _tone(index, word.end_ms - word.start_ms, pause_ms, self._format.rate)
            self._pieces.put_nowait(SentenceAudio(sentence, encode(pcm, self._format.encoding)))
        self._pieces.put_nowait(SentenceEnded(sentence))

    async def finish(self) -> None:
        """End ``pieces`` after what was said."""
        self._pieces.put_nowait(None)

    async def pieces(self) -> AsyncIterator[SpeechPiece]:
        """Give what was hummed."""
        while (piece := await self._pieces.get()) is not None:
            yield piece

    async def cancel(self) -> None:
        """Drop what was not taken yet and end ``pieces``."""
        while not self._pieces.empty():
            self._pieces.get_nowait()
        self._pieces.put_nowait(None)


def word_times(text: str) -> tuple[Word, ...]:
    """Give each word its time: ``CHARACTER_MS`` for each character and for the space between two words."""
    words = []
    start = 0.0
    for word in text.split():
        end = start + len(word) * CHARACTER_MS
        words.append(Word(word, start, end))
        start = end + CHARACTER_MS
    return tuple(words)


def _tone(index: int, duration_ms: float, pause_ms: int, rate: int) -> bytes:
    """Make a tone and the silence after it, PCM16."""
    frequency = _LOWEST_HZ * 2 ** (index % _STEPS / _STEPS)
    time = np.arange(round(rate * duration_ms / 1000)) / rate
    tone = (_AMPLITUDE * np.sin(2 * np.pi * frequency * time)).astype("<i2")
    return tone.tobytes() + bytes(2 * round(rate * pause_ms / 1000))
