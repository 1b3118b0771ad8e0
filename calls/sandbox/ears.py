"""What a simulated person hears: whether somebody speaks, and which keys are pressed. Words it does not understand."""

from math import pi

import numpy as np
from numpy.typing import NDArray

from calls.enums import AudioEncoding
from calls.wire.audio import decode
from calls.wire.tones import KEYS

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


class Ears:
    """One person's. Each frame is 20 ms of mu-law at 8 kHz."""

    def __init__(self) -> None:
        self.quiet_ms = 0.0
        """Since the last speech."""
        self.spoken_ms = 0.0
        """Speech since ``forget``, pauses inside of it included."""
        self.key = ""
        """The key that was pressed last since ``forget``."""
        self._loud_frames = 0
        self._candidate = ("", 0)

    def forget(self) -> None:
        """Begin to listen anew; who is speaking at this moment counts from now on."""
        self.spoken_ms, self.key = 0.0, ""
        if self._loud_frames < _ONSET_FRAMES:
            self._loud_frames = 0

    def hear(self, frame: bytes) -> None:
        """Take 20 ms."""
        samples = np.frombuffer(decode(frame, AudioEncoding.MULAW), "<i2").astype(np.float64)
        power = float(np.mean(samples**2))
        if power < _LOUD**2:
            self._candidate = ("", 0)
            self._loud_frames = 0
            self.quiet_ms += FRAME_MS
            return
        if self._is_key(samples, power):
            return
        self._loud_frames += 1
        if self._loud_frames >= _ONSET_FRAMES:
            self.quiet_ms = 0.0
            self.spoken_ms += FRAME_MS

    def _is_key(self, samples: NDArray[np.float64], power: float) -> bool:
        strengths = np.abs(_PROBES @ samples) ** 2 * 2 / len(samples) ** 2
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
