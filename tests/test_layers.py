"""Imports point only downwards. The order is that of docs/design.md; a module without a place in it fails here."""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOPS = ("calls", "campaigns", "vantum")

# What stands higher may import what stands lower. Units of one line do not import one another.
LAYERS = (
    {"calls.enums", "vantum"},
    {"calls.errors"},
    {"calls.engine", "calls.wire"},
    {"calls.providers", "calls.demo"},
    {"calls.runner", "calls.live", "calls.sandbox", "calls.models", "calls.signals"},
    {"calls.services"},
    {"calls.recorder", "calls.analytics", "calls.telephony"},
    {"calls.erasing"},
    {"calls.consumers", "calls.views", "calls.tasks", "calls.admin", "calls.management", "calls.checks"},
    {"calls.urls", "calls.routing", "calls.apps"},
    {"campaigns.enums"},
    {
        *("campaigns.errors", "campaigns.compliance", "campaigns.contacts", "campaigns.findings"),
        *("campaigns.breaker", "campaigns.demo", "campaigns.outcomes"),
    },
    {"campaigns.pacing"},
    {"campaigns.gate", "campaigns.models"},
    {"campaigns.imports"},
    {"campaigns.services"},
    {"campaigns.analytics", "campaigns.exports", "campaigns.hooks"},
    {"campaigns.receivers", "campaigns.tasks", "campaigns.admin", "campaigns.api", "campaigns.management"},
    {"campaigns.apps", "campaigns.urls"},
    {"vantum.health", "vantum.websocket"},
    {"vantum.asgi", "vantum.urls", "vantum.server"},
)
RANK = {unit: rank for rank, units in enumerate(LAYERS) for unit in units}

# The shell of a call and the rows are two columns side by side: neither knows the other.
SHELL = {"calls.providers", "calls.runner", "calls.live", "calls.sandbox"}
ROWS = {"calls.models", "calls.signals", "calls.services"}

PURE = {
    *("calls.enums", "calls.errors", "calls.engine", "calls.wire"),
    *("campaigns.enums", "campaigns.findings", "campaigns.compliance", "campaigns.contacts", "campaigns.pacing"),
    *("campaigns.errors", "campaigns.gate", "campaigns.breaker", "campaigns.outcomes"),
}
PURE_MAY_IMPORT = {
    *("abc", "array", "base64", "bisect", "collections", "dataclasses", "enum", "functools", "heapq", "itertools"),
    *("json", "math", "operator", "re", "string", "struct", "types", "typing", "unicodedata", "uuid"),
    *("msgpack", "msgspec", "numpy", "soxr"),
    *("datetime", "holidays", "jsonschema", "phonenumbers", "zoneinfo"),  # clocks of the wall are arguments here too
}

ALSO = {
    # It reads files, those that it is given.
    "campaigns.imports": {"charset_normalizer", "codecs", "csv", "io", "openpyxl", "zipfile"},
}


def unit_of(module: str) -> str:
    """Give the unit in whose place a module stands: ``calls.engine.events`` is in ``calls.engine``."""
    parts = module.split(".")
    if parts[0] in {"calls", "campaigns"}:
        return ".".join(parts[:2])
    return module if module in RANK else parts[0]


def imports_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Give the line and the name of every imported module; ``from calls import live`` is ``calls.live``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield node.lineno, "." * node.level + (node.module or "")
            elif node.module in TOPS:
                for alias in node.names:
                    yield node.lineno, f"{node.module}.{alias.name}"
            else:
                yield node.lineno, node.module or ""


def violation(module: str, imported: str) -> str:
    """Say what is wrong with one import, or nothing."""
    unit, other = unit_of(module), unit_of(imported)
    top = imported.partition(".")[0]
    reason = ""
    if imported.startswith("."):
        reason = "imports are absolute here"
    elif unit in PURE and top not in PURE_MAY_IMPORT | {"calls", "campaigns"} | ALSO.get(unit, set()):
        reason = f"{unit} is pure and may not import {imported}"
    elif top not in TOPS or unit == other:
        pass
    elif (unit in SHELL and other in ROWS) or (unit in ROWS and other in SHELL):
        reason = f"{unit} and {other} are side by side"
    elif RANK.get(other, len(LAYERS)) >= RANK.get(unit, -1):
        reason = f"{unit} does not stand above {other}"
    return reason


def violations(root: Path) -> list[str]:
    """Give every wrong import below ``root``."""
    found = []
    for top in TOPS:
        for path in sorted((root / top).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            if module in TOPS:
                continue
            for line, imported in imports_of(ast.parse(path.read_text())):
                if reason := violation(module, imported):
                    found.append(f"{path.relative_to(root)}:{line}: {reason}")
    return found


def test_imports_point_only_downwards() -> None:
    assert violations(ROOT) == []


@pytest.mark.parametrize("app", ["calls", "campaigns"])
def test_every_module_has_a_place_in_the_order(app: str) -> None:
    places = {unit_of(f"{app}.{path.stem}") for path in (ROOT / app).iterdir() if not path.name.startswith("__")}
    assert places - set(RANK) - {f"{app}.migrations"} == set()


@pytest.mark.parametrize(
    ("file", "line", "reason"),
    [
        ("calls/engine/agent.py", "import django", "calls.engine is pure and may not import django"),
        ("calls/engine/agent.py", "    import asyncio", "calls.engine is pure and may not import asyncio"),
        ("calls/wire/__init__.py", "from random import random", "calls.wire is pure and may not import random"),
        ("calls/engine/agent.py", "from calls import live", "calls.engine does not stand above calls.live"),
        (
            "calls/errors.py",
            "from vantum.metrics import TURNS",
            "calls.errors is pure and may not import vantum.metrics",
        ),
        ("calls/live.py", "from calls.models import Agent", "calls.live and calls.models are side by side"),
        ("calls/enums.py", "from .errors import CallError", "imports are absolute here"),
    ],
)
def test_a_wrong_import_is_found(tmp_path: Path, file: str, line: str, reason: str) -> None:
    shutil.copytree(ROOT / "calls", tmp_path / "calls", ignore=shutil.ignore_patterns("__pycache__"))
    spoilt = tmp_path / file
    text = spoilt.read_text()
    spoilt.write_text(f"{text}\n\ndef _spoilt() -> None:\n    {line.strip()}\n")
    assert [found.partition(": ")[2] for found in set(violations(tmp_path)) - set(violations(ROOT))] == [reason]
