"""A ``/ws`` client without a network, and a runner that does what a test says. Time is virtual."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgpack

from calls.consumers.console import ConsoleConsumer
from calls.consumers.console.call import Parts
from calls.engine.agent import AgentSpec
from calls.engine.events import Event, HangUpRequested
from calls.enums import OBJECTION, EndReason, EventKind
from calls.live import live_calls
from calls.providers.base import SpeechToText
from calls.providers.cache import SpeechCache
from calls.providers.registry import CallProviders
from calls.runner.call import CallRunner
from calls.runner.simulation import CollectingSink, run_virtually
from calls.services.agents import LoadedAgent
from calls.wire.audio import AudioFormat
from tests.calls.runner.fakes import FakeDetector, FakeModel, FakeRecogniser, FakeSynthesiser, agent

HTTP_RESPONSE: dict[str, Any] = {"websocket.http.response": {}}
AGENT_ID = UUID("01930000-0000-7000-8000-00000000000a")
VERSION_ID = UUID("01930000-0000-7000-8000-00000000000b")
Scenario = Callable[["Client"], Awaitable[None]]


class FakeRunner:
    """Keeps what it is told; ``end`` ends it. Like the real one it is told nothing before ``run``."""

    def __init__(self, **arguments: Any) -> None:
        self.__dict__ |= arguments
        self.arguments = arguments
        self.told: list[Event | AudioFormat] = []
        self.heard: list[bytes] = []
        self.failure: Exception | None = None
        self._reason: asyncio.Future[EndReason] = asyncio.get_running_loop().create_future()
        self._is_running = False
        self.is_slow_to_end = False

    async def run(self) -> EndReason:
        self._is_running = True
        return await self._reason

    def hear(self, audio: bytes) -> None:
        assert self._is_running
        self.heard.append(audio)

    def receive(self, event: Event) -> None:
        assert self._is_running
        if self.failure:
            raise self.failure
        self.told.append(event)
        if event == HangUpRequested() and not self.is_slow_to_end:
            self.shut_down(EndReason.CALLER_ENDED)

    def change_input(self, audio: AudioFormat) -> None:
        self.told.append(audio)

    def shut_down(self, reason: EndReason) -> None:
        if not self._reason.done():
            self._reason.set_result(reason)

    def fail(self, failure: Exception) -> None:
        self._reason.set_exception(failure)


class Sink(CollectingSink):
    def __init__(self) -> None:
        super().__init__()
        self.attached: dict[str, Any] = {}
        self.on_event: Callable[[str, Mapping[str, Any]], None] = lambda _kind, _detail: None

    def attach(self, **fields: Any) -> None:
        self.attached = fields

    def record_event(self, kind: str, at_ms: int, detail: Mapping[str, Any]) -> None:
        super().record_event(kind, at_ms, detail)
        self.on_event(kind, detail)

    def stop_recording(self, at_ms: int) -> None:
        super().stop_recording(at_ms)
        self.on_event(EventKind.RECORDING_STOPPED, {"reason": OBJECTION})


class Workshop:
    """Makes the parts of a call, and keeps what it made. ``delay``: how long the database takes, in seconds."""

    def __init__(self, spec: AgentSpec | None = None, *, delay: float = 0.0, failure: Exception | None = None) -> None:
        self.spec = spec or agent(opening="Hello.")
        self.delay = delay
        self.failure = failure
        self.asked_for: list[str | None] = []
        self.runners: list[FakeRunner] = []
        self.sinks: list[Sink] = []

    @property
    def runner(self) -> FakeRunner:
        return self.runners[-1]

    @property
    def sink(self) -> Sink:
        return self.sinks[-1]

    def parts(self, **changes: Any) -> Parts:
        return Parts(
            **{
                "make_runner": self._make_runner,
                "load": self._load,
                "resolve": lambda _: SimpleNamespace(),
                "open_sink": self.open_sink,
            }
            | changes
        )

    async def _load(self, agent_id: str | None) -> LoadedAgent:
        self.asked_for.append(agent_id)
        await asyncio.sleep(self.delay)
        if self.failure:
            raise self.failure
        return LoadedAgent(agent_id=AGENT_ID, version_id=VERSION_ID, spec=self.spec)

    def _make_runner(self, **arguments: Any) -> FakeRunner:
        self.runners.append(FakeRunner(**arguments))
        return self.runner

    def open_sink(self, *_: Any) -> Sink:
        self.sinks.append(Sink())
        return self.sink


class RealWorkshop(Workshop):
    """Makes calls of the real runner and engine, with providers under the test's control."""

    def __init__(
        self, spec: AgentSpec, folder: Path, *models: FakeModel, recogniser: SpeechToText | None = None
    ) -> None:
        super().__init__(spec)
        self.synthesiser = FakeSynthesiser()
        self.providers = CallProviders(
            stt=recogniser or FakeRecogniser(),
            llms=models or (FakeModel(),),
            tts=(self.synthesiser,),
            vad=FakeDetector(),
            cache=SpeechCache(folder),
        )

    def parts(self, **changes: Any) -> Parts:
        return super().parts(make_runner=self._real_runner, resolve=lambda _: self.providers, **changes)

    def _real_runner(self, **arguments: Any) -> CallRunner:
        return CallRunner(**arguments, clock=asyncio.get_running_loop().time)


class Client:
    """The browser's end of a connection. ``events`` holds what came, ``code`` the close code."""

    def __init__(self, application: Any, scope: Mapping[str, Any] | None = None) -> None:
        self.scope = {"type": "websocket", "path": "/ws", "headers": [], "query_string": b""} | dict(scope or {})
        self.sent: list[Mapping[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.code: int | None = None
        self.reads = asyncio.Event()
        self.reads.set()
        self._read = 0
        self._serial = 0
        self._changed = asyncio.Event()
        self._inbox: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._inbox.put_nowait({"type": "websocket.connect"})
        self.serving = asyncio.create_task(application(self.scope, self._inbox.get, self._take))

    async def _take(self, message: Mapping[str, Any]) -> None:
        await self.reads.wait()
        self.sent.append(message)
        if message["type"] == "websocket.send":
            assert set(message) == {"type", "bytes"}
            self.events.append(msgpack.unpackb(message["bytes"]))
            self.times.append(asyncio.get_running_loop().time())
        elif message["type"] == "websocket.close":
            self.code = message["code"]
        self._changed.set()

    @property
    def session_id(self) -> str:
        return str(self.events[0]["sessionId"])

    def frame(self, binary: bytes | None = None, text: str | None = None) -> None:
        self._inbox.put_nowait({"type": "websocket.receive", "bytes": binary, "text": text})

    def say(self, event_type: str, payload: Any = None, **envelope: Any) -> str:
        """Send an event and give its id."""
        self._serial += 1
        fields = {"eventType": event_type, "eventId": f"e{self._serial}", "payload": payload or {}}
        self.frame(msgpack.packb(fields | {"sessionId": self.session_id if self.events else ""} | envelope))
        return str(fields["eventId"])

    def leave(self, code: int = 1005) -> None:
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": code})

    async def until(self, event_type: str, seconds: float = 60) -> dict[str, Any]:
        """Give the next event of this type; those before it count as read."""
        async with asyncio.timeout(seconds):
            while True:
                while self._read < len(self.events):
                    self._read += 1
                    if self.events[self._read - 1]["eventType"] == event_type:
                        return self.events[self._read - 1]
                self._changed.clear()
                await self._changed.wait()

    async def settle(self) -> list[dict[str, Any]]:
        """Let everything happen that needs no time, and give the events not read yet."""
        for _ in range(20):
            await asyncio.sleep(0)
        news = self.events[self._read :]
        self._read = len(self.events)
        return news

    async def closed(self, seconds: float = 60) -> int | None:
        """Wait for the end and give the close code."""
        async with asyncio.timeout(seconds):
            await self.serving
        return self.code


def hold(workshop: Workshop, scenario: Scenario, scope: Mapping[str, Any] | None = None, **changes: Any) -> Client:
    """Play ``scenario`` on a connection, end it, and see that nothing is left of it."""

    async def play() -> Client:
        client = Client(ConsoleConsumer.as_asgi(parts=workshop.parts(**changes)), scope)
        await client.settle()
        await scenario(client)
        if not client.serving.done():
            client.leave()
        await client.closed()
        await asyncio.sleep(60)  # what calls may share, like a line that is being made, ends by itself
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert live_calls.count == 0
        return client

    return run_virtually(play())


def ack(event_type: str, event_id: str, session_id: str) -> dict[str, Any]:
    return {"eventType": event_type, "eventId": event_id, "sessionId": session_id, "payload": {"success": True}}


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["eventType"] for event in events]


CHUNK = bytes(range(1, 201)) * 2


async def started(client: Client, event_type: str = "audio.input.start", **payload: Any) -> None:
    client.say(event_type, payload)
    await client.until(event_type)
    await client.settle()


def error(client: Client) -> tuple[str, str, str, str]:
    """The last event as an error: its type, code, the request's type and the id it echoes."""
    event = client.events[-1]
    return event["eventType"], event["payload"]["code"], event["requestType"], event["eventId"]
