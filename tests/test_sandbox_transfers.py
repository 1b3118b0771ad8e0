"""Callers of the sandbox who want a human, and its colleagues: real processes, both streams over TCP, one conference.

The web process is killed in the midst of it, too; the carrier keeps both people on the line.
"""

import asyncio
import json
import re
import signal
import socket
from collections import Counter
from pathlib import Path

import pytest

from calls.engine.toolspec import TransferLines
from calls.services.briefing import TAKEN
from tests.processes import Running, running
from tests.test_sandbox_calls import place, sandboxed
from tests.test_survival import Installation

pytestmark = pytest.mark.real_time

CALLER = "+15005550104"
TAKES, DECLINES = "+15005550116", "+15005550118"
MAILBOX, NO_ANSWER, BUSY_LINE = "+15005550106", "+15005550113", "+15005550114"
LINES = TransferLines()
SUMMARY = "They want to know about the price."
AGENTS = """
import json, sys
from calls import services
from calls.models import Agent
for number in {numbers!r}:
    agent = Agent.objects.get(is_default=True)
    agent.pk, agent.name, agent.is_default, agent.published, agent._state.adding = None, number, False, None, True
    agent.pk = Agent._meta.pk.get_default()
    agent.tools = ["end_call", "transfer_call"]
    agent.destinations = [dict(name="Dana", e164=number, kind="warm")]
    agent.intents = [
        dict(name="greeting", examples=["hello there"], answer="Hello."),
        dict(name="person", examples=["a human please"], answer="", tool="transfer_call",
             arguments=dict(destination="Dana", summary={summary!r})),
        dict(name="enough", examples=["that is all"], answer="Goodbye then.", ends_call=True),
    ]
    agent.save(force_insert=True)
    services.publish_agent(agent)
    print("agent", json.dumps([number, str(agent.pk)]))
"""


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    made = Installation(tmp_path)
    made.env["RING_SECONDS"] = "20"
    return made


async def agents_for(installation: Installation, *numbers: str) -> dict[str, str]:
    """Make an agent for each number of a colleague: the scripted recogniser hears a wish for a human second."""
    code = AGENTS.format(numbers=numbers, summary=SUMMARY)
    async with running("manage.py", "shell", "--no-imports", "-c", code, env=installation.env) as terminal:
        assert await terminal.rest() == 0, "\n".join(terminal.lines)
    return dict(json.loads(line.removeprefix("agent ")) for line in terminal.lines if line.startswith("agent "))


def said(installation: Installation, number: str) -> list[tuple[str, str]]:
    """Give what was said on all streams of the calls to a number."""
    turns = installation.rows(
        "SELECT a.to_e164, t.speaker, t.text FROM calls_turn t JOIN calls_callstream s ON s.session_id = t.session_id "
        'JOIN calls_callattempt a ON a.id = s.attempt_id ORDER BY s.number, t."index"'
    )
    return [(speaker, text) for to, speaker, text in turns if to == number]


def ends(installation: Installation) -> list[tuple[str, str]]:
    """Give how each conversation ended, by whom it was with."""
    return installation.rows(
        "SELECT a.kind, c.end_reason FROM calls_callsession c JOIN calls_callstream s ON s.session_id = c.id "
        "JOIN calls_callattempt a ON a.id = s.attempt_id ORDER BY a.kind, s.number"
    )


async def until_all_is_over(installation: Installation, calls: int) -> None:
    over = "SELECT COUNT(*) FROM calls_callattempt WHERE ended_at IS NOT NULL"
    await installation.until(lambda: installation.rows(over) == [(calls,)])
    await installation.until(lambda: not installation.rows("SELECT 1 FROM calls_callsession WHERE status = 'live'"))


async def dialled(carrier: Running) -> Counter[str]:
    """Stop the carrier and say how often it dialled each number, by the last two digits."""
    carrier.process.send_signal(signal.SIGTERM)
    await carrier.rest()
    return Counter(re.findall(r"to a number ending in (\d\d):", "\n".join(carrier.lines)))


async def test_a_caller_who_wants_a_human_meets_the_colleague_who_takes_the_call(installation: Installation) -> None:
    agents = await agents_for(installation, TAKES)
    async with sandboxed(installation) as carrier:
        statuses = await place(installation, CALLER, agent=agents[TAKES])
        await until_all_is_over(installation, 2)
        assert await dialled(carrier) == {"04": 1, "16": 1}
    assert statuses[-1] == "completed"
    assert installation.rows("SELECT status, outcome FROM calls_transfer") == [("completed", "")]
    legs = installation.rows("SELECT kind, to_e164, status FROM calls_callattempt ORDER BY created_at")
    assert legs == [("contact", CALLER, "completed"), ("colleague", TAKES, "completed")]
    assert said(installation, CALLER)[-2:] == [("agent", LINES.calling), ("agent", LINES.connecting)]
    briefing = " ".join(text for speaker, text in said(installation, TAKES) if speaker == "agent")
    assert SUMMARY in briefing, "the colleague's own name over it cuts nothing off"
    assert said(installation, TAKES)[-1] == ("agent", TAKEN)
    assert ends(installation) == [("colleague", "transferred"), ("contact", "transferred")]


async def test_whoever_does_not_take_the_caller_leaves_him_with_the_agent(installation: Installation) -> None:
    outcomes = {BUSY_LINE: "busy", NO_ANSWER: "no-answer", MAILBOX: "voicemail", DECLINES: "declined"}
    agents = await agents_for(installation, *outcomes)
    callers = {f"+15005550{124 + 20 * place}": number for place, number in enumerate(outcomes)}
    async with sandboxed(installation) as carrier:
        talks = (place(installation, caller, agent=agents[number]) for caller, number in callers.items())
        shown = await asyncio.gather(*talks)
        await until_all_is_over(installation, 8)
        assert set((await dialled(carrier)).values()) == {1}
    assert {statuses[-1] for statuses in shown} == {"completed"}
    assert dict(installation.rows("SELECT to_e164, outcome FROM calls_transfer")) == outcomes
    assert {status for (status,) in installation.rows("SELECT status FROM calls_transfer")} == {"failed"}
    for caller in callers:
        lines = [text for speaker, text in said(installation, caller) if speaker == "agent"]
        assert LINES.calling.startswith(lines[-3]), "a line that is busy is told at once"
        assert lines[-2:] == [LINES.returned, "Goodbye then."]
    assert {reason for kind, reason in ends(installation) if kind == "contact"} == {"agent_said_goodbye"}


BOTH_MET = (
    "SELECT status FROM calls_transfer WHERE status = 'connected' "
    "EXCEPT SELECT 'connected' FROM calls_callsession WHERE status = 'live'"
)
MOMENTS = {
    "while the colleague's telephone rings": (
        "SELECT 1 FROM calls_callattempt WHERE kind = 'colleague' AND status = 'ringing'",
        [("colleague", "transferred"), ("contact", "instance_lost"), ("contact", "transferred")],
    ),
    "during the summary": (
        "SELECT 1 FROM calls_callsession c JOIN calls_callattempt a ON a.session_id = c.id WHERE a.kind = 'colleague'",
        [
            *(("colleague", "instance_lost"), ("colleague", "transferred")),
            *(("contact", "instance_lost"), ("contact", "transferred")),
        ],
    ),
    "after the acceptance": (
        "SELECT 1 FROM calls_transfer WHERE status = 'accepted'",
        [("colleague", "instance_lost"), ("contact", "instance_lost")],
    ),
    "in the conference": (
        BOTH_MET,
        [("colleague", "transferred"), ("contact", "transferred")],
    ),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_kill_in_the_midst_of_a_warm_transfer_costs_nobody_the_other(
    installation: Installation, moment: str
) -> None:
    has_come, reasons = MOMENTS[moment]
    agents = await agents_for(installation, TAKES)
    with socket.create_server(("127.0.0.1", installation.port)) as listening:
        async with running("manage.py", "sandbox", env=installation.env) as carrier:
            await carrier.until(lambda line: "the sandbox listens" in line)
            async with installation.serving(listening) as server:
                talk = asyncio.create_task(place(installation, CALLER, agent=agents[TAKES]))
                await installation.until(lambda: bool(installation.rows(has_come)))
                server.process.send_signal(signal.SIGKILL)
                await server.process.wait()
            async with installation.serving(listening):
                statuses = await talk
                await until_all_is_over(installation, 2)
                assert await dialled(carrier) == {"04": 1, "16": 1}
    assert statuses[-1] == "completed"
    assert installation.rows("SELECT status, outcome FROM calls_transfer") == [("completed", "")]
    assert installation.rows("SELECT DISTINCT status FROM calls_callattempt") == [("completed",)]
    assert ends(installation) == reasons
