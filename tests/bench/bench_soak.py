"""A thousand calls opened and closed in one process: what do they leave behind?

Each call starts, types a line, hears the beginning of the answer and goes, every other one without a goodbye. Memory,
asyncio tasks, sockets, open files and threads are read before and after. Server and callers share the process, so that
tasks can be counted; scripted providers. Exits with 1 when more of something stayed than the table allows. ``python
-m tests.bench.bench_soak --calls 1000`` takes about a minute.
"""

import argparse
import asyncio
import gc
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.bench import servers
from tests.bench.caller import BenchCaller
from tests.processes import free_port

SIDE_BY_SIDE = 25
WARM_UP = 200
"""Calls after which imports, pools, caches and the allocator have grown to what they need."""
SETTLE_SECONDS = 3.0
MAY_STAY = {"memory (MB)": 16.0, "asyncio tasks": 0.0, "sockets": 2.0, "open files": 2.0, "threads": 2.0}
"""Of a thousand calls. Resident memory moves with the allocator's pages (calls and callers share this process), and a
call that stayed would cost hundreds of kilobytes; a pool may open one more connection or thread."""


def left_behind() -> dict[str, float]:
    """Count what a leak would show in."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files = [str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
    return {
        "memory (MB)": pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024,
        "asyncio tasks": len(asyncio.all_tasks()),
        "sockets": sum(file.startswith("socket:") for file in files),
        "open files": len(files),
        "threads": threading.active_count(),
    }


async def hold_call(url: str, number: int) -> None:
    """Hold one short call."""
    async with BenchCaller(url, 8000, None) as caller:
        await caller.start()
        await caller.send("user.text", text="How much does it cost?")
        await caller.wait_for("audio.output.chunk")
        if number % 2:
            await caller.send("connection.lifecycle.disconnect")
            await caller.socket.wait_closed()


async def hold_calls(url: str, count: int) -> None:
    """Hold so many calls, a few at a time."""
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(number: int) -> None:
        async with gate:
            await hold_call(url, number)

    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            tasks.create_task(one(number))
    await asyncio.sleep(SETTLE_SECONDS)


async def soak(port: int, count: int) -> list[str]:
    """Serve and call, and print what changed; gives what stayed and should not have."""
    import uvicorn  # noqa: PLC0415 (the settings come first)

    from vantum.websocket import WebSocketProtocol  # noqa: PLC0415 (as above)

    config = uvicorn.Config(
        "vantum.asgi:application", port=port, ws=WebSocketProtocol, ws_per_message_deflate=False, log_level="warning"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (the server has no event for it)
        await asyncio.sleep(0.05)
    url = f"ws://127.0.0.1:{port}/ws"
    await hold_calls(url, WARM_UP)
    before, began = left_behind(), time.monotonic()
    await hold_calls(url, count)
    seconds, after = time.monotonic() - began, left_behind()
    print(f"{count} calls in {seconds:.0f} s\n  {'':<15}   before    after    grown  may grow")
    grown = {name: value - before[name] for name, value in after.items()}
    for name, value in after.items():
        print(f"  {name:<15} {before[name]:8.1f} {value:8.1f} {grown[name]:+8.1f} {MAY_STAY[name]:9.1f}")
    server.should_exit = True
    await serving
    return [f"{name} {grown[name]:+.1f} (at most {most:+.1f})" for name, most in MAY_STAY.items() if grown[name] > most]


def main() -> None:
    """Make a throw-away installation and soak it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    options, _others_arguments = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        values = servers.environment(
            Path(name), port, STT_PROVIDER="scripted", LLM_PROVIDER="scripted", TTS_PROVIDER="scripted"
        )
        os.environ.update(values)
        servers.manage(values, "migrate", "--verbosity", "0")
        servers.manage(values, "shell", "--no-imports", "-c", _MAKE_AGENT)
        if stayed := asyncio.run(soak(port, options.calls)):
            sys.exit(f"something stayed: {', '.join(stayed)}")


_MAKE_AGENT = """
from calls.demo import DEMO_AGENT
from calls.services import ensure_demo_agent
ensure_demo_agent(DEMO_AGENT)
"""

if __name__ == "__main__":
    main()
