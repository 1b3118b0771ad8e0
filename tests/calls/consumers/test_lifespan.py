import asyncio
from typing import Any

import pytest

from calls.consumers import lifespan as module
from calls.consumers.lifespan import lifespan
from calls.demo import DEMO_AGENT
from calls.engine.agent import AgentSpec, ProviderChoice
from calls.enums import EndReason
from calls.errors import AgentError
from calls.live import live_calls
from calls.services import draft_from_spec, publish_agent


class FakeRecorder:
    def __init__(self, failure: OSError | None = None) -> None:
        self.log: list[str] = []
        self._failure = failure

    def start(self) -> None:
        self.log.append("started")
        if self._failure:
            raise self._failure

    def stop(self, seconds: float) -> bool:
        self.log.append(f"stopped within {seconds:g} s")
        return True


class Call:
    reason: EndReason | None = None

    def shut_down(self, reason: EndReason) -> None:
        self.reason = reason
        live_calls.discard(self)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> FakeRecorder:
    recorder = FakeRecorder()
    monkeypatch.setattr(module, "recorder", recorder)
    return recorder


async def serve(between: Any = None) -> list[str]:
    """Start and stop a process and give what the server was told."""
    told: list[str] = []
    is_started = asyncio.Event()
    inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def send(message: Any) -> None:
        told.append(message["type"])
        is_started.set()

    running = asyncio.create_task(lifespan({"type": "lifespan"}, inbox.get, send))
    inbox.put_nowait({"type": "lifespan.startup"})
    await is_started.wait()
    if between:
        await between()
    inbox.put_nowait({"type": "lifespan.shutdown"})
    await running
    return told


@pytest.mark.django_db(transaction=True)
async def test_the_recorder_lives_as_long_as_the_process(recorder: FakeRecorder) -> None:
    assert await serve() == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert recorder.log == ["started", "stopped within 5 s"]


@pytest.mark.django_db(transaction=True)
async def test_a_journal_that_cannot_be_written_does_not_keep_the_site_from_starting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "recorder", FakeRecorder(OSError(28, "No space left on device")))
    assert (await serve())[0] == "lifespan.startup.complete"
    assert "calls cannot be recorded" in caplog.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("recorder")
async def test_calls_on_the_line_are_ended_with_a_shutdown() -> None:
    call = Call()

    async def begin() -> None:
        assert not live_calls.is_draining
        live_calls.add(call)

    await serve(begin)
    assert (call.reason, live_calls.count) == (EndReason.SHUTDOWN, 0)


def publish(spec: AgentSpec) -> None:
    agent = draft_from_spec(spec)
    agent.save(force_insert=True)
    publish_agent(agent)


@pytest.mark.django_db(transaction=True)
async def test_each_choice_of_providers_is_warmed_up_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    warmed: list[ProviderChoice] = []

    async def warm(spec: AgentSpec) -> None:
        warmed.append(spec.providers)
        if spec.providers.llm:
            message = "provider 'gone' is unknown"
            raise AgentError(message)

    monkeypatch.setattr("calls.providers.registry.warm", warm)
    other = ProviderChoice(llm="gone")
    for spec in (DEMO_AGENT, AgentSpec(name="Twin", prompt="."), AgentSpec(name="Other", prompt=".", providers=other)):
        await asyncio.to_thread(publish, spec)
    await module.warm_up()
    assert sorted(warmed, key=str) == sorted([DEMO_AGENT.providers, other], key=str)
    assert "agent 'Other' cannot be called: provider 'gone' is unknown" in caplog.text
