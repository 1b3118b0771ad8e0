"""The WebSocket under Deepgram's SDK (its ``transport_factory``): audio leaves in the call that brings it.

The SDK's own socket costs four coroutines, a lock and two queues a frame. This one has the handshake and the incoming
frames from the sans-I/O part of ``websockets`` and writes outgoing frames itself, so that a
frame of audio takes no task and no wait.
"""

import asyncio
import os
import ssl
from collections import deque
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import cast

from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode, apply_mask  # type: ignore[attr-defined]  # (in C, where the wheel has it)
from websockets.protocol import CLOSED, CONNECTING, OPEN
from websockets.uri import parse_uri

from calls.wire.frames import BINARY, KEY_BYTES, header

_LARGEST_MESSAGE = 2**20
_KEYS_AT_ONCE = 1024


class Socket(asyncio.Protocol):
    """One connection: ``connect`` before all else. Implements the SDK's ``AsyncTransport``."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._uri = parse_uri(url)
        self._headers = headers
        self._state = ClientProtocol(self._uri, max_size=_LARGEST_MESSAGE)
        self._transport: asyncio.Transport | None = None
        self._messages: deque[str] = deque()
        self._parts: list[bytes] = []
        self._news = asyncio.Event()
        self._writable = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed it, as far as this one knows."""
        return self._state.state is OPEN

    @property
    def takes_more(self) -> bool:
        """Whether what is written now will leave soon."""
        return self._writable.is_set()

    async def connect(self) -> None:
        """Open it. Raises ``OSError``, or an ``InvalidHandshake`` or ``EOFError`` of ``websockets``."""
        request = self._state.connect()
        request.headers.update(self._headers)
        uri = self._uri
        tls = _tls() if uri.secure else None
        await asyncio.get_running_loop().create_connection(lambda: self, uri.host, uri.port, ssl=tls)
        try:
            self._state.send_request(request)
            self._flush()
            while self._state.state is CONNECTING and self._state.handshake_exc is None:
                self._news.clear()
                await self._news.wait()
        finally:
            if self._state.state is CONNECTING:
                self.abort()
        if self._state.handshake_exc is not None:
            raise self._state.handshake_exc
        self._writable.set()

    # --- what the SDK and the call do ---------------------------------------------------------------------------------

    def write(self, audio: bytes) -> None:
        """Send one binary frame at once, or what of it the network does not take as soon as it does."""
        if not self.is_open or self._transport is None:
            return  # the reader hears of it
        key = next(_keys)
        self._transport.write(b"".join((header(BINARY, len(audio), is_masked=True), key, apply_mask(audio, key))))

    async def drained(self) -> None:
        """Wait until it takes more; returns when the connection is lost, too."""
        await self._writable.wait()

    async def send(self, data: str | bytes) -> None:
        """Send a message; raises ``ConnectionClosed``."""
        await self.drained()
        if not self.is_open:
            raise await self._end()
        if isinstance(data, str):
            self._state.send_text(data.encode())
        else:
            self._state.send_binary(data)
        self._flush()

    async def recv(self) -> str:
        """Give the next message; raises ``ConnectionClosed``."""
        while not self._messages:
            if self._state.state is CLOSED:
                raise self._state.close_exc
            self._news.clear()
            await self._news.wait()
        return self._messages.popleft()

    async def __aiter__(self) -> AsyncIterator[str]:
        """Give the messages until it is closed."""
        while True:
            try:
                yield await self.recv()
            except ConnectionClosed:
                return

    async def close(self) -> None:
        """Close it and wait for the other side to do the same."""
        if self.is_open:
            self._state.send_close(1000)
            self._flush()
        if self._transport is not None:
            await self._end()

    def abort(self) -> None:
        """Let go of it at once."""
        if self._transport is not None:
            self._transport.abort()

    async def _end(self) -> ConnectionClosed:
        while self._state.state is not CLOSED:
            self._news.clear()
            await self._news.wait()
        return self._state.close_exc

    # --- what the network does ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._state.receive_data(data)
        for event in self._state.events_received():
            if isinstance(event, Frame):
                self._take(event)
        self._flush()
        self._news.set()

    def _take(self, frame: Frame) -> None:
        if frame.opcode in {Opcode.TEXT, Opcode.CONT}:
            self._parts.append(bytes(frame.data))
            if frame.fin:
                self._messages.append(b"".join(self._parts).decode(errors="replace"))
                self._parts.clear()

    def pause_writing(self) -> None:
        """The other side takes no more for now."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It takes more again."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's)
        """Let everybody know."""
        self._state.receive_eof()
        self._writable.set()
        self._news.set()

    def _flush(self) -> None:
        if self._transport is None:
            return
        for data in self._state.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()


def _masking_keys() -> Iterator[bytes]:
    """Give keys that nobody can foresee (RFC 6455, section 5.3), from few questions to the kernel."""
    while True:
        keys = os.urandom(KEY_BYTES * _KEYS_AT_ONCE)
        for at in range(0, len(keys), KEY_BYTES):
            yield keys[at : at + KEY_BYTES]


_keys = _masking_keys()


@cache
def _tls() -> ssl.SSLContext:
    """Give the process's one context: reading the system's certificates takes longer than the handshake."""
    return ssl.create_default_context()
