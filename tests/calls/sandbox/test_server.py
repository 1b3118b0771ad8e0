"""The carrier and the process that it asks, over loopback HTTP; the calls stay in their ringing."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import httpx
import pytest
from pytest_django.fixtures import Settings

from calls.enums import AttemptStatus
from calls.errors import TelephonyError, UnknownCallError
from calls.sandbox.network import Network
from calls.sandbox.server import serve
from calls.telephony.carriers import CallOrder
from calls.telephony.sandbox import Sandbox

RINGING, INVALID = "+15005550113", "+15005550115"
TOKEN = "a token"


@contextmanager
def listening(folder: Path) -> Iterator[int]:
    """Serve in a thread of its own, since the carrier blocks; give the port."""
    port: Future[int] = Future()
    stopping: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        stop = asyncio.Event()
        stopping.set_result((asyncio.get_running_loop(), stop))
        await serve(Network(token=TOKEN, folder=folder), token=TOKEN, port=0, stop=stop, ready=port.set_result)

    thread = Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        yield port.result(10)
    finally:
        loop, stop = stopping.result(10)
        loop.call_soon_threadsafe(stop.set)
        thread.join()


@pytest.fixture
def sandbox(tmp_path: Path, settings: Settings) -> Iterator[Sandbox]:
    with listening(tmp_path) as port:
        settings.SANDBOX_PORT, settings.SANDBOX_TOKEN = port, TOKEN
        yield Sandbox()


def order(number: str) -> CallOrder:
    return CallOrder(
        to_e164=number,
        from_e164="+15005550100",
        answer_url="http://127.0.0.1:9/answer",
        status_url="",
        detection_url="",
        ring_seconds=30,
        limit_seconds=600,
    )


def test_a_call_is_placed_found_fetched_and_hung_up(sandbox: Sandbox) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    placed = sandbox.place(order(RINGING))
    assert placed.status is AttemptStatus.QUEUED
    other = sandbox.place(order("+12125550113"))
    assert [call.sid for call in sandbox.find(to_e164=RINGING, from_e164="+15005550100", since=began)] == [placed.sid]
    assert sandbox.find(to_e164=RINGING, from_e164="+15005550100", since=began + timedelta(hours=1)) == []
    assert sandbox.fetch(other.sid).status in {AttemptStatus.QUEUED, AttemptStatus.INITIATED, AttemptStatus.RINGING}
    sandbox.hang_up(placed.sid)
    for _ in range(200):
        if sandbox.fetch(placed.sid).status is AttemptStatus.CANCELED:
            break
    assert sandbox.fetch(placed.sid).status is AttemptStatus.CANCELED
    sandbox.hang_up(placed.sid)
    with pytest.raises(TelephonyError, match="not in-progress"):
        sandbox.update(placed.sid, url="http://127.0.0.1:9/other")


def test_an_invalid_number_is_refused_with_twilios_code(sandbox: Sandbox) -> None:
    for number in (INVALID, "+442079460000"):
        with pytest.raises(TelephonyError) as refused:
            sandbox.place(order(number))
        assert (refused.value.permanent, refused.value.code) == (True, 21211)


def test_a_call_that_is_not_there_is_unknown(sandbox: Sandbox) -> None:
    for ask in (sandbox.fetch, sandbox.hang_up, lambda sid: sandbox.update(sid, url="http://x")):
        with pytest.raises(UnknownCallError):
            ask("CA404")


def test_without_the_token_nothing_is_told(sandbox: Sandbox, settings: Settings) -> None:
    answer = httpx.get(f"http://127.0.0.1:{settings.SANDBOX_PORT}/calls", headers={"Authorization": "Bearer wrong"})
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)
    settings.SANDBOX_TOKEN = "wrong"
    with pytest.raises(TelephonyError, match="401"):
        sandbox.fetch("CA1")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"To": "+15005550101"}', b"\xff"])
def test_an_order_that_is_none_is_refused(sandbox: Sandbox, settings: Settings, body: bytes) -> None:
    del sandbox
    answer = httpx.post(
        f"http://127.0.0.1:{settings.SANDBOX_PORT}/calls", content=body, headers={"Authorization": f"Bearer {TOKEN}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, 21201)
