"""A telephone call through a real server: Uvicorn as the product configures it, and a carrier over TCP."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn

from calls.enums import EndReason, Speaker
from calls.live import live_calls
from tests.calls.consumers.phone_driver import TOKEN, Exchange, hum, scripted
from tests.calls.runner.fakes import agent
from tests.simulators.media_stream import Leg, SocketLine
from vantum import server


async def until(is_so: Callable[[], object], seconds: float = 10) -> None:
    """Look each 10 ms: other people's objects have no events to wait for."""
    for _ in range(int(seconds * 100)):
        if is_so():
            return
        await asyncio.sleep(0.01)
    assert is_so()


@asynccontextmanager
async def served(application: Any) -> AsyncIterator[str]:
    """Serve the application in this event loop and give its address."""
    config = server.config()
    config.app, config.lifespan, config.loop = application, "off", "asyncio"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        uvicorn_server = uvicorn.Server(config)
        serving = asyncio.create_task(uvicorn_server._serve([listening]))
        await until(lambda: uvicorn_server.started)
        try:
            yield f"ws://127.0.0.1:{listening.getsockname()[1]}/twilio/media"
        finally:
            uvicorn_server.should_exit = True
            await serving


async def test_a_call_is_held_over_tcp(tmp_path: Path) -> None:
    exchange = Exchange(agent(opening="One two three."), providers=scripted(tmp_path, "hello"))
    async with served(exchange.application()) as url:
        line = SocketLine(url, Leg({"token": TOKEN}))
        carrying = asyncio.create_task(line.run())
        await line.leg.until_heard(300, seconds=10)
        line.leg.press("5")
        line.leg.say(hum(400))
        await until(lambda: line.leg.cleared_at)
        line.leg.hang_up()
        await carrying
        await until(lambda: not live_calls.count)
    assert exchange.sink.reason is EndReason.CALLER_DISCONNECTED
    assert [kind for kind, _, _ in exchange.sink.events if kind == "dtmf"] == ["dtmf"]
    first = exchange.sink.turns[0]
    assert (first.speaker, first.interrupted) == (Speaker.AGENT, True)
    assert "One two three.".startswith(first.text)


async def test_a_guessed_address_is_refused_over_tcp() -> None:
    exchange = Exchange()
    async with served(exchange.application()) as url:
        line = SocketLine(url, Leg({"token": "guessed"}))
        async with asyncio.timeout(10):
            await line.run()
    assert (line.code, exchange.sinks) == (1008, [])
