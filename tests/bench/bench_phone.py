"""Telephone calls at once: answer to first audio, barge-in to clear, and how evenly speech is sent.

The web process has one core, the carrier's side of all calls another; between them are signed webhooks and media
streams over TCP. Voice activity detection is the real one; recogniser, model and voice are scripted. A generator whose
own frames go out late measures itself, and a web process that other programs keep from its core measures them: then the
figures are printed as not valid. What they leave of the pacing, ``tests.bench.bench_pacing`` measures all the same.
``python -m tests.bench.bench_phone --calls 100 --seconds 20``.
"""

import argparse
import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import httpx
import uvloop
from twilio.request_validator import RequestValidator

from calls.enums import AudioEncoding
from calls.wire.audio import encode
from tests.bench import servers
from tests.calls import sounds
from tests.processes import free_port
from tests.simulators.media_stream import FRAME_SECONDS, Leg, SocketLine

LINE = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen. "
SPEECH = encode(sounds.to_pcm(sounds.voice(8000, 1500)), AudioEncoding.MULAW)
TOKEN = "bench"
LEAD_MS, CHUNK_MS = 400.0, 100.0
GENERATOR_LIMIT_MS = 5.0
STARVED_LIMIT = 0.02
"""Of the time: so long other programs may have kept the web process from its core."""
_RINGING_SECONDS = 2.0
_MAKE_CALLS = f"""
from django.utils import timezone
from calls.engine.agent import AgentSpec
from calls import services
agent = services.draft_from_spec(AgentSpec(name="Bench", prompt=".", opening={LINE * 2!r}, fallback_answer={LINE!r}))
agent.save(force_insert=True)
version = services.publish_agent(agent)
agent.refresh_from_db()
for number in range({{calls}}):
    attempt = services.open_attempt(
        f"+1500556{{{{number:04d}}}}", from_e164="+15005550006", carrier="twilio", version_id=agent.published_id,
        variables={{{{}}}}, at=timezone.now(),
    )
    print("KEY", attempt.dial_key)
"""


class TimedLeg(Leg):
    """A leg that knows how late its own frames went out."""

    late_ms: Sequence[float] = ()

    async def run(self) -> None:
        """Keep the pace of the line."""
        loop, late = asyncio.get_running_loop(), list[float]()
        self.late_ms = late
        self.open()
        due = loop.time()
        while self.is_open:
            late.append((loop.time() - due) * 1000)
            self.step()
            due += FRAME_SECONDS
            await asyncio.sleep(due - loop.time())


@dataclass
class Result:
    """Milliseconds of one call, or of all."""

    first: list[float] = field(default_factory=list)
    socket: list[float] = field(default_factory=list)
    cuts: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    queued: list[float] = field(default_factory=list)
    generator: list[float] = field(default_factory=list)

    def add(self, other: "Result") -> None:
        """Take another call's in."""
        for name, values in vars(other).items():
            getattr(self, name).extend(values)


def late_ms(leg: Leg) -> list[float]:
    """How late each piece of speech came after its time: when the one before it had room for it again."""
    late: list[float] = []
    until = ends = 0.0
    for seconds, message in leg.taken:
        at = seconds * 1000
        if message["event"] == "clear":
            ends = 0.0
        elif message["event"] == "media":
            if at < ends:
                late.append(max(at - until, 0.0))
            else:  # a reply begins
                until = at
            ends = max(ends, at) + len(message["media"]["payload"].rstrip("=")) * 3 // 4 / 8
            until = max(until, ends - LEAD_MS + CHUNK_MS)
    return late


class Carrier:
    """Signs and posts."""

    def __init__(self, base: str, client: httpx.AsyncClient) -> None:
        self._base = base
        self._client = client
        self._validator = RequestValidator(TOKEN)

    async def post(self, path: str, key: str, form: dict[str, str]) -> str:
        """Post a webhook; gives what was answered."""
        url = f"{self._base}{path}?{urlencode({'key': key})}"
        headers = {"X-Twilio-Signature": self._validator.compute_signature(url, form)}
        answer = await self._client.post(url, data=form, headers=headers)
        answer.raise_for_status()
        return answer.text

    def line(self, twiml: str, number: int) -> tuple[SocketLine, TimedLeg]:
        """Make the stream that TwiML asks for."""
        token, url = (
            re.search(pattern, twiml) for pattern in (r'name="token" value="([^"]+)"', r'Stream url="([^"]+)"')
        )
        if token is None or url is None:
            message = f"no stream: {twiml}"
            raise ValueError(message)
        leg = TimedLeg({"token": token[1]}, stream_sid=f"MZ{number}")
        return SocketLine(url[1], leg, {"X-Twilio-Signature": self._validator.compute_signature(url[1], {})}), leg


async def hold(carrier: Carrier, key: str, number: int, seconds: float, pause: float) -> Result:
    """Ring, answer and hold one call; the person cuts in each five seconds."""
    loop, names = asyncio.get_running_loop(), {"CallSid": f"CA{number:032d}"}
    await asyncio.sleep(pause)
    await carrier.post("/twilio/status", key, {**names, "CallStatus": "ringing", "SequenceNumber": "0"})
    await asyncio.sleep(_RINGING_SECONDS)
    answered = loop.time()
    line, leg = carrier.line(await carrier.post("/twilio/answer", key, {**names, "CallStatus": "in-progress"}), number)
    connecting = loop.time()
    carrying = asyncio.create_task(line.run())
    spoke: list[float] = []
    while loop.time() - answered < seconds:
        await asyncio.sleep(5)
        spoke.append(loop.time())
        leg.say(SPEECH)
    await asyncio.sleep(1)
    leg.hang_up()
    await carrying
    first = leg.first_audio_at if leg.first_audio_at is not None else answered + 9
    cuts = [min((at - began for at in leg.cleared_at if at > began), default=9.0) * 1000 for began in spoke]
    return Result(
        first=[(first - answered) * 1000],
        socket=[(first - connecting) * 1000],
        cuts=[cut for cut in cuts if cut < 1500],
        late=late_ms(leg),
        queued=[leg.most_queued_ms],
        generator=list(leg.late_ms),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value below which this share lies."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


def say(*cells: object) -> None:
    """Write one line of a table."""
    sys.stdout.write("  ".join(f"{cell!s:>22}" if at == 0 else f"{cell!s:>9}" for at, cell in enumerate(cells)) + "\n")


@dataclass
class Usage:
    """Seconds of a process so far: its processor time, its main thread's, and that thread's waiting for a core."""

    cpu: float
    main: float
    waited: float

    @classmethod
    def of(cls, pid: int) -> "Usage":
        """Look at a process now."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        main, waited, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return cls(cpu, int(main) / 1e9, int(waited) / 1e9)

    def since(self, before: "Usage", seconds: float) -> tuple[float, float]:
        """Give the share of a core that was used, and that of the time in which others kept the main thread waiting.

        For the process's own threads it may have waited as long as they worked.
        """
        cpu, main = self.cpu - before.cpu, self.main - before.main
        starved = self.waited - before.waited - max(cpu - main, 0.0)
        return cpu / seconds, max(starved, 0.0) / seconds


def show(result: Result, *, server_share: float, starved: float) -> None:
    """Print the figures, and whether they are any."""
    say("milliseconds", "p50", "p95", "p99", "most", "of")
    rows = {
        "answer to first byte": result.first,
        "socket to first byte": result.socket,
        "voice to clear": result.cuts,
        "pacing jitter": result.late,
        "most queued": result.queued,
        "generator's lateness": result.generator,
    }
    for name, values in rows.items():
        figures = (statistics.median(values or [0.0]), *(percentile(values, share) for share in (0.95, 0.99)))
        say(name, *(f"{figure:.1f}" for figure in (*figures, max(values, default=0.0))), len(values))
    say("web process", f"{server_share:.0%} of a core; {starved:.1%} of the time others kept it waiting for one")
    late = percentile(result.generator, 0.99)
    if late > GENERATOR_LIMIT_MS:
        say("NOT VALID", f"the generator was {late:.1f} ms late at p99; more than {GENERATOR_LIMIT_MS:g} ms")
    if starved > STARVED_LIMIT:
        say("NOT VALID", f"the web process was kept from its core; more than {STARVED_LIMIT:.0%} of the time")


async def measure(base: str, keys: Sequence[str], seconds: float, apart: float) -> Result:
    """Hold all calls at once, the next one answered ``apart`` seconds after the one before."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    whole = Result()
    async with httpx.AsyncClient(timeout=30, limits=limits) as client:
        carrier = Carrier(base, client)
        for result in await asyncio.gather(*(hold(carrier, key, n, seconds, n * apart) for n, key in enumerate(keys))):
            whole.add(result)
    return whole


def main() -> None:
    """Measure as the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_phone", description=__doc__)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument(
        "--apart-ms", type=float, default=20.2, help="between two answers; real calls keep no common step"
    )
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        scripted = {f"{role}_PROVIDER": "scripted" for role in ("STT", "LLM", "TTS")}
        account = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_PHONE_NUMBER": "+15005550006"}
        account |= {"TWILIO_BASE_URL": f"http://127.0.0.1:{free_port()}"}
        values = servers.environment(folder, port, CARRIER="twilio", DEBUG="1", **scripted, **account)
        servers.manage(values, "migrate", "--verbosity", "0")
        made = servers.manage(values, "shell", "--no-imports", "-c", _MAKE_CALLS.format(calls=chosen.calls))
        keys = [line.split()[1] for line in made.decode().splitlines() if line.startswith("KEY ")]
        command = servers.pinned(0, sys.executable, "-m", "vantum.server")
        with servers.running(command, values, folder / "log") as server:
            base = f"http://127.0.0.1:{port}"
            servers.wait_until_answers(f"{base}/health/live", server)
            if (os.cpu_count() or 1) > 1:
                os.sched_setaffinity(0, set(range(1, os.cpu_count() or 1)))
            began, before = time.monotonic(), Usage.of(server.pid)
            result = uvloop.run(measure(base, keys, chosen.seconds, chosen.apart_ms / 1000))
            share, starved = Usage.of(server.pid).since(before, time.monotonic() - began)
    show(result, server_share=share, starved=starved)


if __name__ == "__main__":
    main()
