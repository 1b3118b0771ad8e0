"""The carrier's side of a media stream: 20 ms a frame in both directions, marks and clear.

Written from Twilio's page on WebSocket messages, without the codec of ``calls.wire``: what one side misreads, the other
must not misread the same way. The far end of the wire is ``outgoing`` (texts for the server; None closes) and ``take``
(a text of the server). Nothing here has a clock: ``step`` is 20 ms.
"""

import asyncio
import base64
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from calls.errors import WireError

FRAME_BYTES = 160
FRAME_SECONDS = 0.02
SILENCE = b"\xff" * FRAME_BYTES
_MOST_UNSENT = 1000
"""Texts that the server has not read, 20 s of them: it does not read any more."""

Handset = Callable[[bytes], bytes]
"""The person's end: gets 20 ms of mu-law that sound in the ear, and gives the 20 ms that go into the mouthpiece."""


@dataclass(frozen=True)
class Mark:
    """A mark in the queue of what is to be played."""

    name: str


def nobody(_heard: bytes) -> bytes:
    """Be a receiver that lies on the table."""
    return SILENCE


@dataclass
class Leg:
    """One stream of one call."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    handset: Handset = nobody
    stream_sid: str = "MZ0000000000000000000000000000000a"
    call_sid: str = "CA0000000000000000000000000000000a"
    account_sid: str = "AC01"

    def __post_init__(self) -> None:
        """Begin with nothing played and nothing sent."""
        self.outgoing: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.is_open = True
        self._playing: deque[bytes | Mark] = deque()
        self._sequence = 0
        self._chunk = 0

    def open(self) -> None:
        """Say what every stream begins with."""
        self.outgoing.put_nowait(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        self._send(
            "start",
            start={
                "accountSid": self.account_sid,
                "streamSid": self.stream_sid,
                "callSid": self.call_sid,
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": dict(self.parameters),
            },
        )

    def step(self) -> None:
        """Play 20 ms to the person and send the 20 ms that the person says meanwhile."""
        if not self.is_open:
            return
        frame = self.handset(self._play().ljust(FRAME_BYTES, SILENCE[:1]))
        self._chunk += 1
        payload = base64.b64encode(frame).decode()
        timestamp = str((self._chunk - 1) * 20)
        self._send(
            "media", media={"track": "inbound", "chunk": str(self._chunk), "timestamp": timestamp, "payload": payload}
        )
        if self.outgoing.qsize() > _MOST_UNSENT:
            self.drop()

    def press(self, digit: str) -> None:
        """Press a key."""
        self._send("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    def stop(self) -> None:
        """End the stream in order: the call is over, or goes on elsewhere."""
        self._send("stop", stop={"accountSid": self.account_sid, "callSid": self.call_sid})
        self.drop()

    def drop(self) -> None:
        """Break the connection without a stop."""
        self.is_open = False
        self.outgoing.put_nowait(None)

    @property
    def queued_ms(self) -> float:
        """How much waits to be played."""
        return sum(len(item) for item in self._playing if isinstance(item, bytes)) / 8

    def take(self, text: str) -> None:
        """Do what the server says. Raises ``WireError`` for what Twilio would not understand."""
        try:
            message = json.loads(text)
            if message["streamSid"] != self.stream_sid:
                unexpected = f"a message for another stream: {message['streamSid']!r}"
                raise WireError(unexpected)
            self._take(message)
        except (ValueError, KeyError, TypeError) as error:
            unexpected = f"a message that cannot be read ({type(error).__name__})"
            raise WireError(unexpected) from error

    def _take(self, message: Mapping[str, Any]) -> None:
        match message["event"]:
            case "media":
                self._playing.append(base64.b64decode(message["media"]["payload"], validate=True))
            case "mark":
                self._playing.append(Mark(message["mark"]["name"]))
            case "clear":
                marks = [item for item in self._playing if isinstance(item, Mark)]
                self._playing.clear()
                for mark in marks:  # they come back although nobody heard what was before them
                    self.give_back(mark, is_played=False)
            case event:
                unexpected = f"an unknown event: {event!r}"
                raise WireError(unexpected)

    def _play(self, room: int = FRAME_BYTES) -> bytes:
        """Take what sounds next, at most ``room`` bytes; a mark comes back once the audio before it was played."""
        played = bytearray()
        while self._playing:
            item = self._playing[0]
            if isinstance(item, Mark):
                self._playing.popleft()
                self.give_back(item, is_played=True)
            elif len(played) == room:
                break
            else:
                wanted = room - len(played)
                played += item[:wanted]
                if rest := item[wanted:]:
                    self._playing[0] = rest
                else:
                    self._playing.popleft()
        return bytes(played)

    def give_back(self, mark: Mark, *, is_played: bool) -> None:
        """Send a mark back; ``is_played`` is what the server is not told."""
        del is_played
        self._send("mark", mark={"name": mark.name})

    def _send(self, event: str, **fields: Any) -> None:
        if self.is_open:
            self._sequence += 1
            message = {"event": event, "sequenceNumber": str(self._sequence), "streamSid": self.stream_sid} | fields
            self.outgoing.put_nowait(json.dumps(message))
