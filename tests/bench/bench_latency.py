"""Our own share of voice-to-voice latency, barge-in and acks, over ``/ws`` with simulated vendors.

The server runs on one core, the simulated vendors and the callers on another. Own share of a turn = first audio chunk
received, minus last voiced frame sent, minus what each simulator took for that turn (its own clock: from the last
voiced frame, the request or the sentence to its answer). ``python -m tests.bench.bench_latency --calls 1 100 --turns
5``. Beginnings of calls are work of their own: the second row has the turns of the time in which all were on the line.
"""

import argparse
import asyncio
import json
import math
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import uvloop

from tests.bench import servers
from tests.bench.caller import BenchCaller, frames_of, percentile
from tests.processes import free_port

RATE = 8000
SERVER_CORE, VENDOR_CORE = 0, 1
LOUD = 500
LATE_LIMIT = 0.005
"""A run whose frames leave later than this at p99 measures the generator, not the server."""
MEGABYTE = 1024 * 1024


@dataclass
class Figures:
    """What one run measured; seconds."""

    turns: list[tuple[str, str, float, float]] = field(default_factory=list)
    """Transcript, spoken text, last voiced frame, first audio."""
    acks: list[float] = field(default_factory=list)
    barge_ins: list[float] = field(default_factory=list)
    late_bytes: int = 0
    lateness: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    began: float = 0.0
    """When the last call had begun; from then until the first one ends all are on the line."""
    ended: float = math.inf


async def hold_call(url: str, frames: list[bytes], turns: int, figures: Figures) -> None:
    """Hold one call of so many turns, each second one interrupted."""
    async with BenchCaller(url, RATE, None) as caller:
        figures.acks.append(await caller.start())
        figures.began = time.monotonic()
        for turn in range(turns):
            await asyncio.sleep(random.uniform(0.2, 1.2))  # noqa: S311 (spreads the load)
            caller.say(frames, "ended", len(frames) - 1)
            first, _ = await caller.wait_for("audio.output.chunk")
            text, ended = caller.last_text, caller.sent_at["ended"]
            if turn % 2:
                await _barge_in(caller, frames, figures)
                continue
            _, complete = await caller.wait_for("conversation.response.complete")
            figures.turns.append((text, complete["payload"]["text"], ended, first))
            await asyncio.sleep(2.2)  # audio is sent at most two seconds ahead: now it has been played
        figures.ended = min(figures.ended, time.monotonic())
        figures.lateness += caller.lateness


async def _barge_in(caller: BenchCaller, frames: list[bytes], figures: Figures) -> None:
    """Speak into the reply; then wait for the answer to that and let it play out."""
    await asyncio.sleep(0.3)
    caller.say(frames, "began", 0)
    at, cancel = await caller.wait_for("audio.output.cancel")
    figures.barge_ins.append(at - caller.sent_at["began"])
    while True:
        _, event = await caller.wait_for("audio.output.chunk", "conversation.response.complete")
        is_old = event["payload"]["utteranceId"] == cancel["payload"]["utteranceId"]
        if event["eventType"] == "conversation.response.complete":
            break
        figures.late_bytes += is_old * len(event["payload"]["audio"])
    await asyncio.sleep(2.2)


def utterance(values: dict[str, str]) -> list[bytes]:
    """Speak a line offline; give its frames from the first loud one to the last."""
    made = servers.manage(values, "shell", "--no-imports", "-c", _SPEAK)
    frames = frames_of(made, RATE)
    loud = [at for at, frame in enumerate(frames) if np.abs(np.frombuffer(frame, np.int16)).mean() > LOUD]
    return frames[loud[0] : loud[-1] + 1]


def own_shares(figures: Figures, delays_file: Path) -> list[tuple[float, float]]:
    """Subtract from each turn what the simulators say that they took for it; gives when it was, and the rest."""
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    for line in delays_file.read_text().splitlines():
        delay = json.loads(line)
        taken[delay["provider"], delay["key"]].append(delay["answered_at"] - delay["asked_at"])
    shares = []
    for transcript, spoken, ended, first in figures.turns:
        pieces = [key for provider, key in taken if provider == "cartesia" and key and spoken.startswith(key.strip())]
        keys = [("deepgram", transcript), ("openai", transcript), ("cartesia", max(pieces, key=len, default=""))]
        if all(key in taken for key in keys):
            shares.append((ended, first - ended - sum(taken[key][-1] for key in keys)))
    return shares


def show(calls: int, figures: Figures, shares: list[tuple[float, float]], usage: tuple[float, float, float]) -> None:
    """Print one run as rows."""
    late = percentile(figures.lateness, 0.99)
    cpu, base, memory = usage
    verdict = "" if late <= LATE_LIMIT else f"  INVALID: the generator was {late * 1000:.1f} ms late at p99"
    counts = f"{len(shares)} turns, {len(figures.barge_ins)} barge-ins, {len(figures.failures)} failed"
    print(f"{calls} calls: {counts}{verdict}")
    together = [share for at, share in shares if figures.began <= at <= figures.ended]
    print(f"  all on the line for {figures.ended - figures.began:.0f} s with {len(together)} of these turns")
    measured = {
        "own share": [share for _, share in shares],
        "with all on the line": together,
        "barge-in": figures.barge_ins,
        "ack": figures.acks,
        "generator lateness": figures.lateness,
    }
    for name, values in measured.items():
        row = "  ".join(f"p{share * 100:.0f} {percentile(values, share) * 1000:7.1f} ms" for share in (0.5, 0.95, 0.99))
        print(f"  {name:<20} {row}")
    print(f"  bytes of a cancelled reply after its cancel: {figures.late_bytes}")
    print(f"  server: {cpu * 100:.0f} % of a core, {cpu * 1000 / calls:.1f} ms a call-second")
    print(f"  memory: {base:.0f} MB before, {memory:.0f} MB under load, {(memory - base) / calls:.2f} MB a call")
    for failure in figures.failures[:3]:
        print(f"  failed: {failure}")


def usage_of(pid: int) -> tuple[float, float]:
    """Give CPU seconds and resident megabytes of a process."""
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


async def load(
    url: str, frames: list[bytes], calls: int, options: argparse.Namespace, pid: int
) -> tuple[Figures, tuple[float, float, float]]:
    """Run so many calls side by side."""
    figures = Figures()
    cpu_before, base = usage_of(pid)
    began = time.monotonic()

    async def one(number: int) -> None:
        # Real calls keep no common step with their frames.
        await asyncio.sleep(number * options.apart_ms / 1000 + random.uniform(0.0, 0.02))  # noqa: S311 (as above)
        try:
            await hold_call(url, frames, options.turns, figures)
        except (TimeoutError, OSError, KeyError) as error:
            figures.failures.append(f"{type(error).__name__}: {error}")

    peak = 0.0
    work = asyncio.gather(*(one(number) for number in range(calls)))
    while not work.done():
        await asyncio.wait([work], timeout=1)
        peak = max(peak, usage_of(pid)[1])
    cpu_after, _ = usage_of(pid)
    return figures, ((cpu_after - cpu_before) / (time.monotonic() - began), base, peak)


def main() -> None:
    """Start everything, run each number of calls and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 100])
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--apart-ms", type=float, default=100.0, help="between the beginnings of two calls")
    options = parser.parse_args()
    os.sched_setaffinity(0, {VENDOR_CORE} if (os.cpu_count() or 1) > VENDOR_CORE else {0})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ports = [free_port() for _ in range(4)]
        delays = folder / "delays.jsonl"
        delays.touch()
        vendors = servers.pinned(
            VENDOR_CORE, sys.executable, "-m", "tests.simulators", "--deepgram-port", str(ports[1]), "--openai-port",
            str(ports[2]), "--cartesia-port", str(ports[3]), "--delays-file", str(delays), "--script",
            "I am caller {connection}, this is turn {turn}.", "--token-ms", "0",
        )  # fmt: skip
        values = servers.environment(
            folder / "data", ports[0],
            DEEPGRAM_API_KEY="k", DEEPGRAM_BASE_URL=f"http://127.0.0.1:{ports[1]}",
            OPENAI_API_KEY="k", OPENAI_BASE_URL=f"http://127.0.0.1:{ports[2]}/v1",
            CARTESIA_API_KEY="k", CARTESIA_BASE_URL=f"http://127.0.0.1:{ports[3]}",
        )  # fmt: skip
        frames = utterance(values)
        servers.manage(values, "migrate", "--verbosity", "0")
        servers.manage(values, "shell", "--no-imports", "-c", _MAKE_AGENT)
        log = folder / "log"
        with (
            servers.running(vendors, {}, log),
            servers.running(servers.pinned(SERVER_CORE, sys.executable, "-m", "vantum.server"), values, log) as server,
        ):
            cold = servers.wait_until_answers(f"http://127.0.0.1:{ports[0]}/health/live", server)
            print(f"cold start of the web process: {cold:.2f} s")
            url = f"ws://127.0.0.1:{ports[0]}/ws"
            uvloop.run(
                load(url, frames, 1, argparse.Namespace(turns=1, apart_ms=0.0), server.pid)
            )  # connections and imports
            for calls in options.calls:
                figures, usage = uvloop.run(load(url, frames, calls, options, server.pid))
                show(calls, figures, own_shares(figures, delays), usage)


_SPEAK = """
import asyncio, sys
from calls.engine.agent import AgentSpec
from calls.providers.base import SpeechOptions
from calls.providers.cache import SpeechCache
from calls.providers.local import LocalTextToSpeech
from calls.wire.audio import AudioFormat
async def speak():
    voice = LocalTextToSpeech()
    options = SpeechOptions(format=AudioFormat(rate=8000), spec=AgentSpec(name="caller", prompt=""))
    try:
        return await SpeechCache.from_settings().make(voice, options, "I would like to know what it costs")
    finally:
        await voice.aclose()
sys.stdout.buffer.write(asyncio.run(speak()))
"""
_MAKE_AGENT = """
from calls.engine.agent import AgentSpec, Endpointing
from calls.services import ensure_demo_agent
ensure_demo_agent(AgentSpec(name="Benchmark", prompt="Answer.", endpointing=Endpointing(eager_ms=0)))
"""
"""No speculation: with it the parts overlap, and subtracting them would flatter."""

if __name__ == "__main__":
    main()
