"""The sound of one call on its way to the disk: two lanes in one time, caller left, agent right."""

from pathlib import Path

import numpy as np

from calls.enums import Speaker
from calls.recorder.wav import CHANNELS, Samples, StereoWav
from calls.wire.audio import Resampler

_JITTER_MS = 60
"""Sound that starts within this time of its lane's end belongs right behind it; later, there was silence between."""
_MOST_PENDING_MS = 30_000
_CHANNEL = {Speaker.CALLER: 0, Speaker.AGENT: 1}


class _Lane:
    """One side: where its sound ends so far, and the resampler of the stretch that is being laid."""

    def __init__(self) -> None:
        self.end = 0
        self.given_end = 0.0
        """Where it will end once the resampler has given out what it holds back."""
        self.rate = 0
        self.resampler: Resampler | None = None


class Tape:
    """Lays sound by its time into a buffer, and from there into a wav file. Positions are samples of ``rate``.

    Used by the audio thread alone. Methods raise ``OSError`` when the disk refuses.
    """

    def __init__(self, path: Path, rate: int) -> None:
        self._wav = StereoWav(path, rate)
        self._rate = rate
        self._lanes = (_Lane(), _Lane())
        self._pending: Samples = np.zeros((2 * rate, CHANNELS), np.int16)
        """Frames from ``self._wav.frames`` on."""

    @property
    def duration_ms(self) -> int:
        """How much is in the file."""
        return self._wav.duration_ms

    def lay(self, side: Speaker, at_ms: float, pcm: bytes, rate: int) -> None:
        """Put PCM16 of ``rate`` Hz where it sounded; sound never covers earlier sound of the same side."""
        channel = _CHANNEL[side]
        lane = self._lanes[channel]
        start = self._position(at_ms)
        if rate != lane.rate or start > lane.given_end + self._position(_JITTER_MS):
            self._end_stretch(channel)
            lane.end = max(lane.end, start)
            lane.given_end = float(lane.end)
            lane.rate = rate
            if rate != self._rate:
                # Not soxr: a stream of it holds 150 KB, and live calls have two each.
                lane.resampler = Resampler(rate, self._rate)
        pcm = pcm[: len(pcm) // 2 * 2]
        lane.given_end += len(pcm) // 2 * self._rate / rate
        self._put(channel, pcm if lane.resampler is None else lane.resampler.feed(pcm))

    def cut_agent(self, at_ms: float) -> None:
        """Take back what the agent did not get to say from ``at_ms`` on."""
        channel = _CHANNEL[Speaker.AGENT]
        self._end_stretch(channel)
        lane = self._lanes[channel]
        start = self._position(at_ms)
        if start < lane.end:
            end, lane.end = lane.end, start
            self._put(channel, bytes(2 * (end - start)))
            lane.end = start

    def flush(self, until_ms: float) -> None:
        """Write what sounded before ``until_ms`` to the disk."""
        ends = max(lane.end for lane in self._lanes)
        used = min(ends - self._wav.frames, len(self._pending))
        # A sender far ahead of its time must not fill the memory.
        until = max(min(self._position(until_ms), ends), ends - self._position(_MOST_PENDING_MS))
        count = min(until - self._wav.frames, used)
        if count <= 0:
            return
        self._wav.append(self._pending[:count])
        self._pending[: used - count] = self._pending[count:used]
        self._pending[used - count : used] = 0

    def close(self) -> None:
        """Write the rest and close; the file is closed even when that fails."""
        try:
            for channel in range(CHANNELS):
                self._end_stretch(channel)
            self.flush(float(1000 * max(lane.end for lane in self._lanes)))
        finally:
            self._wav.close()

    def _position(self, at_ms: float) -> int:
        return max(round(at_ms * self._rate / 1000), 0)

    def _end_stretch(self, channel: int) -> None:
        """Give out what the resampler holds back."""
        lane = self._lanes[channel]
        if lane.resampler is not None:
            tail = lane.resampler.flush()
            lane.resampler = None
            self._put(channel, tail)
        lane.rate = 0

    def _put(self, channel: int, pcm: bytes) -> None:
        samples: Samples = np.frombuffer(pcm, "<i2")
        lane = self._lanes[channel]
        start, lane.end = lane.end, lane.end + len(samples)
        written = self._wav.frames
        if start < written:
            self._wav.overwrite(channel, start, samples[: written - start])
            samples = samples[written - start :]
            start = written
        if len(samples) == 0:
            return
        needed = start - written + len(samples)
        if needed > len(self._pending):
            larger = np.zeros((max(needed, 2 * len(self._pending)), CHANNELS), np.int16)
            larger[: len(self._pending)] = self._pending
            self._pending = larger
        self._pending[start - written : needed, channel] = samples
