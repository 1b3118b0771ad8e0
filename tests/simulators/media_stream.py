"""The carrier's side of a media stream: 20 ms a frame in both directions, marks, clear, keys, and lines that go dead.

Written from Twilio's page on WebSocket messages, without the product's codec. The far end of the wire is ``outgoing``
(texts for the server; a test may put bytes, and None breaks the connection) and ``take`` (a text of the server);
``AsgiLine`` ties both to an ASGI application, ``SocketLine`` to a server.
"""

import asyncio
import base64
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

FRAME_BYTES = 160
FRAME_SECONDS = 0.02
SILENCE = b"\xff"


@dataclass(frozen=True)
class Mark:
    """A mark in the queue of what is to be played."""

    name: str


@dataclass
class Leg:
    """One stream of one call. Times are the event loop's own.

    ``plays_from``: when what was sent begins to be played. ``heard`` is what the person at the telephone heard, silence
    left out; ``cleared_ms`` what was thrown away unheard; ``most_queued_ms`` the most that ever waited to be played.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    plays_from: float = 0.0
    stream_sid: str = "MZ0000000000000000000000000000000a"
    call_sid: str = "CA0000000000000000000000000000000a"

    def __post_init__(self) -> None:
        self.outgoing: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.heard = bytearray()
        self.cleared_ms = 0.0
        self.most_queued_ms = 0.0
        self.taken: list[tuple[float, dict[str, Any]]] = []
        self.first_audio_at: float | None = None
        self.cleared_at: list[float] = []
        self.heard_at_clear_ms: list[float] = []
        self.returned: list[tuple[str, bool]] = []
        self.is_dark = False
        self._playing: deque[bytes | Mark] = deque()
        self._voice: deque[bytes] = deque()
        self._sequence = 0
        self._chunk = 0
        self.spoken = asyncio.Event()
        self.spoken.set()
        self._changed = asyncio.Event()

    # --- what the person does -----------------------------------------------------------------------------------------

    def say(self, mulaw: bytes) -> None:
        """Speak into the telephone; ``spoken`` is set when it is out."""
        self.spoken.clear()
        for at in range(0, len(mulaw), FRAME_BYTES):
            self._voice.append(mulaw[at : at + FRAME_BYTES].ljust(FRAME_BYTES, SILENCE))

    def press(self, digit: str) -> None:
        """Press a key."""
        self._send("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    def hang_up(self) -> None:
        """Put the receiver down."""
        self._send("stop", stop={"accountSid": "AC01", "callSid": self.call_sid})
        self.is_dark = True
        self.outgoing.put_nowait(None)

    def go_dark(self) -> None:
        """Send nothing any more and close nothing: a connection that died without a word."""
        self.is_dark = True

    # --- the carrier --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Open the stream and keep its pace until it ends."""
        loop = asyncio.get_running_loop()
        self.open()
        due = loop.time()
        while not self.is_dark:
            self._send_frame()
            self._play_frame()
            due += FRAME_SECONDS
            await asyncio.sleep(due - loop.time())

    def open(self) -> None:
        """Say what every stream begins with."""
        self.outgoing.put_nowait(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        self._send(
            "start",
            start={
                "accountSid": "AC01",
                "streamSid": self.stream_sid,
                "callSid": self.call_sid,
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": dict(self.parameters),
            },
        )

    @property
    def queued_ms(self) -> float:
        """How much waits to be played."""
        return sum(len(item) for item in self._playing if isinstance(item, bytes)) / 8

    def take(self, text: str) -> None:
        """Do what the server says."""
        message = json.loads(text)
        now = asyncio.get_running_loop().time()
        self.taken.append((now, message))
        if message.get("streamSid") != self.stream_sid:
            unexpected = f"a message for another stream: {message.get('streamSid')!r}"
            raise ValueError(unexpected)
        match message["event"]:
            case "media":
                self.first_audio_at = now if self.first_audio_at is None else self.first_audio_at
                self._playing.append(base64.b64decode(message["media"]["payload"], validate=True))
                self.most_queued_ms = max(self.most_queued_ms, self.queued_ms)
            case "mark":
                self._playing.append(Mark(message["mark"]["name"]))
            case "clear":
                self.cleared_at.append(now)
                self.heard_at_clear_ms.append(len(self.heard) / 8)
                self.cleared_ms += self.queued_ms
                marks = [item for item in self._playing if isinstance(item, Mark)]
                self._playing.clear()
                for mark in marks:  # they come back although nobody heard what was before them
                    self._return(mark, is_played=False)
            case event:
                unexpected = f"an unknown event: {event!r}"
                raise ValueError(unexpected)
        self._changed.set()

    async def until_heard(self, duration_ms: float, seconds: float = 60) -> None:
        """Wait until the person has heard so much."""
        async with asyncio.timeout(seconds):
            while len(self.heard) < duration_ms * 8:
                self._changed.clear()
                await self._changed.wait()

    def _send_frame(self) -> None:
        frame = self._voice.popleft() if self._voice else SILENCE * FRAME_BYTES
        if not self._voice:
            self.spoken.set()
        self._chunk += 1
        payload = base64.b64encode(frame).decode()
        timestamp = str((self._chunk - 1) * 20)
        self._send(
            "media", media={"track": "inbound", "chunk": str(self._chunk), "timestamp": timestamp, "payload": payload}
        )

    def _play_frame(self) -> None:
        """Play 20 ms, or as much as there is; marks come back as soon as the audio before them was played."""
        room = FRAME_BYTES if asyncio.get_running_loop().time() >= self.plays_from else 0
        while self._playing:
            item = self._playing[0]
            if isinstance(item, Mark):
                self._playing.popleft()
                self._return(item, is_played=True)
            elif not room:
                break
            else:
                self.heard += item[:room]
                rest = item[room:]
                room -= min(room, len(item))
                if rest:
                    self._playing[0] = rest
                else:
                    self._playing.popleft()
        self._changed.set()

    def _return(self, mark: Mark, *, is_played: bool) -> None:
        self.returned.append((mark.name, is_played))
        self._send("mark", mark={"name": mark.name})

    def _send(self, event: str, **fields: Any) -> None:
        if not self.is_dark:
            self._sequence += 1
            message = {"event": event, "sequenceNumber": str(self._sequence), "streamSid": self.stream_sid} | fields
            self.outgoing.put_nowait(json.dumps(message))


class AsgiLine:
    """A leg tied to an ASGI application. ``code`` is the close code, or the status of a refused handshake."""

    def __init__(self, application: Any, leg: Leg, *, path: str = "/twilio/media") -> None:
        self.leg = leg
        self.code: int | None = None
        self.sent: list[Mapping[str, Any]] = []
        self._opening = True
        self._scope = {
            "type": "websocket",
            "path": path,
            "headers": [],
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
            self.leg.is_dark = True
            self.leg.outgoing.put_nowait(None)
        elif kind == "websocket.http.response.start":
            self.code = message["status"]

    def drop(self) -> None:
        """Break the connection without a stop."""
        self.leg.is_dark = True
        self.leg.outgoing.put_nowait(None)

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

    def __init__(self, url: str, leg: Leg) -> None:
        self.leg = leg
        self.code: int | None = None
        self._url = url

    async def run(self) -> None:
        """Carry the leg until the server closes or the person hangs up."""
        async with connect(self._url, compression=None) as socket:
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
                self.leg.is_dark = True
                for helper in helpers:
                    helper.cancel()
                await asyncio.gather(*helpers, return_exceptions=True)
        self.code = socket.close_code

    async def _write(self, socket: ClientConnection) -> None:
        while (frame := await self.leg.outgoing.get()) is not None:
            await socket.send(frame)
        await socket.close()
