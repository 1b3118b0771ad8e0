"""What audio costs: companding, resampling and voice activity detection, in microseconds and beside one another.

Absolute figures belong to the machine; the ratios hold. ``python -m tests.bench.bench_audio --seconds 0.3``.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import soxr

from calls.engine.agent import VoiceActivity
from calls.enums import AudioEncoding
from calls.providers.onnx_file import Floats
from calls.providers.silero import STATE
from calls.providers.vad import SileroDetector, load_silero, silero_path
from calls.wire.audio import Resampler, decode, encode
from tests.calls.sounds import hiss, to_pcm, voice

PAIRS = [
    (8_000, 16_000),
    (16_000, 8_000),
    (48_000, 16_000),
    (16_000, 48_000),
    (24_000, 8_000),
    (22_050, 16_000),
    (44_100, 16_000),
    (22_050, 48_000),
    (48_000, 44_100),
    (8_001, 48_000),
]
BATCHES = (1, 8, 16, 32, 100)
WINDOWS_PER_SECOND = 1000 / 32


def say(*cells: object) -> None:
    """Write one line of a table."""
    sys.stdout.write("".join(f"{cell!s:>18}" for cell in cells) + "\n")


def percentiles(work: Callable[[], object], seconds: float) -> tuple[float, float]:
    """Repeat ``work`` for so long; give median and 95th percentile in microseconds."""
    work()
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while (start := time.perf_counter()) < until or len(taken) < 20:
        work()
        taken.append((time.perf_counter() - start) * 1e6)
    return float(np.percentile(taken, 50)), float(np.percentile(taken, 95))


def cell(figures: tuple[float, float]) -> str:
    """Write median / 95th percentile."""
    return f"{figures[0]:.1f} / {figures[1]:.1f}"


def bench_codecs(seconds: float) -> None:
    """Companding, 20 and 100 ms at 8 kHz."""
    say("us p50 / p95", "20 ms in", "20 ms out", "100 ms in", "100 ms out")
    for encoding in (AudioEncoding.MULAW, AudioEncoding.ALAW):
        cells = []
        for ms in (20, 100):
            pcm = to_pcm(voice(8_000, ms))
            coded = encode(pcm, encoding)
            cells.append(cell(percentiles(partial(decode, coded, encoding), seconds)))
            cells.append(cell(percentiles(partial(encode, pcm, encoding), seconds)))
        say(encoding, *cells)


def held_back(feed: Callable[[bytes], bytes], source_hz: int, target_hz: int) -> float:
    """Give the most that was held back after a frame of 20 ms, in ms."""
    frame = source_hz // 50
    heard = made = 0
    worst = 0.0
    for _ in range(100):
        made += len(feed(bytes(2 * frame))) // 2
        heard += frame
        worst = max(worst, heard / source_hz - made / target_hz)
    return worst * 1000


def bench_resampling(seconds: float) -> None:
    """Our live filter beside soxr's stream: cost and delay."""
    say("Hz to Hz", "20 ms, us", "100 ms, us", "delay ms", "soxr 100 ms", "its delay ms")
    for source_hz, target_hz in PAIRS:
        ours = Resampler(source_hz, target_hz)
        theirs = soxr.ResampleStream(source_hz, target_hz, 1, dtype="int16", quality="HQ")

        def feed_soxr(pcm: bytes, stream: soxr.ResampleStream = theirs) -> bytes:
            return bytes(stream.resample_chunk(np.frombuffer(pcm, "<i2")).tobytes())

        delays = held_back(ours.feed, source_hz, target_hz), held_back(feed_soxr, source_hz, target_hz)
        short, long = to_pcm(voice(source_hz, 20)), to_pcm(voice(source_hz, 100))
        say(
            f"{source_hz}-{target_hz}",
            cell(percentiles(partial(ours.feed, short), seconds)),
            cell(percentiles(partial(ours.feed, long), seconds)),
            f"{delays[0]:.1f}",
            cell(percentiles(partial(feed_soxr, long), seconds)),
            f"{delays[1]:.0f}",
        )


def question(rate: int, batch: int) -> tuple[Floats, Floats]:
    """Give a window of each call, and what the model remembers of it."""
    windows = (hiss(rate, 32 * batch, level_dbfs=-30) / 32_768).astype(np.float32).reshape(batch, -1)
    return windows, np.zeros((batch, STATE + windows.shape[1] // 8), np.float32)


def onnxruntime_session() -> Any:
    """Give the same network in onnxruntime with one thread; None where that is not installed."""
    if not find_spec("onnxruntime"):
        return None
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(silero_path()), options, providers=["CPUExecutionProvider"])


def bench_model(seconds: float) -> None:
    """The bare model, by batch, in turns with onnxruntime."""
    networks = load_silero()
    if networks is None:
        say("no model: see requirements-nodeps.txt")
        return
    session = onnxruntime_session()
    say("Silero", "windows", "batch, us", "window, us", "onnxruntime, us")
    for rate, network in networks.items():
        for batch in BATCHES:
            windows, memories = question(rate, batch)
            figures = percentiles(partial(network.judge, windows, memories), seconds)
            theirs = "-"
            if session is not None:
                heard = np.concatenate([memories[:, STATE:], windows], axis=1)
                given = {"input": heard, "state": np.zeros((2, batch, STATE // 2), np.float32), "sr": np.array(rate)}
                theirs = f"{percentiles(partial(session.run, None, given), seconds)[0] / batch:.1f}"
            say(rate, batch, cell(figures), f"{figures[0] / batch:.1f}", theirs)


def frames(rate: int, calls: int) -> Iterator[list[bytes]]:
    """Give a second of 20 ms frames of each call, half of it speech."""
    size = rate // 50 * 2
    heard = [to_pcm(np.concatenate([voice(rate, 500, seed=seed), hiss(rate, 500)])) for seed in range(calls)]
    for start in range(0, rate * 2, size):
        yield [np.roll(np.frombuffer(pcm, "<i2"), -17 * start).tobytes()[start : start + size] for pcm in heard]


async def whole_detector(rate: int, calls: int) -> tuple[float, float]:
    """Give the share of one core (%), and how long after its frame a report came (ms, 95th percentile)."""
    detector = SileroDetector()
    loop = asyncio.get_running_loop()
    sent = 0.0
    late: list[float] = []
    streams = [
        detector.open(rate, VoiceActivity(), lambda _: late.append((loop.time() - sent) * 1000)) for _ in range(calls)
    ]
    used = 0.0
    for parts in list(frames(rate, calls)):  # made before the first is heard
        start, sent = time.process_time(), loop.time()
        for stream, part in zip(streams, parts, strict=True):
            stream.hear(part)
        await asyncio.sleep(0.02)
        used += time.process_time() - start
    for stream in streams:
        stream.close()
    return used * 100, float(np.percentile(late, 95))


def bench_detector() -> None:
    """All of it: windows, levels, model, gate and reports, for calls whose frames arrive at the same moment."""
    say("calls", "rate", "% of a core", "ms to report, p95")
    for rate in (8_000, 16_000):
        for calls in BATCHES:
            share, late = asyncio.run(whole_detector(rate, calls))
            say(calls, rate, f"{share:.1f}", f"{late:.1f}")


async def way_to_a_thread(judge: Callable[[], object], busy_us: float, seconds: float) -> tuple[float, float]:
    """Give how long a batch takes in a thread, while the loop works half its time in slices of ``busy_us``."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    async def work() -> None:
        while not ended.is_set():
            until = time.perf_counter() + busy_us / 1e6
            while time.perf_counter() < until:
                pass
            await asyncio.sleep(busy_us / 1e6)

    task = asyncio.create_task(work()) if busy_us else None
    taken = []
    until = time.perf_counter() + seconds
    with ThreadPoolExecutor(1) as pool:
        while (start := time.perf_counter()) < until:
            await loop.run_in_executor(pool, judge)
            taken.append((time.perf_counter() - start) * 1e6)
    ended.set()
    if task:
        await task
    return float(np.percentile(taken, 50)), float(np.percentile(taken, 95))


def bench_thread(seconds: float) -> None:
    """Why the model runs on the loop."""
    networks = load_silero()
    if networks is None:
        return
    say("windows", "on the loop", "in a thread", "and loop busy")
    for batch in (1, 16, 32):
        judge = partial(networks[8_000].judge, *question(8_000, batch))
        say(
            batch,
            cell(percentiles(judge, seconds)),
            cell(asyncio.run(way_to_a_thread(judge, 0, seconds))),
            cell(asyncio.run(way_to_a_thread(judge, 2_000, seconds))),
        )


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.3, help="how long each figure is measured")
    given, _others_arguments = parser.parse_known_args()
    bench_codecs(given.seconds)
    bench_resampling(given.seconds)
    bench_model(given.seconds)
    bench_detector()
    bench_thread(given.seconds)


if __name__ == "__main__":
    main()
