"""A Cartesia that hums: every text becomes a tone as long as it is, with word times, over the vendor's protocol."""

import asyncio
import base64
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.simulators import sound
from tests.simulators.faults import Delay, Fault, Plan

_SPELLINGS = {"pcm_s16le": "linear16", "pcm_mulaw": "mulaw", "pcm_alaw": "alaw"}


@dataclass
class CartesiaSimulator(Plan):
    """One server. ``url`` goes into ``CARTESIA_BASE_URL``. A fault's units are chunks sent on the connection."""

    port: int = 0
    first_audio_ms: float = 0.0
    ms_per_letter: float = 55.0
    chunk_ms: float = 100.0
    pace: float = 0.0
    """Wall time per time of audio: 0 is as fast as it can, 1 real time."""
    has_flush_ids: bool = True
    times_by_sentence: bool = False
    flushes_itself: bool = True
    """Whether a text with ``max_buffer_delay_ms`` 0 is followed by a flush_done of its own."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0
    live: int = 0

    async def __aenter__(self) -> Self:
        self._stopping = asyncio.Event()
        self._fault_of: dict[ServerConnection, Fault] = {}
        self._server: Server = await serve(
            self._serve, "127.0.0.1", self.port, process_request=self._admit, compression=None, ping_interval=None
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        await self.drop_all()
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def spoken(self) -> list[str]:
        """The texts that were asked for, without the flushes."""
        return [request["transcript"] for request in self.requests if request["transcript"]]

    async def drop_all(self) -> None:
        """Break every connection, as a restarting server does."""
        for connection in list(self._server.connections):
            connection.transport.abort()

    async def tell_all(self, message: dict[str, Any]) -> None:
        """Send a message of a test's own on every connection."""
        for connection in list(self._server.connections):
            await connection.send(json.dumps(message))

    async def close_idle(self) -> None:
        """Close every connection properly, as Cartesia does after five idle minutes."""
        for connection in list(self._server.connections):
            await connection.close(1000, "idle")

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        fault = self._fault_of[connection] = self.next_fault()
        if fault.hang:
            await self._stopping.wait()
        if fault.status:
            return connection.respond(fault.status, '{"error_code":"refused"}')
        self.headers.append({name.lower(): value for name, value in request.headers.raw_items()})
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        self.connections += 1
        self.live += 1
        link = _Link(self, connection, self._fault_of.pop(connection))
        try:
            await link.run()
        except ConnectionClosed:
            pass
        finally:
            self.live -= 1
            await link.stop()


class _Link:
    """One connection and its contexts."""

    def __init__(self, simulator: CartesiaSimulator, connection: ServerConnection, fault: Fault) -> None:
        self.simulator = simulator
        self._connection = connection
        self.fault = fault
        self._contexts: dict[str, _Context] = {}
        self._chunks = 0

    async def run(self) -> None:
        if self.fault.unknown:
            await self._connection.send('{"type":"surprise","context_id":"none","data":{"a":1}}')
            await self._connection.send("[]")
            await self._connection.send("this is no JSON")
        async for frame in self._connection:
            request = json.loads(frame)
            context_id = request["context_id"]
            if request.get("cancel"):
                self.simulator.cancelled.append(context_id)
                if (context := self._contexts.pop(context_id, None)) is not None:
                    await context.stop()
                continue
            self.simulator.requests.append(request)
            if self.fault.ignore_close:
                continue
            if self.fault.error:
                await self.complain(context_id)
                continue
            if context_id not in self._contexts:
                self._contexts[context_id] = _Context(self, context_id)
            self._contexts[context_id].take(request)

    async def stop(self) -> None:
        for context in self._contexts.values():
            await context.stop()

    async def complain(self, context_id: str) -> None:
        error = {"type": "error", "done": True, "status_code": self.fault.code, "error_code": self.fault.error}
        if not self.fault.anonymous:
            error["context_id"] = context_id
        await self._connection.send(json.dumps(error))

    async def send(self, message: dict[str, Any]) -> None:
        is_chunk = message["type"] == "chunk"
        if is_chunk and self.fault.drop_after is not None and self._chunks >= self.fault.drop_after:
            if self.fault.close_code:
                await self._connection.close(self.fault.close_code, "planned")
            else:
                self._connection.transport.abort()
            return
        if is_chunk and self.fault.mute_after is not None and self._chunks >= self.fault.mute_after:
            await self.simulator._stopping.wait()
        self._chunks += is_chunk
        with suppress(ConnectionClosed):
            await self._connection.send(json.dumps(message))


class _Context:
    """One context: texts in order, each spoken when it is flushed or when nothing is to be buffered."""

    def __init__(self, link: _Link, context_id: str) -> None:
        self._link = link
        self._context_id = context_id
        self._requests: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._flush_id = 1
        self._spoken_ms = 0.0
        self._task = asyncio.create_task(self._work())

    def take(self, request: dict[str, Any]) -> None:
        self._requests.put_nowait({**request, "__asked_at": time.monotonic()})

    async def stop(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _work(self) -> None:
        buffered = ""
        while True:
            request = await self._requests.get()
            buffered += request["transcript"]
            is_last = not request["continue"]
            buffers = request.get("max_buffer_delay_ms", 3000) > 0
            if buffered and (request.get("flush") or is_last or not buffers):
                await self._speak(buffered, request)
                buffered = ""
                if self._link.simulator.flushes_itself and not buffers:
                    await self._flush()
            if request.get("flush"):
                await self._flush()
            if is_last:
                await self._send({"type": "done", "done": True, "status_code": 200})
                return

    async def _flush(self) -> None:
        done = {"type": "flush_done", "done": False, "flush_done": True, "flush_id": self._flush_id}
        await self._send({**done, "status_code": 206})
        self._flush_id += 1

    async def _speak(self, text: str, request: dict[str, Any]) -> None:
        simulator = self._link.simulator
        form = request["output_format"]
        rate, spelling = form["sample_rate"], _SPELLINGS[form["encoding"]]
        duration_ms = max(100.0, simulator.ms_per_letter * len(text.strip()))
        audio = sound.encode(spelling, sound.tone(220, duration_ms, rate))
        size = int(rate * simulator.chunk_ms / 1000) * (2 if spelling == "linear16" else 1)
        await asyncio.sleep(simulator.first_audio_ms / 1000)
        is_first = True
        for start in range(0, len(audio), size):
            piece = audio[start : start + size]
            chunk = {"type": "chunk", "done": False, "status_code": 206, "step_time": 1.0}
            await self._send(self._numbered({**chunk, "data": base64.b64encode(piece).decode()}))
            if is_first:
                is_first = False
                answered_at = time.monotonic()
                simulator.log(
                    Delay("cartesia", text.strip(), request["__asked_at"], answered_at, simulator.first_audio_ms)
                )
                if request.get("add_timestamps"):
                    await self._send(self._numbered(self._times(text, duration_ms)))
            await asyncio.sleep(simulator.chunk_ms * simulator.pace / 1000)
        self._spoken_ms += duration_ms

    def _times(self, text: str, duration_ms: float) -> dict[str, Any]:
        """Give every word a share of the duration by its letters."""
        words = text.split()
        offset = 0.0 if self._link.simulator.times_by_sentence else self._spoken_ms
        share = duration_ms / max(1, sum(map(len, words)))
        starts, ends = [], []
        for word in words:
            starts.append(offset / 1000)
            offset += share * len(word)
            ends.append(offset / 1000)
        times = {"words": words, "start": starts, "end": ends}
        return {"type": "timestamps", "done": False, "status_code": 206, "word_timestamps": times}

    def _numbered(self, message: dict[str, Any]) -> dict[str, Any]:
        return {**message, "flush_id": self._flush_id} if self._link.simulator.has_flush_ids else message

    async def _send(self, message: dict[str, Any]) -> None:
        await self._link.send({**message, "context_id": self._context_id})
