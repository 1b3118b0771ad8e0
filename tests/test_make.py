"""The first command that a newcomer types."""

import os
import subprocess
from pathlib import Path

from tests.processes import ROOT


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Under "make test" the outer make would pass its own flags on.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments],  # noqa: S607 (of the PATH)
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_alone_lists_what_one_can_do() -> None:
    listed = [line.split()[1] for line in make().stdout.splitlines() if line.startswith("  make ")]
    assert listed == ["help", "setup", "setup-dev", "run", "test", "check", "format", "bench", "soak", "clean"]


def test_without_a_fitting_python_the_remedy_is_named(tmp_path: Path) -> None:
    ended = make("run", "PYTHON=", f"VENV={tmp_path / 'venv'}")
    assert ended.returncode != 0
    assert ended.stdout.startswith("Vantum needs Python 3.11 or newer; found: ")
    assert "make run PYTHON=/path/to/python3.11" in ended.stdout
    assert not (tmp_path / "venv").exists()


def test_the_second_run_installs_nothing(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    venv.mkdir()
    for stamp in (".made", ".base", ".local"):
        (venv / stamp).touch()
    assert make("setup", f"VENV={venv}", "--dry-run").stdout == "make: Nothing to be done for 'setup'.\n"
