"""What the benchmarks start: a server of ours on one core, the simulated vendors on another, in folders that go
away.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.processes import ROOT


def pinned(core: int, *command: str) -> list[str]:
    """Bind a command to one core, where the machine has ``taskset`` and that core."""
    if shutil.which("taskset") and core < (os.cpu_count() or 1):
        return ["taskset", "-c", str(core), *command]
    return list(command)


@contextlib.contextmanager
def running(command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process for the length of the block; its output goes to ``log``."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_answers(url: str, process: subprocess.Popen[bytes], seconds: float = 30) -> float:
    """Wait for a 200 and give the seconds it took."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return time.monotonic() - began
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    message = f"{url} did not answer"
    raise RuntimeError(message)


def environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    """Settings of a throw-away installation."""
    return {
        "DATA_DIR": str(folder),
        "WS_ALLOW_ANONYMOUS": "1",
        "SECRET_KEY": "benchmark",
        "PORT": str(port),
        "WS_MAX_CALLS": "1000",
        "LOG_LEVEL": "WARNING",
        **more,
    }


def manage(values: Mapping[str, str], *arguments: str) -> bytes:
    """Run a management command and give what it printed."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **values},
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
