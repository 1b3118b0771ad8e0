"""Sound for the simulators: tones that stand for words, and the ear that finds them again.

A word is a tone followed by a short silence; its pitch says which word it is. So a recogniser without any model can say
exactly which words it heard, and a test sees a word that was lost or doubled.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
WORD_MS = 160
GAP_MS = 60
FRAME_MS = 20
_LOWEST_HZ = 300.0
_STEP_HZ = 120.0
_LEVEL = 8000
_VOICED_RMS = 500.0

Samples = NDArray[np.int16]


def _mulaw_table() -> Samples:
    """ITU-T G.711: sign, three bits of exponent, four of mantissa, all inverted."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_table() -> Samples:
    """ITU-T G.711: every second bit inverted, sign bit set for positive."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 0x0F
    linear = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, linear, -linear).astype(np.int16)


_TABLES = {"mulaw": _mulaw_table(), "alaw": _alaw_table()}


def decode(encoding: str, audio: bytes) -> Samples:
    """Give samples; ``encoding`` is linear16, mulaw or alaw."""
    if encoding == "linear16":
        return np.frombuffer(audio[: len(audio) // 2 * 2], dtype="<i2").astype(np.int16)
    return _TABLES[encoding][np.frombuffer(audio, dtype=np.uint8)]


def encode(encoding: str, samples: Samples) -> bytes:
    """Write samples as linear16, mulaw or alaw, each to the nearest value that the encoding has."""
    if encoding == "linear16":
        return samples.astype("<i2").tobytes()
    table = _TABLES[encoding].astype(np.int32)
    order = np.argsort(table, kind="stable")
    ranks = np.searchsorted((table[order][1:] + table[order][:-1]) / 2, samples)
    return order[ranks].astype(np.uint8).tobytes()


def tone(hertz: float, ms: float, rate: int) -> Samples:
    """Give a sine."""
    times = np.arange(round(rate * ms / 1000)) / rate
    return (np.sin(2 * np.pi * hertz * times) * _LEVEL).astype(np.int16)


def silence(ms: float, rate: int) -> Samples:
    """Give zeros."""
    return np.zeros(round(rate * ms / 1000), dtype=np.int16)


def spoken(words: str, rate: int) -> Samples:
    """Say words of ``WORDS``, one tone each."""
    pieces = []
    for word in words.split():
        pieces += [tone(_LOWEST_HZ + _STEP_HZ * WORDS.index(word), WORD_MS, rate), silence(GAP_MS, rate)]
    return np.concatenate(pieces) if pieces else silence(0, rate)


@dataclass(frozen=True)
class HeardWord:
    """A word and when it sounded, in seconds of audio."""

    text: str
    start: float
    end: float


class Ear:
    """Hears tones in audio that comes in pieces of any size."""

    def __init__(self, encoding: str, rate: int) -> None:
        self._encoding = encoding
        self._rate = rate
        self._size = rate * FRAME_MS // 1000 * (2 if encoding == "linear16" else 1)
        self._pending = b""
        self._burst: list[Samples] = []
        self.frames = 0
        self.voiced_until = 0.0
        self.is_voiced = False

    @property
    def seconds(self) -> float:
        """How much audio was heard, in whole frames."""
        return self.frames * FRAME_MS / 1000

    def feed(self, audio: bytes) -> Iterator[HeardWord | None]:
        """Hear frame by frame (20 ms); gives the word that ended with each, or None."""
        self._pending += audio
        while len(self._pending) >= self._size:
            frame, self._pending = self._pending[: self._size], self._pending[self._size :]
            yield self._hear(decode(self._encoding, frame))

    def end_word(self) -> HeardWord | None:
        """Give the word that is just sounding, cut off here."""
        if not self._burst:
            return None
        samples = np.concatenate(self._burst).astype(np.float64)
        self._burst = []
        crossings = int(np.count_nonzero(np.diff(np.signbit(samples))))
        seconds = len(samples) / self._rate
        index = round((crossings / 2 / seconds - _LOWEST_HZ) / _STEP_HZ)
        text = WORDS[max(0, min(index, len(WORDS) - 1))]
        return HeardWord(text, self.voiced_until - seconds, self.voiced_until)

    def _hear(self, samples: Samples) -> HeardWord | None:
        self.frames += 1
        self.is_voiced = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) > _VOICED_RMS
        if self.is_voiced:
            self._burst.append(samples)
            self.voiced_until = self.seconds
            return None
        return self.end_word()
