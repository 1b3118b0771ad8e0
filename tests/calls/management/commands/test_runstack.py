import json
import os
import re
import signal
import socket
import urllib.request
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from django.core.management.base import CommandError
from pytest_django.fixtures import Settings

from calls.management.commands.runstack import box, listen, own_url, programs, welcome_lines
from tests.processes import environment, free_port, running
from vantum.accounts import Login


def test_the_web_process_stops_first_and_alone_inherits_the_port(settings: Settings) -> None:
    with listen("127.0.0.1", 0) as listening:
        assert [(program.name, program.descriptors) for program in programs(4, listening)] == [
            ("web", (listening.fileno(),)),
            ("sandbox", ()),
            ("scheduler", ()),
            ("worker", ()),
        ]
        settings.RUNS_SANDBOX = False
        settings.WEB_SPARE = True
        assert [(program.name, program.descriptors) for program in programs(4, listening)] == [
            ("web", (listening.fileno(),)),
            ("spare", (listening.fileno(),)),
            ("scheduler", ()),
            ("worker", ()),
        ]


def pids_of(words: str) -> list[str]:
    """Give the processes whose command line has these words."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if words in (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"):
                found.append(entry.name)
    return found


def ppid_of(pid: int) -> int:
    """Give the process that started this one."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_the_box_says_where_to_go_and_the_password_once() -> None:
    assert box(welcome_lines("http://localhost:8000", Login("admin", "s3cret"))) == [
        "╭──────────────────────────────────────────────╮",
        "│ Vantum is running.                           │",
        "│                                              │",
        "│ Start here    http://localhost:8000/         │",
        "│ Talk to it    http://localhost:8000/console/ │",
        "│ Admin         http://localhost:8000/admin/   │",
        "│ Login         admin                          │",
        "│ Password      s3cret   (shown only now)      │",
        "│                                              │",
        "│ Ctrl-C stops it.                             │",
        "╰──────────────────────────────────────────────╯",
    ]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://localhost:8000"),
        ("0.0.0.0", "http://localhost:8000"),  # noqa: S104 (not bound)
        ("192.168.1.5", "http://192.168.1.5:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_the_address_shown_is_one_that_can_be_opened(host: str, url: str) -> None:
    assert own_url(host, 8000) == url


def test_a_port_in_use_is_named_with_the_remedy() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for setting in ("PORT", "SANDBOX_PORT"):
            with pytest.raises(CommandError) as error:
                listen("127.0.0.1", port, setting)
            assert str(error.value) == (
                f"cannot listen on 127.0.0.1:{port} (Address already in use); "
                f"stop what uses it, or set {setting}={port + 1}"
            )


async def test_one_command_starts_everything_and_stops_it_cleanly(tmp_path: Path) -> None:
    port = free_port()
    env = environment(tmp_path, PORT=str(port))
    async with running("manage.py", "runstack", env=env) as stack:
        await stack.until(lambda line: line.startswith("╰"))
        shown = "\n".join(stack.lines)
        assert re.search(r"Login +admin\b", shown)
        assert re.search(r"Password +\S{16} +\(shown only now\)", shown)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=10) as answer:  # noqa: ASYNC210
            assert json.load(answer)["status"] == "ready"
        stack.process.send_signal(signal.SIGINT)
        assert await stack.rest() == 0
        assert stack.lines[-1] == "stopped"
        names = {line.partition("│")[0].strip() for line in stack.lines if " │ " in line and not line.startswith("│")}
        assert names <= {"web", "worker", "scheduler", "sandbox"}
        assert any(line.endswith(f"the sandbox listens on 127.0.0.1:{env['SANDBOX_PORT']}") for line in stack.lines)
    async with running("manage.py", "runstack", env=env) as stack:
        await stack.until(lambda line: line.startswith("╰"))
        assert "Password" not in "\n".join(stack.lines)
        stack.process.send_signal(signal.SIGTERM)
        assert await stack.rest() == 0


async def test_who_comes_while_the_web_process_is_dead_is_answered_by_the_next_one(tmp_path: Path) -> None:
    port = free_port()
    env = environment(tmp_path, PORT=str(port))
    async with running("manage.py", "runstack", env=env) as stack, httpx.AsyncClient(timeout=30) as client:
        await stack.until(lambda line: line.startswith("╰"))
        [web] = [int(pid) for pid in pids_of("vantum.server") if ppid_of(int(pid)) == stack.process.pid]
        os.kill(web, signal.SIGKILL)
        await stack.until(lambda line: "SIGKILL" in line)
        assert (await client.get(f"http://127.0.0.1:{port}/health/live")).json() == {"status": "live"}
        stack.process.send_signal(signal.SIGINT)
        assert await stack.rest() == 0


async def test_with_a_spare_the_next_process_is_there_already_and_both_stop_cleanly(tmp_path: Path) -> None:
    port = free_port()
    env = environment(tmp_path, PORT=str(port), WEB_SPARE="1")
    async with running("manage.py", "runstack", env=env) as stack, httpx.AsyncClient(timeout=30) as client:
        await stack.until(lambda line: line.startswith("╰"))
        webs = [int(pid) for pid in pids_of("vantum.server") if ppid_of(int(pid)) == stack.process.pid]
        assert len(webs) == 2
        os.kill(webs[0], signal.SIGKILL)
        await stack.until(lambda line: "SIGKILL" in line)
        assert (await client.get(f"http://127.0.0.1:{port}/health/live")).json() == {"status": "live"}
        stack.process.send_signal(signal.SIGINT)
        assert await stack.rest(60) == 0
        assert stack.lines[-1] == "stopped"


async def test_a_wrong_setting_is_named_before_anything_starts(tmp_path: Path) -> None:
    env = environment(tmp_path, STT_PROVIDER="nobody", PORT=str(free_port()))
    async with running("manage.py", "runstack", env=env) as stack:
        assert await stack.rest() == 1
    assert any("(calls.E001) provider 'nobody' for STT is unknown" in line for line in stack.lines)
    assert not any(" │ " in line for line in stack.lines)
