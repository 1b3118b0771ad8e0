"""Calls of the sandbox against a served installation: the real carrier process, the real webhooks, the real socket.

That a persona's words are on none of its wires, tests/calls/sandbox/test_performance.py shows; a tap reads here what
really arrives over HTTP.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from calls.sandbox.personas.wordings import WORDINGS
from tests.processes import ROOT, Running, free_port, running
from tests.test_survival import Installation

STOP_CALLING, HANGS_UP = "+15005550105", "+15005550112"
BUSY_LINE, INVALID = "+15005550114", "+15005550115"

IMPORTED = """
import sys
import vantum.asgi
from calls.telephony.carriers import carrier
carrier("sandbox")
print([name for name in sorted(sys.modules) if name.startswith("calls.sandbox")])
"""


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


async def place(installation: Installation, number: str) -> list[str]:
    """Call from the terminal and follow to the end; give the statuses that were shown."""
    async with running("manage.py", "place_call", number, "--yes", env=installation.env) as terminal:
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


def test_the_web_process_imports_no_line_of_a_persona(installation: Installation) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], cwd=ROOT, env=installation.env, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() in {"[]", "['calls.sandbox', 'calls.sandbox.catalogue']"}
