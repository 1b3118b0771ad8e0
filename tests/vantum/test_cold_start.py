"""What the web process costs before its first call."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.processes import ROOT, environment, free_port

SDKS = ("deepgram", "openai", "cartesia", "twilio", "azure")
HEAVY = ("twisted", "daphne", "onnxruntime", "pocketsphinx", "redis", "torch")
SELDOM = ("psycopg", "phonenumbers", "openpyxl", "holidays", "cryptography")
"""For other databases, for imports and for rules that name a calendar, and for stored secrets."""


def test_parts_that_are_not_used_are_not_imported(tmp_path: Path) -> None:
    code = (
        "import json, sys, vantum.server, vantum.asgi\n"
        "from django.urls import resolve; resolve('/health/live')\n"
        f"print(json.dumps([name for name in {SDKS + HEAVY + SELDOM!r} if name in sys.modules]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(ended.stdout) == []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts the threads in /proc")
def test_products_of_matrices_have_one_thread(tmp_path: Path) -> None:
    code = "import os, vantum.asgi, numpy; print(len(os.listdir('/proc/self/task')), numpy.__name__)"
    env = {name: value for name, value in environment(tmp_path).items() if name != "OPENBLAS_NUM_THREADS"}
    ended = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == "1 numpy\n"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory from /proc")
def test_the_web_process_answers_after_less_than_two_seconds_of_work_in_less_than_120_megabytes(tmp_path: Path) -> None:
    """The limit is on processor time: wall time on a busy test machine says nothing about the program."""
    port = free_port()
    env = environment(tmp_path, PORT=str(port))
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], env=env, cwd=ROOT, check=True)
    web = subprocess.Popen([sys.executable, "-m", "vantum.server"], env=env, cwd=ROOT)
    try:
        wait_until_live(f"http://127.0.0.1:{port}/health/live")
        ticks = Path(f"/proc/{web.pid}/stat").read_text().rpartition(")")[2].split()
        seconds = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
        pages = int(Path(f"/proc/{web.pid}/statm").read_text().split()[1])
        assert seconds < 2
        assert pages * os.sysconf("SC_PAGE_SIZE") / 1e6 < 120
    finally:
        web.send_signal(signal.SIGTERM)
        assert web.wait(20) in {0, -signal.SIGTERM}


def wait_until_live(url: str) -> None:
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.URLError:
            time.sleep(0.05)
    raise AssertionError(f"{url} did not answer")  # noqa: EM102, TRY003 (a test's last word)
