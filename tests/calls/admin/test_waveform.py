import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_arithmetic_of_the_waveform(node: str) -> None:
    command = [node, "--test", "tests/js/waveform.test.mjs"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
