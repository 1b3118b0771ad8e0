"""The sandbox's media stream under a test's control: a person who says what the test says, a measuring ear, dead lines.

``AsgiLine`` ties a leg to an ASGI application, ``SocketLine`` to a server. A test may put bytes into ``outgoing``.
"""

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from calls.sandbox import leg as sandbox
from calls.sandbox.leg import FRAME_BYTES, FRAME_SECONDS, Mark

__all__ = ["FRAME_BYTES", "FRAME_SECONDS", "SILENCE", "AsgiLine", "Leg", "SocketLine"]

SILENCE = sandbox.SILENCE[:1]


@dataclass
class Leg(sandbox.Leg):
    """One stream of one call. Times are the event loop's own.

    ``plays_from``: when what was sent begins to be played. ``heard`` is what the person at the telephone heard, silence
    left out; ``cleared_ms`` what was thrown away unheard; ``most_queued_ms`` the most that ever waited to be played.
    """

    plays_from: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.handset = lambda _: self._speak()
        self.heard = bytearray()
        self.cleared_ms = 0.0
        self.most_queued_ms = 0.0
        self.taken: list[tuple[float, dict[str, Any]]] = []
        self.first_audio_at: float | None = None
        self.cleared_at: list[float] = []
        self.heard_at_clear_ms: list[float] = []
        self.returned: list[tuple[str, bool]] = []
        self._voice: deque[bytes] = deque()
        self.spoken = asyncio.Event()
        self.spoken.set()
        self._changed = asyncio.Event()

    # --- what the person does -----------------------------------------------------------------------------------------

    def say(self, mulaw: bytes) -> None:
        """Speak into the telephone; ``spoken`` is set when it is out."""
        self.spoken.clear()
        for at in range(0, len(mulaw), FRAME_BYTES):
            self._voice.append(mulaw[at : at + FRAME_BYTES].ljust(FRAME_BYTES, SILENCE))

    def _speak(self) -> bytes:
        frame = self._voice.popleft() if self._voice else sandbox.SILENCE
        if not self._voice:
            self.spoken.set()
        return frame

    def hang_up(self) -> None:
        """Put the receiver down."""
        self.stop()

    def go_dark(self) -> None:
        """Send nothing any more and close nothing: a connection that died without a word."""
        self.is_open = False

    # --- the carrier --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Open the stream and keep its pace until it ends."""
        loop = asyncio.get_running_loop()
        self.open()
        due = loop.time()
        while self.is_open:
            self.step()
            due += FRAME_SECONDS
            await asyncio.sleep(due - loop.time())

    def take(self, text: str) -> None:
        """Do what the server says."""
        message = json.loads(text)
        now = asyncio.get_running_loop().time()
        self.taken.append((now, message))
        if message["event"] == "media" and self.first_audio_at is None:
            self.first_audio_at = now
        if message["event"] == "clear":
            self.cleared_at.append(now)
            self.heard_at_clear_ms.append(len(self.heard) / 8)
            self.cleared_ms += self.queued_ms
        super().take(text)
        self.most_queued_ms = max(self.most_queued_ms, self.queued_ms)
        self._changed.set()

    async def until_heard(self, duration_ms: float, seconds: float = 60) -> None:
        """Wait until the person has heard so much."""
        async with asyncio.timeout(seconds):
            while len(self.heard) < duration_ms * 8:
                self._changed.clear()
                await self._changed.wait()

    def _play(self, room: int = FRAME_BYTES) -> bytes:
        played = super()._play(room if asyncio.get_running_loop().time() >= self.plays_from else 0)
        self.heard += played
        self._changed.set()
        return played

    def give_back(self, mark: Mark, *, is_played: bool) -> None:
        """Send a mark back and keep what the server does not see: whether its audio was played."""
        self.returned.append((mark.name, is_played))
        super().give_back(mark, is_played=is_played)


class AsgiLine:
    """A leg tied to an ASGI application. ``code`` is the close code, or the status of a refused handshake."""

    def __init__(
        self, application: Any, leg: Leg, *, path: str = "/twilio/media", headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> None:
        self.leg = leg
        self.code: int | None = None
        self.sent: list[Mapping[str, Any]] = []
        self._opening = True
        self._scope = {
            "type": "websocket",
            "path": path,
            "headers": list(headers),
            "query_string": b"",
            "extensions": {"websocket.http.response": {}},
        }
        self.serving = asyncio.create_task(application(self._scope, self._receive, self._send))
        self.carrying: asyncio.Task[None] | None = None

    async def _receive(self) -> Mapping[str, Any]:
        if self._opening:
            self._opening = False
            return {"type": "websocket.connect"}
        frame = await self.leg.outgoing.get()
        if frame is None:
            return {"type": "websocket.disconnect", "code": 1005}
        return {"type": "websocket.receive", "text" if isinstance(frame, str) else "bytes": frame}

    async def _send(self, message: Mapping[str, Any]) -> None:
        self.sent.append(message)
        kind = message["type"]
        if kind == "websocket.accept":
            self.carrying = asyncio.create_task(self.leg.run())
        elif kind == "websocket.send":
            self.leg.take(message["text"])
        elif kind == "websocket.close":
            self.code = message["code"]
            self.leg.drop()
        elif kind == "websocket.http.response.start":
            self.code = message["status"]

    def drop(self) -> None:
        """Break the connection without a stop."""
        self.leg.drop()

    async def ended(self, seconds: float = 60) -> int | None:
        """Wait until the server has let go, and give its code."""
        async with asyncio.timeout(seconds):
            await self.serving
        if self.carrying is not None:
            self.carrying.cancel()
            await asyncio.gather(self.carrying, return_exceptions=True)
        return self.code


class SocketLine:
    """A leg tied to a server's address over a real WebSocket. ``code`` is the close code."""

    def __init__(self, url: str, leg: Leg, headers: Mapping[str, str] | None = None) -> None:
        self.leg = leg
        self.code: int | None = None
        self._url = url
        self._headers = headers

    async def run(self) -> None:
        """Carry the leg until the server closes or the person hangs up."""
        async with connect(self._url, compression=None, additional_headers=self._headers) as socket:
            helpers = [asyncio.create_task(self.leg.run()), asyncio.create_task(self._write(socket))]
            try:
                async for message in socket:
                    if not isinstance(message, str):
                        unexpected = "a binary message; Twilio takes texts"
                        raise TypeError(unexpected)
                    self.leg.take(message)
            except ConnectionClosedError:
                pass
            finally:
                self.leg.is_open = False
                for helper in helpers:
                    helper.cancel()
                await asyncio.gather(*helpers, return_exceptions=True)
        self.code = socket.close_code

    async def _write(self, socket: ClientConnection) -> None:
        while (frame := await self.leg.outgoing.get()) is not None:
            await socket.send(frame)
        await socket.close()
