"""A module of ours run as a process of its own, spoken to over a socket that is its standard input.

The socket is also its lifeline: the process ends when this end is closed, however this process went.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket, socketpair

from calls.enums import Role
from calls.errors import ProviderError, ProviderRejectedError, ProviderUnavailableError

READY = b"r"
_START_SECONDS = 10.0
_STOP_SECONDS = 0.5
_ROOT = Path(__file__).resolve().parents[3]


class ChildProcess:
    """The process and our end of its socket. It says that it is ready with one byte."""

    def __init__(self, process: "subprocess.Popen[bytes]", connection: socket) -> None:
        self._process = process
        self.connection = connection

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    @classmethod
    def start(cls, module: str) -> "ChildProcess":
        """Start ``python -m module``. Blocks for some milliseconds: call it in a thread."""
        ours, theirs = socketpair(AF_UNIX, SOCK_STREAM)
        with theirs:
            paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
            process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
                [sys.executable, "-m", module],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            )
        ours.settimeout(0)
        return cls(process, ours)

    def kill(self) -> None:
        """End the process now; ``stop`` cleans up after it."""
        self._process.kill()

    async def stop(self) -> None:
        """Close the socket and see the process end."""
        self.connection.close()
        await asyncio.to_thread(self._wait)

    def _wait(self) -> None:
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class SharedProcess:
    """One child process for all calls of a loop: started when first needed, and again when it has died.

    ``on_start`` is awaited with each new one before anybody gets it.
    """

    def __init__(
        self,
        module: str,
        *,
        package: str,
        provider: str,
        role: Role,
        on_start: Callable[[ChildProcess], Awaitable[None]] | None = None,
    ) -> None:
        self._module = module
        self._package = package
        self._provider = provider
        self._role = role
        self._on_start = on_start
        self._child: ChildProcess | None = None
        self._starting: asyncio.Task[ChildProcess] | None = None

    def unavailable(self, message: str) -> ProviderUnavailableError:
        """Make the error for a process that is gone."""
        return ProviderUnavailableError(message, provider=self._provider, role=self._role)

    async def take(self) -> ChildProcess:
        """Give the process, started where needed.

        Raises ``ProviderRejectedError`` where its package is not installed (which imports nothing), and
        ``ProviderUnavailableError`` where it does not start.
        """
        if find_spec(self._package) is None:
            remedy = "run: pip install -r requirements-local.txt"
            message = f"the Python package {self._package!r} is not installed; {remedy}"
            raise ProviderRejectedError(message, provider=self._provider, role=self._role)
        if self._child is not None and self._child.is_alive:
            return self._child
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(self._forget_start)
        return await asyncio.shield(self._starting)

    def _forget_start(self, task: "asyncio.Task[ChildProcess]") -> None:
        self._starting = None
        if not task.cancelled():
            task.exception()  # raised to whoever waits; by now nobody may

    async def discard(self, child: ChildProcess) -> None:
        """Let go of a process that does not answer; the next ``take`` starts a new one."""
        if child is self._child:
            self._child = None
            child.kill()
            await child.stop()

    async def _start(self) -> ChildProcess:
        if self._child is not None:
            await self._child.stop()
            self._child = None
        child = await asyncio.to_thread(ChildProcess.start, self._module)
        try:
            await self._await_ready(child)
            if self._on_start is not None:
                await self._on_start(child)
        except BaseException:
            child.kill()
            await child.stop()
            raise
        self._child = child
        return child

    async def _await_ready(self, child: ChildProcess) -> None:
        message = f"{self._module} did not start"
        try:
            async with asyncio.timeout(_START_SECONDS):
                said = await asyncio.get_running_loop().sock_recv(child.connection, len(READY))
        except (TimeoutError, OSError):
            raise self.unavailable(message) from None
        if said != READY:
            raise self.unavailable(message)

    async def aclose(self) -> None:
        """End the process."""
        if self._starting is not None:
            self._starting.cancel()
            with suppress(asyncio.CancelledError, ProviderError):
                await self._starting
        if self._child is not None:
            await self._child.stop()
            self._child = None
