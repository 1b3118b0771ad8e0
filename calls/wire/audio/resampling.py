"""A streaming resampler with one to two milliseconds of delay.

A windowed-sinc interpolator (J. O. Smith, "Digital Audio Resampling", https://ccrma.stanford.edu/~jos/resample/): an
output sample is a weighted sum of the input samples around its place. The places repeat after ``down`` input and ``up``
output samples, so the weights of a whole cycle are a matrix, made once per pair of rates, and resampling is a matrix
product over cycles.

Weights are whole multiples of 2**-24 and samples are 16 bit, so that every sum is exact in a float64, in whatever order
it is taken: how a stream was cut into pieces cannot be heard, nor even seen in the last bit.
"""

from functools import lru_cache
from math import ceil, gcd
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from calls.errors import AudioError
from calls.wire.audio.companding import samples_of, see_whole

MIN_RATE, MAX_RATE = 8_000, 48_000

_CROSSINGS = 16
"""Half the filter's length in samples of the lower rate; this is the delay: 2 ms at 8 kHz, 1 ms at 16 kHz."""
_CUTOFF = 0.95
"""Of the lower rate's Nyquist frequency."""
_KAISER_BETA = 8.0
"""Kaiser's window parameter: aliases stay below -80 dB."""
_EXACT = 2.0**24
_LONGEST_CYCLE = 1280
"""Output samples; a longer cycle (8001 to 48000 Hz has 16,000) looks its weights up instead."""
_PHASES = 2048
_BLOCK = 80
"""Output samples of a long cycle that share one matrix: a larger one would be mostly zeros."""
_SHORTEST_CYCLE = 24
"""Output samples; shorter cycles are taken several at a time, because small matrices are slow."""

Samples = NDArray[np.float64]


class _Weights(Protocol):
    """The weights of one pair of rates.

    The window of the output sample at place p (in input samples) begins at floor(p).
    """

    cycle: int
    """Input samples after which the places repeat: the buffer may be shortened by multiples of it."""

    def apply(self, samples: Samples, place: int, count: int) -> Samples:
        """Give ``count`` output samples, the first at ``place`` / ``up`` of ``samples``."""


def _kernel(up: int, down: int, half: int, places: NDArray[np.int64], parts: int) -> Samples:
    """Give the weights (places, 2 * half + 1) of output samples that lie ``places / parts`` behind an input sample."""
    lower = min(1.0, up / down)
    distance = np.arange(-half, half + 1) - places[:, None] / parts
    inside = np.clip(1 - (distance * lower / _CROSSINGS) ** 2, 0, None)
    window = np.where(inside > 0, np.i0(_KAISER_BETA * np.sqrt(inside)), 0)
    weights = np.sinc(distance * lower * _CUTOFF) * window
    return np.asarray(np.rint(weights / weights.sum(axis=1, keepdims=True) * _EXACT) / _EXACT)


class _CycleWeights:
    """Weights as matrices over one or more cycles, cut into blocks of output samples."""

    def __init__(self, up: int, down: int, half: int) -> None:
        times = ceil(_SHORTEST_CYCLE / up)
        self.cycle, self._made, self._down = down * times, up * times, down
        places = np.arange(self._made) * down
        starts = places // up
        kernel = _kernel(up, down, half, places % up, up)
        self._blocks: list[tuple[int, int, int, Samples]] = []
        for chosen in np.array_split(np.arange(self._made), ceil(self._made / _BLOCK)):
            start, first, last = starts[chosen[0]], chosen[0], chosen[-1] + 1
            matrix = np.zeros((starts[chosen[-1]] - start + 2 * half + 1, len(chosen)))
            for column, row in enumerate(chosen):
                matrix[starts[row] - start :, column][: 2 * half + 1] = kernel[row]
            self._blocks.append((int(start), int(first), int(last), matrix))

    def apply(self, samples: Samples, place: int, count: int) -> Samples:
        done = place // self._down
        ready = done + count
        cycles = -(-ready // self._made)
        lacking = cycles * self.cycle + len(self._blocks[-1][3]) - len(samples)
        padded = np.concatenate([samples, np.zeros(max(0, lacking))])
        made = np.empty((cycles, self._made))
        strides = (self.cycle * padded.itemsize, padded.itemsize)
        for start, first, last, matrix in self._blocks:
            begin, end = max(0, (done - last) // self._made + 1), -((first - ready) // self._made)
            if begin < end:
                offset = (start + begin * self.cycle) * padded.itemsize
                windows: Samples = np.ndarray((end - begin, len(matrix)), np.float64, padded, offset, strides)
                made[begin:end, first:last] = windows.copy() @ matrix
        return made.reshape(-1)[done:ready]


class _LookedUpWeights:
    """Weights of a cycle too long for matrices: each place is moved to the nearest of 2,048, an error of -70 dB."""

    cycle = 1

    def __init__(self, up: int, down: int, half: int) -> None:
        self._up, self._down = up, down
        self._kernel = _kernel(up, down, half, np.arange(_PHASES + 1), _PHASES)

    def apply(self, samples: Samples, place: int, count: int) -> Samples:
        places = place + np.arange(count) * self._down
        windows = sliding_window_view(samples, self._kernel.shape[1])[places // self._up]
        rows = (places % self._up * _PHASES + self._up // 2) // self._up
        return np.asarray(np.einsum("ij,ij->i", windows, self._kernel[rows]))


@lru_cache(maxsize=32)
def _weights(up: int, down: int, half: int) -> _Weights:
    return (_CycleWeights if up <= _LONGEST_CYCLE else _LookedUpWeights)(up, down, half)


class Resampler:
    """PCM16 from one rate to another, piece by piece; the pieces' output is that of the whole, sample for sample.

    ``feed`` holds back the last 16 samples of the lower rate, ``flush`` gives them. A stream of n samples comes out as
    ceil(n * target / source), whatever its length: nothing drifts. Equal rates pass. Raises ``AudioError`` for a rate
    outside 8 to 48 kHz.
    """

    def __init__(self, source_hz: int, target_hz: int) -> None:
        if not (MIN_RATE <= source_hz <= MAX_RATE and MIN_RATE <= target_hz <= MAX_RATE):
            message = f"rates go from {MIN_RATE} to {MAX_RATE} Hz, not from {source_hz} to {target_hz}"
            raise AudioError(message)
        divisor = gcd(source_hz, target_hz)
        self._up, self._down = target_hz // divisor, source_hz // divisor
        self._half = ceil(_CROSSINGS * max(1.0, source_hz / target_hz))
        self._weights = _weights(self._up, self._down, self._half)
        self._reset()

    def _reset(self) -> None:
        self._samples: Samples = np.zeros(self._half)
        self._place = 0
        """Where the next output sample's window begins in ``_samples``, in input samples times ``up``."""

    def feed(self, pcm: bytes) -> bytes:
        """Take the next samples; raises ``AudioError`` for half a sample and then is as before."""
        if self._up == self._down:
            return see_whole(pcm)
        self._samples = np.concatenate([self._samples, samples_of(pcm)])
        room = (len(self._samples) - 2 * self._half) * self._up
        return self._make(-(-(room - self._place) // self._down))

    def flush(self) -> bytes:
        """Give the rest, as if silence followed, and start a new stream."""
        end = (len(self._samples) - self._half) * self._up
        self._samples = np.concatenate([self._samples, np.zeros(self._half + 1)])
        rest = self._make(-(-(end - self._place) // self._down))
        self._reset()
        return rest

    def _make(self, count: int) -> bytes:
        if count <= 0:
            return b""
        made = self._weights.apply(self._samples, self._place, count)
        place = self._place + count * self._down
        done = place // self._up // self._weights.cycle * self._weights.cycle
        self._samples = self._samples[done:].copy()
        self._place = place - done * self._up
        return np.clip(np.rint(made), -32_768, 32_767).astype("<i2").tobytes()
