"""``runstack``: web, worker, scheduler and the simulated carrier as one foreground command."""

import asyncio
import os
import signal
import socket
import sys
import threading
from argparse import ArgumentParser
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from calls.demo import DEMO_AGENT
from calls.services import ensure_demo_agent
from vantum.accounts import Login, ensure_admin
from vantum.supervisor import LISTEN_FD, GaveUpError, Policy, Program, Supervisor

_COLOURS = {"web": "36", "spare": "36", "worker": "35", "scheduler": "33", "sandbox": "32"}
_READY_SECONDS = 60.0
_BACKLOG = 2048


def programs(workers: int, listening: socket.socket) -> tuple[Program, ...]:
    """Give the programs in the order in which they stop: calls end first, then what they leave is worked off."""
    held = listening.fileno()
    # Celery warns root against unpickling messages; these are JSON.
    celery = (sys.executable, "-W", "ignore:You're running the worker", "-m", "celery", "--quiet", "-A", "vantum")
    lean = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    sandbox = Program("sandbox", (sys.executable, "-m", "django", "sandbox"))
    web = ("env", f"{LISTEN_FD}={held}", sys.executable, "-m", "vantum.server")
    return (
        # Either of them may be the one that serves.
        *(Program(name, web, (held,)) for name in (("web", "spare") if settings.WEB_SPARE else ("web",))),
        *([sandbox] if settings.RUNS_SANDBOX else []),
        Program("scheduler", (*celery, "beat", "--pidfile=")),
        # Threads: a prefork worker needs a pool of processes for tasks that mostly wait.
        Program("worker", (*celery, "worker", "--pool", "threads", "--concurrency", str(workers), *lean)),
    )


class Command(BaseCommand):
    """Prepare the database, start the programs, say where to look, and stop them cleanly."""

    help = "Run the web server, the task worker and the scheduler together; Ctrl-C stops them, a second Ctrl-C at once."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define the options."""
        parser.add_argument("--workers", type=int, default=4, help="threads of the task worker (default 4)")

    def handle(self, *_args: Any, workers: int, **_options: Any) -> None:
        """Run until stopped."""
        self._writing = threading.Lock()
        self._has_colour = self.stdout.isatty() and "NO_COLOR" not in os.environ
        # Held here and inherited: callers who come while the web process is dead wait for the next one.
        listening = listen(settings.HOST, settings.PORT)
        if settings.RUNS_SANDBOX:
            listen("127.0.0.1", settings.SANDBOX_PORT, "SANDBOX_PORT").close()
        # This command has run the checks; Celery would run them again in each of its processes.
        os.environ["CELERY_SKIP_CHECKS"] = "1"
        login = self._prepare()
        try:
            asyncio.run(self._run(programs(workers, listening), login))
        except GaveUpError as error:
            raise CommandError(str(error)) from None
        finally:
            listening.close()

    def _prepare(self) -> Login | None:
        """Bring the database up to date, and give the new login of a first run."""
        call_command("migrate", interactive=False, verbosity=0)
        if not settings.DEBUG:
            call_command("collectstatic", interactive=False, verbosity=0)
        ensure_demo_agent(DEMO_AGENT)
        for command in settings.FIRST_STEPS:
            call_command(command)
        return ensure_admin()

    async def _run(self, stack: tuple[Program, ...], login: Login | None) -> None:
        # The web process drains before it closes its connections.
        supervisor = Supervisor(stack, self._show, Policy(grace=settings.DRAIN_SECONDS + 12))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, supervisor)
        welcome = asyncio.create_task(self._welcome(login))
        try:
            await supervisor.run()
        finally:
            welcome.cancel()
        self._show("", "stopped")

    def _stop(self, supervisor: Supervisor) -> None:
        self._show(
            "", f"stopping: calls on the line get {settings.DRAIN_SECONDS:g} s (press Ctrl-C again to stop at once)"
        )
        supervisor.stop()

    async def _welcome(self, login: Login | None) -> None:
        """Wait until the site answers, then say where it is."""
        base = own_url(settings.HOST, settings.PORT)
        loop = asyncio.get_running_loop()
        give_up = loop.time() + _READY_SECONDS
        verdict = "no answer"
        while loop.time() < give_up:
            verdict = await asyncio.to_thread(_ask_ready, f"{base}/health/ready")
            if not verdict:
                self._show("", "\n".join(box(welcome_lines(base, login))))
                return
            await asyncio.sleep(0.2)
        self._show("", f"the site is not ready after {_READY_SECONDS:g} s: {verdict}")

    def _show(self, name: str, text: str) -> None:
        with self._writing:
            self.stdout.write(f"{self._label(name)} {text}" if name else text)
            self.stdout.flush()

    def _label(self, name: str) -> str:
        label = f"{name:<9} │"
        return f"\033[{_COLOURS[name]}m{label}\033[0m" if self._has_colour else label


def listen(host: str, port: int, setting: str = "PORT") -> socket.socket:
    """Give a socket that listens; raises ``CommandError`` with the remedy where another program has the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        message = f"cannot listen on {host}:{port} ({reason}); stop what uses it, or set {setting}={port + 1}"
        raise CommandError(message) from None


def own_url(host: str, port: int) -> str:
    """Give the address at which this machine reaches the site."""
    if host in {"0.0.0.0", "127.0.0.1", "::"}:  # noqa: S104 (compared, not bound)
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _ask_ready(url: str) -> str:
    """Give an empty text when the site is ready, else what it says."""
    try:
        with urlopen(url, timeout=5):  # noqa: S310 (our own http address)
            return ""
    except HTTPError as error:
        return error.read().decode(errors="replace")
    except (URLError, OSError) as error:
        return str(error)


def welcome_lines(base: str, login: Login | None) -> list[str]:
    """Say what a newcomer does next."""
    lines = [
        "Vantum is running.",
        "",
        f"Start here    {base}/",
        f"Talk to it    {base}/console/",
        f"Admin         {base}/admin/",
    ]
    if login is None:
        return [*lines, "Login         as before (forgotten: manage.py changepassword admin)", "", "Ctrl-C stops it."]
    return [
        *lines,
        f"Login         {login.name}",
        f"Password      {login.password}   (shown only now)",
        "",
        "Ctrl-C stops it.",
    ]


def box(lines: list[str]) -> list[str]:
    """Draw a frame around the lines."""
    width = max(len(line) for line in lines)
    return [f"╭─{'─' * width}─╮", *(f"│ {line:<{width}} │" for line in lines), f"╰─{'─' * width}─╯"]
