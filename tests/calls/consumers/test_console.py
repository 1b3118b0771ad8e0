"""The rows of the protocol that need no conversation: with a runner that keeps what it is told."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError
from pytest_django import Settings

from calls.engine.events import CallResumed
from calls.enums import EndReason
from calls.errors import AgentError
from calls.live import live_calls
from calls.runner.options import CallOptions
from calls.wire.audio import AudioFormat
from tests.calls.consumers.driver import AGENT_ID, CHUNK, VERSION_ID, Client, Workshop, ack, error, hold, kinds, started
from tests.calls.runner.fakes import agent

# --- the connection ---------------------------------------------------------------------------------------------------


def test_both_acks_come_at_once_with_one_session_made_by_the_server() -> None:
    async def scenario(client: Client) -> None:
        assert [message["type"] for message in client.sent] == ["websocket.accept", "websocket.send", "websocket.send"]

    client = hold(Workshop(), scenario)
    session_id = client.session_id
    assert UUID(session_id).version == 7
    assert kinds(client.events) == ["connection.lifecycle.ack", "connection.ack"]
    assert [event["payload"] for event in client.events] == [{"success": True, "sessionId": session_id}] * 2
    assert [UUID(event["eventId"]).version for event in client.events] == [7, 7]
    assert client.events[0]["eventId"] != client.events[1]["eventId"]
    assert client.times == [0.0, 0.0]


def test_a_connection_without_a_call_leaves_no_record() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        client.say("audio.input.end")
        await client.settle()

    hold(workshop, scenario)
    assert (workshop.sinks, workshop.runners) == ([], [])


def test_an_idle_connection_is_closed_with_1001(settings: Settings) -> None:
    settings.WS_IDLE_SECONDS = 30
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        await asyncio.sleep(20)
        client.say("connection.lifecycle.heartbeat", {"timestamp": 1.0})
        await asyncio.sleep(29)
        assert client.code is None
        await client.closed()
        assert asyncio.get_running_loop().time() == 50

    assert hold(workshop, scenario).code == 1001


def test_disconnect_closes_with_1000() -> None:
    async def scenario(client: Client) -> None:
        client.say("connection.lifecycle.disconnect", {"reason": "done"})
        await client.closed()

    assert hold(Workshop(), scenario).code == 1000


def test_disconnect_in_a_call_ends_it_as_the_callers_wish() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        client.say("connection.lifecycle.disconnect")
        await client.closed()
        assert await workshop.runner.run() is EndReason.CALLER_ENDED

    assert hold(workshop, scenario).code == 1000


def test_a_heartbeat_is_answered_with_the_same_event() -> None:
    async def scenario(client: Client) -> None:
        event_id = client.say("connection.lifecycle.heartbeat", {"timestamp": 1_767_225_600_123})
        answer = {
            "eventType": "connection.lifecycle.heartbeat",
            "eventId": event_id,
            "sessionId": client.session_id,
            "payload": {"timestamp": 1_767_225_600_123.0},
        }
        assert await client.settle() == [answer]

    hold(Workshop(), scenario)


@pytest.mark.parametrize(
    ("code", "is_draining", "reason"),
    [
        (1005, False, EndReason.CALLER_DISCONNECTED),
        (1012, False, EndReason.SHUTDOWN),
        (1005, True, EndReason.SHUTDOWN),
    ],
)
def test_the_end_of_the_socket_ends_the_call(
    monkeypatch: pytest.MonkeyPatch, code: int, is_draining: bool, reason: EndReason
) -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        monkeypatch.setattr(live_calls, "is_draining", is_draining)
        client.leave(code)
        await client.closed()
        assert await workshop.runner.run() is reason

    assert hold(workshop, scenario).code is None


def test_a_drain_ends_calls_with_1001() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        await live_calls.drain(5)
        assert await client.closed() == 1001
        assert await workshop.runner.run() is EndReason.SHUTDOWN

    hold(workshop, scenario)


def test_no_call_begins_while_the_server_drains(monkeypatch: pytest.MonkeyPatch) -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        monkeypatch.setattr(live_calls, "is_draining", True)
        client.say("audio.input.start")
        await client.closed()

    assert hold(workshop, scenario).code == 1001
    assert workshop.runners == []


# --- start ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event_type", ["audio.input.start", "voicechat.audio.start"])
def test_a_start_is_acknowledged_with_its_own_ids_and_a_boolean(event_type: str) -> None:
    async def scenario(client: Client) -> None:
        event_id = client.say(event_type, {"samplingRate": 8000}, sessionId="old")
        assert await client.until(event_type) == ack(event_type, event_id, "old")
        assert client.events[-1]["payload"]["success"] is True

    hold(Workshop(), scenario)


def test_a_start_makes_the_call_that_it_asks_for() -> None:
    workshop = Workshop(agent(opening="Hello {{name}}.", language="de-DE"))

    async def scenario(client: Client) -> None:
        await started(
            client,
            samplingRate=8000,
            outputSampleRate=24_000,
            agentId=str(AGENT_ID),
            language="fr-FR",
            voiceId="a voice",
            campaignId="spring",
            variables={"name": "Ann"},
        )

    hold(workshop, scenario)
    assert workshop.asked_for == [str(AGENT_ID)]
    assert workshop.runner.arguments["options"] == CallOptions(
        input=AudioFormat(rate=8000),
        output=AudioFormat(rate=24_000),
        language="fr-FR",
        voice="a voice",
        variables={"name": "Ann"},
        opening=True,
    )
    assert workshop.runner.arguments["spec"] == workshop.spec
    assert workshop.sink.attached == {
        "agent_id": AGENT_ID,
        "version_id": VERSION_ID,
        "language": "fr-FR",
        "variables": {"name": "Ann"},
        "campaign_id": "spring",
    }


def test_a_start_without_fields_takes_the_default_agent_and_its_language() -> None:
    workshop = Workshop(agent(language="de-DE"))

    async def scenario(client: Client) -> None:
        await started(client)

    hold(workshop, scenario)
    assert workshop.asked_for == [None]
    audio = AudioFormat(rate=16_000)
    assert workshop.runner.arguments["options"] == CallOptions(input=audio, output=audio, language="de-DE")


@pytest.mark.parametrize(
    ("family", "kind"), [("audio.input", "error.system.invalid_payload"), ("voicechat.audio", "voicechat.audio.error")]
)
def test_a_start_that_fails_is_answered_by_an_error_and_nothing_else(family: str, kind: str) -> None:
    async def scenario(client: Client) -> None:
        await client.settle()
        event_id = client.say(f"{family}.start", {"agentId": "gone"})
        assert kinds(await client.settle()) == [kind]
        assert error(client) == (kind, "INVALID_PAYLOAD", f"{family}.start", event_id)
        assert client.events[-1]["payload"]["message"] == "agentId: there is no such agent"

    hold(Workshop(failure=AgentError("agentId: there is no such agent")), scenario)


def test_after_a_start_that_failed_another_one_may_come() -> None:
    workshop = Workshop(failure=AgentError("not published"))

    async def scenario(client: Client) -> None:
        client.say("audio.input.start")
        await client.until("error.system.invalid_payload")
        workshop.failure = None
        await started(client)

    hold(workshop, scenario)
    assert len(workshop.runners) == 1


def test_a_missing_variable_is_named() -> None:
    async def scenario(client: Client) -> None:
        client.say("audio.input.start")
        event = await client.until("error.system.invalid_payload")
        assert event["payload"]["message"].startswith("variable 'name' has no value and no default")

    hold(Workshop(agent(prompt="You call {{name}}.")), scenario)


def test_a_slow_database_does_not_keep_the_ack_longer_than_half_a_second() -> None:
    workshop = Workshop(delay=3.0)

    async def scenario(client: Client) -> None:
        client.say("audio.input.start")
        await client.until("audio.input.start")
        assert asyncio.get_running_loop().time() < 0.5
        client.say("audio.input.chunk", {"audio": CHUNK})
        await asyncio.sleep(4)
        assert kinds(await client.settle()) == []
        assert workshop.runner.heard == [CHUNK]

    hold(workshop, scenario)


@pytest.mark.parametrize("failure", [OperationalError("gone"), TimeoutError()])
def test_a_database_that_is_away_is_a_connection_error_to_try_again(failure: Exception) -> None:
    async def scenario(client: Client) -> None:
        event_id = client.say("audio.input.start")
        event = await client.until("error.system.connection")
        assert error(client) == ("error.system.connection", "CONNECTION_ERROR", "audio.input.start", event_id)
        assert event["payload"]["retryable"] is True

    hold(Workshop(failure=failure), scenario)


def test_a_provider_that_is_unknown_is_a_connection_error() -> None:
    def resolve(_: object) -> Any:
        message = "provider 'x' for STT is unknown"
        raise AgentError(message)

    async def scenario(client: Client) -> None:
        client.say("audio.input.start")
        event = await client.until("error.system.connection")
        assert event["payload"]["message"] == "provider 'x' for STT is unknown"

    hold(Workshop(), scenario, resolve=resolve)


def test_a_journal_that_cannot_be_written_is_a_connection_error() -> None:
    def open_sink(*_: object) -> Any:
        raise OSError(28, "No space left on device")

    async def scenario(client: Client) -> None:
        client.say("audio.input.start")
        event = await client.until("error.system.connection")
        assert event["payload"] == {
            "message": "the call cannot be recorded now; try again",
            "code": "CONNECTION_ERROR",
            "retryable": True,
        }

    hold(Workshop(), scenario, open_sink=open_sink)


def test_a_second_start_is_acknowledged_and_begins_a_new_turn_at_its_rate() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        await started(client, samplingRate=48_000)
        await started(client)

    hold(workshop, scenario)
    assert len(workshop.runners) == 1
    assert workshop.runner.told == [CallResumed(), AudioFormat(rate=48_000), CallResumed()]


def test_a_second_start_while_the_first_is_pending_is_acknowledged() -> None:
    workshop = Workshop(delay=0.2)

    async def scenario(client: Client) -> None:
        client.say("audio.input.start")
        await client.settle()
        event_id = client.say("audio.input.start", {"samplingRate": 8000})
        assert await client.settle() == [ack("audio.input.start", event_id, client.session_id)]
        await asyncio.sleep(1)

    hold(workshop, scenario)
    assert workshop.runner.told == [CallResumed(), AudioFormat(rate=8000)]
