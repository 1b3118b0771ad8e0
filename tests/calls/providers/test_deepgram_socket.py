"""The socket under Deepgram's SDK, against a server of another make."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Request, Response

from calls.providers.deepgram.socket import Socket

Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def opened(handler: Handler, **headers: str) -> AsyncIterator[Socket]:
    async with serve(handler, "127.0.0.1", 0, max_size=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        socket = Socket(f"ws://127.0.0.1:{port}/v2/listen?model=flux", headers)
        await socket.connect()
        try:
            yield socket
        finally:
            socket.abort()


async def test_audio_of_every_length_arrives_as_it_was() -> None:
    heard: asyncio.Queue[bytes | str] = asyncio.Queue()

    async def keep(connection: ServerConnection) -> None:
        async for message in connection:
            heard.put_nowait(message)

    lengths = [1, 125, 126, 160, 65_535, 65_536, 100_000]
    async with opened(keep) as socket:
        for length in lengths:
            socket.write(bytes(range(256)) * (length // 256) + bytes(range(length % 256)))
        await socket.send('{"type":"Finalize"}')
        got = [await asyncio.wait_for(heard.get(), 5) for _ in [*lengths, 0]]
    assert [len(message) for message in got[:-1]] == lengths
    assert all(
        message == bytes(range(256)) * (len(message) // 256) + bytes(range(len(message) % 256)) for message in got[:-1]
    )
    assert got[-1] == '{"type":"Finalize"}'


async def test_the_request_is_the_sdks_own() -> None:
    asked: list[tuple[str, str]] = []

    async def note(connection: ServerConnection) -> None:
        assert connection.request is not None
        asked.append((connection.request.path, connection.request.headers["Authorization"]))

    async with opened(note, Authorization="Token secret") as socket:
        await asyncio.wait_for(socket.close(), 5)
    assert asked == [("/v2/listen?model=flux", "Token secret")]


async def test_answers_are_read_whole_and_in_order_and_pings_answered() -> None:
    pongs: list[float] = []

    async def answer(connection: ServerConnection) -> None:
        await connection.send("one")
        pongs.append(await (await connection.ping()))
        await connection.send(["t", "w", "o"])
        await connection.recv()

    async with opened(answer) as socket:
        assert await asyncio.wait_for(socket.recv(), 5) == "one"
        assert await asyncio.wait_for(socket.recv(), 5) == "two"
    assert len(pongs) == 1


async def test_the_other_sides_end_is_told_with_its_code() -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.send("last")
        await connection.close(1011, "overloaded")

    async with opened(leave) as socket:
        assert [message async for message in socket] == ["last"]
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
        assert caught.value.rcvd is not None
        assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1011, "overloaded")
        with pytest.raises(ConnectionClosed):
            await socket.send("too late")
        socket.write(b"nobody")
        assert not socket.is_open


async def test_a_refusal_has_its_status() -> None:
    async def never(_: ServerConnection) -> None:
        raise AssertionError

    def refuse(connection: ServerConnection, _: Request) -> Response:
        return connection.respond(429, "slow down")

    async with serve(never, "127.0.0.1", 0, process_request=refuse) as server:
        socket = Socket(f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/", {})
        with pytest.raises(InvalidStatus) as caught:
            await asyncio.wait_for(socket.connect(), 5)
    assert caught.value.response.status_code == 429


async def test_one_who_hangs_up_in_the_handshake_is_no_wait() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        socket = Socket(f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/", {})
        with pytest.raises(Exception, match="HTTP response"):
            await asyncio.wait_for(socket.connect(), 5)


async def test_who_does_not_read_is_waited_for() -> None:
    over = asyncio.Event()

    async def sleep(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await over.wait()
        connection.transport.abort()  # who does not read does not notice the other side's end

    async with opened(sleep) as socket:
        for _ in range(2000):
            socket.write(bytes(50_000))
            await asyncio.sleep(0)
            if not socket.takes_more:
                break
        assert not socket.takes_more
        waiting = asyncio.create_task(socket.drained())
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        assert not done
        socket.abort()
        await asyncio.wait_for(waiting, 5)
        over.set()
