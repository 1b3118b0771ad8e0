"""Real processes of the product, for the few tests that need one."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """Give a port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data_dir: Path, **changes: str) -> dict[str, str]:
    """Give the environment of an installation of its own, with the product's settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "DATABASE_URL") if name in os.environ}
    own = {"DJANGO_SETTINGS_MODULE": "vantum.settings", "DATA_DIR": str(data_dir), "DEBUG": "1"}
    return {**kept, **own, "SANDBOX_PORT": str(free_port()), **changes}


class Running:
    """A process whose lines are read as they come."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def until(self, is_it: Callable[[str], bool], seconds: float = 30) -> str:
        """Read on to the first line that ``is_it``; an end or a time-out shows what came instead."""
        assert self.process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                while line := (await self.process.stdout.readline()).decode():
                    self.lines.append(line.rstrip("\n"))
                    if is_it(line):
                        return self.lines[-1]
        except TimeoutError:
            pass
        raise AssertionError("\n".join(["the line did not come; instead:", *self.lines]))

    async def rest(self, seconds: float = 30) -> int:
        """Read to the end and give the exit code."""
        assert self.process.stdout is not None
        async with asyncio.timeout(seconds):
            self.lines += (await self.process.stdout.read()).decode().splitlines()
            return await self.process.wait()


@asynccontextmanager
async def running(*arguments: str, env: Mapping[str, str], descriptors: Sequence[int] = ()) -> AsyncIterator[Running]:
    """Run ``python arguments`` in the project's folder, with open ``descriptors``; it is gone afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=ROOT,
        env=dict(env),
        pass_fds=descriptors,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
        # Reads what is left, so that the pipe closes with the process.
        await process.communicate()
