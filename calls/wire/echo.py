"""The agent's own voice in a caller's microphone: how loud it comes back and how late, and the line without it.

A speakerphone gives back what it plays. Taken for the caller, that stops the agent in its first word. An echo follows
the loudness of what was played, at a distance that stays; a person who speaks over the agent does not. So loudness is
compared, frame by frame: what is no louder than the echo would be is made quiet, what is louder is the caller.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FRAME_MS = 20.0
_WINDOW = 100
"""Frames (2 s) that are compared with what was played: long enough for a few words and the pauses between them."""
_LATEST = 40
"""Frames (0.8 s) by which an echo may be late: the line there and back, and what the far end had still to play."""
_COMPARE_EVERY = 5
_LEAST_PLAYED = 40
"""Frames of the window in which something sounded."""
_LIKENESS = 0.8
"""Correlation of the amplitudes; that of two people who talk at once is seldom so high ..."""
_PROVEN_AFTER = 50
"""... and not again a second later, as late and as loud as before."""
_AS_LOUD = 10 ** (3 / 20)
_LOUDEST = 10 ** (-8 / 20)
_FAINTEST = 10 ** (-45 / 20)
"""As a share of what was played: louder is no echo, fainter troubles nobody."""
_FADED = 10 ** (-10 / 20)
"""An echo that is so much quieter than it was has ended: somebody took up the receiver."""
_MARGIN = 10 ** (7 / 20)
"""How much louder than the echo the caller has to be: it varies with what resonates."""
_EARLIER, _LATER = 6, 2
"""Frames around the expected one whose loudness counts too: rooms reverberate, clocks are coarse."""
_QUIETED = 10 ** (-30 / 20)
_CALLER_FRAMES = 10
"""Who has been louder than the echo is heard for so long whatever follows, so that words stay whole."""
_KEPT = _WINDOW + _LATEST + 500
"""Frames of what is played that are remembered, those included which are sent ahead."""
_AUDIBLE = 30.0
"""RMS of 16 bit below which nothing sounds."""


@dataclass(frozen=True)
class Echo:
    """``share``: its amplitude as a share of what was played; ``late_frames``: how many frames later it comes."""

    share: float
    late_frames: int


class EchoGuard:
    """One call's. Times in milliseconds of the call's clock; audio is PCM16."""

    def __init__(self) -> None:
        self.echo: Echo | None = None
        """What is known of the echo; None: none was found."""
        self._played: NDArray[np.float64] = np.zeros(_KEPT)
        self._heard: NDArray[np.float64] = np.zeros(_WINDOW)
        self._found: tuple[int, Echo] | None = None
        """What looks like an echo, and the frame at which it first did."""
        self._last = -1
        """The number of the frame that was heard last."""
        self._first = 0
        """The number of the frame with which what was played begins; frame 0 is the call's first."""
        self._count = 0
        self._caller_frames = 0

    def play(self, at_ms: float, pcm: bytes, rate: int) -> None:
        """The agent's audio will sound from then on."""
        size = int(rate * FRAME_MS / 1000)
        samples = np.frombuffer(pcm[: len(pcm) & ~1], "<i2").astype(np.float64)
        frame = round(at_ms / FRAME_MS)
        for start in range(0, len(samples), size):
            self._lay(frame + start // size, _loudness(samples[start : start + size]))

    def cut(self, at_ms: float) -> None:
        """What was to sound from then on will not."""
        self._played[max(round(at_ms / FRAME_MS) - self._first, 0) :] = 0.0

    def clean(self, at_ms: float, pcm: bytes) -> bytes:
        """Give one frame of the caller's audio, made quiet where it is no louder than the echo would be."""
        loudness = _loudness(np.frombuffer(pcm[: len(pcm) & ~1], "<i2").astype(np.float64))
        frame = round(at_ms / FRAME_MS)
        self._lay_heard(frame, loudness)
        self._count += 1
        if self._count % _COMPARE_EVERY == 0:
            self._compare(frame)
        expected = self._expected(frame)
        if loudness > expected:
            self._caller_frames = _CALLER_FRAMES if expected else 0
            return pcm
        if self._caller_frames:
            self._caller_frames -= 1
            return pcm
        return _quieted(pcm)

    def _lay_heard(self, frame: int, loudness: float) -> None:
        """Remember how loud it was; where the other side had paused, it was silent."""
        passed = min(max(frame - self._last, 1), _WINDOW)
        self._last = frame
        self._heard[:-passed] = self._heard[passed:]
        self._heard[-passed:] = 0.0
        self._heard[-1] = loudness

    def _lay(self, frame: int, loudness: float) -> None:
        if (ahead := frame - self._first - _KEPT + 1) > 0:
            ahead = min(ahead, _KEPT)
            self._played[:-ahead] = self._played[ahead:]
            self._played[-ahead:] = 0.0
            self._first = frame - _KEPT + 1
        if frame >= self._first:
            self._played[frame - self._first] = max(loudness, self._played[frame - self._first])

    def _span(self, begin: int, end: int) -> NDArray[np.float64]:
        """Give the loudness of what was played from one frame up to another; silence where nothing is known."""
        span = np.zeros(end - begin)
        low, high = max(begin, self._first), min(end, self._first + _KEPT)
        if low < high:
            span[low - begin : high - begin] = self._played[low - self._first : high - self._first]
        return span

    def _expected(self, frame: int) -> float:
        """Give the loudness up to which it may be the echo; 0: none is due."""
        if self.echo is None:
            return 0.0
        centre = frame - self.echo.late_frames
        loudest = float(self._span(centre - _EARLIER, centre + _LATER + 1).max())
        return loudest * self.echo.share * _MARGIN if loudest > _AUDIBLE else 0.0

    def _compare(self, frame: int) -> None:
        """Look for what was played in what was heard."""
        played = self._span(frame - _WINDOW - _LATEST + 1, frame + 1)
        if np.count_nonzero(played > _AUDIBLE) < _LEAST_PLAYED:
            return
        windows = np.lib.stride_tricks.sliding_window_view(played, _WINDOW)[::-1]  # by lateness, from 0 frames
        heard = self._heard - self._heard.mean()
        varied = windows - windows.mean(axis=1, keepdims=True)
        norms = np.sqrt((varied**2).sum(axis=1) * (heard**2).sum()) + 1e-9
        likeness = varied @ heard / norms
        late = int(likeness.argmax())
        window = windows[late]
        share = float(window @ self._heard / (window @ window + 1e-9))
        if likeness[late] >= _LIKENESS and _FAINTEST <= share <= _LOUDEST:
            self._prove(frame, Echo(share, late))
        elif self.echo is not None:
            known = windows[self.echo.late_frames]
            energy = float(known @ known)
            if energy > 0 and float(known @ self._heard) / energy < self.echo.share * _FADED:
                self.echo = None

    def _prove(self, frame: int, echo: Echo) -> None:
        """Believe in an echo that is found again where it was."""
        if self._found is None or not _is_same(self._found[1], echo):
            self._found = frame, echo
        elif frame - self._found[0] >= _PROVEN_AFTER:
            self.echo = echo


def _is_same(first: Echo, second: Echo) -> bool:
    is_as_late = abs(first.late_frames - second.late_frames) <= 1
    return is_as_late and 1 / _AS_LOUD <= first.share / second.share <= _AS_LOUD


def _loudness(samples: NDArray[np.float64]) -> float:
    return float(np.sqrt((samples @ samples) / len(samples))) if len(samples) else 0.0


def _quieted(pcm: bytes) -> bytes:
    samples = np.frombuffer(pcm[: len(pcm) & ~1], "<i2") * _QUIETED
    quiet: bytes = samples.astype("<i2").tobytes()
    return quiet
