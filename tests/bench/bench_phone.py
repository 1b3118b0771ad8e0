"""Telephone calls at once on one core: answer to first audio, barge-in to clear, and speech that came too late.

Both ends of every stream run in this process, so the carrier's work counts too. Voice activity detection is the real
one; recogniser, model and voice are scripted. ``python -m tests.bench.bench_phone --calls 100 --seconds 20``.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from calls.consumers.housekeeping import settled  # noqa: E402 (settings come first)
from calls.enums import AudioEncoding  # noqa: E402
from calls.providers.cache import SpeechCache  # noqa: E402
from calls.providers.registry import CallProviders  # noqa: E402
from calls.providers.scripted import ScriptedAgent, ScriptedSpeechToText, ScriptedTextToSpeech  # noqa: E402
from calls.providers.vad import SileroDetector  # noqa: E402
from calls.wire.audio import encode  # noqa: E402
from tests.calls import sounds  # noqa: E402
from tests.calls.consumers.phone_driver import TOKEN, Exchange  # noqa: E402
from tests.calls.runner.fakes import agent  # noqa: E402
from tests.simulators.media_stream import AsgiLine  # noqa: E402

LINE = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen. "
SPEECH = encode(sounds.to_pcm(sounds.voice(8000, 1500)), AudioEncoding.MULAW)


def say(*cells: object) -> None:
    """Write one line of a table."""
    sys.stdout.write("  ".join(f"{cell!s:>12}" for cell in cells) + "\n")


def late_ms(line: AsgiLine) -> list[float]:
    """How late each piece of speech came after its time: when the one before it had room for it again."""
    late: list[float] = []
    until = ends = 0.0
    for seconds, message in line.leg.taken:
        at = seconds * 1000
        if message["event"] == "clear":
            ends = 0.0
        elif message["event"] == "media":
            if at < ends:
                late.append(max(at - until, 0.0))
            else:  # a reply begins
                until = at
            ends = max(ends, at) + len(message["media"]["payload"].rstrip("=")) * 3 // 4 / 8
            until = max(until, ends - 300.0)  # the lead of 400 ms has room for another 100
    return late


async def hold(number: int, providers: CallProviders, seconds: float) -> dict[str, Any]:
    """Hold one call: the person cuts in each five seconds."""
    exchange = Exchange(agent(opening=LINE * 2, fallback_answer=LINE), providers=providers)
    exchange.tokens = {TOKEN: UUID(int=number)}
    await asyncio.sleep(number * 0.02)
    answered = time.monotonic()
    line = exchange.line(stream_sid=f"MZ{number}")
    spoke: list[float] = []
    while time.monotonic() - answered < seconds:
        await asyncio.sleep(5)
        spoke.append(time.monotonic())
        line.leg.say(SPEECH)
    line.leg.hang_up()
    await line.ended()
    cuts = [min((at - began for at in line.leg.cleared_at if at > began), default=9.0) for began in spoke]
    return {
        "first": ((line.leg.first_audio_at or 9.0) - answered) * 1000,
        "cuts": [cut * 1000 for cut in cuts if cut < 1.5],
        "late": late_ms(line),
        "queued": line.leg.most_queued_ms,
    }


def percentile(values: list[float], share: float) -> float:
    """Give the value below which this share lies."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


async def measure(calls: int, seconds: float, folder: Path) -> None:
    """Hold so many calls and print what they were like."""
    providers = CallProviders(
        stt=ScriptedSpeechToText(("hello there",)),
        llms=(ScriptedAgent(),),
        tts=(ScriptedTextToSpeech(),),
        vad=SileroDetector(),
        cache=SpeechCache(folder),
    )
    await providers.vad.warm_up()  # type: ignore[attr-defined]  # (the real detector has it)
    cpu = time.process_time()
    results = await asyncio.gather(*(hold(number, providers, seconds) for number in range(calls)))
    used = time.process_time() - cpu
    rows = {
        "answer to first audio": [result["first"] for result in results],
        "voice to clear": [cut for result in results for cut in result["cuts"]],
        "pacing lateness": [late for result in results for late in result["late"]],
        "most queued": [result["queued"] for result in results],
    }
    say("milliseconds", "median", "p95", "p99", "most", "of")
    for name, values in rows.items():
        figures = (statistics.median(values), percentile(values, 0.95), percentile(values, 0.99), max(values))
        say(name, *(f"{figure:.1f}" for figure in figures), len(values))
    say("CPU", f"{used / (calls * seconds) * 1000:.1f} ms per call-second, the carrier's side included")


def main() -> None:
    """Measure as the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_phone")
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, settled():  # as the web process does
        asyncio.run(measure(chosen.calls, chosen.seconds, Path(folder)))


if __name__ == "__main__":
    main()
