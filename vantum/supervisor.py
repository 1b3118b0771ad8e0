"""Several programs as one foreground command: started together, their lines in one place, stopped together.

A program that ends by itself is started again after a pause; one that keeps dying right after its start ends the whole.
"""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LISTEN_FD = "VANTUM_LISTEN_FD"
"""The environment's variable that tells a program the number of the listening socket that it inherits."""
_TETHER = Path(__file__).with_name("tether.py")
_LONG_LINE = 2**20
_LAST_LINES_SECONDS = 1.0


class GaveUpError(Exception):
    """A program died at its start too often; the text says which and where to look."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """When a dead program is started again, and how long a stop may take. Seconds."""

    first_pause: float = 1.0
    short_pause: float = 0.1
    """After the death of one that had lived for long: calls may be waiting."""
    longest_pause: float = 30.0
    early: float = 10.0
    """A program that lives shorter died at its start."""
    early_deaths: int = 3
    """As many in a row end the supervisor."""
    grace: float = 15.0
    """From asking a program to stop to killing it."""


@dataclass(frozen=True)
class Program:
    """One child: its name in the log, its command line, and the file descriptors that it inherits."""

    name: str
    command: tuple[str, ...]
    descriptors: tuple[int, ...] = ()


class Supervisor:
    """Runs programs until ``stop`` is called or one of them cannot be kept alive.

    ``show(name, line)`` gets every line that a program writes, and under the program's name what happens to it.
    Programs are stopped in the order given. Use it from the main thread: on Linux children die with the thread that
    started them.
    """

    def __init__(
        self, programs: Sequence[Program], show: Callable[[str, str], None], policy: Policy | None = None
    ) -> None:
        self._programs = programs
        self._show = show
        self._policy = policy or Policy()
        self._running: dict[str, Process] = {}
        self._stopping = asyncio.Event()
        self._kill = asyncio.Event()

    @property
    def pids(self) -> dict[str, int]:
        """Give the process id of each program that runs."""
        return {name: process.pid for name, process in self._running.items()}

    def stop(self) -> None:
        """Ask all programs to stop; the second call kills them."""
        if self._stopping.is_set():
            self._kill.set()
        self._stopping.set()

    async def run(self) -> None:
        """Run until stopped. Raises ``GaveUpError``; no program is left behind either way."""
        keepers = [asyncio.create_task(self._keep(program)) for program in self._programs]
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({stopped, *keepers}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping.set()
            await self._stop_all()
            stopped.cancel()
            results = await asyncio.gather(*keepers, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _keep(self, program: Program) -> None:
        """Start the program again and again; ends when stopping, or with ``GaveUpError``."""
        early_deaths, pause = 0, self._policy.first_pause
        while not self._stopping.is_set():
            began = time.monotonic()
            code = await self._run_once(program)
            if self._stopping.is_set():
                return
            if time.monotonic() - began < self._policy.early:
                early_deaths += 1
            else:
                early_deaths, pause = 0, self._policy.short_pause
            if early_deaths >= self._policy.early_deaths:
                message = f"{program.name} ended {early_deaths} times right after its start ({_how(code)}); see above"
                raise GaveUpError(message)
            self._show(program.name, f"ended ({_how(code)}); starting it again in {pause:g} s")
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
            pause = min(max(pause * 2, self._policy.first_pause), self._policy.longest_pause)

    async def _run_once(self, program: Program) -> int:
        # A pipe of our own: asyncio's would keep ``wait`` waiting until the last grandchild has closed it.
        lines, written = os.pipe()
        reading = asyncio.create_task(self._read(program.name, lines))
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-IS",
                str(_TETHER),
                *program.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=written,
                stderr=written,
                # A group of its own: Ctrl-C reaches the supervisor alone, which then stops its programs in order.
                start_new_session=True,
                pass_fds=program.descriptors,
            )
        finally:
            os.close(written)
        self._running[program.name] = process
        if self._stopping.is_set():
            _signal_group(process, signal.SIGTERM)
        try:
            return await process.wait()
        finally:
            # What the program itself had started goes with it, and with that the last writers of its lines.
            _signal_group(process, signal.SIGKILL)
            await asyncio.wait({reading}, timeout=_LAST_LINES_SECONDS)
            reading.cancel()
            del self._running[program.name]

    async def _read(self, name: str, descriptor: int) -> None:
        reader = asyncio.StreamReader(limit=_LONG_LINE)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
        )
        try:
            while line := await self._line(reader):
                if text := line.decode(errors="replace").rstrip():
                    self._show(name, text)
        finally:
            transport.close()

    @staticmethod
    async def _line(lines: asyncio.StreamReader) -> bytes:
        try:
            return await lines.readline()
        except ValueError:
            return b"(a line longer than 1 MiB)\n"

    async def _stop_all(self) -> None:
        for program in self._programs:
            process = self._running.get(program.name)
            if process is None:
                continue
            # The program itself, not its group: it stops its own helpers in its own order.
            with suppress(ProcessLookupError):
                process.terminate()
            if not await self._is_gone(process):
                self._show(program.name, "killed" if self._kill.is_set() else "did not stop in time; killed")
                _signal_group(process, signal.SIGKILL)

    async def _is_gone(self, process: Process) -> bool:
        gone, kill = asyncio.create_task(process.wait()), asyncio.create_task(self._kill.wait())
        await asyncio.wait({gone, kill}, timeout=self._policy.grace, return_when=asyncio.FIRST_COMPLETED)
        is_gone = gone.done()
        gone.cancel()
        kill.cancel()
        return is_gone


def _signal_group(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _how(code: int) -> str:
    return f"code {code}" if code >= 0 else signal.Signals(-code).name
