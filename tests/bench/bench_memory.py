"""The memory of the idle web process, warmed up for one agent: without keys, and with the vendors' SDKs.

``python -m tests.bench.bench_memory``. Resident memory counts files that are mapped (shared objects); what is the
process's own stands beside it.
"""

import re
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import servers
from tests.processes import free_port

MEGABYTE = 1e6
_LONGEST_SECONDS = 30.0
_SETTLED_LOOKS = 6
_NOBODY = "http://127.0.0.1:9"
SDKS = {
    "DEEPGRAM_API_KEY": "k",
    "DEEPGRAM_BASE_URL": _NOBODY,
    "OPENAI_API_KEY": "k",
    "OPENAI_BASE_URL": f"{_NOBODY}/v1",
    "CARTESIA_API_KEY": "k",
    "CARTESIA_BASE_URL": _NOBODY,
}
_MAKE_AGENT = """
from calls.engine.agent import AgentSpec
from calls.services import ensure_demo_agent
ensure_demo_agent(AgentSpec(name="Benchmark", prompt="Answer."))
"""


def memory_of(pid: int) -> tuple[float, float]:
    """Give the resident megabytes of a process, and those that no file holds."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = (re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE) for name in ("Rss", "Anonymous"))
    resident, own = (int(match[1]) * 1024 / MEGABYTE if match else float("nan") for match in found)
    return resident, own


def settled(pid: int) -> tuple[float, float]:
    """Wait until a process has long been as it is, and look."""
    history: list[tuple[float, float]] = []
    began = time.monotonic()
    while time.monotonic() - began < _LONGEST_SECONDS:
        time.sleep(1)
        history.append(memory_of(pid))
        resident = [round(look[0]) for look in history[-_SETTLED_LOOKS:]]
        if len(resident) == _SETTLED_LOOKS and max(resident) - min(resident) <= 1:
            break
    return history[-1]


def measure(keys: dict[str, str]) -> tuple[float, float]:
    """Start a web process in a folder that goes away, and look at it once nothing changes."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        values = servers.environment(folder, port, **keys)
        servers.manage(values, "migrate", "--verbosity", "0")
        servers.manage(values, "shell", "--no-imports", "-c", _MAKE_AGENT)
        with servers.running([sys.executable, "-m", "vantum.server"], values, folder / "log") as server:
            servers.wait_until_answers(f"http://127.0.0.1:{port}/health/live", server)
            return settled(server.pid)


def main() -> None:
    """Measure both and print."""
    for name, keys in (("without keys", {}), ("with the SDKs", SDKS)):
        resident, own = measure(keys)
        print(f"{name:<14} {resident:5.0f} MB resident, {own:.0f} MB of its own")


if __name__ == "__main__":
    main()
