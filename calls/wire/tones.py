"""Tones on the line: the keys of a telephone, made; the beep of an answering machine, found."""

from math import pi

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from calls.wire.audio import AudioFormat, silence

# --- keys -------------------------------------------------------------------------------------------------------------

_LOW_HZ = (697, 770, 852, 941)
_HIGH_HZ = (1209, 1336, 1477, 1633)
_KEYS = ("123A", "456B", "789C", "*0#D")
KEYS = {
    key: (low, high)
    for low, row in zip(_LOW_HZ, _KEYS, strict=True)
    for high, key in zip(_HIGH_HZ, row, strict=True)
}  # fmt: skip
"""The two frequencies of each key, Hz (ITU-T Q.23, table 1)."""

_LOW_LEVEL, _HIGH_LEVEL = 0.26, 0.33
"""Amplitudes, full scale being 1: the high group 2 dB above the low one, for lines lose more of it."""
_RAMP_MS = 3.0
"""A tone that began at once would click over all frequencies, and a receiver looks for two only."""


def keys_pcm(digits: str, rate: int, *, on_ms: float = 100, off_ms: float = 100) -> bytes:
    """Give PCM16 of keys pressed one after the other, each followed by a pause. ``ValueError`` for what is no key."""
    if unknown := sorted(set(digits) - set(KEYS)):
        message = f"no telephone has the key {unknown[0]!r}; expected 0-9, *, # or A-D"
        raise ValueError(message)
    pause = silence(AudioFormat(rate=rate), off_ms)
    return b"".join(_key(*KEYS[digit], rate, on_ms) + pause for digit in digits)


def _key(low_hz: int, high_hz: int, rate: int, duration_ms: float) -> bytes:
    at = np.arange(round(rate * duration_ms / 1000)) / rate
    sound = _LOW_LEVEL * np.sin(2 * pi * low_hz * at) + _HIGH_LEVEL * np.sin(2 * pi * high_hz * at)
    ramp = np.minimum(1.0, (np.minimum(at, at[-1] - at) if len(at) else at) * 1000 / _RAMP_MS)
    return np.rint(sound * ramp * 32_767).astype("<i2").tobytes()


# --- waiting ----------------------------------------------------------------------------------------------------------

HOLD_HZ = (392.0, 523.25)
_HOLD_NOTES = tuple(zip(HOLD_HZ, (0, 350), strict=True))
"""Frequency in Hz and beginning in ms: two soft notes, so that who waits knows that the line lives."""
_NOTE_MS, _HOLD_PERIOD_MS = 600, 4000
_HOLD_LEVEL = 0.03
_HOLD_DECAY_MS = 180.0


def hold_pcm(rate: int) -> bytes:
    """Give PCM16 of one period of the sign to who waits: two quiet notes of a bell, about -33 dBFS, then silence."""
    sound = np.zeros(round(rate * _HOLD_PERIOD_MS / 1000))
    at = np.arange(round(rate * _NOTE_MS / 1000)) / rate
    for hz, begins_ms in _HOLD_NOTES:
        note = _HOLD_LEVEL * np.sin(2 * pi * hz * at) * np.exp(-at * 1000 / _HOLD_DECAY_MS)
        note *= np.minimum(1.0, np.minimum(at, at[-1] - at) * 1000 / _RAMP_MS)
        start = round(rate * begins_ms / 1000)
        sound[start : start + len(note)] += note
    return np.rint(sound * 32_767).astype("<i2").tobytes()


# --- the beep ---------------------------------------------------------------------------------------------------------

_WINDOW_MS, _HOP_MS = 30, 10
_BATCH_WINDOWS = 6
"""Looked at together, for less than half the cost; a beep is told up to 60 ms later, which no mailbox minds."""
_LOWEST_HZ, _HIGHEST_HZ = 390.0, 2020.0
_SHORTEST_MS, _LONGEST_MS = 140, 2050  # 150 ms to 2 s, give or take what the windows blur
_PURITY = 0.92
"""Share of a window's power that lies in its strongest frequency. A vowel's harmonics leave it less."""
_DRIFT_HZ = 12.0
_DRIFT_DB = 3.0
_QUIETEST_DBFS = -45.0
_DROP_DB = 15.0
_SILENCE_WINDOWS = 10
"""100 ms of silence make a tone a beep: a melody goes on at once."""
_FALL_WINDOWS = 6
"""For so long the windows hold the end of the tone and the beginning of the silence, or a short echo."""


class Beep(Struct, frozen=True, gc=False):
    """A single tone between silences. Times in milliseconds of the audio that was heard."""

    hz: float
    started_ms: float
    ended_ms: float


class _Window(Struct, frozen=True, gc=False):
    """What 30 ms of sound are: their level, and their frequency where there is only one."""

    level_dbfs: float
    hz: float | None


class _Tone:
    """A tone that goes on, or has just ended."""

    def __init__(self, at: int, level_dbfs: float, hz: float) -> None:
        self.at = at
        self.windows = 1
        self.level_dbfs = level_dbfs
        self.hz = hz
        self.falling = 0
        self.silent = 0

    def fits(self, window: _Window) -> bool:
        """Whether the window is more of the same tone."""
        return (
            window.hz is not None
            and not self.falling
            and not self.silent
            and abs(window.hz - self.hz) <= _DRIFT_HZ
            and abs(window.level_dbfs - self.level_dbfs) <= _DRIFT_DB
        )

    def add(self, window: _Window) -> None:
        """Go on; level and frequency are those of all windows together."""
        self.windows += 1
        self.level_dbfs += (window.level_dbfs - self.level_dbfs) / self.windows
        self.hz += ((window.hz or self.hz) - self.hz) / self.windows

    def may_end_with(self, window: _Window) -> bool:
        """Count a window that is no more of the tone; False when it is something else that sounds."""
        if window.level_dbfs <= self.level_dbfs - _DROP_DB:
            self.silent += 1
            return True
        self.falling += 1
        return not self.silent and self.falling <= _FALL_WINDOWS and window.level_dbfs < self.level_dbfs + 1.0

    @property
    def duration_ms(self) -> float:
        """How long it sounded."""
        return float(self.windows * _HOP_MS + _WINDOW_MS - _HOP_MS)


class BeepDetector:
    """Listens for one stable tone of 400 to 2,000 Hz that lasts 150 ms to 2 s and is followed by silence.

    Takes PCM16 in pieces of any size. Speech, music, keys, ringing and tones of two frequencies are no beep; a busy
    tone of one frequency is, for its first period sounds the same.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._hop = rate * _HOP_MS // 1000
        self._size = rate * _WINDOW_MS // 1000
        self._shape = np.hanning(self._size + 1)[:-1]
        self._bin_hz = rate / self._size
        self._lowest, self._highest = _LOWEST_HZ / self._bin_hz, _HIGHEST_HZ / self._bin_hz
        self._batch_bytes = (self._size + (_BATCH_WINDOWS - 1) * self._hop) * 2
        self._pending = bytearray()
        self._count = 0
        self._tone: _Tone | None = None

    def hear(self, pcm: bytes) -> Beep | None:
        """Hear the next piece; gives the beep once the silence after it was heard."""
        self._pending += pcm
        if len(self._pending) < self._batch_bytes:
            return None
        samples = np.frombuffer(bytes(self._pending), "<i2") / 32_768
        windows = np.lib.stride_tricks.sliding_window_view(samples, self._size)[:: self._hop]
        del self._pending[: len(windows) * self._hop * 2]
        found = None
        for window in self._look(windows):
            found = self._take(window) or found
            self._count += 1
        return found

    def _look(self, windows: NDArray[np.float64]) -> list[_Window]:
        """Say what each row of samples is."""
        levels = 10 * np.log10(np.mean(windows**2, axis=1) + 1e-12)
        if levels.max() < _QUIETEST_DBFS:
            return [_Window(level, None) for level in levels.tolist()]
        powers = np.abs(np.fft.rfft(windows * self._shape)) ** 2
        peaks = powers.argmax(axis=1)
        may_be = (levels >= _QUIETEST_DBFS) & (peaks >= self._lowest) & (peaks <= self._highest)
        return [
            _Window(level, self._pitch(powers[row], int(peaks[row])) if may_be[row] else None)
            for row, level in enumerate(levels.tolist())
        ]

    def _pitch(self, power: NDArray[np.float64], peak: int) -> float | None:
        """Give the frequency of a window whose power lies around one bin; None where it lies elsewhere too."""
        if power[peak - 2 : peak + 3].sum() < _PURITY * power.sum():
            return None
        below, middle, above = np.log(power[peak - 1 : peak + 2] + 1e-12)
        shift = 0.5 * (below - above) / (below - 2 * middle + above)  # the top of the parabola through three bins
        return float((peak + shift) * self._bin_hz)

    def _take(self, window: _Window) -> Beep | None:
        tone = self._tone
        if tone is not None and tone.fits(window):
            tone.add(window)
        elif tone is not None and tone.may_end_with(window):
            if tone.silent == _SILENCE_WINDOWS:
                self._tone = None
                return self._judge(tone)
        else:
            self._tone = None if window.hz is None else _Tone(self._count, window.level_dbfs, window.hz)
        return None

    def _judge(self, tone: _Tone) -> Beep | None:
        if not _SHORTEST_MS <= tone.duration_ms <= _LONGEST_MS:
            return None
        started_ms = float(tone.at * _HOP_MS)
        return Beep(tone.hz, started_ms, started_ms + tone.duration_ms)
