"""An installation of its own under the product's supervisor, and a look into its database."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.killing import database
from tests.bench.killing.providers import RESUME_LINE
from tests.processes import ROOT, environment
from vantum.supervisor import LISTEN_FD, Policy, Program, Supervisor

FIRST_NUMBER = 15005560000
_AGENT = """
from calls.engine.agent import AgentSpec, Silence
from calls.services import draft_from_spec, make_default, publish_agent
silence = Silence(reprompt_after_seconds=30, max_reprompts=1)
agent = draft_from_spec(AgentSpec(name="Echo", prompt="Repeat.", opening="Hello.", goodbye="Bye.", silence=silence))
agent.save(force_insert=True)
publish_agent(agent)
make_default(agent)
"""
_PARTS = "tests.bench.killing.providers"
PATIENT = Policy(first_pause=0.05, short_pause=0.05, longest_pause=0.05, early=0.0, grace=5)
"""These programs die often and for no fault of theirs."""


def settings_of(folder: Path, port: int, database_url: str, **more: str) -> dict[str, str]:
    """Give the environment of the installation. What the shell names of queues and keys is not its business."""
    return environment(
        folder,
        PORT=str(port),
        DATABASE_URL=database_url,
        REDIS_URL="",
        STT_PROVIDER=f"{_PARTS}.Ear",
        LLM_PROVIDER=f"{_PARTS}.Echo",
        TTS_PROVIDER=f"{_PARTS}.Voice",
        VOICE_DETECTOR="calls.providers.vad.EnergyDetector",
        RESUME_LINE=RESUME_LINE,
        CELERY_SKIP_CHECKS="1",
        DRAIN_SECONDS="0",
        CARRIER="twilio",
        **{"CELERY_BROKER_URL": "", "WEB_SPARE": "1"} | more,
    )


def lock_holders() -> set[int]:
    """Give the processes that hold a file's only lock (``man 5 proc_locks``); those that wait for one are marked."""
    words = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return {int(pid) for _, kind, _, mode, pid, *_ in words if (kind, mode) == ("FLOCK", "WRITE")}


def product(listening: socket.socket, *, workers: int = 2, has_spare: bool = True) -> tuple[Program, ...]:
    """Give the product's own processes: web, mostly with its spare, worker, scheduler."""
    held = listening.fileno()
    celery = (sys.executable, "-m", "celery", "--quiet", "-A", "vantum")
    lean = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    web = ("env", f"{LISTEN_FD}={held}", sys.executable, "-m", "vantum.server")
    return (
        *(Program(name, web, (held,)) for name in (("web", "spare") if has_spare else ("web",))),
        Program("worker", (*celery, "worker", "--pool", "threads", "--concurrency", str(workers), *lean)),
        Program("scheduler", (*celery, "beat", "--pidfile=")),
    )


def helper(module: str, calls: int, at_once: int) -> Program:
    """Give a process of the test's that works on so many numbers."""
    arguments = ("-m", f"tests.bench.killing.{module}", str(FIRST_NUMBER), str(calls), str(at_once))
    return Program(module, (sys.executable, *arguments))


def broker(port: int, folder: Path) -> Program:
    """Give a Redis that keeps nothing, and finds nothing in its folder: who kills it has flushed it."""
    kept_nowhere = ("--save", "", "--appendonly", "no", "--dir", str(folder), "--bind", "127.0.0.1")
    return Program("broker", ("redis-server", "--port", str(port), *kept_nowhere))


class Site:
    """Processes that are kept alive, and their database."""

    def __init__(self, folder: Path, env: Mapping[str, str], programs: Sequence[Program]) -> None:
        self._env = env
        self.log = folder / "log"
        self.supervisor = Supervisor(programs, self._write, PATIENT)

    def prepare(self) -> None:
        """Make the database and the agent."""
        for arguments in (("migrate", "--verbosity", "0"), ("shell", "--no-imports", "-c", _AGENT)):
            subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=dict(self._env), check=True)

    async def run(self) -> None:
        """Keep the processes alive until cancelled."""
        os.environ.update(self._env)  # what the supervisor starts inherits it
        os.chdir(ROOT)
        keeping = asyncio.create_task(self.supervisor.run())
        try:
            await asyncio.shield(keeping)
        finally:
            self.supervisor.stop()
            await asyncio.gather(keeping, return_exceptions=True)

    def _write(self, name: str, line: str) -> None:
        with self.log.open("a") as file:
            file.write(f"{name:<9} {line}\n")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Look into the database."""
        return database.rows(self._env["DATABASE_URL"], query)

    async def until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        """Look twice a second; False when it did not come."""
        try:
            async with asyncio.timeout(seconds):
                while not await asyncio.to_thread(is_so):  # noqa: ASYNC110 (other processes change it)
                    await asyncio.sleep(0.5)
        except TimeoutError:
            return False
        return True
