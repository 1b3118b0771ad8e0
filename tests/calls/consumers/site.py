"""A served installation of its own, with an agent that has a short script."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.servers import running, wait_until_answers
from tests.processes import ROOT, environment, free_port

_AGENT = """
from calls.engine.agent import AgentSpec, Intent, ProviderChoice
from calls.services import draft_from_spec, make_default, publish_agent
spec = AgentSpec(
    name="Ada",
    prompt="Be kind.",
    opening="Hello, this is Ada.",
    goodbye="Goodbye.",
    intents=(
        Intent(name="who", examples=("who are you",), answer="I am Ada, and I am here to help you with all of it."),
        Intent(name="price", examples=("what does it cost",), answer="It costs nothing at all, today or ever after."),
    ),
)
agent = draft_from_spec(spec)
agent.save(force_insert=True)
publish_agent(agent)
make_default(agent)
"""
_LOGIN = """
from django.contrib.auth import get_user_model
from django.test import Client
user = get_user_model().objects.create_user("{name}")
browser = Client()
browser.force_login(user)
print(browser.cookies["sessionid"].value)
"""
_TOKEN = """
from calls.services.tokens import make_call_token
print(make_call_token())
"""


class Site:
    """Where a served installation is, and what it has stored."""

    def __init__(self, folder: Path, command: list[str], values: dict[str, str]) -> None:
        self.folder = folder
        self.command = command
        self.values = values
        self.process: subprocess.Popen[bytes]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve for the length of the block."""
        with running(self.command, self.values, self.folder / "log") as self.process:
            wait_until_answers(f"http://{self.host}/health/live", self.process)
            yield

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.values['PORT']}"

    @property
    def url(self) -> str:
        return f"ws://{self.host}/ws"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=os.environ | self.values, check=True, capture_output=True)
        return done.stdout.decode().strip().splitlines()[-1] if done.stdout.strip() else ""

    def make_agent(self) -> None:
        self.manage("shell", "--no-imports", "-c", _AGENT)

    def make_login(self, name: str) -> str:
        """Make a user and give the cookie of its session."""
        return self.manage("shell", "--no-imports", "-c", _LOGIN.format(name=name))

    def make_token(self) -> str:
        return self.manage("shell", "--no-imports", "-c", _TOKEN)

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        (path,) = self.folder.glob("*.sqlite3")
        database = sqlite3.connect(path)
        try:
            return database.execute(query, values).fetchall()
        finally:
            database.close()


@contextmanager
def served(folder: Path, command: tuple[str, ...] = ("-m", "vantum.server"), **changes: str) -> Iterator[Site]:
    """Serve for the length of the block: migrated, with the agent, with scripted providers."""
    values = environment(
        folder,
        PORT=str(free_port()),
        SECRET_KEY="for tests only, and long enough to sign with",
        STT_PROVIDER="scripted",
        LLM_PROVIDER="scripted",
        TTS_PROVIDER="scripted",
        VOICE_DETECTOR="calls.providers.vad.EnergyDetector",
        DRAIN_SECONDS="0.3",
        **changes,
    )
    site = Site(folder, [sys.executable, *(part.format(**values) for part in command)], values)
    site.manage("migrate", "--verbosity", "0")
    site.make_agent()
    with site.running():
        yield site
