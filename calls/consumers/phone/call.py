"""The call on one media stream: admitted by its token, loaded, live, over."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db import DatabaseError

from calls.consumers.phone.carrier_recording import CarrierRecording
from calls.consumers.phone.door import PhoneDoor
from calls.consumers.phone.keys import KeyPad
from calls.consumers.phone.line import PhoneLine, Switchboard
from calls.consumers.phone.lines import phone_lines
from calls.consumers.phone.plan import Grant, Plan, options_of
from calls.consumers.supervision import Runner, RunnerParts, supervise
from calls.consumers.watching import gallery
from calls.engine.asides import KeysPressed, LineGiven
from calls.engine.phonecall import AnswererDetected
from calls.enums import SAID_GOODBYE, Door, EndReason, EventKind, RecordingOrder
from calls.errors import AgentError, CallError
from calls.live import live_calls
from calls.recorder import CallSink
from calls.runner.ports import CallTotals
from vantum.metrics import CALLS_REFUSED

log = logging.getLogger(__name__)

_LOAD_SECONDS, _HAND_OVER_SECONDS = 5.0, 2.0
_SENTENCE_SECONDS = 8.0
"""How long what the agent is saying may take to its end before the call moves all the same."""
_LAST_WORDS_SECONDS = 1.0
"""How long the marks of the last words may be on their way."""
_EARLY_FRAMES, _EARLY_KEYS = 150, 50

_CLOSE_CODES = {EndReason.SHUTDOWN: 1001, EndReason.INTERNAL_ERROR: 1011}
_ABRUPT = {EndReason.CALLER_DISCONNECTED, EndReason.SHUTDOWN, EndReason.INTERNAL_ERROR}
"""Ends without last words: nothing that was sent is waited for."""


Headers = Iterable[tuple[bytes, bytes]]


class Parts(RunnerParts, frozen=True, kw_only=True):
    """What a call is made of. The first three may raise ``DatabaseError``; ``load`` also ``AgentError``.

    ``redeem`` uses a stream token up for this session, and gives None for one that is unknown, used or too old.
    ``end_leg`` ends the carrier's side of an attempt whose stream does not; also other ``CallError``. ``is_signed``
    judges a handshake's headers. ``order_recording`` is about the carrier's own recording.
    ``follow`` tells the carrier's verdict on who answered, whenever it comes.
    """

    redeem: Callable[[str, UUID], Awaitable[Grant | None]]
    load: Callable[[Grant], Awaitable[Plan]]
    end_leg: Callable[[UUID], Awaitable[None]]
    order_recording: Callable[[UUID, RecordingOrder], Awaitable[None]]
    is_signed: Callable[[Headers], bool]
    follow: Callable[[UUID, Callable[[str], None]], Coroutine[Any, Any, None]]
    switchboard: Switchboard | None = None


class _CannotHoldError(Exception):
    """The stream gets no conversation. ``code`` closes its socket; the reason is for the metrics."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class AnsweredCall:
    """At most one conversation. ``on_closed`` is called when it is over and the socket closed."""

    def __init__(
        self,
        session_id: UUID,
        *,
        door: PhoneDoor,
        tasks: asyncio.TaskGroup,
        on_closed: Callable[[], None],
        parts: Parts,
    ) -> None:
        self._session_id = session_id
        self._door = door
        self._tasks = tasks
        self._on_closed = on_closed
        self._parts = parts
        self._attempt_id: UUID | None = None
        self._runner: Runner | None = None
        self._sink: CallSink | None = None
        self._began = 0.0
        self._holding: asyncio.Task[None] | None = None
        self._is_live = False
        self._over = asyncio.Event()
        self._early_audio: deque[bytes] = deque(maxlen=_EARLY_FRAMES)
        self._early_keys: deque[str] = deque(maxlen=_EARLY_KEYS)
        self._keys = KeyPad(self._give_keys)
        self._plan: Plan | None = None
        self._line: PhoneLine | None = None

    # --- what the stream brings ---------------------------------------------------------------------------------------

    def begin(self, token: str) -> None:
        """See what the token allows, and hold that call."""
        self._holding = self._tasks.create_task(self._hold(token))

    def hear(self, audio: bytes) -> None:
        """Take caller audio; what comes before the conversation has begun waits for it."""
        if self._is_live and self._runner is not None:
            if (at_most := self._door.doubt()) is not None:
                self._runner.receive(at_most)
            self._runner.hear(audio)
        else:
            self._early_audio.append(audio)

    def press(self, digit: str) -> None:
        """Take a key: the agent is told of it with those that follow soon, a colleague's counts by itself."""
        if not self._is_live:
            self._early_keys.append(digit)
            return
        self._note("dtmf", {"digit": digit})
        if self._plan is not None and self._plan.is_briefing:
            self._tasks.create_task(self._answer_briefing(digit))
        else:
            self._keys.press(digit)

    def _give_keys(self, keys: str) -> None:
        if self._is_live and self._runner is not None:
            self._runner.receive(KeysPressed(keys))

    async def _answer_briefing(self, digit: str) -> None:
        last = await self._line.answer_briefing(digit) if self._line is not None else None
        if last is not None and self._runner is not None:
            self._runner.receive(last)

    def take_mark(self, name: str) -> None:
        """Tell the engine what was heard."""
        if (played := self._door.take_mark(name)) is not None and self._runner is not None:
            self._runner.receive(played)

    def lose(self, silent_ms: int) -> None:
        """The line is dead although nobody hung up: end the call, and the carrier's leg, which does not know."""
        self._note("stream_lost", {"silent_ms": silent_ms})
        log.warning("no frame came for %s ms, the stream is given up", silent_ms)
        if self._attempt_id is not None:
            self._tasks.create_task(self._end_leg(self._attempt_id))
        self.end(EndReason.CALLER_DISCONNECTED)

    def end(self, reason: EndReason, close_code: int | None = None) -> None:
        """End the call and close the socket, with ``close_code`` where the reason's own does not say it."""
        if self._runner is not None:
            self._runner.shut_down(reason)
        elif not self._over.is_set():
            self._over.set()
            if self._holding is not None:
                self._holding.cancel()
            self._tasks.create_task(self._close(close_code or _CLOSE_CODES.get(reason, 1000)))

    def shut_down(self, reason: EndReason) -> None:
        """End the call now (``LiveCall``)."""
        self.end(reason)

    def move(self) -> None:
        """End the stream, so that the carrier asks for a new one, which another process takes."""
        if not self._over.is_set():
            self._tasks.create_task(self._move())

    async def _move(self) -> None:
        await self._door.wait_until_silent(_SENTENCE_SECONDS)
        self._note("stream_moved", {})
        self.end(EndReason.SHUTDOWN)

    async def hand_over(self) -> None:
        """Another stream has this call: end here, and return when what was said is recorded."""
        self._note("stream_taken_over", {})
        self.end(EndReason.CALLER_DISCONNECTED)
        with suppress(TimeoutError):
            async with asyncio.timeout(_HAND_OVER_SECONDS):
                await self._over.wait()

    # --- its life -----------------------------------------------------------------------------------------------------

    async def _hold(self, token: str) -> None:
        """Prepare the call and hold it to its end."""
        try:
            plan = await self._admit(token)
            runner = self._make_runner(plan)
        except _CannotHoldError as error:
            CALLS_REFUSED.labels(reason=error.reason).inc()
            log.info("a media stream is refused: %s", error.reason)
            self._over.set()
            await self._close(error.code)
            return
        log.info("call begins, agent %s, attempt %s", plan.agent_id, self._attempt_id)
        self._runner = runner
        following = self._tasks.create_task(
            self._parts.follow(self._attempt_id or self._session_id, lambda by: runner.receive(AnswererDetected(by)))
        )
        # Its first step comes after the runner's, in which the conversation begins.
        self._tasks.create_task(self._go_live())
        try:
            reason = await supervise(runner, Door.PHONE)
        finally:
            following.cancel()
            self._is_live = False
            self._keys.stop()
            self._over.set()
        if reason not in _ABRUPT:
            await self._door.wait_until_heard(_LAST_WORDS_SECONDS)
        if reason in SAID_GOODBYE and self._attempt_id is not None:
            # The carrier would ask what comes next; being told is faster, and needs no database of ours to know it.
            self._tasks.create_task(self._end_leg(self._attempt_id))
        await self._close(_CLOSE_CODES.get(reason, 1000))

    async def _admit(self, token: str) -> Plan:
        """Use the token up and take the call over from an earlier stream."""
        try:
            async with asyncio.timeout(_LOAD_SECONDS):
                grant = await self._parts.redeem(token, self._session_id) if token else None
                if grant is None:
                    raise _CannotHoldError(1008, "token")
                if live_calls.is_draining:
                    raise _CannotHoldError(1001, "draining")
                self._attempt_id = grant.attempt_id
                gallery.add(grant.attempt_id, self._door.watch)
                live_calls.add(self, move=self.move)
                if (earlier := phone_lines.take(grant.attempt_id, self)) is not None:
                    log.info("a second stream takes the call over")
                    await earlier.hand_over()
                return await self._parts.load(grant)
        except AgentError as error:
            log.warning("an answered call has no agent: %s", error)
            raise _CannotHoldError(1011, "agent") from error
        except (DatabaseError, TimeoutError) as error:
            log.warning("an answered call could not be loaded: %s", type(error).__name__)
            raise _CannotHoldError(1011, "database") from error

    def _make_runner(self, plan: Plan) -> Runner:
        self._plan, self._line = plan, self._make_line()
        language = plan.language or plan.spec.language
        variables = dict(plan.variables)
        try:
            providers = self._parts.resolve(plan.spec)
            sink = self._parts.open_sink(self._session_id, Door.PHONE, None)
        except AgentError as error:
            log.warning("an answered call has no providers: %s", error)
            raise _CannotHoldError(1011, "agent") from error
        except OSError as error:
            log.warning("the journal of a call cannot be written: %s", error)
            raise _CannotHoldError(1011, "journal") from error
        sink.attach(agent_id=plan.agent_id, version_id=plan.version_id, language=language, variables=variables)
        if plan.spec.telephone.carrier_recording and self._attempt_id is not None:
            recording = CarrierRecording(self._attempt_id, order=self._parts.order_recording, tasks=self._tasks)
            sink.on_event = recording.heed
        if plan.has_objected:
            sink.stop_recording(0)
        elif plan.resumes_recording:
            sink.record_event(EventKind.RECORDING_RESUMED, 0, {})
        self._sink = sink
        self._began = asyncio.get_running_loop().time()
        try:
            return self._parts.fit_runner(
                spec=plan.spec,
                options=options_of(plan),
                door=self._door,
                sink=sink,
                providers=providers,
                line=self._line,
            )
        except AgentError as error:
            sink.finish(EndReason.INTERNAL_ERROR, CallTotals())
            log.warning("an answered call cannot be held: %s", error)
            raise _CannotHoldError(1011, "agent") from error
        except BaseException:
            sink.finish(EndReason.INTERNAL_ERROR, CallTotals())
            raise

    def _make_line(self) -> PhoneLine | None:
        if self._parts.switchboard is None or self._attempt_id is None:
            return None
        return PhoneLine(self._attempt_id, self._parts.switchboard)

    async def _go_live(self) -> None:
        """Hand over what came while the call was prepared."""
        if self._over.is_set():
            return
        self._is_live = True
        if self._plan is not None and self._plan.last_line and self._runner is not None:
            self._runner.receive(LineGiven(self._plan.last_line, EndReason.OPERATOR))
        while self._early_audio:
            self.hear(self._early_audio.popleft())
        while self._early_keys:
            self.press(self._early_keys.popleft())

    def _note(self, kind: str, detail: Mapping[str, str | int]) -> None:
        if self._sink is not None:
            at_ms = round((asyncio.get_running_loop().time() - self._began) * 1000)
            self._sink.record_event(kind, at_ms, detail)

    async def _end_leg(self, attempt_id: UUID) -> None:
        try:
            async with asyncio.timeout(_LOAD_SECONDS):
                await self._parts.end_leg(attempt_id)
        except (CallError, DatabaseError, TimeoutError) as error:
            log.warning("the carrier's leg could not be ended: %s", type(error).__name__)

    async def _close(self, code: int) -> None:
        await self._door.close(code)
        self._on_closed()

    def leave(self) -> None:
        """Count the call out."""
        live_calls.discard(self)
        if self._attempt_id is not None:
            phone_lines.release(self._attempt_id, self)
            gallery.discard(self._attempt_id, self._door.watch)
