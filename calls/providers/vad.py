"""Voice activity: the Silero model, run for all calls of the process together, or levels and spectra without it.

The ONNX file lies in the ``silero-vad`` wheel. The package is never imported, because it would bring torch. A window
has 32 ms: 256 samples at 8 kHz and 512 at 16 kHz. Other rates are resampled to 16 kHz.

It runs on the event loop and not in a thread: a window takes 0.05 ms and a batch of 32 takes 0.4 ms; the way to a
thread and back costs as much again, and more where the loop is busy (``tests/bench/bench_audio.py`` prints both).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np
from msgspec.structs import asdict
from numpy.typing import NDArray

from calls.engine.agent import VoiceActivity
from calls.providers.base import VoiceStream
from calls.providers.onnx_file import ModelFileError
from calls.providers.silero import STATE, SileroNetwork, load_networks
from calls.wire.audio import Resampler
from calls.wire.vad import BLOCK_MS, WINDOW_MS, VoiceGate, VoiceReport, block_levels, tonal_probabilities

log = logging.getLogger(__name__)

_RATES = (8_000, 16_000)
_FEW_CALLS = 8
"""Up to here each window is judged as soon as it is full; beyond, gathering saves more than it costs."""
_GATHER_SECONDS = 0.006
"""A verdict comes so much later at most; at 30 calls a batch then holds half a dozen windows, each for a third."""
_MANY_CALLS = 40
_LONG_GATHER_SECONDS = 0.012
"""Beyond so many calls the core's time is dear: half the batches, each twice as large, save 2 to 3 % of it at 100."""
_SETTLED_WINDOWS = 10
"""After so much silence (0.3 s) the model's memory hardly changes any more."""
_LARGEST_BATCH = 32
"""Windows judged before the loop gets its turn again."""
_BURST_WINDOWS = 8
"""More than this at once (a client that had stopped, a file) is judged window by window between other work."""

Windows = NDArray[np.float32]


def silero_path() -> Path | None:
    """Find the model without importing its package; None where it is not installed."""
    spec = find_spec("silero_vad")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "data" / "silero_vad.onnx"
    return path if path.is_file() else None


@cache
def load_silero() -> dict[int, SileroNetwork] | None:
    """Give the process's networks by their rates; None, logged once, where the model is missing or not this one."""
    path = silero_path()
    if path is None:
        log.warning("silero-vad is not installed (requirements-nodeps.txt): voice is told from noise without a model")
        return None
    try:
        return load_networks(path)
    except (OSError, ModelFileError) as error:
        log.warning("the voice activity model cannot be used, voice is told from noise without it: %s", error)
        return None


class _Stream:
    """One call: audio on its way to full windows, what the model remembers of it, and its gate."""

    def __init__(
        self, pool: "_Pool", rate: int, settings: VoiceActivity, on_report: Callable[[VoiceReport], None]
    ) -> None:
        self._pool = pool
        self._on_report = on_report
        self._is_open = True
        self._resampler = Resampler(rate, pool.rate)
        self._pending = bytearray()
        self._gate = VoiceGate(**asdict(settings))
        self._least_dbfs = settings.min_level_dbfs
        self._silent = 0
        self.memory = np.zeros(STATE + pool.window // 8, np.float32)
        """What the model remembers of this call; see ``SileroNetwork``."""

    def may_skip(self, window: NDArray[np.float32], levels: Sequence[float]) -> bool:
        """Whether the model need not be asked, because the gate believes it in nothing so quiet.

        It hears the beginning of every silence, so that it remembers quiet when somebody speaks again.
        """
        if max(levels) >= self._least_dbfs:
            self._silent = 0
            return False
        self._silent += 1
        if self._silent <= _SETTLED_WINDOWS:
            return False
        self.memory[STATE:] = window[STATE - len(self.memory) :]
        return True

    def hear(self, pcm: bytes) -> None:
        """Take PCM16 at the rate given to ``open``; half a sample at the end is dropped."""
        if self._is_open:
            self._pending += self._resampler.feed(pcm[: len(pcm) & ~1])
            self._pool.attend(self)

    @property
    def full_windows(self) -> int:
        """How many windows wait to be judged."""
        return len(self._pending) // (2 * self._pool.window)

    def take_window(self) -> bytes:
        """Remove and give the next full window."""
        size = 2 * self._pool.window
        window = bytes(self._pending[:size])
        del self._pending[:size]
        return window

    def judge(self, probability: float, levels: Sequence[float]) -> VoiceReport:
        """Ask the gate about the window that was taken, and about the beginning of the next one."""
        report = self._gate.judge(probability, levels)
        return report if self.full_windows else self.anticipate() or report

    def anticipate(self) -> VoiceReport | None:
        """Ask the gate about a window that is not full yet."""
        if not self._gate.is_anticipating:
            return None
        block = int(self._pool.rate * BLOCK_MS / 1000)
        count = len(self._pending) // (2 * block) * block
        if not count:
            return None
        begun = np.frombuffer(self._pending[: 2 * count], "<i2").reshape(1, count) * np.float32(2**-15)
        return self._gate.anticipate(block_levels(begun, self._pool.rate)[0])

    def report(self, report: VoiceReport) -> None:
        """Tell the call, unless it is over."""
        if self._is_open:
            self._on_report(report)

    def close(self) -> None:
        """Tell nothing any more."""
        self._is_open = False
        self._pending.clear()
        self._pool.streams.discard(self)


_Score = Callable[[Windows, Sequence[_Stream], int], list[float]]
"""Gives the probability of speech for one window of each stream, at this rate."""


class _Pool:
    """All calls at one of the model's rates; their windows are judged in batches."""

    def __init__(self, rate: int, score: _Score) -> None:
        self.rate = rate
        self.window = int(rate * WINDOW_MS / 1000)
        self.streams: set[_Stream] = set()
        self._score = score
        self._waiting: dict[_Stream, None] = {}

    def open(self, rate: int, settings: VoiceActivity, on_report: Callable[[VoiceReport], None]) -> _Stream:
        """Make a stream of PCM16 at ``rate``."""
        stream = _Stream(self, rate, settings, on_report)
        self.streams.add(stream)
        return stream

    def attend(self, stream: _Stream) -> None:
        """Judge the stream's full windows: at once where calls are few, else in a moment together with others."""
        if stream in self._waiting:
            return
        if not stream.full_windows:
            if report := stream.anticipate():
                stream.report(report)
            return
        if len(self.streams) <= _FEW_CALLS and stream.full_windows <= _BURST_WINDOWS:
            while stream.full_windows:
                self._deliver(self._judge([stream]))
            return
        if not self._waiting:
            gather = _GATHER_SECONDS if len(self.streams) <= _MANY_CALLS else _LONG_GATHER_SECONDS
            asyncio.get_running_loop().call_later(gather, self._run)
        self._waiting[stream] = None

    def _run(self) -> None:
        """Judge a window of each waiting call, as many as a batch holds, and come back for the rest."""
        batch = list(islice(self._waiting, _LARGEST_BATCH))
        for stream in batch:
            del self._waiting[stream]
        batch = [stream for stream in batch if stream.full_windows]
        reports = self._judge(batch) if batch else deque()
        self._waiting |= {stream: None for stream in batch if stream.full_windows}
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._run)
        self._deliver(reports)

    def _judge(self, streams: Sequence[_Stream]) -> "deque[tuple[_Stream, VoiceReport]]":
        """Judge the next window of each stream."""
        heard = b"".join([stream.take_window() for stream in streams])
        windows = np.frombuffer(heard, "<i2").reshape(len(streams), self.window) * np.float32(2**-15)
        levels = block_levels(windows, self.rate)
        scores = self._ask(windows, streams, levels)
        return deque((stream, stream.judge(scores[at], levels[at])) for at, stream in enumerate(streams))

    def _ask(self, windows: Windows, streams: Sequence[_Stream], levels: Sequence[Sequence[float]]) -> list[float]:
        """Give the probability of speech for each window; half of a telephone call is silence, which costs no model."""
        scores = [0.0] * len(streams)
        loud = []
        for at, stream in enumerate(streams):
            if not stream.may_skip(windows[at], levels[at]):
                loud.append(at)
        if loud:
            asked = self._score(windows[loud], [streams[at] for at in loud], self.rate)
            for at, score in zip(loud, asked, strict=True):
                scores[at] = score
        return scores

    def _deliver(self, reports: "deque[tuple[_Stream, VoiceReport]]") -> None:
        """Tell the calls. What one of them raises goes to the loop's handler and keeps nothing from the others."""
        try:
            while reports:
                stream, report = reports.popleft()
                stream.report(report)
        finally:
            if reports:
                asyncio.get_running_loop().call_soon(self._deliver, reports)


class SileroDetector:
    """The Silero model, for all calls of one event loop. Where it is not installed, it works as ``EnergyDetector``."""

    def __init__(self) -> None:
        self._pools = {rate: _Pool(rate, self._score) for rate in _RATES}

    async def warm_up(self) -> None:
        """Load the model beside the loop."""
        await asyncio.to_thread(load_silero)

    def open(self, rate: int, settings: VoiceActivity, on_report: Callable[[VoiceReport], None]) -> VoiceStream:
        """Follow one call's PCM16 at ``rate``. Raises ``AudioError`` for a rate outside 8 to 48 kHz."""
        load_silero()
        return _pool(self._pools, rate).open(rate, settings, on_report)

    def _score(self, windows: Windows, streams: Sequence[_Stream], rate: int) -> list[float]:
        networks = load_silero()
        if networks is None:
            return tonal_probabilities(windows, rate)
        memories = np.concatenate([stream.memory for stream in streams]).reshape(len(streams), -1)
        scores = networks[rate].judge(windows, memories)
        for stream, memory in zip(streams, memories, strict=True):
            stream.memory = memory
        return scores


class EnergyDetector:
    """Level and spectrum without a model: good in quiet rooms, fooled by music, and by noise sooner than Silero."""

    def __init__(self) -> None:
        self._pools = {rate: _Pool(rate, _tonal_scores) for rate in _RATES}

    def open(self, rate: int, settings: VoiceActivity, on_report: Callable[[VoiceReport], None]) -> VoiceStream:
        """Follow one call's PCM16 at ``rate``. Raises ``AudioError`` for a rate outside 8 to 48 kHz."""
        return _pool(self._pools, rate).open(rate, settings, on_report)


def _tonal_scores(windows: Windows, _streams: Sequence[_Stream], rate: int) -> list[float]:
    return tonal_probabilities(windows, rate)


def _pool(pools: dict[int, _Pool], rate: int) -> _Pool:
    return pools.get(rate, pools[_RATES[-1]])
