"""Audio on its way between a door and the providers: formats, companding, rates. All of it is mono."""

from calls.wire.audio.companding import decode, encode
from calls.wire.audio.conversion import Converter, resample_whole
from calls.wire.audio.formats import AudioFormat, silence
from calls.wire.audio.resampling import MAX_RATE, MIN_RATE, Resampler

__all__ = [
    "MAX_RATE",
    "MIN_RATE",
    "AudioFormat",
    "Converter",
    "Resampler",
    "decode",
    "encode",
    "resample_whole",
    "silence",
]
