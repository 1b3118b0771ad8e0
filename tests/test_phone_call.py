"""A call from the terminal: a real server, Twilio's REST wire, its signed webhooks and its media stream, over TCP."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from twilio.request_validator import RequestValidator

from calls.demo import DEMO_AGENT
from tests.processes import free_port, running
from tests.simulators.media_stream import Leg, SocketLine
from tests.simulators.twilio import Reply, SimulatedCall, TwilioSimulator
from tests.test_survival import Installation

FIRST_WORDS = f"{DEMO_AGENT.telephone.notice} {DEMO_AGENT.telephone.opening}"

SOMEBODY = "+15005550042"


def over_http(url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
    answer = httpx.post(url, data=dict(form), headers=dict(headers), timeout=15)
    return Reply(answer.status_code, answer.text)


@pytest.fixture
def twilio() -> Iterator[TwilioSimulator]:
    with TwilioSimulator(over_http) as simulator:
        yield simulator


async def place(installation: Installation) -> None:
    """Have a call placed as the last step of every way to one does; the gate before it has tests of its own."""
    code = f"from calls import telephony; telephony.place_call({SOMEBODY!r})"
    async with running("manage.py", "shell", "--no-imports", "-c", code, env=installation.env) as placed:
        assert await placed.rest() == 0, "\n".join(placed.lines)


@pytest.fixture
def installation(tmp_path: Path, twilio: TwilioSimulator) -> Installation:
    made = Installation(tmp_path)
    made.env |= {
        "TWILIO_ACCOUNT_SID": twilio.account_sid,
        "TWILIO_AUTH_TOKEN": twilio.auth_token,
        "TWILIO_PHONE_NUMBER": "+15005550006",
        "TWILIO_BASE_URL": twilio.url,
    }
    return made


def found(pattern: str, reply: Reply) -> str:
    match = re.search(pattern, reply.text)
    assert match, reply
    return match[1].replace("&amp;", "&")


@asynccontextmanager
async def streaming(reply: Reply) -> AsyncIterator[Leg]:
    """Open the stream that TwiML asks for."""
    leg = Leg({"token": found(r'name="token" value="([^"]+)"', reply)})
    url = found(r'<Stream url="([^"]+)"', reply)
    signature = RequestValidator(TwilioSimulator.auth_token).compute_signature(url, {})
    carrying = asyncio.create_task(SocketLine(url, leg, {"X-Twilio-Signature": signature}).run())
    try:
        yield leg
    finally:
        leg.hang_up()
        await carrying


async def answered(twilio: TwilioSimulator) -> tuple[SimulatedCall, Reply]:
    for step in (twilio.call.start, twilio.call.ring):
        assert await asyncio.to_thread(step) == Reply(204, "")
    return twilio.call, await asyncio.to_thread(twilio.call.answer)


async def test_a_call_from_the_terminal_is_placed_answered_spoken_and_followed(
    installation: Installation, twilio: TwilioSimulator
) -> None:
    away = 12 - datetime.now(UTC).hour  # where it is noon now, anybody may be called
    contact = f"Contact.objects.create(e164={SOMEBODY!r}, time_zone='Etc/GMT{-away:+d}')"
    code = f"from campaigns.models import Contact; {contact}"
    async with running("manage.py", "shell", "--no-imports", "-c", code, env=installation.env) as made:
        assert await made.rest() == 0, "\n".join(made.lines)
    command = ("manage.py", "place_call", SOMEBODY, "--yes")
    async with installation.serving(), running(*command, env=installation.env) as terminal:
        await terminal.until(lambda line: "queued" in line)
        call, twiml = await answered(twilio)
        async with streaming(twiml) as leg:
            await leg.until_heard(1500)
        await installation.until_ended()
        await asyncio.to_thread(call.end)
        assert await terminal.rest() == 0
        assert await asyncio.to_thread(call.ask, found(r"<Redirect[^>]*>([^<]+)<", twiml)) == Reply(
            200, '<?xml version="1.0" encoding="UTF-8"?>\n<Response>\n  <Hangup/>\n</Response>\n'
        )
    shown = [line.split(" s  ")[1].split()[0] for line in terminal.lines if " s  " in line]
    assert [word for word in shown if word in {"queued", "in-progress", "completed"}] == [
        *("queued", "in-progress", "completed"),
    ]
    [(session, door)] = installation.rows("SELECT id, door FROM calls_callsession")
    assert installation.rows("SELECT session_id, status, carrier_sid FROM calls_callattempt") == [
        (session, "completed", call.sid)
    ]
    [(speaker, heard, is_interrupted)] = installation.turns()
    assert (door, speaker, is_interrupted) == ("phone", "agent", True)
    assert len(heard) > 10
    assert FIRST_WORDS.startswith(heard)


async def test_after_a_kill_the_next_process_goes_on_with_the_person_on_the_line(
    installation: Installation, twilio: TwilioSimulator
) -> None:
    opening = FIRST_WORDS
    async with installation.serving() as server:
        await place(installation)
        call, twiml = await answered(twilio)
        async with streaming(twiml):
            await installation.until(lambda: installation.turns() == [("agent", opening, False)])
            server.process.send_signal(signal.SIGKILL)
            await server.process.wait()
    async with installation.serving():
        twiml = await asyncio.to_thread(call.ask, found(r"<Redirect[^>]*>([^<]+)<", twiml))
        async with streaming(twiml) as leg:
            await leg.until_heard(500)
            streams = installation.rows("SELECT number, session_id FROM calls_callstream ORDER BY number")
            assert [number for number, _ in streams] == [1, 2]
            assert installation.rows("SELECT status, session_id FROM calls_callattempt") == [
                ("in-progress", streams[1][1])
            ]
            await installation.until(lambda: len(installation.turns()) > 1)
    [first, second] = installation.rows('SELECT session_id, "index", text FROM calls_turn ORDER BY "index"')
    assert first == (streams[0][1], 0, opening)
    assert second[:2] == (streams[1][1], 1)
    assert second[2].startswith("Sorry, I lost you for a second.")
    assert len({UUID(session) for _, session in streams}) == 2
    assert len(twilio.calls) == 1


BRIEF_AGENT = """
from calls.engine.agent import AgentSpec, Silence
from calls.services import draft_from_spec, make_default, publish_agent
silence = Silence(reprompt_after_seconds={patience}, max_reprompts=0, goodbye="Goodbye.")
agent = draft_from_spec(AgentSpec(name="Bo", prompt="Be brief.", opening="Hello.", silence=silence))
agent.save(force_insert=True)
publish_agent(agent)
make_default(agent)
"""


async def until(is_so: Callable[[], bool], seconds: float) -> float:
    """Look each 10 ms, for the simulator is another thread's; give the time at which it was so."""
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 (no event tells of it)
            await asyncio.sleep(0.01)
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def answered_by_a_brief_agent(
    installation: Installation, twilio: TwilioSimulator, *, patience: int
) -> AsyncIterator[Leg]:
    command = ("manage.py", "shell", "--no-imports", "-c", BRIEF_AGENT.format(patience=patience))
    async with running(*command, env=installation.env) as made:
        assert await made.rest() == 0, "\n".join(made.lines)
    async with installation.serving():
        await place(installation)
        _, twiml = await answered(twilio)
        async with streaming(twiml) as leg:
            yield leg


async def test_the_leg_is_over_within_a_second_of_the_agents_goodbye(
    installation: Installation, twilio: TwilioSimulator
) -> None:
    """Twilio is told by REST: it need not ask, and no row of ours need be there by then."""
    async with answered_by_a_brief_agent(installation, twilio, patience=1) as leg:
        closed_at = await until(lambda: not leg.is_open, 30)
        assert await until(lambda: twilio.call.status == "completed", 5) - closed_at < 1
    assert await installation.until_ended() == (installation.rows("SELECT id FROM calls_callsession")[0][0], "silence")


async def test_a_half_open_stream_is_found_and_its_leg_ended_by_rest(
    installation: Installation, twilio: TwilioSimulator
) -> None:
    async with answered_by_a_brief_agent(installation, twilio, patience=60) as leg:
        await leg.until_heard(100)
        leg.go_dark()
        dark_at = asyncio.get_running_loop().time()
        assert 4.5 < await until(lambda: twilio.call.status == "completed", 20) - dark_at < 10
    assert (await installation.until_ended())[1] == "caller_disconnected"
    assert installation.rows("SELECT kind FROM calls_callevent WHERE kind = 'stream_lost'") == [("stream_lost",)]


async def test_a_process_that_stops_moves_its_call_to_another_one(
    installation: Installation, twilio: TwilioSimulator
) -> None:
    """The second one is the one that our public address leads to; the first holds the call and is asked to stop."""
    opening = FIRST_WORDS
    other = copy(installation)
    other.port = free_port()
    public = {"PUBLIC_URL": f"http://127.0.0.1:{other.port}", "DRAIN_SECONDS": "60"}
    installation.env |= public
    other.env = installation.env | {"PORT": str(other.port)}
    async with installation.serving() as first, other.serving():
        await place(installation)
        call, twiml = await answered(twilio)
        url = found(r'<Stream url="([^"]+)"', twiml)
        signature = RequestValidator(TwilioSimulator.auth_token).compute_signature(url, {})
        leg = Leg({"token": found(r'name="token" value="([^"]+)"', twiml)})
        here = url.replace(str(other.port), str(installation.port))
        line = SocketLine(here, leg, {"X-Twilio-Signature": signature})
        carrying = asyncio.create_task(line.run())
        await leg.until_heard(500)
        first.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(carrying, 30)
        assert line.code == 1001
        assert await first.rest() == -signal.SIGTERM
        twiml = await asyncio.to_thread(call.ask, found(r"<Redirect[^>]*>([^<]+)<", twiml))
        async with streaming(twiml) as leg:
            await leg.until_heard(500)
        await installation.until(lambda: len(installation.rows("SELECT 1 FROM calls_turn")) > 1)
    ((turn, kind),) = installation.rows(
        "SELECT t.text, e.kind FROM calls_turn t JOIN calls_callevent e ON e.session_id = t.session_id"
        " WHERE e.kind = 'stream_moved'"
    )
    assert (opening.startswith(turn), kind) == (True, "stream_moved")
    reasons = installation.rows("SELECT end_reason FROM calls_callsession ORDER BY started_at")
    assert reasons[0] == ("shutdown",)
