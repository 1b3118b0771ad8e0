import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from calls.consumers.outbox import MAX_WAITING, Outbox
from calls.runner.simulation import run_virtually


class Socket:
    """Takes what is written while it is open for it."""

    def __init__(self) -> None:
        self.written: list[Any] = []
        self.accepts = asyncio.Event()
        self.overflows = 0
        self.outbox = Outbox(self._send, self._overflow)
        self.writing = asyncio.create_task(self.outbox.write())

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self.accepts.wait()
        self.written.append(message.get("bytes", message.get("code")))

    def _overflow(self) -> None:
        self.overflows += 1

    async def stop(self) -> None:
        self.writing.cancel()
        await asyncio.gather(self.writing, return_exceptions=True)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_everything_goes_out_in_the_order_in_which_it_was_put() -> None:
    socket = Socket()
    socket.accepts.set()
    socket.outbox.put(b"a")
    await socket.outbox.put_audio(1, b"b")
    socket.outbox.put(b"c")
    await socket.outbox.close(1000)
    socket.outbox.put(b"too late")
    await socket.outbox.put_audio(1, b"too late")
    await socket.writing
    assert socket.written == [b"a", b"b", b"c", 1000]


async def test_audio_waits_while_the_client_is_slow_and_control_does_not() -> None:
    socket = Socket()
    for number in range(3):
        await socket.outbox.put_audio(1, bytes([number]))
    waiting = asyncio.create_task(socket.outbox.put_audio(1, b"fourth"))
    await settle()
    assert not waiting.done() or len(socket.written) == 0
    socket.outbox.put(b"control")
    await settle()
    fifth = asyncio.create_task(socket.outbox.put_audio(1, b"fifth"))
    await settle()
    assert not fifth.done()
    socket.accepts.set()
    await asyncio.gather(waiting, fifth)
    await settle()
    assert sorted(map(str, socket.written)) == sorted(map(str, [b"\0", b"\1", b"\2", b"fourth", b"control", b"fifth"]))
    await socket.stop()


async def test_a_cancel_empties_the_audio_of_its_reply_and_frees_who_waits() -> None:
    socket = Socket()
    socket.outbox.put(b"first")
    await settle()
    for number in range(3):
        await socket.outbox.put_audio(1, bytes([number]))
    waiting = asyncio.create_task(socket.outbox.put_audio(1, b"fourth"))
    await settle()
    assert not waiting.done()
    socket.outbox.cancel(1, b"cancel")
    await waiting
    await socket.outbox.put_audio(1, b"late")
    await socket.outbox.put_audio(2, b"next reply")
    socket.accepts.set()
    await settle()
    assert socket.written == [b"first", b"cancel", b"next reply"]
    await socket.stop()


async def test_a_client_that_does_not_read_is_reported_once() -> None:
    socket = Socket()
    for _ in range(MAX_WAITING + 10):
        socket.outbox.put(b"x")
    assert (socket.overflows, socket.outbox.is_closed) == (1, True)
    await socket.stop()


def test_closing_a_socket_that_takes_nothing_gives_up_after_five_seconds() -> None:
    async def scenario() -> float:
        socket = Socket()
        socket.outbox.put(b"x")
        await socket.outbox.close(1000)
        await socket.stop()
        return asyncio.get_running_loop().time()

    assert run_virtually(scenario()) == 5.0


async def test_an_abandoned_outbox_keeps_nobody_waiting() -> None:
    socket = Socket()
    socket.outbox.put(b"first")
    await settle()
    for number in range(3):
        await socket.outbox.put_audio(1, bytes([number]))
    waiting = asyncio.create_task(socket.outbox.put_audio(1, b"fourth"))
    await settle()
    socket.outbox.abandon()
    await waiting
    await socket.outbox.close(1000)
    await socket.stop()
    assert socket.written == []


async def test_a_client_that_went_is_an_os_error_of_the_writer() -> None:
    async def send(_: Mapping[str, Any]) -> None:
        raise BrokenPipeError

    outbox = Outbox(send, lambda: None)
    outbox.put(b"x")
    with pytest.raises(BrokenPipeError):
        await outbox.write()


async def test_a_protocol_of_texts_gets_its_frames_as_texts() -> None:
    written: list[Mapping[str, Any]] = []

    async def send(message: Mapping[str, Any]) -> None:
        written.append(message)

    outbox = Outbox(send, lambda: None, is_text=True)
    outbox.put("é".encode())
    writing = asyncio.create_task(outbox.write())
    await outbox.close(1000)
    await writing
    assert written == [{"type": "websocket.send", "text": "é"}, {"type": "websocket.close", "code": 1000}]
