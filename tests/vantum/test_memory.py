import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT, environment


def run(code: str, tmp_path: Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path), cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def test_the_theme_is_loaded_without_a_driver_that_is_installed(tmp_path: Path) -> None:
    code = (
        "import sys, vantum.asgi, unfold.overrides\n"
        "print('psycopg' in sys.modules)\n"
        "import psycopg; print(psycopg.__name__)"
    )
    assert run(code, tmp_path).split() == ["False", "psycopg"]


def test_a_driver_that_is_there_already_stays(tmp_path: Path) -> None:
    code = "import psycopg, sys\nfrom vantum.memory import without_psycopg\nwith without_psycopg(): import psycopg as p"
    assert run(f"{code}\nprint(p is sys.modules['psycopg'] is psycopg)", tmp_path).split() == ["True"]


def test_in_the_block_the_driver_cannot_be_imported_and_afterwards_it_can(tmp_path: Path) -> None:
    code = (
        "from vantum.memory import without_psycopg\n"
        "try:\n"
        "    with without_psycopg(): import psycopg\n"
        "except ImportError: print('none')\n"
        "import psycopg; print(psycopg.__name__)"
    )
    assert run(code, tmp_path).split() == ["none", "psycopg"]


GLIBC = hasattr(ctypes.CDLL(None), "malloc_trim")


@pytest.mark.skipif(not GLIBC, reason="this C library keeps what was freed, or gives it back by itself")
def test_what_was_freed_below_something_that_stays_is_given_back(tmp_path: Path) -> None:
    # Each too small for pages of its own, so that the one that stays keeps the heap from shrinking.
    code = (
        "from pathlib import Path\n"
        "from vantum.memory import give_back\n"
        "def resident(): return int(Path('/proc/self/statm').read_text().split()[1]) * 4096\n"
        "freed = [bytearray(100_000) for _ in range(300)]; stays = bytearray(100_000)\n"
        "del freed; before = resident(); give_back()\n"
        "print(before - resident() > 20_000_000)"
    )
    assert run(code, tmp_path).split() == ["True"]
