"""The carrier's side of one call: the telephone, the person at it, and what Twilio does when a stream ends."""

import asyncio
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from twilio.request_validator import RequestValidator
from websockets.exceptions import InvalidHandshake

from tests.bench.killing.modem import Demodulator, modulate
from tests.bench.killing.providers import GOODBYE, RESUME_LINE, echo
from tests.simulators.media_stream import Leg, SocketLine
from tests.simulators.twilio import Reply, SimulatedCall

_ANSWER_SECONDS = 10.0
_LOOK_SECONDS = 0.02
_MOST_STREAMS = 12


@dataclass
class Stream:
    """One stream as the carrier saw it. Seconds of the monotonic clock; None: it did not come to that.

    ``asked_at``: when the request was sent whose answer, at ``told_at``, has led to this stream.
    """

    token: str
    asked_at: float
    told_at: float
    first_audio_at: float | None = None
    broke_at: float | None = None
    ended_at: float | None = None


@dataclass
class Callee:
    """A person who says a few things, each once, waits for the agent's answer, and hangs up or lets the agent do it.

    ``heard``: what was played to its end, when, and on which stream; ``answered``: the words that the agent answered.
    """

    call: SimulatedCall
    seed: int
    exchanges: int
    streams: list[Stream] = field(default_factory=list)
    heard: list[tuple[float, int, str]] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    placed_at: float = 0.0
    answered_at: float | None = None
    ended_at: float | None = None
    outcome: str = ""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 (a test's dice)
        self._said = 0
        self._goodbyes = 0
        self._waits_for = ""

    @property
    def live_stream(self) -> Stream | None:
        """The stream that is open now, or about to be."""
        last = self.streams[-1] if self.streams else None
        return last if last is not None and last.ended_at is None else None

    async def live(self) -> None:
        """Ring, be answered, and talk until the call is over."""
        call = self.call
        for step in (call.start, call.ring):
            await self._tell(step)
            await asyncio.sleep(self._random.uniform(0.1, 0.5))
        await self._tell(lambda: call._become("in-progress"))
        self.answered_at = time.monotonic()
        await self._follow(call.order["Url"])
        self.ended_at = time.monotonic()
        if not call.is_over:
            call.status = "completed"
        await self._tell(lambda: call.end("completed", CallDuration="9"))

    async def _tell(self, step: Callable[[], object]) -> bool:
        """Send a callback; a lost one is not repeated."""
        try:
            await asyncio.to_thread(step)
        except httpx.HTTPError:
            return False
        return True

    async def _ask(self, url: str) -> tuple[float, str | None]:
        """Ask for TwiML; where that fails, once more at the fallback address. Tells also when it last asked."""
        asked_at = 0.0
        for address in (url, self.call.order["FallbackUrl"]):
            asked_at = time.monotonic()
            try:
                reply: Reply = await asyncio.to_thread(self.call.ask, address)
            except httpx.HTTPError:
                continue
            if reply.status == 200:
                return asked_at, reply.text
        return asked_at, None

    async def _follow(self, url: str) -> None:
        """Do what the TwiML says until it says to hang up."""
        for _ in range(_MOST_STREAMS):
            asked_at, twiml = await self._ask(url)
            if self.call.is_over:
                self.outcome = "hung up by REST"
                return
            if twiml is None:
                self.outcome = "no TwiML"
                return
            if "<Stream" not in twiml:
                self.outcome = "apology" if "<Say" in twiml else "hung up"
                return
            stream = Stream(_found(r'name="token" value="([^"]+)"', twiml), asked_at, time.monotonic())
            self.streams.append(stream)
            await self._carry(stream, _found(r'<Stream url="([^"]+)"', twiml))
            stream.ended_at = time.monotonic()
            if self.outcome:
                return
            stream.broke_at = stream.ended_at
            url = _found(r"<Redirect[^>]*>([^<]+)<", twiml)
        self.outcome = "too many streams"

    async def _carry(self, stream: Stream, url: str) -> None:
        signature = RequestValidator(self.call.twilio.auth_token).compute_signature(url, {})
        leg = Leg({"token": stream.token}, call_sid=self.call.sid)
        line = asyncio.create_task(SocketLine(url, leg, {"X-Twilio-Signature": signature}).run())
        person = asyncio.create_task(self._talk(leg, stream))
        try:
            await asyncio.wait({line, person}, return_when=asyncio.FIRST_COMPLETED)
            if not line.done():
                await asyncio.wait({line}, timeout=3)
        finally:
            line.cancel()
            person.cancel()
            results = await asyncio.gather(line, person, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, OSError | InvalidHandshake | EOFError):
                raise result

    # --- the person ---------------------------------------------------------------------------------------------------

    async def _talk(self, leg: Leg, stream: Stream) -> None:
        """Say what is left to be said, one thing at a time."""
        ear, taken = Demodulator(), 0
        speaks_at, waits_until = float("inf"), 0.0
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now = time.monotonic()
            if self.call.is_over:
                self.outcome = "hung up by REST"
                leg.hang_up()
                return
            if stream.first_audio_at is None and leg.first_audio_at is not None:
                stream.first_audio_at = now
            for text in ear.feed(bytes(leg.heard[taken:])):
                self.heard.append((now, len(self.streams) - 1, text))
                speaks_at = now + self._random.uniform(0.2, 0.6)
                if text == echo(self._waits_for):
                    self.answered.append(self._waits_for)
                    self._waits_for = ""
                elif text == RESUME_LINE:
                    self._waits_for = ""
            taken = len(leg.heard)
            if now >= speaks_at and (not self._waits_for or now >= waits_until):
                if self._is_finished():
                    self.outcome = "callee hung up"
                    leg.hang_up()
                    return
                self._waits_for = self._next_words()
                waits_until = speaks_at = now + _ANSWER_SECONDS
                leg.say(modulate(self._waits_for))

    def _is_finished(self) -> bool:
        return self._said >= self.exchanges and self.seed % 2 == 0

    def _next_words(self) -> str:
        """Give a word that nobody says twice."""
        if self._said >= self.exchanges:
            self._goodbyes += 1
            return f"{GOODBYE}{self._goodbyes}"
        self._said += 1
        return f"word{self._said}"


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        message = f"no {pattern} in the TwiML"
        raise ValueError(message)
    return match[1].replace("&amp;", "&")
