"""How evenly speech is sent, by the processor's own clock: what other programs take of the machine does not count.

All calls and the carrier's side of them run in one thread on a loop whose clock goes on with this thread's processor
time, stands still while the carrier's side works, and jumps where nothing is to do: a core of its own, however busy the
machine. Voice activity detection is the real one; recogniser, model and voice are scripted. Sockets are not there: each
message is charged what Uvicorn takes for one. Nor are other threads and the database.
``python -m tests.bench.bench_pacing --calls 100 --seconds 20``.
"""

import argparse
import asyncio
import selectors
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import django

from calls.engine.agent import AgentSpec
from calls.enums import Door
from calls.providers.cache import SpeechCache
from calls.providers.registry import CallProviders
from tests.bench.bench_phone import LINE, SPEECH, late_ms, percentile, say
from tests.simulators.media_stream import FRAME_SECONDS, Leg

MESSAGE_SECONDS = 10e-6
"""What Uvicorn and the socket take for a message: measured 20 us for one in and one out."""

LEAST_PAUSE_MS = 1500.0
"""A clear that comes later than this after a beginning was not its own."""


class CpuClock(selectors.DefaultSelector):
    """Seconds of this thread's processor time, less those of the pauses, plus those in which nothing was to do."""

    def __init__(self) -> None:
        super().__init__()
        self._added = 0.0
        self.jumped = 0.0

    def now(self) -> float:
        """Give the seconds so far."""
        return time.thread_time() + self._added

    def charge(self, seconds: float) -> None:
        """Count work that is not really done."""
        self._added += seconds

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stand still meanwhile."""
        began = time.thread_time()
        try:
            yield
        finally:
            self._added -= time.thread_time() - began

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Jump to the next timer in place of waiting."""
        if timeout is None:  # at the end, for threads
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self._added += max(timeout, 0.0)
            self.jumped += max(timeout, 0.0)
        return ready


class CpuLoop(asyncio.SelectorEventLoop):
    """An event loop that lives by such a clock."""

    def __init__(self) -> None:
        self.clock = CpuClock()
        super().__init__(self.clock)

    def time(self) -> float:
        """Give the loop's seconds."""
        return self.clock.now()


class Person:
    """One call's far end: keeps the pace of the line, and speaks each five seconds."""

    def __init__(self, application: Any, loop: CpuLoop, number: int, seconds: float) -> None:
        self.leg = Leg({"token": f"token-{number}"}, stream_sid=f"MZ{number}")
        self._loop = loop
        self._is_connecting = True
        self._due = loop.time() + number * 0.0202  # real calls keep no common step with their frames
        self._speaks_at = self._due + 5.0
        self.spoke_at: list[float] = []
        self._ends_at = self._due + seconds
        scope = {"type": "websocket", "path": "/twilio/media", "headers": [], "query_string": b""}
        self.serving = loop.create_task(application(scope, self._receive, self._send))

    async def _receive(self) -> Mapping[str, Any]:
        if self._is_connecting:
            self._is_connecting = False
            return {"type": "websocket.connect"}
        frame = await self.leg.outgoing.get()
        if frame is None:
            return {"type": "websocket.disconnect", "code": 1005}
        return {"type": "websocket.receive", "text": frame}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "websocket.send":
            self._loop.clock.charge(MESSAGE_SECONDS)
            with self._loop.clock.paused():
                self.leg.take(message["text"])
        elif message["type"] == "websocket.accept":
            self._loop.call_at(self._due, self._begin)

    def _begin(self) -> None:
        self.leg.open()
        self._step()

    def _step(self) -> None:
        with self._loop.clock.paused():
            if self._due >= self._speaks_at:
                self._speaks_at += 5.0
                self.spoke_at.append(self._due)
                self.leg.say(SPEECH)
            before = self.leg.outgoing.qsize()
            self.leg.step()
            if self._due >= self._ends_at:
                self.leg.hang_up()
            self._due += FRAME_SECONDS
        self._loop.clock.charge(MESSAGE_SECONDS * (self.leg.outgoing.qsize() - before))
        if self.leg.is_open:
            self._loop.call_at(self._due, self._step)

    def cuts_ms(self) -> list[float]:
        """From each beginning to speak to the clear, where it cut the agent short."""
        cleared = self.leg.cleared_at
        cuts = [min((at - began for at in cleared if at > began), default=9.0) * 1000 for began in self.spoke_at]
        return [cut for cut in cuts if cut < LEAST_PAUSE_MS]


async def hold(calls: int, seconds: float, folder: Path) -> tuple[list[Person], float]:
    """Hold all calls at once; give their far ends, and the share of a core that they took."""
    # They rest on the models.
    from calls.consumers.housekeeping import settled  # noqa: PLC0415
    from calls.providers.scripted import (  # noqa: PLC0415
        ScriptedAgent,
        ScriptedSpeechToText,
        ScriptedTextToSpeech,
    )
    from calls.providers.vad import SileroDetector  # noqa: PLC0415
    from tests.calls.consumers.driver import Sink  # noqa: PLC0415
    from tests.calls.consumers.phone_driver import Exchange  # noqa: PLC0415

    class ManyCalls(Exchange):
        def _open_sink(self, session_id: UUID, door: Door, user_id: int | None) -> Any:
            del session_id, door, user_id
            return Sink()

    providers = CallProviders(
        stt=ScriptedSpeechToText(()),
        llms=(ScriptedAgent(),),
        tts=(ScriptedTextToSpeech(),),
        vad=SileroDetector(),
        cache=SpeechCache(folder),
    )
    exchange = ManyCalls(
        AgentSpec(name="Bench", prompt=".", opening=LINE * 2, fallback_answer=LINE), providers=providers
    )
    for number in range(calls):
        exchange.issue(f"token-{number}", UUID(int=number + 1))
    loop = asyncio.get_running_loop()
    if not isinstance(loop, CpuLoop):
        message = "this needs a loop with the processor's clock"
        raise TypeError(message)
    with settled():
        began, jumped = loop.time(), loop.clock.jumped
        people = [Person(exchange.application(), loop, number, seconds) for number in range(calls)]
        await asyncio.gather(*(person.serving for person in people))
        whole = loop.time() - began
    return people, 1 - (loop.clock.jumped - jumped) / whole


def main() -> None:
    """Measure as the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_pacing", description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[100])
    parser.add_argument("--seconds", type=float, default=20)
    chosen = parser.parse_args()
    django.setup()
    for calls in chosen.calls:
        with tempfile.TemporaryDirectory() as name, asyncio.Runner(loop_factory=CpuLoop) as runner:
            people, share = runner.run(hold(calls, chosen.seconds, Path(name)))
        say(f"{calls} calls, {share:.0%} of a core", "p50", "p95", "p99", "most", "of")
        rows = {
            "late": [at for person in people for at in late_ms(person.leg)],
            "voice to clear": [cut for person in people for cut in person.cuts_ms()],
            "most queued": [person.leg.most_queued_ms for person in people],
        }
        for row, values in rows.items():
            figures = (*(percentile(values, at) for at in (0.5, 0.95, 0.99)), max(values))
            say(row, *(f"{figure:.1f}" for figure in figures), len(values))


if __name__ == "__main__":
    main()
