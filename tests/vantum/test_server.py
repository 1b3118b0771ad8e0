import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest
import uvicorn
from pytest_django import Settings

from calls.enums import EndReason
from calls.live import LiveCalls
from tests.processes import environment, running
from vantum import server
from vantum.server import MAX_FRAME_BYTES, DrainingServer, config, inherited_sockets
from vantum.supervisor import LISTEN_FD
from vantum.websocket import WebSocketProtocol


class Call:
    """A call that ends when it is told to."""

    def __init__(self, live_calls: LiveCalls) -> None:
        self.reasons: list[EndReason] = []
        self._live_calls = live_calls
        live_calls.add(self)

    def shut_down(self, reason: EndReason) -> None:
        self.reasons.append(reason)
        self._live_calls.discard(self)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Uvicorn's own shutdown did, of which the tests need only that it came."""
    steps: list[str] = []

    async def shutdown(_server: uvicorn.Server, _sockets: object = None) -> None:
        steps.append("closed")

    monkeypatch.setattr(uvicorn.Server, "shutdown", shutdown)
    return steps


@pytest.fixture(autouse=True)
def live_calls(monkeypatch: pytest.MonkeyPatch) -> LiveCalls:
    """Give the calls of a process of the test's own."""
    calls = LiveCalls()
    monkeypatch.setattr(server, "live_calls", calls)
    return calls


def test_the_server_runs_as_it_was_measured(settings: Settings) -> None:
    settings.HOST, settings.PORT = "127.0.0.2", 8123
    made = config()
    assert (made.host, made.port, made.loop, made.ws, made.workers) == (
        "127.0.0.2",
        8123,
        "uvloop",
        WebSocketProtocol,
        1,
    )
    assert (made.ws_max_size, made.ws_per_message_deflate, made.log_config) == (MAX_FRAME_BYTES, False, None)


async def test_a_call_may_end_before_the_sockets_close(
    settings: Settings, closed: list[str], live_calls: LiveCalls
) -> None:
    settings.DRAIN_SECONDS = 30
    call, web = Call(live_calls), DrainingServer(config())
    stopping = asyncio.create_task(web.shutdown())
    asyncio.get_running_loop().call_later(0.01, live_calls.discard, call)
    assert closed == []
    await stopping
    assert (live_calls.is_draining, closed, call.reasons) == (True, ["closed"], [])


async def test_a_call_that_lasts_is_ended_as_a_shutdown(
    settings: Settings, closed: list[str], live_calls: LiveCalls
) -> None:
    settings.DRAIN_SECONDS = 0
    call, web = Call(live_calls), DrainingServer(config())
    await web.shutdown()
    assert (closed, call.reasons) == (["closed"], [EndReason.SHUTDOWN])


async def test_a_second_signal_stops_waiting(settings: Settings, closed: list[str], live_calls: LiveCalls) -> None:
    settings.DRAIN_SECONDS = 600
    call, web = Call(live_calls), DrainingServer(config())
    web.handle_exit(signal.SIGTERM, None)
    assert (web.should_exit, web.force_exit) == (True, False)
    stopping = asyncio.create_task(web.shutdown())
    web.handle_exit(signal.SIGTERM, None)
    async with asyncio.timeout(5):
        await stopping
    assert (closed, call.reasons) == (["closed"], [EndReason.SHUTDOWN])


def test_a_socket_that_a_supervisor_holds_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LISTEN_FD, raising=False)
    assert inherited_sockets() is None
    with socket.create_server(("127.0.0.1", 0)) as held:
        monkeypatch.setenv(LISTEN_FD, str(os.dup(held.fileno())))
        served = inherited_sockets()
        assert served is not None
        assert [each.getsockname() for each in served] == [held.getsockname()]
        served[0].close()
    assert inherited_sockets() is None


async def test_a_spare_process_has_its_turn_as_soon_as_the_one_before_it_is_dead(tmp_path: Path) -> None:
    holding = "import sys, time; from pathlib import Path; from vantum.server import wait_for_turn; "
    holding += "turn = wait_for_turn(Path(sys.argv[1])); print('serves', flush=True); time.sleep(60)"
    program = ("-c", holding, str(tmp_path / "new" / "web.lock"))
    env = environment(tmp_path)
    async with running(*program, env=env) as first:
        await first.until(lambda line: line == "serves\n")
        async with running(*program, env=env) as spare:
            with pytest.raises(AssertionError, match="the line did not come"):
                await spare.until(lambda line: line == "serves\n", seconds=5)
            first.process.kill()
            await spare.until(lambda line: line == "serves\n", seconds=5)
