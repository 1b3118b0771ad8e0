"""From one format to another: streaming, or a whole piece at once."""

import numpy as np
import soxr

from calls.enums import AudioEncoding
from calls.wire.audio.companding import decode, encode, samples_of
from calls.wire.audio.formats import AudioFormat
from calls.wire.audio.resampling import Resampler


def resample_whole(pcm: bytes, source_hz: int, target_hz: int) -> bytes:
    """Resample a finished piece of PCM16 (SoX's resampler at high quality). Raises ``AudioError`` for half a sample.

    Not for pieces of a stream: each border would click.
    """
    samples = samples_of(pcm)
    if source_hz == target_hz or not len(samples):
        return pcm
    return np.asarray(soxr.resample(samples, source_hz, target_hz, quality="HQ"), "<i2").tobytes()


class Converter:
    """One direction of one call, from one format to another. Equal formats pass as they are.

    ``AudioError`` for half a sample leaves the state as it was: the next piece follows the last good one. A rate
    outside 8 to 48 kHz raises it at once.
    """

    def __init__(self, source: AudioFormat, target: AudioFormat) -> None:
        self.source = source
        self.target = target
        self._is_same_code = source == target and source.encoding is not AudioEncoding.PCM16
        self._resampler = Resampler(source.rate, target.rate)

    def feed(self, audio: bytes) -> bytes:
        """Take the next piece in the source's format; give what of it can be said now, all but the last 1 to 2 ms."""
        if self._is_same_code:  # equal PCM16 passes through decode and encode, which look at its length only
            return audio
        return encode(self._resampler.feed(decode(audio, self.source.encoding)), self.target.encoding)

    def flush(self) -> bytes:
        """Give what was held back, and start anew."""
        return encode(self._resampler.flush(), self.target.encoding)
