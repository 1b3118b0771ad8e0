"""One WebSocket to Deepgram through its SDK: opened within our time, closed within our time, its errors translated."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from time import monotonic
from typing import Any

from deepgram.core.api_error import ApiError
from websockets.exceptions import ConnectionClosed, WebSocketException

from calls.errors import ProviderError
from calls.providers.resilience import Guard, let_go

_OPEN_SECONDS = 4.0
_GOODBYE_SECONDS = 0.2
_CLOSE_SECONDS = 0.3
_POLICY_VIOLATION = 1008
"""Close code for audio that cannot be decoded (DATA-0000): the same audio fails again."""

Opening = Callable[[], AbstractAsyncContextManager[Any]]


class Connection:
    """Wraps the SDK's socket client. Its callbacks are not used: an exception in one ends the listener in silence."""

    def __init__(self, manager: AbstractAsyncContextManager[Any], client: Any, guard: Guard) -> None:
        self._manager = manager
        self._client = client
        self._guard = guard
        self.sending_since: float | None = None
        """When the send began that has not returned; the reader watches it, for a timer per frame costs too much."""
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
            return cls(manager, await manager.__aenter__(), guard)

        try:
            return await let_go(enter(), late=cls.close)
        except (ApiError, OSError, WebSocketException, TimeoutError) as error:
            raise _translated(error, guard) from error

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed it, as far as this one knows."""
        is_open: bool = self._client._websocket.open  # noqa: SLF001 (the SDK does not show it)
        return is_open

    async def keep_alive(self, silence: bytes) -> None:
        """Keep it open while there is no caller: by so much silence, or without any by KeepAlive (nova)."""
        if silence:
            self.silent_bytes += len(silence)
            await self.send_audio(silence)
        else:
            await self.send("keep_alive")

    async def receive(self, seconds: float) -> Any:
        """Give the next message, or None when none came in time or none that the SDK knows."""
        try:
            async with asyncio.timeout(seconds):
                message = await self._client.recv()
        except (TimeoutError, ValueError):  # ValueError: a text frame that is no JSON
            return None
        except (ConnectionClosed, OSError) as error:
            raise _translated(error, self._guard) from error
        return message if hasattr(message, "type") else None

    async def send_audio(self, audio: bytes) -> None:
        """Send one binary frame; never an empty one, which would end the stream."""
        await self._send(self._client.send_media, audio)

    async def send(self, name: str) -> None:
        """Send a control message: ``keep_alive``, ``finalize`` (nova) or ``force_end_turn`` (Flux)."""
        await self._send(getattr(self._client, f"send_{name}"))

    async def _send(self, send: Callable[..., Any], *arguments: bytes) -> None:
        self.sending_since = monotonic()
        try:
            await send(*arguments)
        except (ConnectionClosed, OSError) as error:
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
            self._client._websocket.transport.abort()  # noqa: SLF001 (the SDK has no other way to let go of a socket)
            await asyncio.wait({leaving}, timeout=_CLOSE_SECONDS)

    async def _leave(self) -> None:
        with suppress(ConnectionClosed, OSError):
            await self._manager.__aexit__(None, None, None)


def _translated(error: Exception, guard: Guard) -> ProviderError:
    """Sort the SDK's and the socket's exceptions. Of a refusal the SDK loses all but the status."""
    if isinstance(error, ApiError) and error.status_code is not None:
        return guard.for_status(error.status_code)
    if isinstance(error, TimeoutError):
        return guard.timed_out("no answer to the handshake")
    if isinstance(error, ConnectionClosed) and error.rcvd is not None:
        text = f"closed the connection with {error.rcvd.code} {error.rcvd.reason}".rstrip()
        return guard.rejected(text) if error.rcvd.code == _POLICY_VIOLATION else guard.unavailable(text)
    return guard.unavailable(f"connection failed: {type(error).__name__}")
