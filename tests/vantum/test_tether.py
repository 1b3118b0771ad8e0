import os
import subprocess
import sys
from pathlib import Path

import vantum.tether

TETHER = Path(vantum.tether.__file__)


def test_it_becomes_the_command_with_its_arguments_and_exit_code() -> None:
    code = "import os, sys; print(os.getppid(), *sys.argv[1:]); raise SystemExit(7)"
    ended = subprocess.run(
        [sys.executable, "-IS", TETHER, sys.executable, "-c", code, "a b", "c"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (7, f"{os.getpid()} a b c\n")


def test_it_needs_nothing_but_the_standard_library() -> None:
    code = (
        f"import runpy, sys; runpy.run_path({str(TETHER)!r}); print('django' in sys.modules, 'celery' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-IS", "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "False False\n"
