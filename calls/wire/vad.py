"""From the voice activity model's probabilities to "the caller has been speaking for 192 ms".

A model alone is not enough for barge-in: it needs a window or two before it believes an onset, it follows the voices
in the background, and it gives times on its own 32 ms grid. The gate adds the level in blocks of 4 ms: against the room
(an adaptive noise floor), against the caller's own level, and for where inside the windows speech began and ended.
"""

from collections import deque
from collections.abc import Sequence
from itertools import takewhile
from operator import not_

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

WINDOW_MS = 32.0
BLOCK_MS = 4.0

_DECAY = 0.7
"""Per window: a falling probability is followed slowly, to bridge two doubtful windows in a word."""
_LOOK_BACK_MS = 128.0
"""How far before the first believed window an onset may lie: a model needs up to three windows to believe a vowel."""
_ANTICIPATED_MS = 1000.0
"""Of a run of speech; later nobody waits for its length."""
_ONSET_RANGE_DB = 20.0
"""The blocks that belong to an onset are no further than this below it; what came before was the room."""
_OPEN_RANGE_DB = 14.0
_HOLD_RANGE_DB = 19.0
"""Speech further than this below the caller's loud vowels is somebody in the background ..."""
_BACKGROUND_DB = 22.0
"""... where there is a background: what stands out of the noise floor by this much is never taken for it."""
_CALLER_RISE = 0.2
_CALLER_FORGETS_DB = 0.02
"""Per window of speech (0.6 dB/s): who turned away from the microphone is believed again after some seconds."""
_FLOOR_FALL = 0.3
_FLOOR_RISE = 0.05
_FLOOR_CREEP_DB = 0.05
"""Per window of speech (1.6 dB/s), so that babble which the model takes for speech becomes the floor."""
_FLOOR_START_DBFS = -60.0


class VoiceReport(Struct, frozen=True, gc=False):
    """What voice activity detection knows after some audio; times in ms of received audio since the stream began.

    ``until_ms``: audio judged so far; ``voiced_until_ms``: end of the last speech; ``voiced_ms``: length of the current
    speech run (0 while the gate is closed); ``is_speech``: the gate.
    """

    until_ms: float
    voiced_until_ms: float
    voiced_ms: float
    is_speech: bool


def block_levels(windows: NDArray[np.float32], rate: int) -> list[list[float]]:
    """Give the levels (dBFS) of each window's blocks of 4 ms; ``windows``: (count, samples), in -1 to 1."""
    size = int(rate * BLOCK_MS / 1000)
    blocks = windows.reshape(len(windows), -1, size)
    powers = np.einsum("ijk,ijk->ij", blocks, blocks) / size  # a third quicker than a mean of squares
    levels: list[list[float]] = (10 * np.log10(powers + 1e-10)).tolist()
    return levels


def tonal_probabilities(windows: NDArray[np.float32], rate: int) -> list[float]:
    """Give a guess of speech for each window from the shape of its spectrum alone, where no model is at hand.

    It is the spectral flatness (geometric over arithmetic mean of the power spectrum) of the telephone band: about 0.56
    for noise and clicks, below 0.2 for vowels. It takes music and dial tones for speech.
    """
    count = windows.shape[1]
    spectrum = np.abs(np.fft.rfft(windows * np.hanning(count), axis=1)) ** 2 + 1e-9
    band = spectrum[:, 200 * count // rate : 3400 * count // rate]
    flatness = np.exp(np.mean(np.log(band), axis=1)) / np.mean(band, axis=1)
    guesses: list[float] = np.clip(1.25 - 2.5 * flatness, 0, 1).tolist()
    return guesses


class VoiceGate:
    """One call's judge over windows of 32 ms. The arguments are the fields of ``VoiceActivity``."""

    def __init__(
        self,
        *,
        threshold: float,
        release: float,
        onset_windows: int,
        hangover_ms: float,
        min_level_dbfs: float,
        noise_margin_db: float,
    ) -> None:
        self._threshold = threshold
        self._release = min(release, threshold)
        self._onset_windows = onset_windows
        self._hangover_ms = hangover_ms
        self._min_level = min_level_dbfs
        self._margin = noise_margin_db
        self._probability = 0.0
        self._until_ms = 0.0
        self._voiced_until_ms = 0.0
        self._run_start_ms = 0.0
        self._believed = 0
        self.is_speech = False
        self._caller: float | None = None
        reach = int((_LOOK_BACK_MS + onset_windows * WINDOW_MS) / BLOCK_MS)
        self._recent: deque[float] = deque(maxlen=reach)
        """Levels of the last blocks, as far as an onset may reach back."""
        self.noise_floor_dbfs = _FLOOR_START_DBFS

    def judge(self, probability: float, levels: Sequence[float]) -> VoiceReport:
        """Take one window: the model's probability of speech and the levels (dBFS) of its blocks of 4 ms."""
        self._probability = max(probability, _DECAY * self._probability + (1 - _DECAY) * probability)
        self._until_ms += WINDOW_MS
        self._recent.extend(levels)
        peak = max(levels)
        if self.is_speech:
            self._hold(peak, levels)
        else:
            self._await_onset(probability, peak, levels)
        self._follow_floor(min(levels))
        return self._report(self._until_ms, self._voiced_until_ms)

    @property
    def is_anticipating(self) -> bool:
        """Whether ``anticipate`` may have something to say: speech has just begun and went on to the last window."""
        is_in_speech = self.is_speech and self._voiced_until_ms > self._until_ms - WINDOW_MS
        return is_in_speech and self._until_ms - self._run_start_ms <= _ANTICIPATED_MS

    def anticipate(self, levels: Sequence[float]) -> VoiceReport | None:
        """Judge by their level alone the blocks of a window that is not full yet; None but in speech that just began.

        This spares barge-in the wait for the window's end, 16 ms on average. Nothing is kept: the window's own verdict
        may take it back.
        """
        if not self.is_anticipating:
            return None
        least = self._gate_to_hold()
        loud = max((count for count, level in enumerate(levels, 1) if level >= least), default=0)
        voiced_until_ms = self._until_ms + loud * BLOCK_MS if loud else self._voiced_until_ms
        return self._report(self._until_ms + len(levels) * BLOCK_MS, voiced_until_ms)

    def _report(self, until_ms: float, voiced_until_ms: float) -> VoiceReport:
        voiced_ms = voiced_until_ms - self._run_start_ms if self.is_speech else 0.0
        return VoiceReport(until_ms, voiced_until_ms, voiced_ms, self.is_speech)

    def _gate(self, margin: float, caller_range: float) -> float:
        """Give the level below which nothing is the caller's speech."""
        least = max(self._min_level, self.noise_floor_dbfs + margin)
        if self._caller is None:
            return least
        return max(least, min(self._caller - caller_range, self.noise_floor_dbfs + _BACKGROUND_DB))

    def _gate_to_open(self) -> float:
        return self._gate(self._margin, _OPEN_RANGE_DB)

    def _gate_to_hold(self) -> float:
        """Half the margin: inside speech the model is trusted more, or noise would swallow every weak syllable."""
        return self._gate(self._margin / 2, _HOLD_RANGE_DB)

    def _await_onset(self, probability: float, peak: float, levels: Sequence[float]) -> None:
        """Count windows above the threshold; with the last one needed the gate opens, back to where the sound rose."""
        if probability < self._threshold:
            self._believed = 0
        elif peak < self._gate_to_open():
            self._believed = 0
            if self._caller is not None:
                self._caller -= _CALLER_FORGETS_DB
        else:
            self._believed += 1
            if self._believed >= self._onset_windows:
                self._open(peak, levels)

    def _open(self, peak: float, levels: Sequence[float]) -> None:
        least = max(self._gate_to_hold(), peak - _ONSET_RANGE_DB)
        certain = int(self._believed * WINDOW_MS / BLOCK_MS)
        loud = [level >= least for level in reversed(self._recent)]
        before = len(list(takewhile(bool, loud[certain:])))
        late = 0 if before else len(list(takewhile(not_, reversed(loud[:certain]))))
        onset_ms = self._until_ms - (certain + before - late) * BLOCK_MS
        self._run_start_ms = max(onset_ms, self._voiced_until_ms)
        self.is_speech = True
        self._believed = 0
        self._hold(peak, levels)

    def _hold(self, peak: float, levels: Sequence[float]) -> None:
        """Follow speech to its last loud block; close after the hangover."""
        least = self._gate_to_hold()
        if self._probability >= self._release and peak >= least:
            quiet = next(count for count, level in enumerate(reversed(levels)) if level >= least)
            self._voiced_until_ms = self._until_ms - quiet * BLOCK_MS
            if self._caller is None:
                self._caller = peak
            self._caller += _CALLER_RISE * max(0.0, peak - self._caller) - _CALLER_FORGETS_DB
        elif self._until_ms - self._voiced_until_ms > self._hangover_ms:
            self.is_speech = False

    def _follow_floor(self, quietest: float) -> None:
        """Fall to quiet blocks fast; rise slowly, and hardly while the model hears speech."""
        difference = quietest - self.noise_floor_dbfs
        if difference < 0:
            self.noise_floor_dbfs += _FLOOR_FALL * difference
        elif self._probability < self._release:
            self.noise_floor_dbfs += _FLOOR_RISE * difference
        else:
            self.noise_floor_dbfs += min(_FLOOR_CREEP_DB, difference)
