"""The short way of frames, behind a real Uvicorn: what a client sends arrives whole, in order and by the rules."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import pytest
import uvicorn
from uvicorn.protocols.utils import ClientDisconnected
from websockets.asyncio.client import connect
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from calls.consumers.lean import STRAIGHT
from vantum.websocket import WebSocketProtocol

LARGEST = 70_000
LENGTHS = (0, 1, 125, 126, 127, 160, 65_535, 65_536, LARGEST)
Application = Callable[[Any, Any, Any], Awaitable[None]]


class Listener:
    """An application that keeps what it is told, by either way, and answers "echo" with itself."""

    def __init__(self, *, straight: bool = True, waits_for: asyncio.Event | None = None, accepts: bool = True) -> None:
        self.heard: list[bytes | str] = []
        self.queued = 0
        self.code: int | None = None
        self.send_error: BaseException | None = None
        self.is_over = asyncio.Event()
        self._straight = straight
        self._waits_for = waits_for
        self.may_accept = asyncio.Event()
        if accepts:
            self.may_accept.set()
        self.send: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.send = send
        await receive()
        await self.may_accept.wait()
        await send({"type": "websocket.accept"})
        if self._waits_for is not None:
            await self._waits_for.wait()
        if self._straight:
            scope["extensions"][STRAIGHT]["hand_over"](self._take)
        while (message := await receive())["type"] == "websocket.receive":
            self.queued += 1
            self._take(message.get("bytes"), message.get("text"))
        self.code = message["code"]
        self.is_over.set()

    def _take(self, binary: bytes | None, text: str | None) -> None:
        heard = binary if text is None else text
        assert heard is not None
        self.heard.append(heard)


@asynccontextmanager
async def served(application: Application) -> AsyncIterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application, ws=WebSocketProtocol, ws_max_size=LARGEST, ws_per_message_deflate=False, log_config=None,
        lifespan="off",
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await serving


class Client:
    """A client whose bytes one can cut where one likes."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.state = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}/"))
        self.got: list[Frame] = []

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    def handshake(self) -> bytes:
        self.state.send_request(self.state.connect())
        return b"".join(self.state.data_to_send())

    async def open(self) -> None:
        self.writer.write(self.handshake())
        self.state.receive_data(await self.reader.readuntil(b"\r\n\r\n"))
        self.state.events_received()

    async def until_closed(self) -> int | None:
        """Read to the end of the stream; give the close code."""
        async with asyncio.timeout(10):
            self.state.receive_data(await self.reader.read())
        self.got += [event for event in self.state.events_received() if isinstance(event, Frame)]
        received = self.state.close_rcvd
        return received.code if received else None


def frame(opcode: Opcode, payload: bytes, *, fin: bool = True, mask: bool = True) -> bytes:
    return Frame(opcode, payload, fin=fin).serialize(mask=mask)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.005)
    pytest.fail("it did not come")


@pytest.mark.parametrize("straight", [True, False])
@pytest.mark.parametrize("seed", range(4))
async def test_messages_arrive_whole_and_in_order_however_the_stream_is_cut(seed: int, *, straight: bool) -> None:
    chance = random.Random(seed)  # noqa: S311 (the test's)
    sent: list[bytes | str] = []
    stream = b""
    for number, length in enumerate(chance.sample(LENGTHS * 4, k=len(LENGTHS) * 4)):
        payload = chance.randbytes(length)
        if number % 3 == 0:
            text = payload.hex()[:length]
            sent.append(text)
            stream += frame(Opcode.TEXT, text.encode())
        elif number % 7 == 1:
            sent.append(payload)
            half = length // 2
            stream += frame(Opcode.BINARY, payload[:half], fin=False) + frame(Opcode.PING, b"?")
            stream += frame(Opcode.CONT, payload[half:])
        else:
            sent.append(payload)
            stream += frame(Opcode.BINARY, payload)
    listener = Listener(straight=straight)
    async with served(listener) as port, Client(port) as client:
        await client.open()
        while stream:
            size = chance.choice([1, 2, 3, 7, 200, 5000, 100_000])
            client.writer.write(stream[:size])
            await client.writer.drain()
            await asyncio.sleep(0)
            stream = stream[size:]
        await until(lambda: len(listener.heard) >= len(sent))
        assert listener.heard == sent
        client.writer.write(frame(Opcode.CLOSE, b"\x03\xe8"))
        assert await client.until_closed() == 1000
    assert listener.code == 1000
    assert bool(listener.queued) is not straight or listener.queued < len(sent)


async def test_what_came_before_the_application_asked_is_told_first() -> None:
    asked = asyncio.Event()
    listener = Listener(waits_for=asked)
    async with served(listener) as port, Client(port) as client:
        await client.open()
        client.writer.write(b"".join(frame(Opcode.BINARY, bytes([number])) for number in range(5)))
        await asyncio.sleep(0.05)
        asked.set()
        client.writer.write(b"".join(frame(Opcode.BINARY, bytes([number])) for number in range(5, 10)))
        await until(lambda: len(listener.heard) == 10)
    assert listener.heard == [bytes([number]) for number in range(10)]


async def test_frames_that_come_before_the_handshake_is_over_are_heard() -> None:
    listener = Listener(accepts=False)
    async with served(listener) as port, Client(port) as client:
        client.writer.write(client.handshake())
        await until(lambda: listener.send is not None)
        early = frame(Opcode.BINARY, b"early")
        client.writer.write(early[:3])
        await asyncio.sleep(0.05)
        listener.may_accept.set()
        client.writer.write(early[3:])
        await client.reader.readuntil(b"\r\n\r\n")
        client.writer.write(frame(Opcode.BINARY, b"late"))
        await until(lambda: len(listener.heard) == 2)
    assert listener.heard == [b"early", b"late"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(Opcode.BINARY, b"bare", mask=False), 1002),
        (frame(Opcode.BINARY, bytes(LARGEST + 1))[:10], 1009),
        (frame(Opcode.TEXT, b"\xff\xfe"), 1007),
        (frame(Opcode.CONT, b"of nothing"), 1002),
        (frame(Opcode.BINARY, b"a", fin=False) + frame(Opcode.BINARY, b"b"), 1002),
        (b"\xc2" + frame(Opcode.BINARY, b"reserved bit")[1:], 1002),
    ],
    ids=["bare", "too long", "no UTF-8", "continues nothing", "cut into", "reserved bit"],
)  # fmt: skip
async def test_what_breaks_the_rules_closes_the_connection(data: bytes, code: int) -> None:
    listener = Listener()
    async with served(listener) as port, Client(port) as client:
        await client.open()
        client.writer.write(frame(Opcode.BINARY, b"good") + data)
        assert await client.until_closed() == code
    await until(listener.is_over.is_set)
    assert listener.heard == [b"good"]


async def test_after_the_close_nothing_is_heard() -> None:
    listener = Listener()
    async with served(listener) as port, Client(port) as client:
        await client.open()
        client.writer.write(frame(Opcode.CLOSE, b"\x03\xe8") + frame(Opcode.BINARY, b"after"))
        assert await client.until_closed() == 1000
    assert listener.heard == []


async def test_messages_of_every_length_go_out() -> None:
    listener = Listener()
    async with served(listener) as port, connect(f"ws://127.0.0.1:{port}/", max_size=None) as client:
        await until(lambda: listener.send is not None)
        for length in LENGTHS:
            await listener.send({"type": "websocket.send", "bytes": bytes(length)})
            await listener.send({"type": "websocket.send", "text": "é" * length})
        for length in LENGTHS:
            assert await client.recv() == bytes(length)
            assert await client.recv() == "é" * length


async def test_who_sends_to_a_client_that_is_gone_is_told() -> None:
    listener = Listener()
    async with served(listener) as port:
        async with connect(f"ws://127.0.0.1:{port}/"):
            pass
        await until(listener.is_over.is_set)
        with pytest.raises((ClientDisconnected, RuntimeError)):
            await listener.send({"type": "websocket.send", "bytes": b"x"})


async def test_a_client_that_does_not_read_holds_the_sender_up() -> None:
    listener = Listener()
    async with served(listener) as port, Client(port) as client:
        await client.open()

        async def flood() -> None:
            while True:
                await listener.send({"type": "websocket.send", "bytes": bytes(LARGEST)})

        flooding = asyncio.create_task(flood())
        done, _ = await asyncio.wait([flooding], timeout=0.3)
        assert not done
        client.writer.transport.abort()
        with pytest.raises((ClientDisconnected, RuntimeError, ConnectionClosed)):
            await asyncio.wait_for(flooding, 10)
