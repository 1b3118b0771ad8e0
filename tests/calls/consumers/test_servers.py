"""The door behind real servers: what Uvicorn and Daphne make of it."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgpack
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.calls.consumers.site import Site, served


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site where one must log in, with room for two."""
    folder = tmp_path_factory.mktemp("site")
    with served(folder, DEBUG="0", WS_MAX_CALLS="2", ALLOWED_HOSTS="127.0.0.1") as site:
        yield site


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    return site.make_token()


def opened(site: Site, query: str = "", path: str = "/ws", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return connect(f"ws://{site.host}{path}{query}", additional_headers=named, open_timeout=10)


async def refusal(site: Site, query: str = "", path: str = "/ws", **headers: str) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as caught:
        async with opened(site, query, path, **headers):
            pass
    response = caught.value.response
    return response.status_code, (response.body or b"").decode().strip()


async def event(socket: ClientConnection, kind: str = "") -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            found: dict[str, Any] = msgpack.unpackb(await socket.recv())
            if kind in {"", found["eventType"]}:
                return found


async def closing(socket: ClientConnection) -> int | None:
    """Read on to the end and give the close code."""
    async with asyncio.timeout(20):
        with suppress(ConnectionClosed):
            async for _ in socket:
                pass
    return socket.close_code


async def stored(site: Site, expected: list[tuple[Any, ...]], query: str, *values: str) -> None:
    """See that the query gives what is expected; storing hangs a moment behind the call."""
    for _ in range(200):
        if site.rows(query, *values) == expected:
            return
        await asyncio.sleep(0.05)
    assert site.rows(query, *values) == expected


async def say(socket: ClientConnection, kind: str, **payload: Any) -> None:
    await socket.send(msgpack.packb({"eventType": kind, "eventId": "e", "sessionId": "", "payload": payload}))


async def test_a_connection_without_a_right_is_refused_with_401(site: Site) -> None:
    assert await refusal(site) == (401, "Log in, or connect with ?token=.")
    assert await refusal(site, "?token=forged") == (401, "The token is forged or too old; get a new one.")
    assert (await refusal(site, cookie="sessionid=unknown"))[0] == 401


async def test_a_page_of_another_origin_is_refused(site: Site, token: str) -> None:
    assert (await refusal(site, f"?token={token}", origin="http://evil.example"))[0] == 401
    async with opened(site, f"?token={token}", origin=f"http://{site.host}") as socket:
        assert (await event(socket))["eventType"] == "connection.lifecycle.ack"


async def test_a_login_and_a_token_are_let_in_without_compression_or_subprotocol(site: Site, token: str) -> None:
    async with (
        opened(site, cookie=f"sessionid={site.make_login('ann')}") as browser,
        opened(site, f"?token={token}&other=1") as client,
    ):
        for socket in (browser, client):
            assert [(await event(socket))["eventType"] for _ in range(2)] == [
                "connection.lifecycle.ack",
                "connection.ack",
            ]
            assert (socket.subprotocol, socket.protocol.extensions) == (None, [])


async def test_a_full_server_refuses_with_503(site: Site, token: str) -> None:
    async with opened(site, f"?token={token}") as one, opened(site, f"?token={token}") as two:
        await event(one)
        await event(two)
        assert await refusal(site, f"?token={token}") == (503, "All lines are busy; try again later.")
    async with asyncio.timeout(10):
        while not await _takes_a_call(site, token):
            pass


async def _takes_a_call(site: Site, token: str) -> bool:
    try:
        async with opened(site, f"?token={token}") as socket:
            return bool(await event(socket))
    except InvalidStatus:
        return False


@pytest.mark.parametrize("path", ["/ws/", "/WS", "/", "/ws/x"])
async def test_another_path_is_not_found(site: Site, token: str, path: str) -> None:
    assert (await refusal(site, f"?token={token}", path))[0] == 404


async def test_a_message_above_one_mebibyte_closes_with_1009(site: Site, token: str) -> None:
    for size in (2**20 + 1, 2**20 + 5000):
        async with opened(site, f"?token={token}") as socket:
            await socket.send(bytes(size))
            assert await closing(socket) == 1009


async def test_a_text_frame_is_answered_and_the_connection_stays(site: Site, token: str) -> None:
    async with opened(site, f"?token={token}") as socket:
        await socket.send("{}")
        assert (await event(socket, "error"))["payload"]["code"] == "INVALID_PAYLOAD"
        await say(socket, "connection.lifecycle.heartbeat", timestamp=1.0)
        await event(socket, "connection.lifecycle.heartbeat")


async def test_a_call_is_stored_with_its_turns_and_its_user(site: Site) -> None:
    async with opened(site, cookie=f"sessionid={site.make_login('ben')}") as socket:
        session_id = (await event(socket))["sessionId"]
        await say(socket, "audio.input.start", campaignId="spring", variables={"name": "Ann"})
        await event(socket, "audio.input.start")
        await say(socket, "user.text", text="what does it cost")
        await event(socket, "conversation.response.complete")
        await say(socket, "user.action.end_call")
        assert await closing(socket) == 1000
    key = session_id.replace("-", "")
    await stored(
        site,
        [("ended", "caller_ended", "spring", "ben")],
        "SELECT s.status, s.end_reason, s.campaign_id, u.username FROM calls_callsession s"
        " JOIN auth_user u ON u.id = s.user_id WHERE s.id = ?",
        key,
    )
    turns = site.rows('SELECT speaker, text FROM calls_turn WHERE session_id = ? ORDER BY "index"', key)
    assert ("caller", "what does it cost") in turns
    assert turns[-1] == ("agent", "Goodbye.")


async def test_daphne_refuses_with_403_and_holds_calls(tmp_path_factory: pytest.TempPathFactory) -> None:
    command = ("-m", "daphne", "-b", "127.0.0.1", "-p", "{PORT}", "vantum.asgi:application")
    with served(tmp_path_factory.mktemp("daphne"), command, DEBUG="1", WS_ALLOW_ANONYMOUS="0") as site:
        assert (await refusal(site))[0] == 403
        assert (await refusal(site, path="/nothing"))[0] == 403
        async with opened(site, f"?token={site.make_token()}") as socket:
            session_id = (await event(socket))["sessionId"]
            await say(socket, "user.text", text="who are you")
            await event(socket, "conversation.response.complete")
            await say(socket, "connection.lifecycle.disconnect")
            assert await closing(socket) == 1000
        assert session_id in site.log


async def test_killed_and_stopped_servers_lose_no_turn(tmp_path_factory: pytest.TempPathFactory) -> None:
    ends = "SELECT status, end_reason FROM calls_callsession ORDER BY started_at"
    with served(tmp_path_factory.mktemp("stopped"), DEBUG="1") as site:
        async with opened(site) as socket:
            await say(socket, "audio.input.start")
            await event(socket, "conversation.response.complete")
            await say(socket, "user.text", text="who are you")
            await event(socket, "conversation.response.start")
            site.process.kill()
            site.process.wait()
        with site.running():
            await stored(site, [("ended", "instance_lost")], ends)
            assert ("caller", "who are you") in site.rows("SELECT speaker, text FROM calls_turn")
            async with opened(site) as socket:
                await say(socket, "audio.input.start")
                await event(socket, "audio.output.chunk")
                site.process.send_signal(signal.SIGTERM)
                assert await closing(socket) == 1001
            await asyncio.to_thread(site.process.wait, 15)
            assert site.rows(ends)[1] == ("ended", "shutdown")
