"""Calls of the sandbox against a served installation: the real carrier process, the real webhooks, the real socket.

That a persona's words are on none of its wires, tests/calls/sandbox/test_performance.py shows; a tap reads here what
really arrives over HTTP.
"""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from calls.demo import DEMO_AGENT
from calls.providers.scripted import ScriptedSpeechToText
from calls.sandbox.personas.wordings import WORDINGS
from tests.processes import ROOT, Running, free_port, running
from tests.test_survival import Installation

pytestmark = pytest.mark.real_time

STOP_CALLING, HANGS_UP = "+15005550105", "+15005550112"
VOICEMAIL = "+15005550106"
BUSY_LINE, INVALID = "+15005550114", "+15005550115"
SAYS_HELLO, SAYS_NOTHING, PRESSES_NINE = "+15005550101", "+15005550109", "+15005550117"

IMPORTED = """
import sys
import vantum.asgi
from calls.telephony.carriers import carrier
carrier("sandbox")
print([name for name in sorted(sys.modules) if name.startswith("calls.sandbox")])
"""


class MailboxEars(ScriptedSpeechToText):
    """Hears what mailboxes say in whatever sounds."""

    def __init__(self) -> None:
        super().__init__(("you have reached a voice mail box", "please leave a message after the tone"))


class Tap:
    """A TCP proxy in front of the web process that keeps what callers send."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.sent = bytearray()

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._carry, "127.0.0.1", port)
        try:
            yield
        finally:
            server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(self._pump(reader, inner_writer, self.sent), self._pump(inner_reader, writer, bytearray()))

    @staticmethod
    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray) -> None:
        try:
            while piece := await reader.read(65_536):
                kept += piece
                writer.write(piece)
        except ConnectionError:
            pass
        writer.close()


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


@asynccontextmanager
async def sandboxed(installation: Installation) -> AsyncIterator[Running]:
    """Serve, with the carrier beside it."""
    async with installation.serving(), running("manage.py", "sandbox", env=installation.env) as carrier:
        await carrier.until(lambda line: "the sandbox listens" in line)
        yield carrier


async def place(installation: Installation, number: str, *, agent: str = "") -> list[str]:
    """Call from the terminal and follow to the end; give the statuses that were shown."""
    chosen = ("--agent", agent) if agent else ()
    async with running("manage.py", "place_call", number, "--yes", *chosen, env=installation.env) as terminal:
        await terminal.rest(seconds=120)
    return [line.split(" s  ")[1].split()[0] for line in terminal.lines if " s  " in line]


def attempts(installation: Installation) -> dict[str, tuple[str, str]]:
    rows = installation.rows("SELECT to_e164, status, answered_by FROM calls_callattempt")
    return {number: (status, answered_by) for number, status, answered_by in rows}


async def test_four_calls_at_once_end_as_their_personas_do_and_no_webhook_has_their_words(
    installation: Installation,
) -> None:
    outer = free_port()
    installation.env["PUBLIC_URL"] = f"http://127.0.0.1:{outer}"
    tap = Tap(installation.port)
    numbers = (STOP_CALLING, HANGS_UP, BUSY_LINE, INVALID)
    async with tap.listening(outer), sandboxed(installation):
        shown = await asyncio.gather(*(place(installation, number) for number in numbers))
    assert [statuses[-1] for statuses in shown] == ["completed", "completed", "busy", "not-placed"]
    assert attempts(installation) == {
        STOP_CALLING: ("completed", "human"),
        HANGS_UP: ("completed", "human"),
        BUSY_LINE: ("busy", ""),
        INVALID: ("not-placed", ""),
    }
    streams = installation.rows("SELECT carrier_sid, started_at, stopped_at, error FROM calls_callstream")
    assert len(streams) == 2
    assert all(sid.startswith("MZ") and started and stopped and not error for sid, started, stopped, error in streams)
    assert {"agent", "caller"} <= {speaker for speaker, _, _ in installation.turns()}
    sent = unquote_plus(bytes(tap.sent).decode("latin-1")).lower()
    assert all(path in sent for path in ("/twilio/answer", "/twilio/status", "/twilio/amd", "/twilio/media"))
    lines = {line for wordings in WORDINGS.values() for wording in wordings for line in wording if " " in line}
    assert [line for line in lines if line in sent] == []


async def test_a_key_pressed_over_the_agents_words_ends_all_calls_to_its_number(installation: Installation) -> None:
    async with sandboxed(installation):
        assert (await place(installation, PRESSES_NINE))[-1] == "completed"
        assert await place(installation, PRESSES_NINE) == []
    assert installation.rows("SELECT e164, source FROM calls_suppression") == [(PRESSES_NINE, "key")]
    assert installation.rows("SELECT end_reason FROM calls_callsession") == [("opted_out",)]
    assert attempts(installation) == {PRESSES_NINE: ("completed", "human")}
    speaker, text, is_cut = installation.turns()[-1]
    assert (speaker, text, is_cut) == ("agent", DEMO_AGENT.telephone.opt_out_goodbye, False)


async def test_a_notice_that_a_kill_has_cut_is_spoken_again_before_anything_else(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", installation.port)) as listening:
        async with running("manage.py", "sandbox", env=installation.env) as carrier:
            await carrier.until(lambda line: "the sandbox listens" in line)
            async with installation.serving(listening) as server:
                talk = asyncio.create_task(place(installation, SAYS_HELLO))
                await installation.until(lambda: len(installation.turns()) == 1)  # the greeting; the notice follows it
                await asyncio.sleep(1)
                server.process.send_signal(signal.SIGKILL)
                await server.process.wait()
            async with installation.serving(listening):
                assert (await talk)[-1] == "completed"
    on_second = (
        "SELECT t.text FROM calls_turn t JOIN calls_callstream s ON s.session_id = t.session_id "
        "WHERE s.number = 2 AND t.speaker = 'agent'"
    )
    notice = DEMO_AGENT.telephone.notice
    assert installation.rows(on_second)[0][0].startswith(f"{notice} Sorry, I lost you for a second.")
    played = "SELECT s.number FROM calls_callevent e JOIN calls_callstream s ON s.session_id = e.session_id"
    assert installation.rows(f"{played} WHERE e.kind = 'notice_played'") == [(2,)]


LONG_GOODBYE = """
from calls.engine.agent import AgentSpec, Silence
from calls.services import draft_from_spec, make_default, publish_agent
goodbye = "I hear nobody. " * 8 + "Goodbye."
silence = Silence(reprompt_after_seconds=1, max_reprompts=0, goodbye=goodbye)
agent = draft_from_spec(AgentSpec(name="Bo", prompt="Be brief.", opening="Hello.", silence=silence))
agent.save(force_insert=True)
publish_agent(agent)
make_default(agent)
"""
SWEEP = """
from datetime import timedelta
from django.db.models import F
from calls.models import CallAttempt
from calls.tasks import sweep_attempts
CallAttempt.objects.update(heard_at=F("heard_at") - timedelta(minutes=3))
sweep_attempts()
"""


async def test_a_stack_that_is_stopped_in_a_goodbye_keeps_why_the_call_ended(installation: Installation) -> None:
    """The carrier forgets its calls, and nobody heard what it said last: the call was held all the same."""

    async def shell(code: str) -> None:
        async with running("manage.py", "shell", "--no-imports", "-c", code, env=installation.env) as terminal:
            assert await terminal.rest() == 0, "\n".join(terminal.lines)

    await shell(LONG_GOODBYE)
    async with installation.serving() as server, running("manage.py", "sandbox", env=installation.env) as carrier:
        await carrier.until(lambda line: "the sandbox listens" in line)
        # Placed as the last step of every way to a call does: the gate would ask this agent for a notice.
        await shell(f"from calls import telephony; telephony.place_call({SAYS_NOTHING!r})")
        await installation.until(lambda: len(installation.turns()) == 1)
        await asyncio.sleep(4)  # the opening was said; a second of silence later the goodbye began
        for process in (server.process, carrier.process):
            process.send_signal(signal.SIGTERM)
            await process.wait()
    assert (await installation.until_ended())[1] == "silence"
    assert [is_cut for _, _, is_cut in installation.turns()] == [False, True]
    async with running("manage.py", "sandbox", env=installation.env) as carrier:
        await carrier.until(lambda line: "the sandbox listens" in line)
        await shell(SWEEP)
    assert attempts(installation)[SAYS_NOTHING][0] == "completed"
    assert installation.rows(
        "SELECT a.ended_at = s.ended_at FROM calls_callattempt a JOIN calls_callsession s ON s.id = a.session_id"
    ) == [(1,)]


async def test_a_mailbox_is_left_its_message_after_the_beep_and_hears_nothing_before(
    installation: Installation,
) -> None:
    installation.env["STT_PROVIDER"] = f"{__name__}.MailboxEars"
    async with sandboxed(installation):
        assert (await place(installation, VOICEMAIL))[-1] == "completed"
    assert attempts(installation) == {VOICEMAIL: ("completed", "machine_end_beep")}
    assert installation.rows("SELECT end_reason FROM calls_callsession") == [("voicemail_left",)]
    message = DEMO_AGENT.telephone.voicemail_message
    assert [turn for turn in installation.turns() if turn[0] == "agent"] == [("agent", message, False)]
    [(known_ms, detail)] = installation.rows("SELECT at_ms, detail FROM calls_callevent WHERE kind = 'answered'")
    answered = json.loads(detail)
    assert (answered["by"], {"beep", "words"} <= set(answered["signals"])) == ("voicemail", True)
    [(began_ms, ended_ms)] = installation.rows("SELECT started_ms, ended_ms FROM calls_turn WHERE speaker = 'agent'")
    assert known_ms <= began_ms < ended_ms


def test_the_web_process_imports_no_line_of_a_persona(installation: Installation) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], cwd=ROOT, env=installation.env, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() in {"[]", "['calls.sandbox', 'calls.sandbox.catalogue']"}
