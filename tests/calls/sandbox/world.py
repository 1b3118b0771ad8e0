"""A network under a test's control: a web process that answers what the test says, and a server at the stream's end."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

from calls.sandbox.ledger import Form, LedgerCall
from calls.sandbox.performance import Performance, Reply
from calls.sandbox.personas import Casting, cast
from calls.sandbox.rooms import Rooms
from calls.sandbox.voice import beeps

ORDER = {
    "To": "+15005550101",
    "From": "+15005550100",
    "Url": "http://us/answer",
    "StatusCallback": "http://us/status",
    "AsyncAmdStatusCallback": "http://us/amd",
    "Timeout": "25",
    "TimeLimit": "600",
}


class BeepingVoices:
    async def speak(self, text: str, voice: str) -> bytes:
        del voice
        return beeps(text)

    async def prepare(self, lines: Iterable[str], voice: str) -> Mapping[str, bytes]:
        return {line: await self.speak(line, voice) for line in lines}


class FakeSocket:
    """The server's end: ``received`` is what the carrier sent; ``say`` and ``close_it`` are the server's doing."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.is_closed = False
        self._texts: asyncio.Queue[str | None] = asyncio.Queue()

    async def send(self, text: str) -> None:
        if self.is_closed:
            raise ConnectionResetError
        self.received.append(json.loads(text))

    async def texts(self) -> AsyncIterator[str]:
        while (text := await self._texts.get()) is not None:
            yield text

    async def close(self) -> None:
        self.is_closed = True

    def say(self, audio: bytes) -> None:
        payload = base64.b64encode(audio).decode()
        self._texts.put_nowait(
            json.dumps({"event": "media", "streamSid": self.stream_sid, "media": {"payload": payload}})
        )

    def write(self, text: str) -> None:
        self._texts.put_nowait(text)

    def close_it(self) -> None:
        self._texts.put_nowait(None)

    @property
    def stream_sid(self) -> str:
        return str(next(message for message in self.received if message["event"] == "start")["streamSid"])

    def events(self) -> list[str]:
        return [message["event"] for message in self.received]


class FakeWorld:
    """``answers``: TwiML by address, or a list that is worked off. ``posted`` has what was posted, with its second."""

    def __init__(self, answers: Mapping[str, str | list[Reply]]) -> None:
        self.voices: Any = BeepingVoices()
        self.rooms = Rooms()
        self.sockets: list[FakeSocket] = []
        self.posted: list[tuple[float, Form]] = []
        self.connect_failure: OSError | None = None
        self.on_connect: Callable[[FakeSocket], object] = lambda _: None
        self._answers = answers

    async def post(self, form: Form) -> Reply:
        self.posted.append((asyncio.get_running_loop().time(), form))
        answer = self._answers.get(form.url, "")
        if isinstance(answer, list):
            return answer.pop(0)
        return Reply(200, f"<Response>{answer}</Response>")

    async def connect(self, url: str) -> FakeSocket:
        assert url == "ws://us/media"
        if self.connect_failure:
            raise self.connect_failure
        socket = FakeSocket()
        self.sockets.append(socket)
        asyncio.get_running_loop().call_later(0.1, self.on_connect, socket)
        return socket

    def reach(self, number: str) -> Casting | None:
        return cast(number, 0) if number.startswith("+1500555") else None

    def play(self, number: str = "+15005550101", **order: str) -> Performance:
        call = LedgerCall("AC1", {**ORDER, "To": number, **order})
        return Performance(call, cast(number, 0), self)

    def told(self, url: str, field: str) -> list[str]:
        return [form.fields.get(field, "") for _, form in self.posted if form.url == url]

    @property
    def statuses(self) -> list[str]:
        return self.told("http://us/status", "CallStatus")
