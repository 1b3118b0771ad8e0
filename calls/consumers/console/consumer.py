"""One ``/ws`` connection: each frame of the client becomes what it means for the call, or an error."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from django.conf import settings
from uuid_utils.compat import uuid7

from calls.consumers.admission import Refusal, admit, refuse
from calls.consumers.console.call import Asked, ConsoleCall, Parts, Phase
from calls.consumers.console.door import ConsoleDoor
from calls.consumers.lean import RESTARTED, LeanConsumer, Receive, Send
from calls.consumers.outbox import Outbox
from calls.engine.events import CallResumed, Event, InputEnded, InterruptRequested, PlayedOut, TextTyped
from calls.enums import EndReason, ErrorCode
from calls.live import live_calls
from calls.wire import console as wire
from calls.wire.console import FrameError, Request, ServerEvents
from vantum.logs import call_log

log = logging.getLogger(__name__)

_BAD_FRAMES = 20
_BAD_SECONDS = 10.0


class ConsoleConsumer(LeanConsumer):
    """The protocol's side of a connection; the call's own is ``ConsoleCall``."""

    def __init__(self, parts: Parts | None = None) -> None:
        self._parts = parts or Parts()
        self._call: ConsoleCall | None = None
        self._is_muted = False
        self._is_buffer_full = False
        self._is_stale_refused = False
        self._bad_frames: deque[float] = deque(maxlen=_BAD_FRAMES)
        self._idle: asyncio.TimerHandle | None = None
        self._take: dict[type, Callable[[Request, Any], None]] = {
            wire.Start: self._take_start,
            wire.Chunk: self._take_chunk,
            wire.End: lambda request, _: self._acknowledge(request, InputEnded()),
            wire.Interrupt: lambda request, _: self._acknowledge(request, InterruptRequested()),
            wire.EndCall: self._take_end_call,
            wire.Mute: lambda request, _: self._mute(request, is_muted=True),
            wire.Unmute: lambda request, _: self._mute(request, is_muted=False),
            wire.Text: self._take_text,
            wire.Played: self._take_played,
            wire.Heartbeat: lambda request, event: self._outbox.put(self._events.heartbeat(request, event)),
            wire.Disconnect: lambda *_: self.call.end(EndReason.CALLER_ENDED),
        }

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve the connection; everything logged about it has its id."""
        self.session_id = uuid7()
        with call_log(self.session_id):
            await super().__call__(scope, receive, send)

    @property
    def call(self) -> ConsoleCall:
        """The call of an accepted connection."""
        if self._call is None:
            message = "the connection was not accepted"
            raise RuntimeError(message)
        return self._call

    # --- the connection -----------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Accept and greet before anything else, or refuse."""
        visitor = await admit(self.scope)
        if isinstance(visitor, Refusal):
            await refuse(self.scope, self.base_send, visitor)
            self.over.set()
            return
        live_calls.add(self)
        self._events = ServerEvents(str(self.session_id), lambda: str(uuid7()))
        self._outbox = Outbox(self.base_send, self._abandon)
        self._door = ConsoleDoor(self._events, self._outbox)
        self._call = ConsoleCall(
            self.session_id,
            visitor.user_id,
            door=self._door,
            tasks=self.tasks,
            on_closed=self.over.set,
            parts=self._parts,
        )
        await self.base_send({"type": "websocket.accept"})
        for ack in self._events.connection_acks():
            self._outbox.put(ack)
        self.help_with(self._write())
        self._heard_at = asyncio.get_running_loop().time()
        self._check_idle()

    async def _write(self) -> None:
        try:
            await self._outbox.write()
        except OSError:
            self._abandon()

    def disconnected(self, code: int) -> None:
        """End the call: the client went, or this server goes."""
        if self._call is not None:
            is_stopping = code == RESTARTED or live_calls.is_draining
            self._outbox.abandon()
            self._call.end(EndReason.SHUTDOWN if is_stopping else EndReason.CALLER_DISCONNECTED)

    def _abandon(self) -> None:
        """The client is gone, or does not read: nobody is left to tell."""
        self.disconnected(1006)
        self.over.set()

    def shut_down(self, reason: EndReason) -> None:
        """End the call now (``LiveCall``)."""
        self.call.end(reason)

    def _check_idle(self) -> None:
        loop = asyncio.get_running_loop()
        left = self._heard_at + settings.WS_IDLE_SECONDS - loop.time()
        if left <= 0:
            self.call.end(EndReason.SILENCE, 1001)
        else:
            self._idle = loop.call_later(left, self._check_idle)

    async def fail(self) -> None:
        """Say that it was us, and close."""
        if self._call is not None and self._outbox.is_closed:
            return
        if self._call is not None:
            error = self._events.error(ErrorCode.INTERNAL, "the server made a mistake", retryable=True)
            await self.base_send({"type": "websocket.send", "bytes": error})
        await super().fail()

    def leave(self) -> None:
        """Count the call out."""
        live_calls.discard(self)
        if self._idle is not None:
            self._idle.cancel()

    # --- frames -------------------------------------------------------------------------------------------------------

    def take_frame(self, binary: bytes | None, text: str | None) -> None:
        """Take one frame of the client."""
        del text
        if self.call.phase is Phase.OVER:
            return
        self._heard_at = asyncio.get_running_loop().time()
        try:
            if binary is None:
                message = "a text frame; expected a binary one with a MessagePack map"
                raise FrameError(message)  # noqa: TRY301 (answered like any other frame that cannot be used)
            if len(binary) > wire.MAX_FRAME_BYTES:
                self.call.end(EndReason.ABUSE, 1009)
                return
            frame = wire.parse(binary)
            self._note_family(frame.request)
            self._take[type(frame.event)](frame.request, frame.event)
        except FrameError as error:
            self._refuse_frame(error)
        except Exception:
            log.exception("a frame could not be dealt with")
            self.call.end(EndReason.INTERNAL_ERROR)

    def _note_family(self, request: Request) -> None:
        if self._events.family is None:
            self._events.family = wire.family_of(request.event_type)

    def _refuse_frame(self, error: FrameError) -> None:
        """Answer it; who sends nothing else is not listened to any more."""
        self._note_family(error.request)
        self._outbox.put(self._events.frame_error(error))
        self._bad_frames.append(self._heard_at)
        if len(self._bad_frames) == _BAD_FRAMES and self._heard_at - self._bad_frames[0] <= _BAD_SECONDS:
            self.call.end(EndReason.ABUSE)

    def _asked(self, request: Request) -> Asked:
        """Give what answers a request whose success shows later; at most one acknowledgement."""
        acks = [self._events.ack(request)]
        return Asked(
            accept=lambda: self._outbox.put(acks.pop()) if acks else None,
            refuse=lambda code, message, retryable: self._outbox.put(
                self._events.error(code, message, retryable=retryable, request=request)
            ),
        )

    def _acknowledge(self, request: Request, event: Event) -> None:
        """Acknowledge first: what the event leads to is shown after."""
        if not self.call.may_be_told:
            message = "too many events while the call starts"
            raise FrameError(message, request)
        self._outbox.put(self._events.ack(request))
        self.call.tell(event)

    def _see_open(self, request: Request) -> None:
        if self.call.is_ending:
            message = "this call is ending; connect again for another one"
            raise FrameError(message, request, ErrorCode.SESSION)

    def _take_start(self, request: Request, start: wire.Start) -> None:
        self._see_open(request)
        if self.call.phase is not Phase.IDLE:
            self._acknowledge(request, CallResumed())
            self.call.change_rate(start)
        elif live_calls.is_draining:
            self.call.end(EndReason.SHUTDOWN)
        else:
            self.call.start(start, self._asked(request))

    def _take_chunk(self, request: Request, chunk: wire.Chunk) -> None:
        """Hear it. The React client goes on after a reconnect: chunks with its old id, and no start."""
        if self.call.phase is Phase.IDLE and request.session_id not in {"", str(self.session_id)}:
            if self._is_stale_refused:
                return
            self.call.start(wire.Start(), Asked(lambda: None, self._refuse_stale), opening=False)
        audio = bytes(len(chunk.audio)) if chunk.is_muted or self._is_muted else chunk.audio
        fits = self.call.hear(audio)
        if not fits and not self._is_buffer_full:
            message = "more than 3 s of audio before the call began; the oldest is dropped"
            self._outbox.put(self._events.error(ErrorCode.AUDIO, message, retryable=True, request=request))
        self._is_buffer_full = not fits

    def _refuse_stale(self, code: ErrorCode, message: str, retryable: bool) -> None:  # noqa: FBT001 (as Asked has it)
        """Say once that there is no call; each chunk would be answered with an error else."""
        self._is_stale_refused = True
        self._door.show_error(code, message, retryable=retryable)

    def _take_text(self, request: Request, event: wire.Text) -> None:
        self._see_open(request)
        if self.call.phase is Phase.IDLE:
            self.call.start(wire.Start(), self._asked(request), text=event.text)
        else:
            self._acknowledge(request, TextTyped(event.text))

    def _take_end_call(self, request: Request, _: wire.EndCall) -> None:
        self._outbox.put(self._events.ack(request))
        self.call.hang_up()

    def _mute(self, request: Request, *, is_muted: bool) -> None:
        self._is_muted = is_muted
        self._outbox.put(self._events.ack(request))

    def _take_played(self, _: Request, event: wire.Played) -> None:
        reply = self._door.reply_of(event.utterance_id)
        if reply is not None:
            self.call.tell(PlayedOut(reply, event.played_ms))
