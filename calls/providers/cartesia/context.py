"""The voice of one reply: one Cartesia context, continued sentence by sentence."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

from msgspec import Struct

from calls.engine.events import Word
from calls.errors import ProviderError
from calls.providers.base import SpeechPiece
from calls.providers.cartesia.ledger import Ledger
from calls.providers.cartesia.socket import Event, Head, Socket
from calls.providers.pronunciation import Reading
from calls.providers.resilience import FIRST_SHARE, Guard
from calls.wire.audio import AudioFormat

_GAP_SECONDS = 4.0
"""The longest pause within a sentence's audio."""
_MOST_BYTES = 8 * 1024 * 1024
"""Audio that waits for the call, which plays it as slowly as it sounds; more is no reply any more."""

Opener = Callable[[], Awaitable[Socket]]


class _Loss(Struct, frozen=True):
    """Why nothing more comes for a context."""

    context_id: str
    error: ProviderError


class CartesiaContext:
    """Implements ``SpeechContext``.

    Until the first audio a lost or silent connection is replaced once and the text sent again; after it a failure is a
    failure.
    """

    def __init__(
        self,
        opener: Opener,
        request: dict[str, Any],
        audio: AudioFormat,
        guard: Guard,
        *,
        pronunciations: dict[str, str],
        budget_seconds: float,
    ) -> None:
        self._opener = opener
        self._request = request
        self._guard = guard
        self._pronunciations = pronunciations
        self._budget_seconds = budget_seconds
        self._ledger = Ledger(audio)
        self._sent: list[dict[str, Any]] = []
        self._socket: Socket | None = None
        self._context_id = ""
        self._sending = asyncio.Lock()
        self._delivered = 0
        self._is_generating = False
        self._queue: asyncio.Queue[Head | _Loss | None] = asyncio.Queue()  # bounded by its bytes, in receive
        self._queued_bytes = 0
        self._asked_at = 0.0
        self._may_restart = True
        self._is_finished = False
        self.is_over = False
        self.is_unanswered = False

    # --- text in ----------------------------------------------------------------------------------------------------

    async def say(self, sentence: int, text: str) -> None:
        """Queue one sentence; raises ``ProviderError``."""
        reading = Reading(text, self._pronunciations)
        self._ledger.add(sentence, reading)
        if not reading.is_speakable or self.is_over:
            return
        # Texts of a context are joined as they are, so the space between two sentences is ours to give.
        await self._send({"transcript": f"{reading.spoken} ", "continue": True})
        await self._send({"transcript": "", "continue": True, "flush": True})

    async def finish(self) -> None:
        """No further sentence follows."""
        self._is_finished = True
        if self.is_over:
            return
        if self._sent:
            await self._send({"transcript": "", "continue": False})
        else:
            self._queue.put_nowait(None)

    async def _send(self, message: dict[str, Any]) -> None:
        self._sent.append(message)
        self._asked_at = _now()
        async with self._sending:
            try:
                if self._socket is None:
                    await self._begin()
                else:
                    await self._deliver(self._socket)
            except ProviderError as error:
                if not await self._restart(error):
                    raise

    async def _deliver(self, socket: Socket) -> None:
        """Send what this connection has not been given yet."""
        while self._delivered < len(self._sent):
            message = self._sent[self._delivered]
            self._delivered += 1
            await socket.send({"context_id": self._context_id, **self._request, **message})

    async def _begin(self) -> None:
        """Send all text so far on an open connection, under a fresh context."""
        socket = await self._opener()
        if self.is_over:
            return
        self._context_id = uuid4().hex
        self._socket = socket
        self._delivered = 0
        self.is_unanswered = self._is_generating = True
        socket.listen(self._context_id, self)
        self._asked_at = _now()
        await self._deliver(socket)

    async def _restart(self, error: ProviderError) -> bool:
        """Begin again on another connection if nothing was heard yet, and only once. Called under the lock."""
        if not self._may_restart or not error.retryable or self._ledger.has_audio or self.is_over:
            return False
        self._may_restart = False
        self._let_go()
        self._ledger.restart()
        await self._begin()
        return True

    # --- what the socket hands over ---------------------------------------------------------------------------------

    def receive(self, event: Head) -> None:
        """Take one message of the context."""
        self.is_unanswered = False
        self._queued_bytes += _size(event)
        if self._queued_bytes > _MOST_BYTES:
            self._let_go()
            self.lose(self._guard.rejected("more audio than a reply can have"))
            return
        self._queue.put_nowait(event)

    def lose(self, error: ProviderError) -> None:
        """Take note that the connection ended."""
        self._queue.put_nowait(_Loss(self._context_id, error))

    # --- audio out --------------------------------------------------------------------------------------------------

    async def pieces(self) -> AsyncGenerator[SpeechPiece, None]:
        """Give audio, word times and ends of sentences; raises ``ProviderError``."""
        try:
            while not self.is_over:
                event = await self._next()
                if self.is_over or event is None:
                    break
                if event.context_id is not None and event.context_id != self._context_id:
                    continue  # left over from before a restart
                if isinstance(event, _Loss):
                    await self._recover(event.error)
                    continue
                for piece in self._read(event):
                    yield piece
                if event.type == "done":
                    self._is_generating = False
                    break
            if not self.is_over:
                for piece in self._ledger.finished():
                    yield piece
        finally:
            self.is_over = True
            self._let_go()

    async def _recover(self, error: ProviderError) -> None:
        async with self._sending:
            if not await self._restart(error):
                raise error

    def _read(self, event: Head) -> list[SpeechPiece]:
        self._queued_bytes -= _size(event)
        message, cause = "a message was not understood", None
        try:
            if isinstance(event, Event):
                return self._place(event)
        except ValueError as error:  # times that do not belong together
            cause = error
        raise self._guard.unavailable(message) from cause

    def _place(self, event: Event) -> list[SpeechPiece]:
        if event.type == "chunk":
            return self._ledger.hear(event.flush_id, event.data) if event.data else []
        if event.type == "timestamps" and (times := event.word_timestamps) is not None:
            spans = zip(times.words, times.start, times.end, strict=True)
            words = [Word(text, start * 1000, end * 1000) for text, start, end in spans]
            return self._ledger.time(event.flush_id, words)
        if event.type == "error":
            self._is_generating = False
            raise self._guard.failed(self._translated(event))
        return self._ledger.flushed(event.flush_id) if event.type == "flush_done" else []

    async def _next(self) -> Head | _Loss | None:
        """Give the next message, or the loss when a wait took too long. Waits for ever only while nothing is owed."""
        if not self._queue.empty():
            return self._queue.get_nowait()
        since = _now()
        while True:
            limit = wait = self._limit_seconds()
            if self._ledger.is_waiting:
                waited = _now() - max(since, self._asked_at)
                if waited >= limit:
                    return _Loss(self._context_id, self._late(waited))
                wait = max(0.01, limit - waited)
            try:
                async with asyncio.timeout(wait):
                    return await self._queue.get()
            except TimeoutError:
                continue

    def _limit_seconds(self) -> float:
        if self._ledger.has_audio:
            return _GAP_SECONDS
        # A connection may be dead without knowing it: leave time to ask again on another.
        return self._budget_seconds * (FIRST_SHARE if self._may_restart else 1 - FIRST_SHARE)

    def _late(self, waited: float) -> ProviderError:
        error = self._guard.failed(self._guard.timed_out(f"no audio for {waited:.1f} s"))
        if self._socket is not None and self._socket.heard_at < self._asked_at:
            self._socket.abandon()  # it has told nobody anything since: half-open
        return error

    def _translated(self, event: Event) -> ProviderError:
        """Sort an error message. Its text may repeat ours, so only status and code are passed on."""
        code = event.error_code or ""
        if event.status_code is None or code == "concurrency_limited":
            return self._guard.unavailable(f"reports {code or 'an error'}")
        return self._guard.for_status(event.status_code, code)

    async def cancel(self) -> None:
        """Stop generating; ``pieces`` ends at once, whatever is queued. Idempotent."""
        self.is_over = True
        self._queue.put_nowait(None)
        self._let_go()
        is_generating, self._is_generating = self._is_generating, False
        if is_generating and self._socket is not None and self._socket.is_open:
            with suppress(ProviderError):
                await self._socket.send({"context_id": self._context_id, "cancel": True})

    def _let_go(self) -> None:
        if self._socket is not None:
            self._socket.ignore(self._context_id)


def _size(event: Head) -> int:
    return len(event.data or b"") if isinstance(event, Event) else 0


def _now() -> float:
    return asyncio.get_running_loop().time()
