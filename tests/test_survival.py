"""The web process is killed, stopped or cut off from its database in mid-call: nothing that was finished is lost."""

import asyncio
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.bench.caller import BenchCaller
from tests.processes import ROOT, Running, environment, free_port, running
from vantum.supervisor import LISTEN_FD

PREPARE = """
from django.core.management import call_command
from calls.demo import DEMO_AGENT
from calls.services import ensure_demo_agent
call_command("migrate", verbosity=0)
ensure_demo_agent(DEMO_AGENT)
"""


class Installation:
    """An installation of its own: a folder, a port, and a database to look into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.env = environment(
            folder,
            PORT=str(self.port),
            STT_PROVIDER="scripted",
            LLM_PROVIDER="scripted",
            TTS_PROVIDER="scripted",
            DRAIN_SECONDS="0",
            DATABASE_URL=f"sqlite:///{folder / 'calls.sqlite3'}",
        )
        subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", PREPARE], cwd=ROOT, env=self.env, check=True
        )

    @asynccontextmanager
    async def serving(self, listening: socket.socket | None = None) -> AsyncIterator[Running]:
        """Run the web process. In a ``listening`` socket that is held for it callers wait while it is away."""
        held = {} if listening is None else {LISTEN_FD: listening.fileno()}
        env = self.env | {name: str(number) for name, number in held.items()}
        async with running("-m", "vantum.server", env=env, descriptors=tuple(held.values())) as server:
            async with httpx.AsyncClient() as client, asyncio.timeout(60):
                while True:
                    try:
                        answer = await client.get(f"http://127.0.0.1:{self.port}/health/live")
                    except httpx.TransportError:
                        await asyncio.sleep(0.05)
                    else:
                        assert answer.status_code == 200
                        break
            yield server

    def caller(self) -> BenchCaller:
        return BenchCaller(f"ws://127.0.0.1:{self.port}/ws", 16_000, None)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "calls.sqlite3", timeout=20)) as database:
            return database.execute(query).fetchall()

    def turns(self) -> list[tuple[str, str, bool]]:
        return [
            (speaker, text, bool(interrupted))
            for speaker, text, interrupted in self.rows(
                'SELECT speaker, text, interrupted FROM calls_turn ORDER BY "index"'
            )
        ]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """The database changes behind the call: look again until it has."""
        async with asyncio.timeout(60):
            while not is_so():  # noqa: ASYNC110 (another process changes it)
                await asyncio.sleep(0.1)

    async def until_ended(self) -> tuple[str, str]:
        await self.until(lambda: self.rows("SELECT status FROM calls_callsession") == [("ended",)])
        [(session, reason)] = self.rows("SELECT id, end_reason FROM calls_callsession")
        return session, reason


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


async def finish_reply(caller: BenchCaller) -> str:
    """Wait until a reply was sent and played; give its text."""
    _, complete = await caller.wait_for("conversation.response.complete", seconds=60)
    while True:
        _, state = await caller.wait_for("conversation.state.changed", seconds=60)
        if state["payload"]["to"] == "LISTENING":
            return str(complete["payload"]["text"])


async def test_after_a_kill_every_finished_turn_is_stored_and_the_call_is_closed(installation: Installation) -> None:
    async with installation.serving() as server, installation.caller() as caller:
        await caller.start()
        opening = await finish_reply(caller)
        await caller.send("user.text", text="how much does it cost")
        answer = await finish_reply(caller)
        await caller.send("user.text", text="who are you")
        await caller.wait_for("audio.output.chunk")
        server.process.send_signal(signal.SIGKILL)
        await server.process.wait()

    async with installation.serving():
        session, reason = await installation.until_ended()
        assert reason == "instance_lost"
        assert installation.turns() == [
            ("agent", opening, False),
            ("caller", "how much does it cost", False),
            ("agent", answer, False),
            ("caller", "who are you", False),
        ]
        await installation.until(lambda: bool(installation.rows("SELECT path FROM calls_recording")))
        [(path,)] = installation.rows("SELECT path FROM calls_recording")
    [recording] = installation.folder.rglob(path)
    with wave.open(str(recording)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (2, 2)
        assert sound.getnframes() / sound.getframerate() > 5
    assert session


async def test_a_stop_ends_the_call_with_what_was_heard_of_the_reply(installation: Installation) -> None:
    async with installation.serving() as server, installation.caller() as caller:
        await caller.start()
        await caller.wait_for("audio.output.chunk")
        await asyncio.sleep(1.5)
        server.process.send_signal(signal.SIGTERM)
        await caller.socket.wait_closed()
        assert caller.socket.close_code == 1001
        assert await server.rest() == -signal.SIGTERM  # Uvicorn stops cleanly and then passes the signal on

    assert (await installation.until_ended())[1] == "shutdown"
    [(speaker, text, interrupted)] = installation.turns()
    assert (speaker, interrupted) == ("agent", True)
    assert text.startswith("Hello")


async def test_a_database_that_is_away_costs_no_call_and_no_word(installation: Installation) -> None:
    async with installation.serving(), installation.caller() as caller:
        await caller.start()
        opening = await finish_reply(caller)
        with closing(sqlite3.connect(installation.folder / "calls.sqlite3", isolation_level=None)) as blocker:
            blocker.execute("BEGIN EXCLUSIVE")
            began = time.monotonic()
            await caller.send("user.text", text="how much does it cost")
            answer = await finish_reply(caller)
            assert time.monotonic() - began > 1
            blocker.execute("ROLLBACK")
        await caller.send("connection.lifecycle.disconnect")
        await caller.socket.wait_closed()
        assert caller.socket.close_code == 1000
        await installation.until_ended()
        assert installation.turns() == [
            ("agent", opening, False),
            ("caller", "how much does it cost", False),
            ("agent", answer, False),
        ]
