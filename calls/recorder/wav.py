"""A stereo wav file that is playable at every moment: the header is brought up to date after each piece of sound.

Format: RIFF/WAVE, PCM, two channels of 16 bit little-endian samples (Microsoft, "Multimedia Programming Interface and
Data Specifications 1.0", 1991).
"""

import os
import struct
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

CHANNELS = 2
_FRAME_BYTES = 2 * CHANNELS
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


class StereoWav:
    """Writes frames (arrays of shape (n, 2)) at the end, and samples of one channel over what is there.

    Every method raises ``OSError`` when the disk does not take it; what was written before stays playable.
    """

    def __init__(self, path: Path, rate: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._rate = rate
        self.frames = 0
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            self._write_header()
        except OSError:
            self.close()
            raise

    @property
    def duration_ms(self) -> int:
        """How long the file sounds."""
        return self.frames * 1000 // self._rate

    def append(self, frames: Samples) -> None:
        """Add frames; the file is valid before and after."""
        self._write(frames.astype("<i2", copy=False).tobytes(), self._offset(self.frames))
        self.frames += len(frames)
        self._write_header()

    def overwrite(self, channel: int, start: int, samples: Samples) -> None:
        """Put samples of one channel over frames that were written already."""
        offset = self._offset(start)
        frames = np.frombuffer(os.pread(self._file, len(samples) * _FRAME_BYTES, offset), "<i2").reshape(-1, CHANNELS)
        frames = frames.copy()
        frames[:, channel] = samples[: len(frames)]
        self._write(frames.tobytes(), offset)

    def close(self) -> None:
        """Free the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @staticmethod
    def _offset(frame: int) -> int:
        return _HEADER.size + frame * _FRAME_BYTES

    def _write_header(self) -> None:
        size = self.frames * _FRAME_BYTES
        bytes_per_second = self._rate * _FRAME_BYTES
        riff = (b"RIFF", _HEADER.size - 8 + size, b"WAVE")
        form = (b"fmt ", 16, 1, CHANNELS, self._rate, bytes_per_second, _FRAME_BYTES, 16)
        self._write(_HEADER.pack(*riff, *form, b"data", size), 0)

    def _write(self, content: bytes, offset: int) -> None:
        rest = memoryview(content)
        while rest:
            # A disk that is getting full takes a part first and refuses the next.
            written = os.pwrite(self._file, rest, offset)
            rest, offset = rest[written:], offset + written


def recorded_ms(path: Path) -> tuple[int, int] | None:
    """Give duration in milliseconds and rate of a wav file; None when there is none that can be played."""
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() * 1000 // file.getframerate(), file.getframerate()
    except (OSError, wave.Error, EOFError, ZeroDivisionError):
        return None
