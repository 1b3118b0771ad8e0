"""The WebSocket to Cartesia that all calls of a process share.

The SDK's own contexts are not used: their consumers wait for ever when the connection drops, after a cancel, and for an
error that names no context. Here one reader hands every message to its context, and the end of the connection to all of
them.
"""

import asyncio
import logging
from contextlib import suppress
from contextvars import Context
from typing import Any, Protocol

import msgspec
from cartesia import AsyncCartesia, CartesiaError
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.protocol import State

from calls.errors import ProviderError
from calls.providers.resilience import Guard

log = logging.getLogger(__name__)

_SEND_SECONDS = 2.0
_CLOSE_SECONDS = 0.4


class Head(msgspec.Struct, frozen=True):
    """What a message is and for whom. A message of which no more than this can be read is handed over as this."""

    type: str = ""
    context_id: str | None = None


class WordTimes(msgspec.Struct, frozen=True):
    """Words with their starts and ends in seconds."""

    words: list[str]
    start: list[float]
    end: list[float]


class Event(Head, frozen=True):
    """One message, as far as it is used here. ``data`` is the audio itself."""

    data: bytes | None = None
    flush_id: int | None = None
    word_timestamps: WordTimes | None = None
    status_code: int | None = None
    error_code: str | None = None


_READ = frozenset({"chunk", "timestamps", "flush_done", "done", "error"})
_events = msgspec.json.Decoder(Event)
_heads = msgspec.json.Decoder(Head)
_encoder = msgspec.json.Encoder()


class Listener(Protocol):
    """A context, as the socket sees it."""

    def receive(self, event: Head) -> None:
        """Take one message; what is no ``Event`` was not understood."""

    def lose(self, error: ProviderError) -> None:
        """Take note that nothing more will come."""

    @property
    def is_unanswered(self) -> bool:
        """Whether it still waits for its first message."""


class Socket:
    """One connection and who listens on it."""

    def __init__(self, connection: Any, guard: Guard) -> None:
        self._connection = connection
        self._guard = guard
        self._listeners: dict[str, Listener] = {}
        self._is_abandoned = False
        self.heard_at = asyncio.get_running_loop().time()
        # It serves all calls, so it runs for none: the one that opened it must not be named on its log lines.
        self._reader = asyncio.create_task(self._read(), context=Context())

    @classmethod
    async def open(cls, client: AsyncCartesia, guard: Guard) -> "Socket":
        """Connect; raises ``ProviderError``."""
        options: Any = {"compression": None, "max_queue": 64}
        try:
            connection = await client.tts.websocket_connect(websocket_connection_options=options).enter()
        except InvalidStatus as error:
            raise guard.for_status(error.response.status_code) from error
        except TimeoutError as error:
            message = "no answer to the handshake"
            raise guard.timed_out(message) from error
        except (OSError, WebSocketException, CartesiaError) as error:
            message = f"connection failed: {type(error).__name__}"
            raise guard.unavailable(message) from error
        return cls(connection, guard)

    @property
    def is_open(self) -> bool:
        """Whether it can be used. An idle connection is closed by Cartesia after five minutes."""
        state: State = self._connection._connection.state  # noqa: SLF001 (the SDK does not show it)
        return state is State.OPEN and not self._is_abandoned and not self._reader.done()

    def listen(self, context_id: str, listener: Listener) -> None:
        """Hand the context's messages to ``listener`` from now on."""
        self._listeners[context_id] = listener

    def ignore(self, context_id: str) -> None:
        """Drop whatever still comes for the context."""
        self._listeners.pop(context_id, None)

    async def send(self, event: dict[str, Any]) -> None:
        """Send one message; raises ``ProviderError``.

        On the SDK's socket itself: the SDK's ``send`` first walks every message through its type definitions, and opens
        another connection unasked where this one has ended.
        """
        frame = _encoder.encode(event)
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._connection._connection.send(frame, text=True)  # noqa: SLF001 (as above)
        except TimeoutError:
            message = "the connection takes no more text"
            raise self._guard.timed_out(message) from None
        except (ConnectionClosed, OSError) as error:
            message = "the connection is gone"
            raise self._guard.unavailable(message) from error

    async def close(self) -> None:
        """Close within 0.8 s."""
        self._reader.cancel()
        closing = asyncio.create_task(self._leave())
        await asyncio.wait({closing, self._reader}, timeout=_CLOSE_SECONDS)
        if not closing.done():
            self.abandon()
            await asyncio.wait({closing}, timeout=_CLOSE_SECONDS)

    def abandon(self) -> None:
        """Break a connection that does not answer, without a goodbye."""
        self._is_abandoned = True
        self._connection._connection.transport.abort()  # noqa: SLF001 (the SDK has no other way to let go of a socket)

    async def _leave(self) -> None:
        with suppress(ConnectionClosed, OSError):
            await self._connection.close()

    async def _read(self) -> None:
        try:
            while True:
                event = _read(await self._connection.recv_bytes())
                if event is not None:
                    self.heard_at = asyncio.get_running_loop().time()
                    self._dispatch(event)
        except (ConnectionClosed, OSError) as error:
            self._lose_all(error)
        except asyncio.CancelledError:
            self._lose_all(None)
            raise
        except Exception:
            log.exception("the synthesiser's reader ended by a bug")
            self.abandon()
            self._lose_all(None)

    def _dispatch(self, event: Head) -> None:
        if event.context_id is not None:
            if (listener := self._listeners.get(event.context_id)) is not None:
                listener.receive(event)
            return
        if event.type != "error":
            return
        # Nobody is named, so it is whoever still waits for an answer; if nobody does, everybody.
        listeners = list(self._listeners.values())
        for listener in [one for one in listeners if one.is_unanswered] or listeners:
            listener.receive(event)

    def _lose_all(self, error: Exception | None) -> None:
        listeners, self._listeners = self._listeners, {}
        if not listeners:
            log.debug("an idle connection to the synthesiser ended: %s", error)
            return
        lost = self._guard.unavailable("the connection was lost")
        if error is not None:
            self._guard.failed(lost)  # once, however many calls were on it
        for listener in listeners.values():
            listener.lose(lost)


def _read(frame: bytes) -> Head | None:
    """Give a message, its head alone where the rest is malformed; None for what nobody here reads anyway."""
    try:
        return _events.decode(frame)
    except msgspec.DecodeError:
        try:
            head = _heads.decode(frame)
        except msgspec.DecodeError:  # no JSON
            return None
        return head if head.type in _READ else None
