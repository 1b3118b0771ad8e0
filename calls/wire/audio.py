"""Audio as bytes: formats, G.711 companding, and resampling that keeps its state.

All audio is mono; PCM is signed 16 bit little-endian. On the live path the short windowed-sinc filter below is used, because it holds
back only its own half width (2 ms at most, measured); whole pieces go through soxr, which is better but emits in large blocks.
"""

import math
from functools import lru_cache

import numpy as np
import soxr
from msgspec import Struct
from numpy.typing import NDArray

from calls.enums import AudioEncoding
from calls.errors import AudioError

MIN_RATE = 8_000
MAX_RATE = 48_000

_HALF_WIDTH = 16
"""Zero crossings of the sinc on either side; with the window below 80 to 95 dB of signal to noise."""
_KAISER_BETA = 9.0
_FEW_PHASES = 8


class AudioFormat(Struct, frozen=True, gc=False):
    """Encoding and rate (Hz) of mono audio."""

    encoding: AudioEncoding = AudioEncoding.PCM16
    rate: int = 16_000

    @property
    def sample_bytes(self) -> int:
        """PCM16 has two bytes a sample, the companded encodings one."""
        return 2 if self.encoding is AudioEncoding.PCM16 else 1

    @property
    def bytes_per_second(self) -> int:
        """Give the size of one second."""
        return self.rate * self.sample_bytes

    def duration_ms(self, size: int) -> float:
        """How long ``size`` bytes sound."""
        return size * 1000 / self.bytes_per_second

    def size(self, duration_ms: float) -> int:
        """How many bytes sound ``duration_ms``, rounded to whole samples."""
        return round(self.rate * duration_ms / 1000) * self.sample_bytes


# --- companding: ITU-T G.711 ----------------------------------------------------------------------------------------------


def _mulaw_levels() -> NDArray[np.int16]:
    """Give the 256 levels of mu-law (G.711 table 2a/2b): 3 bits of segment, 4 of step, inverted, a bias of 33 << 2."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_levels() -> NDArray[np.int16]:
    """Give the 256 levels of A-law (G.711 table 1a/1b): even bits inverted, the sign bit set for positive values."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment, step = (code & 0x70) >> 4, (code & 0x0F) << 4
    magnitude = np.where(segment == 0, step + 8, (step + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _nearest_codes(levels: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Give the code of the nearest level for each of the 65,536 samples, indexed by the sample's unsigned bits."""
    order = np.argsort(levels, kind="stable")
    ascending = levels[order].astype(np.int32)
    samples = np.arange(-32768, 32768, dtype=np.int32)
    nearest = np.searchsorted((ascending[1:] + ascending[:-1]) / 2, samples, side="left")
    codes = order[nearest].astype(np.uint8)
    return np.concatenate([codes[32768:], codes[:32768]])


_LEVELS = {AudioEncoding.MULAW: _mulaw_levels(), AudioEncoding.ALAW: _alaw_levels()}
_CODES = {encoding: _nearest_codes(levels) for encoding, levels in _LEVELS.items()}


def decode(audio: bytes, encoding: AudioEncoding) -> bytes:
    """Give PCM16. Raises ``AudioError`` for half a sample."""
    if encoding is AudioEncoding.PCM16:
        if len(audio) % 2:
            message = f"PCM16 audio has {len(audio)} bytes; samples have two, so the count must be even"
            raise AudioError(message)
        return audio
    return _LEVELS[encoding][np.frombuffer(audio, np.uint8)].tobytes()


def encode(pcm: bytes, encoding: AudioEncoding) -> bytes:
    """Give PCM16 in ``encoding``."""
    if encoding is AudioEncoding.PCM16:
        return pcm
    return _CODES[encoding][np.frombuffer(pcm, np.uint16)].tobytes()


def silence(audio: AudioFormat, duration_ms: float) -> bytes:
    """Give quiet audio of this format."""
    return encode(bytes(round(audio.rate * duration_ms / 1000) * 2), audio.encoding)


# --- resampling -----------------------------------------------------------------------------------------------------------


def resample_whole(pcm: bytes, source_hz: int, target_hz: int) -> bytes:
    """Convert one whole piece of PCM16 with soxr's high quality."""
    if source_hz == target_hz:
        return pcm
    samples = np.frombuffer(pcm, np.int16).astype(np.float32)
    return _to_pcm(soxr.resample(samples, source_hz, target_hz, "HQ")).tobytes()


def _to_pcm(samples: NDArray[np.floating]) -> NDArray[np.int16]:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


@lru_cache(maxsize=64)
def _filter(up: int, down: int) -> tuple[int, NDArray[np.float32]]:
    """Give the half width in source samples and the taps per phase, shape (up, 2 * half width)."""
    cutoff = min(1.0, up / down)
    half = math.ceil(_HALF_WIDTH / cutoff)
    offsets = np.arange(-half + 1, half + 1)[None, :] - (np.arange(up) / up)[:, None]
    window = np.i0(_KAISER_BETA * np.sqrt(np.maximum(1 - (offsets / half) ** 2, 0))) / np.i0(_KAISER_BETA)
    taps = cutoff * np.sinc(cutoff * offsets) * window
    taps /= taps.sum(axis=1, keepdims=True)  # equal gain for every phase, or a constant would ripple
    return half, np.ascontiguousarray(taps, np.float32)


class Resampler:
    """Streaming PCM16 from ``source_hz`` to ``target_hz``: any cutting of the input gives the same output.

    It is a polyphase windowed-sinc filter that keeps the last input samples; output sample ``n`` stands at input position
    ``n * source / target`` exactly, so that nothing drifts.
    """

    def __init__(self, source_hz: int, target_hz: int) -> None:
        for rate in (source_hz, target_hz):
            if not MIN_RATE <= rate <= MAX_RATE:
                message = f"a rate of {rate} Hz is not supported; use {MIN_RATE} to {MAX_RATE}"
                raise AudioError(message)
        shared = math.gcd(source_hz, target_hz)
        self._up, self._down = target_hz // shared, source_hz // shared
        self._half, self._taps = _filter(self._up, self._down)
        self._restart()

    def _restart(self) -> None:
        self._kept = np.zeros(self._half - 1, np.float32)  # silence before the first sample
        self._received = 0
        self._made = 0
        self._first = -(self._half - 1)  # input position of _kept[0]

    def feed(self, pcm: bytes) -> bytes:
        """Take input and give all output that it completes. Raises ``AudioError`` for half a sample, and changes nothing."""
        if len(pcm) % 2:
            message = f"PCM16 audio has {len(pcm)} bytes; samples have two, so the count must be even"
            raise AudioError(message)
        if self._up == self._down:
            return pcm
        samples = np.frombuffer(pcm, np.int16)
        self._received += len(samples)
        self._kept = np.concatenate([self._kept, samples.astype(np.float32)])
        # Output n needs input up to position n * down // up + half.
        return self._make((self._received - self._half) * self._up)

    def flush(self) -> bytes:
        """Give the rest, as if silence followed, and begin anew."""
        if self._up == self._down:
            return b""
        self._kept = np.concatenate([self._kept, np.zeros(self._half + 1, np.float32)])
        rest = self._make(self._received * self._up)
        self._restart()
        return rest

    def _make(self, limit: int) -> bytes:
        """Compute the outputs whose position times ``up`` is below ``limit``."""
        end = -(-limit // self._down)
        if end <= self._made:
            return b""
        made = self._apply(np.arange(self._made, end) * self._down)
        self._made = end
        drop = int(end * self._down // self._up - self._half + 1 - self._first)
        if drop > 0:
            self._kept = self._kept[drop:]
            self._first += drop
        return _to_pcm(made).tobytes()

    def _apply(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Filter at these positions, counted in units of 1 / up of an input sample."""
        starts = positions // self._up - self._first - self._half + 1
        phases = positions % self._up
        if self._up > _FEW_PHASES or self._down > _FEW_PHASES:
            windows = np.lib.stride_tricks.sliding_window_view(self._kept, 2 * self._half)
            rows: NDArray[np.float32] = np.einsum("ij,ij->i", windows[starts], self._taps[phases])
            return rows
        # With few phases, every up-th output has the same taps and lies ``down`` samples on: plain correlations, no gathering.
        made = np.zeros(len(positions), np.float32)
        for at in range(min(self._up, len(positions))):
            own, taps = made[at :: self._up], self._taps[phases[at]]
            for residue in range(self._down):
                part = taps[residue :: self._down]
                begin = starts[at] + residue
                end = begin + (len(own) + len(part) - 2) * self._down + 1
                own += np.correlate(self._kept[begin : end : self._down], part)
        return made


class Converter:
    """Streaming conversion between two formats; equal formats pass through untouched."""

    def __init__(self, source: AudioFormat, target: AudioFormat) -> None:
        self.source = source
        self.target = target
        self._resampler = Resampler(source.rate, target.rate)

    def feed(self, audio: bytes) -> bytes:
        """Take audio of the source format. Raises ``AudioError`` and keeps its state."""
        if self.source == self.target:
            return audio
        return encode(self._resampler.feed(decode(audio, self.source.encoding)), self.target.encoding)

    def flush(self) -> bytes:
        """Give the tail that the filter holds back, and begin anew."""
        return encode(self._resampler.flush(), self.target.encoding)
