"""A caller for benchmarks: one ``/ws`` connection that sends a 20 ms frame each 20 ms and notes when things happen."""

import asyncio
import time
from collections import deque
from typing import Any, Self

import msgpack
from websockets.asyncio.client import ClientConnection, connect

FRAME_MS = 20


class BenchCaller:
    """Times are ``time.monotonic`` seconds. ``lateness`` holds how late each frame left, in seconds."""

    def __init__(self, url: str, rate: int, agent_id: str | None) -> None:
        self.url = url
        self.rate = rate
        self.agent_id = agent_id
        self.lateness: list[float] = []
        self.events: asyncio.Queue[tuple[float, dict[str, Any]]] = asyncio.Queue()
        self.frames: deque[bytes] = deque()
        self.sent_at: dict[str, float] = {}
        self.last_text = ""
        self._quiet = bytes(rate * FRAME_MS // 1000 * 2)
        self._serial = 0

    async def __aenter__(self) -> Self:
        # Without a bound on what waits unread: at the bound the library stops reading the socket, and with it the
        # server's answer to our goodbye, so that leaving takes ten seconds.
        self.socket: ClientConnection = await connect(
            self.url, compression=None, max_size=None, max_queue=None, ping_interval=None
        )
        self._tasks = [asyncio.create_task(self._read())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.socket.close()

    async def send(self, kind: str, **payload: Any) -> str:
        """Send one event and give its id."""
        self._serial += 1
        event_id = f"e{self._serial}"
        self.sent_at[event_id] = time.monotonic()
        frame = {"eventType": kind, "eventId": event_id, "sessionId": "", "payload": payload}
        await self.socket.send(msgpack.packb(frame))
        return event_id

    async def start(self) -> float:
        """Start the call; give the seconds until the ack."""
        options = {"samplingRate": self.rate} | ({"agentId": self.agent_id} if self.agent_id else {})
        event_id = await self.send("audio.input.start", **options)
        at, _ = await self.wait_for("audio.input.start")
        self._tasks.append(asyncio.create_task(self._pump()))
        return at - self.sent_at[event_id]

    async def wait_for(self, *kinds: str, seconds: float = 30) -> tuple[float, dict[str, Any]]:
        """Give the next event of one of these kinds, with the time of its arrival."""
        async with asyncio.timeout(seconds):
            while True:
                at, event = await self.events.get()
                if event["eventType"] == "transcript.final":
                    self.last_text = event["payload"]["text"]
                if event["eventType"] in kinds:
                    return at, event

    def say(self, frames: list[bytes], mark: str, frame: int) -> None:
        """Queue frames; ``sent_at[mark]`` will be the moment at which number ``frame`` of them left."""
        self._mark = (mark, len(self.frames) + frame)
        self.frames.extend(frames)

    async def _pump(self) -> None:
        """Keep the pace by a schedule, so that one late frame does not delay the next."""
        self._mark = ("", -1)
        due = time.monotonic()
        while True:
            due += FRAME_MS / 1000
            await asyncio.sleep(due - time.monotonic())
            name, left = self._mark
            audio = self.frames.popleft() if self.frames else self._quiet
            await self.send("audio.input.chunk", audio=audio)
            now = time.monotonic()
            self.lateness.append(now - due)
            if left == 0:
                self.sent_at[name] = now
            self._mark = (name, left - 1)

    async def _read(self) -> None:
        async for frame in self.socket:
            event = msgpack.unpackb(frame)
            self.events.put_nowait((time.monotonic(), event))


def frames_of(pcm: bytes, rate: int) -> list[bytes]:
    """Cut PCM16 into 20 ms frames, the last one filled up."""
    size = rate * FRAME_MS // 1000 * 2
    return [pcm[at : at + size].ljust(size, b"\0") for at in range(0, len(pcm), size)]


def percentile(values: list[float], share: float) -> float:
    """Give the value below which ``share`` of them lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")
