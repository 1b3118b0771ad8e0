import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vantum.supervisor import GaveUpError, Policy, Program, Supervisor

QUICK = Policy(first_pause=0.01, longest_pause=0.02, early=30, early_deaths=3, grace=5)


class Log:
    """The lines that a supervisor shows, and a way to wait for one."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._grew = asyncio.Event()

    def show(self, name: str, line: str) -> None:
        self.lines.append(f"{name}: {line}")
        self._grew.set()

    async def until(self, is_there: Callable[[list[str]], bool]) -> None:
        async with asyncio.timeout(20):
            while not is_there(self.lines):
                self._grew.clear()
                await self._grew.wait()


def program(name: str, code: str) -> Program:
    return Program(name, (sys.executable, "-ISuc", code))


WAIT = "import signal; print('up'); signal.sigwait({signal.SIGTERM})"
POLITE = (
    "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('bye'))); print('up'); signal.pause()"
)
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up')\nwhile True: signal.pause()"


async def test_programs_are_shown_by_name_and_stopped_in_order() -> None:
    log = Log()
    supervisor = Supervisor([program("web", POLITE), program("worker", POLITE)], log.show, QUICK)
    running = asyncio.create_task(supervisor.run())
    await log.until(lambda lines: len(lines) == 2)
    supervisor.stop()
    await running
    assert (sorted(log.lines[:2]), log.lines[2:]) == (["web: up", "worker: up"], ["web: bye", "worker: bye"])


async def test_a_program_that_dies_is_started_again() -> None:
    log = Log()
    policy = Policy(short_pause=0.01, first_pause=0.02, early=0.0, grace=5)
    supervisor = Supervisor([program("web", "print('up'); raise SystemExit(3)")], log.show, policy)
    running = asyncio.create_task(supervisor.run())
    await log.until(lambda lines: lines.count("web: up") == 3)
    supervisor.stop()
    await running
    assert log.lines[:4] == ["web: up", "web: ended (code 3); starting it again in 0.01 s"] * 2


async def test_one_that_keeps_dying_at_its_start_ends_the_whole() -> None:
    log = Log()
    supervisor = Supervisor([program("web", "raise SystemExit(3)"), program("worker", POLITE)], log.show, QUICK)
    with pytest.raises(GaveUpError, match=r"^web ended 3 times right after its start \(code 3\); see above$"):
        await supervisor.run()
    assert [line for line in log.lines if "again" in line] == [
        "web: ended (code 3); starting it again in 0.01 s",
        "web: ended (code 3); starting it again in 0.02 s",
    ]


async def test_a_signal_is_named_as_the_reason() -> None:
    log = Log()
    supervisor = Supervisor([program("web", "import os; os.kill(os.getpid(), 9)")], log.show, QUICK)
    with pytest.raises(GaveUpError, match="SIGKILL"):
        await supervisor.run()


async def test_a_program_that_does_not_stop_is_killed_after_the_grace() -> None:
    log = Log()
    supervisor = Supervisor([program("web", STUBBORN)], log.show, Policy(grace=0.05))
    running = asyncio.create_task(supervisor.run())
    await log.until(lambda lines: lines == ["web: up"])
    supervisor.stop()
    await running
    assert log.lines == ["web: up", "web: did not stop in time; killed"]


async def test_the_second_stop_kills_at_once() -> None:
    log = Log()
    supervisor = Supervisor([program("web", STUBBORN)], log.show, Policy(grace=60))
    running = asyncio.create_task(supervisor.run())
    await log.until(lambda lines: lines == ["web: up"])
    supervisor.stop()
    supervisor.stop()
    async with asyncio.timeout(10):
        await running
    assert log.lines == ["web: up", "web: killed"]


async def test_what_a_program_started_goes_with_it() -> None:
    log = Log()
    code = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-ISc', {WAIT!r}]).pid, flush=True)"
    supervisor = Supervisor([program("web", code)], log.show, Policy(first_pause=30, grace=5))
    running = asyncio.create_task(supervisor.run())
    await log.until(lambda lines: any("again" in line for line in lines))
    child = int(next(line for line in log.lines if line.removeprefix("web: ").isdecimal()).removeprefix("web: "))
    supervisor.stop()
    await running
    await gone(child)


async def test_a_line_of_any_length_and_any_bytes_is_shown() -> None:
    log = Log()
    code = "import sys; sys.stdout.buffer.write(b'x' * 3000000 + b'\\n\\xff end\\n')"
    supervisor = Supervisor([program("web", code)], log.show, Policy(first_pause=30))
    running = asyncio.create_task(supervisor.run())
    await log.until(lambda lines: any("again" in line for line in lines))
    supervisor.stop()
    await running
    assert log.lines[0] == "web: (a line longer than 1 MiB)"
    assert "web: \ufffd end" in log.lines


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties children to their parent")
async def test_programs_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    write = f"print(os.getpid(), file=open({str(pid_file)!r}, 'w'), flush=True)"
    child = f"import os, signal; {write}; print('up'); signal.pause()"
    code = (
        "import asyncio, sys; from vantum.supervisor import Program, Supervisor\n"
        f"program = Program('web', (sys.executable, '-ISuc', {child!r}))\n"
        "asyncio.run(Supervisor([program], lambda name, line: print(line, flush=True)).run())"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"up\n"
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    await gone(int(pid_file.read_text()))


async def gone(pid: int) -> None:
    """Wait until the process is no more (or only waits to be buried)."""
    async with asyncio.timeout(10):
        while True:
            try:
                if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":  # noqa: ASYNC240 (/proc answers at once)
                    return
            except OSError:
                return
            await asyncio.sleep(0.01)
