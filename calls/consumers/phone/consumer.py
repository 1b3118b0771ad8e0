"""One media stream of Twilio: each message becomes what it means for the call."""

import asyncio
import logging
from typing import Any

from uuid_utils.compat import uuid7

from calls.consumers.admission import Refusal, refuse
from calls.consumers.lean import RESTARTED, LeanConsumer, Receive, Send
from calls.consumers.outbox import Outbox
from calls.consumers.phone.call import AnsweredCall, Parts
from calls.consumers.phone.door import PhoneDoor
from calls.enums import EndReason
from calls.errors import WireError
from calls.live import live_calls
from calls.wire.twilio import Dtmf, Incoming, Mark, Media, MediaStream, Start, Stop
from vantum.logs import call_log
from vantum.metrics import CALLS_REFUSED

log = logging.getLogger(__name__)

TOKEN_PARAMETER = "token"  # noqa: S105 (the parameter's name)
"""The ``<Parameter>`` of the TwiML that says which call a stream belongs to; its address says nothing."""

SILENT_SECONDS = 5.0
"""Twilio sends a frame each 20 ms, of silence too: after so long without any the line is dead. A socket on which no
stream starts is left as soon."""
_LATE_SECONDS = 0.5
"""A look that comes so late says that this process stood still: what came meanwhile is not read yet."""
_BAD_MESSAGES = 20


class PhoneConsumer(LeanConsumer):
    """The protocol's side of a media stream; the call's own is ``AnsweredCall``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._call: AnsweredCall | None = None
        self._bad_messages = 0
        self._watch: asyncio.TimerHandle | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve the stream; everything logged about it has its call's id."""
        self.session_id = uuid7()
        with call_log(self.session_id):
            await super().__call__(scope, receive, send)

    # --- the connection -----------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Accept; who it is, the start's token says. A process that stops leaves the stream to another one."""
        if live_calls.is_draining:
            await refuse(self.scope, self.base_send, Refusal(503, "draining", "This server takes no new calls."))
            self.over.set()
            return
        if not self._parts.is_signed(self.scope["headers"]):
            await refuse(self.scope, self.base_send, Refusal(403, "signature", "The carrier did not sign this."))
            self.over.set()
            return
        self._stream = MediaStream()
        self._outbox = Outbox(self.base_send, self._abandon, is_text=True)
        self._door = PhoneDoor(self._stream, self._outbox, asyncio.get_running_loop().time)
        self._call = AnsweredCall(
            self.session_id, door=self._door, tasks=self.tasks, on_closed=self.over.set, parts=self._parts
        )
        await self.base_send({"type": "websocket.accept"})
        self.help_with(self._write())
        self._heard_at = self._looks_at = asyncio.get_running_loop().time()
        self._check_heard()

    @property
    def call(self) -> AnsweredCall:
        """The call of an accepted connection."""
        if self._call is None:
            message = "the connection was not accepted"
            raise RuntimeError(message)
        return self._call

    async def _write(self) -> None:
        try:
            await self._outbox.write()
        except OSError:
            self._abandon()

    def disconnected(self, code: int) -> None:
        """End the call: the line went, or this server goes."""
        if self._call is not None:
            is_stopping = code == RESTARTED or live_calls.is_draining
            self._door.forget_marks()
            self._outbox.abandon()
            self._call.end(EndReason.SHUTDOWN if is_stopping else EndReason.CALLER_DISCONNECTED)

    def _abandon(self) -> None:
        """The far end is gone, or does not read."""
        self.disconnected(1006)
        self.over.set()

    def _check_heard(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        silent, is_late = now - self._heard_at, now - self._looks_at >= _LATE_SECONDS
        if silent < SILENT_SECONDS or is_late:
            self._looks_at = now + max(SILENT_SECONDS - silent, _LATE_SECONDS if is_late else 0.0)
            self._watch = loop.call_at(self._looks_at, self._check_heard)
        elif self._stream.start is None:
            self._refuse("no_start")
        else:
            self._door.forget_marks()
            self.call.lose(round(silent * 1000))

    def _refuse(self, reason: str) -> None:
        """Leave a socket that is no stream of ours."""
        CALLS_REFUSED.labels(reason=reason).inc()
        log.info("a media stream is refused: %s", reason)
        self.call.end(EndReason.ABUSE, 1008)

    async def fail(self) -> None:
        """Close, where nobody did."""
        if self._call is None or not self._outbox.is_closed:
            await super().fail()

    def leave(self) -> None:
        """Count the call out."""
        if self._watch is not None:
            self._watch.cancel()
        if self._call is not None:
            self._call.leave()

    # --- messages -----------------------------------------------------------------------------------------------------

    def take_frame(self, binary: bytes | None, text: str | None) -> None:
        """Take one message of the stream."""
        del binary
        if self._outbox.is_closed:
            return
        try:
            event = self._parse(text)
            if event is not None:
                self._take(event)
        except Exception:
            log.exception("a message could not be dealt with")
            self.call.end(EndReason.INTERNAL_ERROR)

    def _parse(self, text: str | None) -> Incoming | None:
        """Give the message, or None for one that cannot be used: with a person on the line it is left out."""
        try:
            if text is None:
                message = "a binary message; expected a text"
                raise WireError(message)  # noqa: TRY301 (left out like any other)
            return self._stream.read(text)
        except WireError as error:
            if not self._bad_messages:
                log.warning("a message of the media stream cannot be used: %s", error)
            self._bad_messages += 1
            if self._stream.start is None and self._bad_messages >= _BAD_MESSAGES:
                self._refuse("protocol")
            return None

    def _take(self, event: Incoming) -> None:
        if self._stream.start is not None:
            self._heard_at = asyncio.get_running_loop().time()
        if isinstance(event, Media):
            self.call.hear(event.media.payload)
        elif isinstance(event, Mark):
            self.call.take_mark(event.mark.name)
        elif isinstance(event, Dtmf):
            self.call.press(event.dtmf.digit)
        elif isinstance(event, Start):
            self.call.begin(event.start.custom_parameters.get(TOKEN_PARAMETER, ""))
        elif isinstance(event, Stop):
            self._door.forget_marks()
            self.call.end(EndReason.CALLER_DISCONNECTED)
