"""One WebSocket to Deepgram through its SDK: opened within our time, closed within our time, its errors translated."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from time import monotonic
from typing import Any

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from calls.errors import ProviderError
from calls.providers.deepgram.messages import Message, read
from calls.providers.deepgram.socket import Socket
from calls.providers.resilience import Guard, let_go

log = logging.getLogger(__name__)

_OPEN_SECONDS = 4.0
_GOODBYE_SECONDS = 0.2
_CLOSE_SECONDS = 0.3
_POLICY_VIOLATION = 1008
"""Close code for audio that cannot be decoded (DATA-0000): the same audio fails again."""

Opening = Callable[[], AbstractAsyncContextManager[Any]]


class Connection:
    """Wraps the SDK's client of a socket of ours: it asks and controls; audio and answers go past it."""

    def __init__(self, manager: AbstractAsyncContextManager[Any], client: Any, guard: Guard) -> None:
        self._manager = manager
        self._client = client
        self._socket: Socket = client._websocket  # noqa: SLF001 (the SDK made it by our factory and shows it nowhere)
        self._guard = guard
        self._has_logged_oddity = False
        self.sending_since: float | None = None
        """Since when it takes no more; the reader watches it, for a timer per frame costs too much."""
        self.silent_bytes = 0
        """Audio that was sent before any caller's; Deepgram's clock has it."""

    @classmethod
    async def open(cls, opening: Opening, guard: Guard) -> "Connection":
        """Connect within four seconds, with one repeat; raises ``ProviderError``. Cancelling it returns at once."""
        return await guard.open(lambda: cls._connect(opening, guard), budget_seconds=_OPEN_SECONDS)

    @classmethod
    async def _connect(cls, opening: Opening, guard: Guard) -> "Connection":
        manager = opening()

        async def enter() -> "Connection":
            connection = cls(manager, await manager.__aenter__(), guard)
            try:
                await connection._socket.connect()
            except BaseException:
                await connection._leave()
                raise
            return connection

        try:
            return await let_go(enter(), late=cls.close)
        except (OSError, EOFError, WebSocketException) as error:
            raise _translated(error, guard) from error

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed it, as far as this one knows."""
        return self._socket.is_open

    @property
    def takes_more(self) -> bool:
        """Whether audio that is written now will leave soon."""
        return self._socket.takes_more

    async def keep_alive(self, silence: bytes) -> None:
        """Keep it open while there is no caller: by so much silence, or without any by KeepAlive (nova)."""
        if silence:
            self.silent_bytes += len(silence)
            self.write(silence)
        else:
            await self.send("keep_alive")

    async def receive(self, seconds: float) -> Message | None:
        """Give the next message, or None when none came in time or one that is no JSON."""
        try:
            async with asyncio.timeout(seconds):
                text = await self._socket.recv()
        except TimeoutError:
            return None
        except ConnectionClosed as error:
            raise _translated(error, self._guard) from error
        return self._read(text)

    def _read(self, text: str) -> Message | None:
        """Read a message. One of an undocumented shape says nothing: the call is worth more than the message."""
        try:
            return read(text)
        except msgspec.ValidationError as error:
            if not self._has_logged_oddity:
                log.warning("a message from Deepgram was not understood: %s", error)
            self._has_logged_oddity = True
            return Message()
        except msgspec.DecodeError:
            return None

    def write(self, audio: bytes) -> None:
        """Send one binary frame; never an empty one, which would end the stream. Of a loss the reader hears."""
        self._socket.write(audio)

    async def drained(self) -> None:
        """Wait until it takes more audio."""
        self.sending_since = monotonic()
        try:
            await self._socket.drained()
        finally:
            self.sending_since = None

    async def send(self, name: str) -> None:
        """Send a control message: ``keep_alive``, ``finalize`` (nova) or ``force_end_turn`` (Flux)."""
        self.sending_since = monotonic()
        try:
            await getattr(self._client, f"send_{name}")()
        except ConnectionClosed as error:
            raise _translated(error, self._guard) from error
        finally:
            self.sending_since = None

    async def close(self) -> None:
        """Say goodbye and close, within 0.8 s; the SDK alone would wait ten for a server that does not answer."""
        with suppress(ProviderError, TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self.send("close_stream")
        leaving = asyncio.create_task(self._leave())
        await asyncio.wait({leaving}, timeout=_CLOSE_SECONDS)
        if not leaving.done():
            self._socket.abort()
            await asyncio.wait({leaving}, timeout=_CLOSE_SECONDS)

    async def _leave(self) -> None:
        with suppress(ConnectionClosed, OSError):
            await self._manager.__aexit__(None, None, None)


def _translated(error: Exception, guard: Guard) -> ProviderError:
    """Sort the socket's exceptions."""
    if isinstance(error, InvalidStatus):
        return guard.for_status(error.response.status_code)
    if isinstance(error, TimeoutError):
        return guard.timed_out("no answer to the handshake")
    if isinstance(error, ConnectionClosed) and error.rcvd is not None:
        text = f"closed the connection with {error.rcvd.code} {error.rcvd.reason}".rstrip()
        return guard.rejected(text) if error.rcvd.code == _POLICY_VIOLATION else guard.unavailable(text)
    return guard.unavailable(f"connection failed: {type(error).__name__}")
