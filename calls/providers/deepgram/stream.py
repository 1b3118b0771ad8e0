"""The recogniser's ear for one call: a socket that is kept, replaced when it breaks, and fed without a gap."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from time import monotonic as _now

from calls.errors import ProviderError
from calls.providers.base import RecognitionEvent
from calls.providers.deepgram.audiolog import AudioLog
from calls.providers.deepgram.connection import Connection, Opening
from calls.providers.deepgram.dialects import Dialect
from calls.providers.deepgram.messages import Failure, Message, Results, TurnInfo
from calls.providers.resilience import Guard
from calls.wire.audio import AudioFormat, silence

log = logging.getLogger(__name__)

_GIVE_UP_SECONDS = 10.0
"""A recogniser that has told us nothing for so long after a loss is lost for good."""
_RETRY_SECONDS = (0.0, 0.2, 0.5, 1.0)
_PIECE_SECONDS = 0.25
_QUIET_PIECE_SECONDS = 0.08
"""While nobody speaks and no words are open, audio goes in pieces of the length that Deepgram recommends for Flux, not
frame by frame: each piece costs a system call. A voice sends what waits at once."""
_QUIET_SECONDS = 1.5
"""After a voice, until it counts as quiet: what was said so may not have become words yet."""
_TICK_SECONDS = 0.5
_SEND_SECONDS = 2.0
_GAP_SECONDS = 0.5
"""Without audio for so long the caller's side has stopped sending. Deepgram's clock is its audio, so silence goes:
else neither a final nor the end of the turn would ever come (a muted microphone, a client that gates by voice)."""
_PAD_SECONDS = 2.5
"""How long nova gets silence: enough for every end-of-speech event; KeepAlive after that."""
_PAD_STEP_MS = 100.0
_KEEP_ALIVE_SECONDS = 4.0
_CLOSE_SECONDS = 0.9
_QUEUED_EVENTS = 256


class DeepgramStream:
    """Implements ``RecognitionStream``.

    All audio passes through one log. A connection is fed from its cursor; what Deepgram has transcribed is released
    from it; a new connection gets everything that is still held, as fast as it takes it. So nothing said during a gap
    is lost, and interim words are replaced and not doubled. Past 20 s the oldest goes and is counted.
    """

    def __init__(
        self,
        opening: Opening,
        dialect: Dialect,
        audio: AudioFormat,
        guard: Guard,
        *,
        take: Callable[[], Awaitable[Connection | None]],
    ) -> None:
        """Make it; ``take`` gives a connection that waits for a call like this one, where there is any."""
        self._opening = opening
        self._take = take
        self._dialect = dialect
        self._format = audio
        self._guard = guard
        self._log = AudioLog(audio)
        self._origin = 0
        self._events: asyncio.Queue[RecognitionEvent | ProviderError | None] = asyncio.Queue(_QUEUED_EVENTS)
        self._wake = asyncio.Event()
        self._connection: Connection | None = None
        self._listener: Connection | None = None
        """The connection that takes audio as it comes; None while there is none, and before the replay on a new one."""
        self._task: asyncio.Task[None] | None = None
        self._heard_at = 0.0
        self._padded_ms = 0.0
        self._sent_at = 0.0
        self._unanswered_since: float | None = None
        self._lost_at: float | None = None
        self._tries = 0
        self._is_speech = True
        self._quiet_from = 0.0
        self._quiet_piece = self._log.size(_QUIET_PIECE_SECONDS)
        self._alarm: asyncio.TimerHandle | None = None
        self._is_final_due = False
        self._is_final_awaited = False
        self.detects_turns = dialect.detects_turns
        self.reconnects = 0

    @property
    def dropped_ms(self) -> float:
        """Audio that never reached Deepgram."""
        return self._log.dropped_ms

    # --- what the call does -----------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Take a waiting connection or open one; raises ``ProviderError``. Audio heard before is sent after."""
        if self._task is None:
            self._connection = await self._take() or await self._open()
            self._origin -= self._connection.silent_bytes
            self._heard_at = self._heard_at or _now()
            self._task = asyncio.create_task(self._run(self._connection))
            self._task.add_done_callback(self._finish)

    def hear(self, audio: bytes) -> None:
        """Take audio. Past the limit of the log the oldest is dropped and counted."""
        self._origin += self._log.append(audio)
        self._heard_at = _now()
        self._padded_ms = 0.0
        if self._listener is not None and not self._may_wait():
            self._write(self._listener)

    def _may_wait(self) -> bool:
        """Whether unsent audio may wait for more of it: nothing that is about to be said depends on it."""
        if self._is_speech or self._heard_at < self._quiet_from or self._dialect.has_open_words:
            return False
        return self._log.head - self._log.cursor < self._quiet_piece

    def voice_changed(self, *, is_speech: bool) -> None:
        """Expect an answer to speech, and save in silence; for all else Deepgram has its own detection."""
        self._is_speech = is_speech
        if not is_speech:
            self._quiet_from = _now() + _QUIET_SECONDS
        elif self._listener is not None:
            self._write(self._listener)

    def finalize(self) -> None:
        """Ask for the final words. Flux ends its turn; without a turn it ignores the message."""
        self._is_final_due = self._is_final_awaited = True
        self._wake.set()

    async def events(self) -> AsyncGenerator[RecognitionEvent, None]:
        """Give what is recognised until ``aclose``; raises ``ProviderError`` when Deepgram is lost for good."""
        while (item := await self._events.get()) is not None:
            if isinstance(item, ProviderError):
                raise item
            yield item

    async def aclose(self) -> None:
        """Close within one second."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=_CLOSE_SECONDS)
        await self._close()  # a task that was cancelled before its first step has closed nothing
        if self._alarm is not None:
            self._alarm.cancel()
        self._end(None)

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _finish(self, task: asyncio.Task[None]) -> None:
        """See to it that the call hears of an end that nobody foresaw."""
        if not task.cancelled() and (bug := task.exception()) is not None:
            log.error("a recogniser's stream ended by a bug", exc_info=bug)
            self._end(self._guard.unavailable("internal error"))

    def _end(self, last: ProviderError | None) -> None:
        while self._events.full():
            self._events.get_nowait()
        self._events.put_nowait(last)

    # --- one connection after the other -----------------------------------------------------------------------------

    async def _open(self) -> Connection:
        return await Connection.open(self._opening, self._guard)

    async def _run(self, connection: Connection) -> None:
        try:
            while True:
                try:
                    await self._converse(connection)
                except ProviderError as error:
                    log.info("recogniser's connection lost: %s", error)
                    if not error.retryable:
                        raise
                finally:
                    await self._close()
                connection = self._connection = await self._reopen()
                self._begin_again()
        except ProviderError as error:
            self._end(error)

    async def _reopen(self) -> Connection:
        """Open a new connection, patiently; raises ``ProviderError`` when that goes on for too long."""
        self._lost_at = self._lost_at or _now()
        while True:
            await asyncio.sleep(_RETRY_SECONDS[min(self._tries, len(_RETRY_SECONDS) - 1)])
            self._tries += 1
            is_late = _now() - self._lost_at > _GIVE_UP_SECONDS
            if is_late:
                message = f"nothing recognised for {_GIVE_UP_SECONDS:.0f} s of reconnecting"
                raise self._guard.unavailable(message)
            try:
                return await self._open()
            except ProviderError as error:
                if not error.retryable:
                    raise

    def _begin_again(self) -> None:
        """Replay what is held on the new connection, and repeat a request for final words that was not answered."""
        held = self._log.seconds(self._log.head - self._log.base)
        self._dialect.reconnect(self._log.seconds(self._log.base - self._origin), held)
        self._log.rewind()
        self._origin = self._log.base
        self._is_final_due = self._is_final_awaited
        self._unanswered_since = None
        self.reconnects += 1

    async def _converse(self, connection: Connection) -> None:
        """Send and read until the connection breaks; always raises."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(connection))
                tasks.create_task(self._send(connection))
        except BaseExceptionGroup as group:
            failures, bugs = group.split(ProviderError)
            if bugs is not None or failures is None:
                raise
            raise _first(failures) from None
        finally:
            self._listener = None

    # --- reading ----------------------------------------------------------------------------------------------------

    async def _read(self, connection: Connection) -> None:
        while True:
            message = await connection.receive(_TICK_SECONDS)
            if message is None:
                self._check_for_stall(connection)
                continue
            self._unanswered_since = None
            for event in self._understand(message):
                await self._events.put(event)

    def _check_for_stall(self, connection: Connection) -> None:
        """Notice a connection that is dead without knowing it: it takes nothing, or it takes all and never answers."""
        if connection.sending_since is not None and _now() - connection.sending_since > _SEND_SECONDS:
            message = "the connection takes no more audio"
            raise self._guard.timed_out(message)
        since = self._unanswered_since
        if since is not None and _now() - since > self._dialect.stall_seconds:
            message = f"took audio for {self._dialect.stall_seconds:.0f} s without a word"
            raise self._guard.timed_out(message)

    def _understand(self, message: Message) -> list[RecognitionEvent]:
        """Translate a message."""
        if isinstance(message, Failure):
            text = f"reports error {message.code or message.variant or ''}"
            raise self._guard.unavailable(text)
        events, until = self._dialect.read(message)
        if isinstance(message, Results | TurnInfo):
            self._lost_at, self._tries = None, 0
        if until is not None:
            self._log.release(self._origin + self._log.size(max(0.0, until)))
        if any(getattr(event, "is_settled", False) for event in events) or getattr(message, "event", "") == "EndOfTurn":
            self._is_final_awaited = False
        return events

    # --- sending ----------------------------------------------------------------------------------------------------

    def _write(self, connection: Connection) -> None:
        """Send what waits, as long as the connection takes it; the rest is the sender's."""
        while connection.takes_more and (audio := self._log.take(_PIECE_SECONDS)):
            connection.write(audio)
            self._sent_at = _now()
            if self._unanswered_since is None and (self._is_speech or self._dialect.answers_silence):
                self._unanswered_since = self._sent_at
        if self._log.head > self._log.cursor:
            self._wake.set()

    async def _send(self, connection: Connection) -> None:
        """Send what was held; then whatever ``hear`` does not send itself."""
        self._listener = connection
        while True:
            self._wake.clear()
            await connection.drained()
            self._write(connection)
            if self._wake.is_set():
                continue
            if self._is_final_due:
                self._is_final_due = False
                await connection.send("force_end_turn" if self.detects_turns else "finalize")
                continue
            if self._pad():
                continue
            if _now() - self._sent_at >= _KEEP_ALIVE_SECONDS and not self._dialect.needs_clock:
                await connection.send("keep_alive")
                self._sent_at = _now()
            if self._alarm is None:
                self._alarm = asyncio.get_running_loop().call_later(self._idle_seconds(), self._ring)
            await self._wake.wait()

    def _ring(self) -> None:
        """Wake the sender. One alarm outlives many frames: a timer per frame would cost as much as sending it."""
        self._alarm = None
        self._wake.set()

    def _is_padding(self, quiet: float) -> bool:
        return quiet >= _GAP_SECONDS and (self._dialect.needs_clock or quiet < _PAD_SECONDS)

    def _pad(self) -> bool:
        """Put silence where the caller's side sends nothing, up to the wall clock; whether something is to be sent."""
        quiet = _now() - self._heard_at
        missing_ms = quiet * 1000 - self._padded_ms
        if not self._is_padding(quiet) or missing_ms < _PAD_STEP_MS:
            return False
        missing_ms = min(missing_ms // 20 * 20, 1000.0)
        self._padded_ms += missing_ms
        self._origin += self._log.append(silence(self._format, missing_ms))
        return True

    def _idle_seconds(self) -> float:
        quiet = _now() - self._heard_at
        if self._is_padding(quiet):
            return _PAD_STEP_MS / 1000
        if quiet < _GAP_SECONDS:
            return _GAP_SECONDS - quiet
        return max(0.05, _KEEP_ALIVE_SECONDS - (_now() - self._sent_at))


def _first(group: BaseExceptionGroup[ProviderError]) -> ProviderError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
