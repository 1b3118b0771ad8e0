"""What a simulated person hears: whether somebody speaks, which keys are pressed, and the sign to who waits.

Words it does not understand.
"""

from math import pi

import numpy as np
from numpy.typing import NDArray

from calls.enums import AudioEncoding
from calls.wire.audio import decode
from calls.wire.tones import HOLD_HZ, KEYS

FRAME_MS = 20.0
_LOUD = 32_768 * 10 ** (-42 / 20)
"""Root mean square of a frame that is speech: -42 dBFS."""
_ONSET_FRAMES = 3
_RATE = 8000
_HZ = sorted({hz for pair in KEYS.values() for hz in pair})
_AT = np.arange(_RATE * FRAME_MS / 1000) / _RATE
_PROBES = np.exp(-2j * pi * np.outer(np.array(_HZ), _AT))
_KEY_OF = {pair: key for key, pair in KEYS.items()}
_PURITY = 0.7
"""Share of a frame's power that lies in its two strongest key frequencies."""
_KEY_FRAMES = 2
_HOLD_PROBES = np.exp(-2j * pi * np.outer(np.array(HOLD_HZ), _AT))
_HOLD_PURITY = 0.85
_HOLD_FRAMES = 5
"""The end of a vowel may sound like it, but not for so long."""
_HOLD_LOUDEST = 32_768 * 10 ** (-28 / 20)
_HOLD_PERIOD_MS = 6_000.0
"""Who hears no sign of waiting for so long is not on hold any more."""


class Ears:
    """One person's. Each frame is 20 ms of mu-law at 8 kHz."""

    def __init__(self) -> None:
        self.quiet_ms = 0.0
        """Since the last speech."""
        self.spoken_ms = 0.0
        """Speech since ``forget``, pauses inside of it included."""
        self.key = ""
        """The key that was pressed last since ``forget``."""
        self.was_held = False
        """Whether a sign of waiting was heard since ``forget``."""
        self.is_on_hold = False
        """Whether it was heard a moment ago, and nobody has spoken since."""
        self._held_ms = 0.0
        self._hold_frames = 0
        self._loud_frames = 0
        self._candidate = ("", 0)

    def forget(self) -> None:
        """Begin to listen anew; who is speaking at this moment counts from now on."""
        self.spoken_ms, self.key, self.was_held = 0.0, "", self.is_on_hold
        if self._loud_frames < _ONSET_FRAMES:
            self._loud_frames = 0

    def hear(self, frame: bytes) -> None:
        """Take 20 ms."""
        samples = np.frombuffer(decode(frame, AudioEncoding.MULAW), "<i2").astype(np.float64)
        power = float(np.mean(samples**2))
        self._held_ms += FRAME_MS
        self.is_on_hold = self.is_on_hold and self._held_ms < _HOLD_PERIOD_MS
        if power < _LOUD**2:
            self._candidate = ("", 0)
            self._loud_frames = self._hold_frames = 0
            self.quiet_ms += FRAME_MS
            return
        if self._is_key(samples, power):
            return
        if power < _HOLD_LOUDEST**2 and _strengths(_HOLD_PROBES, samples).sum() >= _HOLD_PURITY * power:
            self._loud_frames, self.quiet_ms = 0, 0.0
            self._hold_frames += 1
            if self._hold_frames >= _HOLD_FRAMES:
                self.is_on_hold, self.was_held, self._held_ms = True, True, 0.0
            return
        self._loud_frames += 1
        if self._loud_frames >= _ONSET_FRAMES:
            self.quiet_ms = 0.0
            self.spoken_ms += FRAME_MS
            self.is_on_hold = False

    def _is_key(self, samples: NDArray[np.float64], power: float) -> bool:
        strengths = _strengths(_PROBES, samples)
        low, high = int(np.argmax(strengths[:4])), 4 + int(np.argmax(strengths[4:]))
        if strengths[low] + strengths[high] < _PURITY * power:
            self._candidate = ("", 0)
            return False
        key = _KEY_OF[_HZ[low], _HZ[high]]
        before, count = self._candidate
        self._candidate = (key, count + 1 if key == before else 1)
        if self._candidate[1] == _KEY_FRAMES:
            self.key = key
        return True


def _strengths(probes: NDArray[np.complex128], samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the power of each of a few frequencies."""
    found: NDArray[np.float64] = np.abs(probes @ samples) ** 2 * 2 / len(samples) ** 2
    return found
