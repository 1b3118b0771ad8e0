"""One call from its ringing to its end: the order of a carrier, the TwiML of the web process, and a persona.

There is one task per call and one rhythm in it, the 20 ms of a frame; whatever happens from outside (a hang-up, an
update, the time limit) is noticed with the next frame.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from math import inf
from typing import NamedTuple, Protocol

from calls.errors import WireError
from calls.sandbox import twiml
from calls.sandbox.ledger import Form, LedgerCall
from calls.sandbox.leg import FRAME_BYTES, FRAME_SECONDS, SILENCE, Leg
from calls.sandbox.person import Person, tone
from calls.sandbox.personas import Casting
from calls.sandbox.personas.cast import Outcome
from calls.sandbox.rooms import Rooms
from calls.sandbox.voice import CARRIERS_VOICE, Voices

log = logging.getLogger(__name__)

_BUSY_SECONDS = 1.0
_RETRY_SECONDS = 1.0
_LAST_TEXTS_SECONDS = 2.0
_LAST_FORMS_SECONDS = 20.0
_MOST_LATE_SECONDS = 0.5
"""Frames that a stall of the machine held back further than this are not made up for."""
_RINGBACK = tone(1000, 440, 480) + SILENCE * 100
_OK = 200


class Reply(NamedTuple):
    """What a web server answered; status 0: nothing."""

    status: int
    text: str = ""


class Socket(Protocol):
    """A connected WebSocket."""

    async def send(self, text: str) -> None:
        """Send a text. Raises ``OSError`` where the far end is gone."""

    def texts(self) -> AsyncIterator[str]:
        """Give what comes, until it is closed. Raises ``WireError`` for what is no text."""

    async def close(self) -> None:
        """Close it."""


class World(Protocol):
    """What a call needs of the network and of the other telephones."""

    voices: Voices
    rooms: Rooms

    async def post(self, form: Form) -> Reply:
        """Post a signed form. Never raises; waits 15 s at most."""

    async def connect(self, url: str) -> Socket:
        """Open a media stream's socket. Raises ``OSError``."""

    def reach(self, number: str) -> Casting | None:
        """Give who is at another number; None where that is no number of ours."""


class Next(NamedTuple):
    """Where the call goes on, and what is told there."""

    url: str
    told: Mapping[str, str] = {}


class Performance:
    """Plays one call."""

    def __init__(self, call: LedgerCall, casting: Casting, world: World) -> None:
        self.call = call
        self.person: Person | None = None
        self._casting = casting
        self._world = world
        self._news = asyncio.Event()
        self._next_url = ""
        self._is_ending = False
        self._limit_at = inf
        self._due = 0.0
        self._answered_at = 0.0
        self._is_verdict_told = False
        self._forms: asyncio.Queue[Form | None] = asyncio.Queue()  # a dozen in a call

    # --- from outside -------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Hang up, as the REST API does."""
        self._is_ending = True
        self._news.set()

    def redirect(self, url: str) -> None:
        """Stop what the call does, and ask this address what comes next."""
        self._next_url = url
        self._news.set()

    async def run(self) -> None:
        """Play to the end. Bugs are logged, and end the call."""
        telling = asyncio.create_task(self._tell_all())
        status = "failed"
        try:
            status = await self._ring()
            if status == Outcome.ANSWERED:
                status = "completed"  # however it ends
                await self._talk()
        except Exception:
            log.exception("a simulated call failed")
        finally:
            self._end(status)
            await asyncio.wait({telling}, timeout=_LAST_FORMS_SECONDS)
            telling.cancel()

    # --- what is told -------------------------------------------------------------------------------------------------

    def _tell(self, form: Form | None) -> None:
        if form is not None:
            self._forms.put_nowait(form)

    async def _tell_all(self) -> None:
        """Post callbacks one after the other, beside the audio; one that fails is tried once more."""
        while (form := await self._forms.get()) is not None:
            if not (await self._world.post(form)).status:
                await asyncio.sleep(_RETRY_SECONDS)
                await self._world.post(form)

    def _end(self, status: str) -> None:
        more = {}
        if status == "completed":
            seconds = max(round(asyncio.get_running_loop().time() - self._answered_at), 1)
            more = {"CallDuration": str(seconds), "Duration": str(-(-seconds // 60)), "SipResponseCode": "200"}
        self._tell(self.call.advance(status, **more))
        self._forms.put_nowait(None)
        silence = round(self.person.longest_silence_ms / 1000, 1) if self.person else "no"
        to = self.call.order["To"][-2:]
        log.info("call %s at a number ending in %s is over: %s, %s s of silence", self.call.sid, to, status, silence)

    # --- before the answer --------------------------------------------------------------------------------------------

    async def _ring(self) -> str:
        """Ring until somebody answers, or nobody will; give the status."""
        casting, order = self._casting, self.call.order
        preparing = asyncio.create_task(self._world.voices.prepare(casting.lines, casting.voice))
        try:
            self._tell(self.call.advance("initiated"))
            if casting.outcome is Outcome.BUSY:
                return "canceled" if await self._is_stopped_within(_BUSY_SECONDS) else "busy"
            self._tell(self.call.advance("ringing"))
            patience = float(order.get("Timeout", 60))
            is_answered = casting.outcome is Outcome.ANSWERED and casting.ring_seconds <= patience
            if await self._is_stopped_within(casting.ring_seconds if is_answered else patience):
                return "canceled"
            if not is_answered:
                return "no-answer"
            self.person = Person(casting.script(), await preparing, casting.line)
        finally:
            preparing.cancel()
        return Outcome.ANSWERED

    async def _is_stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    # --- on the line --------------------------------------------------------------------------------------------------

    async def _talk(self) -> None:
        """Do what TwiML says, from one document to the next."""
        self._answered_at = self._due = asyncio.get_running_loop().time()
        self._limit_at = self._answered_at + float(self.call.order.get("TimeLimit", 14_400))
        self._tell(self.call.advance("in-progress"))
        following: Next | None = Next(self.call.order["Url"])
        while following is not None:
            following = await self._follow(following)

    async def _follow(self, place: Next) -> Next | None:
        for verb in await self._ask(place):
            following = await self._perform(verb)
            if self._is_over:
                return None
            if self._next_url:
                following = Next(self._next_url)
                self._next_url = ""
                self._news.clear()
            if isinstance(verb, twiml.Hangup) or following is not None:
                return following
        return None

    async def _ask(self, place: Next) -> list[twiml.Verb]:
        """Get TwiML; what does not come is asked for once more. Without any the call ends, as Twilio ends it."""
        form = self.call.question(place.url, **place.told)
        for pause in (_RETRY_SECONDS, 0.0):
            reply = await self._world.post(form)
            if reply.status == _OK:
                try:
                    return twiml.parse(reply.text)
                except WireError as error:
                    log.warning("call %s got TwiML that cannot be followed: %s", self.call.sid, error)
                    return [twiml.Hangup()]
            await asyncio.sleep(pause)
        log.warning("call %s got no TwiML: %s", self.call.sid, reply.status or "no answer")
        return [twiml.Hangup()]

    @property
    def _is_over(self) -> bool:
        is_gone = self.person is not None and self.person.is_gone
        return self._is_ending or is_gone or asyncio.get_running_loop().time() >= self._limit_at

    async def _tick(self) -> bool:
        """Wait for the next frame; False where the current verb has to stop."""
        if self._is_over or self._news.is_set():
            return False
        self._note_verdict()
        loop = asyncio.get_running_loop()
        self._due = max(self._due + FRAME_SECONDS, loop.time() - _MOST_LATE_SECONDS)
        await asyncio.sleep(self._due - loop.time())
        return True

    def _note_verdict(self) -> None:
        if self.person is not None and self.person.answered_by and not self._is_verdict_told:
            self._is_verdict_told = True
            self._tell(self.call.verdict(self.person.answered_by, round(self.person.elapsed_ms)))

    def _exchange(self, heard: bytes) -> bytes:
        return SILENCE if self.person is None else self.person.exchange(heard)

    def _keys(self) -> str:
        """Take the keys that were pressed."""
        if self.person is None or not self.person.pressed:
            return ""
        keys = "".join(self.person.pressed)
        self.person.pressed.clear()
        return keys

    # --- verbs --------------------------------------------------------------------------------------------------------

    async def _perform(self, verb: twiml.Verb) -> Next | None:
        self._due = asyncio.get_running_loop().time()
        match verb:
            case twiml.Redirect(url):
                return Next(url)
            case twiml.Say(text):
                await self._play(await self._world.voices.speak(text, CARRIERS_VOICE))
            case twiml.Pause(seconds):
                await self._play(SILENCE * round(seconds / FRAME_SECONDS))
            case twiml.Stream():
                await self._stream(verb)
            case twiml.Gather():
                return await self._gather(verb)
            case twiml.Dial():
                return await self._dial(verb)
            case twiml.Confer():
                return await self._confer(verb)
            case twiml.Hangup():
                pass
        return None

    async def _play(self, audio: bytes, *, stops_at_key: bool = False) -> str:
        """Play to the person; give the keys pressed meanwhile."""
        keys = ""
        for at in range(0, len(audio), FRAME_BYTES):
            if not await self._tick() or (keys and stops_at_key):
                break
            self._exchange(audio[at : at + FRAME_BYTES].ljust(FRAME_BYTES, SILENCE[:1]))
            keys += self._keys()
        return keys

    async def _gather(self, verb: twiml.Gather) -> Next | None:
        digits = ""
        for prompt in verb.prompts:
            if isinstance(prompt, twiml.Say):
                audio = await self._world.voices.speak(prompt.text, CARRIERS_VOICE)
            else:
                audio = SILENCE * round(prompt.seconds / FRAME_SECONDS)
            digits += await self._play(audio, stops_at_key=True)
            if digits:
                break
        most = verb.most_digits or inf
        while len(digits) < most and not (verb.finish_on and verb.finish_on in digits):
            more = await self._play(SILENCE * round(verb.timeout / FRAME_SECONDS), stops_at_key=True)
            if not more:
                break
            digits += more
        digits = digits.partition(verb.finish_on)[0] if verb.finish_on else digits
        return Next(verb.action, {"Digits": digits}) if digits and verb.action else None

    async def _dial(self, verb: twiml.Dial) -> Next | None:
        """Call another number of ours and connect it; then tell the action what became of it."""
        casting = self._world.reach(verb.number)
        status, began = "failed", asyncio.get_running_loop().time()
        if casting is not None and casting.outcome is not Outcome.REFUSED:
            status = "busy" if casting.outcome is Outcome.BUSY else "no-answer"
            ringing = min(casting.ring_seconds, verb.timeout) if casting.outcome is Outcome.ANSWERED else verb.timeout
            size = round((_BUSY_SECONDS if status == "busy" else ringing) / FRAME_SECONDS) * FRAME_BYTES
            speech = await self._world.voices.prepare(casting.lines, casting.voice)
            await self._play((_RINGBACK * (size // len(_RINGBACK) + 1))[:size])
            if casting.outcome is Outcome.ANSWERED and casting.ring_seconds <= verb.timeout:
                status, began = "completed", asyncio.get_running_loop().time()
                await self._bridge(Person(casting.script(), speech, casting.line))
        seconds = str(round(asyncio.get_running_loop().time() - began))
        told = {"DialCallStatus": status} | ({"DialCallDuration": seconds} if status == "completed" else {})
        return Next(verb.action, told) if verb.action else None

    async def _bridge(self, other: Person) -> None:
        theirs = SILENCE
        while not other.is_gone and await self._tick():
            theirs = other.exchange(self._exchange(theirs))

    async def _confer(self, verb: twiml.Confer) -> Next | None:
        """Sit in a room until it closes. Nobody is kept alone there after the others went."""
        room = self._world.rooms.enter(verb.name, self)
        was_shared = False
        try:
            while not room.is_closed and await self._tick():
                room.say(self, self._exchange(room.hear(self)))
                was_shared = was_shared or room.is_shared
                if was_shared and not room.is_shared:
                    break
        finally:
            self._world.rooms.leave(verb.name, room, self, closes=verb.ends_room)
        return Next(verb.action, {"DialCallStatus": "completed"}) if verb.action else None

    async def _stream(self, verb: twiml.Stream) -> None:
        leg = Leg(
            verb.parameters,
            self._exchange,
            stream_sid=f"MZ{secrets.token_hex(16)}",
            call_sid=self.call.sid,
            account_sid=self.call.account_sid,
        )
        try:
            socket = await self._world.connect(verb.url)
        except OSError as error:
            log.warning("call %s got no media stream: %s", self.call.sid, error)
            self._note_stream(verb, leg, "stream-error", StreamError="31920 - Stream - WebSocket - Handshake Error")
            return
        self._note_stream(verb, leg, "stream-started")
        leg.open()
        carrying = [asyncio.create_task(self._read(leg, socket)), asyncio.create_task(self._write(leg, socket))]
        try:
            self._due = asyncio.get_running_loop().time()
            while await self._tick() and leg.is_open:
                leg.step()
                for key in self._keys():
                    leg.press(key)
            if leg.is_open:
                leg.stop()
            await asyncio.wait(carrying[1:], timeout=_LAST_TEXTS_SECONDS)
        finally:
            for task in carrying:
                task.cancel()
            await asyncio.gather(*carrying, return_exceptions=True)
            await socket.close()
        self._note_stream(verb, leg, "stream-stopped")

    async def _read(self, leg: Leg, socket: Socket) -> None:
        """Take what the server says, until it closes or speaks no Twilio."""
        try:
            async for text in socket.texts():
                leg.take(text)
        except (OSError, WireError) as error:
            log.warning("the stream of call %s is broken off: %s", self.call.sid, error)
        leg.drop()

    async def _write(self, leg: Leg, socket: Socket) -> None:
        try:
            while (text := await leg.outgoing.get()) is not None:
                await socket.send(str(text))
        except OSError:
            leg.drop()

    def _note_stream(self, verb: twiml.Stream, leg: Leg, event: str, **more: str) -> None:
        if verb.status_url:
            self._tell(self.call.stream_event(verb.status_url, leg.stream_sid, event, **more))
