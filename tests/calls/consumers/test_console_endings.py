"""How calls end, in each state and by each failure: the real runner and engine, virtual time."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from calls.engine.agent import BargeIn
from calls.engine.events import ToolRequest
from calls.enums import EndReason, Role, Speaker
from calls.errors import ProviderRejectedError, ProviderUnavailableError
from tests.calls.consumers.driver import Client, RealWorkshop, hold
from tests.calls.consumers.talk import (
    model,
    of,
    open_call,
    speak,
    spec,
    until_state,
    words,
    workshop,
)
from tests.calls.runner.fakes import FakeModel, FakeRecogniser

# --- the end ----------------------------------------------------------------------------------------------------------


def test_end_call_plays_the_goodbye_and_closes_with_1000(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        await open_call(client)
        client.say("user.action.end_call")
        await client.closed()

    made = workshop(tmp_path)
    client = hold(made, scenario)
    assert client.code == 1000
    assert words(made)[1:] == [(Speaker.AGENT, "Goodbye then.", False)]
    chunks = of(client, "voicechat.response.chunk")
    goodbye = sum(len(chunk["audio"]) for chunk in chunks if chunk["utteranceId"] == chunks[-1]["utteranceId"])
    assert goodbye == len("Goodbye then.") * 60 * 32
    assert made.sink.reason is EndReason.CALLER_ENDED


def test_the_agents_goodbye_closes_with_1000_when_it_was_played(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        await open_call(client)
        client.say("user.text", {"text": "Bye."})
        await client.closed()

    made = workshop(tmp_path, FakeModel([ToolRequest("t1", "end_call", '{"goodbye": "Take care."}')]))
    client = hold(made, scenario)
    assert client.code == 1000
    assert made.sink.reason is EndReason.AGENT_SAID_GOODBYE
    assert words(made)[-1] == (Speaker.AGENT, "Take care.", False)


@pytest.mark.parametrize("state", ["THINKING", "RESPONDING", "LISTENING", "INTERRUPTED"])
def test_a_client_that_disappears_in_any_state_leaves_a_finished_call(tmp_path: Path, state: str) -> None:
    async def scenario(client: Client) -> None:
        client.say("voicechat.audio.start")
        if state == "INTERRUPTED":
            await until_state(client, "RESPONDING")
            await speak(client, quiet=2)
            await speak(client, loud=1)
        await until_state(client, state)
        client.leave(1006)
        await client.closed()

    made = workshop(tmp_path, barge_in=BargeIn(interrupt_after_ms=160))
    hold(made, scenario)
    assert made.sink.reason is EndReason.CALLER_DISCONNECTED


# --- providers that fail ----------------------------------------------------------------------------------------------


def test_a_model_that_fails_for_good_is_an_llm_error_and_a_spoken_fallback(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        await open_call(client)
        client.say("user.text", {"text": "Hello?"})
        await until_state(client, "LISTENING")

    broken = FakeModel(*[[ProviderRejectedError("HTTP 401", provider="openai", role=Role.LLM)]] * 3)
    made = workshop(tmp_path, broken)
    client = hold(made, scenario)
    (payload,) = of(client, "voicechat.error")
    assert (payload["code"], payload["errorType"]) == ("LLM_ERROR", "llm")
    assert words(made)[1:] == [
        (Speaker.CALLER, "Hello?", False),
        (Speaker.AGENT, "Sorry, I missed that. Could you say it again?", False),
    ]
    assert client.code is None


def test_a_voice_that_fails_for_good_is_a_tts_error(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        await open_call(client, "audio.input")
        await asyncio.sleep(30)  # the fallback lines are cached by then
        made.synthesiser.failures = [ProviderUnavailableError("gone", provider="tts", role=Role.TTS)] * 9
        client.say("user.text", {"text": "Hello?"})
        await until_state(client, "LISTENING", "conversation.state.changed")

    made = workshop(tmp_path, model("Never spoken."))
    client = hold(made, scenario)
    assert [payload["code"] for payload in of(client, "error.system.tts")] == ["TTS_ERROR"]
    assert words(made)[-1][1] == "Sorry, I missed that. Could you say it again?"


@pytest.mark.parametrize(("is_reached", "kind"), [(False, "error.system.connection"), (True, "error.system.stt")])
def test_a_recogniser_that_is_lost_is_said_and_ends_the_call(tmp_path: Path, is_reached: bool, kind: str) -> None:
    recogniser = FakeRecogniser()
    failure = ProviderRejectedError("HTTP 401", provider="deepgram", role=Role.STT)
    recogniser.refusal = None if is_reached else failure

    async def scenario(client: Client) -> None:
        client.say("audio.input.start")
        if is_reached:
            await until_state(client, "LISTENING", "conversation.state.changed")
            recogniser.streams[0].emit(failure)
        await client.closed()

    made = RealWorkshop(spec(), tmp_path, recogniser=recogniser)
    client = hold(made, scenario)
    assert [event["eventType"] for event in client.events if "error" in event["eventType"]] == [kind]
    assert client.code == 1000
    assert made.sink.reason is EndReason.PROVIDER_FAILED


def test_acks_come_at_once_while_every_provider_hangs(tmp_path: Path) -> None:
    class Hanging(FakeRecogniser):
        def open(self, options: Any) -> Any:
            stream = super().open(options)

            async def hang() -> None:
                await asyncio.sleep(3600)

            stream.connect = hang  # type: ignore[method-assign]
            return stream

    async def scenario(client: Client) -> None:
        for kind in ("audio.input.start", "audio.input.end", "user.action.mute"):
            began = asyncio.get_running_loop().time()
            client.say(kind)
            await client.until(kind)
            assert asyncio.get_running_loop().time() - began < 0.05

    made = RealWorkshop(spec(), tmp_path, FakeModel([3600.0]), recogniser=Hanging())
    made.synthesiser.delay = 10.0
    hold(made, scenario)
