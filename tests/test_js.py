"""The console's modules, tested by Node's own test runner, and its codec against the server's."""

import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack

HERE = Path(__file__).resolve().parent / "js"


def run(node: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [node, *arguments], input=text, capture_output=True, text=True, timeout=120, check=False, cwd=HERE
    )


def test_the_consoles_modules_pass_their_own_tests(node: str) -> None:
    files = sorted(path.name for path in HERE.glob("*.test.mjs"))
    result = run(node, "--test", *files)
    assert files
    assert result.returncode == 0, result.stdout + result.stderr


def any_value(dice: random.Random, depth: int = 0) -> Any:
    """Give something that the protocol may carry."""
    makers: list[Callable[[], Any]] = [
        lambda: dice.choice((None, True, False)),
        lambda: dice.randrange(-(2 ** dice.randrange(1, 32)), 2 ** dice.randrange(1, 33)),
        lambda: dice.uniform(-1e12, 1e12),
        lambda: "".join(chr(dice.choice((0x61, 0xE9, 0x4E2D, 0x1F600))) for _ in range(dice.randrange(80))),
        lambda: dice.randbytes(dice.choice((0, 1, 255, 256, 8192))),
        lambda: float(dice.randrange(2**33, 2**52)),
    ]
    if depth < 4:
        makers.append(lambda: [any_value(dice, depth + 1) for _ in range(dice.randrange(20))])
        makers.append(lambda: {f"key{index}": any_value(dice, depth + 1) for index in range(dice.randrange(20))})
    return dice.choice(makers)()


def test_what_python_packs_comes_back_equal_from_the_consoles_codec(node: str) -> None:
    dice = random.Random(7)  # noqa: S311 (repeatable values, no secret)
    values = [any_value(dice) for _ in range(400)]
    packed = json.dumps([msgpack.packb(value).hex() for value in values])
    result = run(node, "echo.mjs", text=packed)
    assert result.returncode == 0, result.stderr
    assert [msgpack.unpackb(bytes.fromhex(echo)) for echo in json.loads(result.stdout)] == values
