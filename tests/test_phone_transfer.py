"""A caller handed to a colleague: a real server, Twilio's REST wire and webhooks, and two media streams over TCP."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes import running
from tests.simulators.twilio import Reply, SimulatedCall, TwilioSimulator
from tests.test_phone_call import SOMEBODY, found, over_http, streaming
from tests.test_survival import Installation

pytestmark = pytest.mark.real_time

COLLEAGUE = "+15005550044"
AGENT = f"""
from calls import services
from calls.models import Agent
agent = Agent.objects.get(is_default=True)
agent.opening = "Press 1 for a person."
agent.tools = ["end_call", "transfer_call"]
agent.destinations = [dict(name="Dana", e164="{COLLEAGUE}", kind="warm")]
agent.intents = [dict(name="person", examples=["pressed 1"], answer="", tool="transfer_call",
                      arguments=dict(destination="Dana", summary="They pressed 1."))]
agent.save()
services.publish_agent(agent)
"""


@pytest.fixture
def twilio() -> Iterator[TwilioSimulator]:
    with TwilioSimulator(over_http) as simulator:
        yield simulator


@pytest.fixture
def installation(tmp_path: Path, twilio: TwilioSimulator) -> Installation:
    made = Installation(tmp_path)
    made.env |= {
        "TWILIO_ACCOUNT_SID": twilio.account_sid,
        "TWILIO_AUTH_TOKEN": twilio.auth_token,
        "TWILIO_PHONE_NUMBER": "+15005550006",
        "TWILIO_BASE_URL": twilio.url,
        "STT_PROVIDER": "scripted",
        "TTS_PROVIDER": "scripted",
    }
    return made


async def until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 (another process is waited for)
            await asyncio.sleep(0.05)


async def picked_up(call: SimulatedCall) -> Reply:
    for step in (call.start, call.ring):
        assert await asyncio.to_thread(step) == Reply(204, "")
    return await asyncio.to_thread(call.answer)


def room(reply: Reply) -> str:
    return found(r"<Conference [^>]*>([^<]+)<", reply)


async def test_a_caller_and_a_colleague_who_takes_him_meet_in_one_conference(
    installation: Installation, twilio: TwilioSimulator
) -> None:
    async with installation.serving():
        # Placed as the last step of every way to a call does; the gate before it has tests of its own.
        for code in (AGENT, f"from calls import telephony; telephony.place_call({SOMEBODY!r})"):
            async with running("manage.py", "shell", "-c", code, env=installation.env) as terminal:
                assert await terminal.rest() == 0, terminal.lines
        first = twilio.call
        asked = [await picked_up(first)]
        async with streaming(asked[0]) as caller:
            await caller.until_heard(300)
            caller.press("1")
            await until(lambda: len(twilio.calls) == 2)
            second = twilio.calls[1]
            assert second.order["To"] == COLLEAGUE
            asked.append(await picked_up(second))
            async with streaming(asked[1]) as colleague:
                await colleague.until_heard(300)
                colleague.press("1")
                reasons = "SELECT end_reason FROM calls_callsession"
                await until(lambda: installation.rows(reasons) == [("transferred",), ("transferred",)])
        calls = (first, second)
        verbs = [
            await asyncio.to_thread(call.ask, found(r"<Redirect[^>]*>([^<]+)<", twiml))
            for call, twiml in zip(calls, asked, strict=True)
        ]
        assert room(verbs[0]) == room(verbs[1])
        assert re.fullmatch(r"transfer-[0-9a-f-]{36}", room(verbs[0]))
        await asyncio.to_thread(first.end)
        assert installation.rows("SELECT status, outcome FROM calls_transfer") == [("completed", "")]
        assert second.status == "completed"
    legs = installation.rows("SELECT kind, to_e164 FROM calls_callattempt ORDER BY created_at")
    assert legs == [("contact", SOMEBODY), ("colleague", COLLEAGUE)]
    kinds = {kind for (kind,) in installation.rows("SELECT kind FROM calls_callevent")}
    assert {"tool_used", "colleague_accepted", "recording_ended", "dtmf"} <= kinds


RECORDED = f"""
from calls import services
from calls.models import Agent
agent = Agent.objects.get(is_default=True)
agent.telephone_opening = "Press 1 for a person."
agent.notice, agent.carrier_recording = "This call is recorded.", True
agent.tools = ["end_call", "transfer_call"]
agent.destinations = [dict(name="Desk", e164="{COLLEAGUE}", kind="cold")]
agent.intents = [dict(name="person", examples=["pressed 1"], answer="", tool="transfer_call",
                      arguments=dict(destination="Desk"))]
agent.save()
services.publish_agent(agent)
"""


async def test_a_recording_pauses_for_a_transfer_and_goes_on_where_nobody_takes_the_caller(
    installation: Installation, twilio: TwilioSimulator
) -> None:
    async with installation.serving():
        for code in (RECORDED, f"from calls import telephony; telephony.place_call({SOMEBODY!r})"):
            async with running("manage.py", "shell", "-c", code, env=installation.env) as terminal:
                assert await terminal.rest() == 0, terminal.lines
        call = twilio.call
        asked = await picked_up(call)
        async with streaming(asked) as caller:
            await until(lambda: len(call.recorded) == 1)  # the notice was heard
            caller.press("1")
            await until(lambda: bool(call.changed))
            await until(lambda: not caller.is_open)
        dial = await asyncio.to_thread(call.ask, found(r"<Redirect[^>]*>([^<]+)<", asked))
        asked = await asyncio.to_thread(call.ask, found(r'action="([^"]+)"', dial), DialCallStatus="busy")
        async with streaming(asked) as caller:
            await until(lambda: len(call.changed) == 2)
            await caller.until_heard(500)
        events = "SELECT kind FROM calls_callevent WHERE kind LIKE 'recording_%' ORDER BY id"
        await until(lambda: installation.rows(events) == [("recording_ended",), ("recording_resumed",)])
        # Ours has a file for each stream.
        await until(lambda: len(installation.rows("SELECT path FROM calls_recording")) == 2)
    (sid,) = call.recorded
    paused, resumed = {"Status": "paused", "PauseBehavior": "skip"}, {"Status": "in-progress"}
    assert call.changed == [(sid, paused), (sid, resumed)]
