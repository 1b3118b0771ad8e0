"""The operator's own tools, over HTTP to a server of the test's, and against addresses that they must not reach."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from calls.engine.toolspec import HttpTool
from calls.errors import ToolRefusedError
from calls.runner.tools.access import ToolAccess
from calls.runner.tools.base import Outcome
from calls.runner.tools.http import HttpRequestTool, resolve

SCHEMA = {
    "type": "object",
    "properties": {"number": {"type": "string", "pattern": "^[0-9]+$"}, "count": {"type": "integer"}},
    "required": ["number"],
    "additionalProperties": False,
}


class Shop:
    """A server that keeps what it is asked and gives one answer."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.answer = (200, b'{"state": "on its way"}', "application/json")
        self.is_mute = False
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *rest = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (entry.partition(":") for entry in rest)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.asked.append((line, headers, body))
        if not self.is_mute:
            status, content, kind = self.answer
            extra = "Location: http://127.0.0.1:1/\r\n" if status == 302 else ""
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{extra}Connection: close\r\n\r\n".encode())
            writer.write(content)
            await writer.drain()
        else:
            await reader.read()
        writer.close()

    def tool(self, host: str = "127.0.0.1", **fields: Any) -> HttpRequestTool:
        tool = HttpTool(
            **{"name": "find", "description": "Find.", "url": f"http://{host}:{self.port}/orders?shop=1"}
            | {"parameters": SCHEMA}
            | fields
        )
        return HttpRequestTool(tool, ToolAccess(allow_loopback=True, find_secret=find_secret))


async def find_secret(name: str) -> str | None:
    return {"shop": "Bearer squeamish"}.get(name)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


async def test_arguments_go_out_as_json_with_the_secret_in_its_header(shop: Shop) -> None:
    outcome = await shop.tool(secret="shop", secret_header="Authorization").use('{"number": "7"}')
    assert outcome == Outcome(result='{"state": "on its way"}', detail={"status": 200, "cut": False})
    [(line, headers, body)] = shop.asked
    assert (line, json.loads(body)) == ("POST /orders?shop=1 HTTP/1.1", {"number": "7"})
    assert (headers["authorization"], headers["host"]) == ("Bearer squeamish", f"127.0.0.1:{shop.port}")


async def test_a_get_has_them_in_its_query_beside_what_is_there(shop: Shop) -> None:
    await shop.tool(host="localhost", method="GET").use('{"number": "7", "count": 2}')
    [(line, headers, body)] = shop.asked
    assert (line, body) == ("GET /orders?shop=1&number=7&count=2 HTTP/1.1", b"")
    assert headers["host"] == f"localhost:{shop.port}"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("{}", "the arguments: 'number' is a required property"),
        ('{"number": "seven"}', "number: 'seven' does not match"),
        ('{"number": "7", "more": 1}', "Additional properties are not allowed"),
        ("[]", "no JSON object"),
    ],
)
async def test_arguments_that_break_the_schema_never_go_out(shop: Shop, arguments: str, reason: str) -> None:
    with pytest.raises(ToolRefusedError, match=reason):
        await shop.tool().use(arguments)
    assert shop.asked == []


async def test_an_answer_is_cut_to_its_length(shop: Shop) -> None:
    shop.answer = (200, b"x" * 1_000_000, "text/plain; charset=no-such")
    outcome = await shop.tool(max_result_characters=50).use('{"number": "7"}')
    assert outcome == Outcome(result="x" * 50, detail={"status": 200, "cut": True})


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_another_status_is_no_success_and_nothing_is_followed(shop: Shop, status: int) -> None:
    shop.answer = (status, b"no such order", "text/plain")
    with pytest.raises(ToolRefusedError, match=f"answered {status}: no such order"):
        await shop.tool().use('{"number": "7"}')
    assert len(shop.asked) == 1


async def test_a_server_that_does_not_answer_is_left_in_time(shop: Shop) -> None:
    shop.is_mute = True
    with pytest.raises(TimeoutError):
        await shop.tool(timeout_ms=100).use('{"number": "7"}')


async def test_a_server_that_is_not_there_is_told_to_the_model(shop: Shop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        shop.port = taken.getsockname()[1]
        with pytest.raises(ToolRefusedError, match=r"could not be asked \(ConnectError\)"):
            await shop.tool().use('{"number": "7"}')


async def test_a_missing_secret_stops_the_request(shop: Shop) -> None:
    with pytest.raises(ToolRefusedError, match="its secret is missing"):
        await shop.tool(secret="other", secret_header="X-Key").use('{"number": "7"}')
    assert shop.asked == []


@pytest.mark.parametrize(
    "addresses",
    [
        *(["127.0.0.1"], ["10.0.0.8"], ["192.168.1.1"], ["169.254.169.254"], ["100.64.0.1"], ["0.0.0.0"]),  # noqa: S104
        *(["::1"], ["fe80::1%2"], ["fd00::1"], ["::ffff:10.0.0.1"], ["64:ff9b::a00:1"], ["2002:a00:1::"]),
        *(["224.0.0.1"], ["ff02::1"], ["240.0.0.1"], ["93.184.216.34", "10.0.0.8"], []),
    ],
)
async def test_an_address_that_is_not_public_is_refused(addresses: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    _name(monkeypatch, addresses)
    with pytest.raises(ToolRefusedError, match="private network"):
        await resolve("shop.example", 443, ToolAccess())


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1"])
async def test_a_public_address_is_used_as_it_was_checked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _name(monkeypatch, [address])
    assert await resolve("shop.example", 443, ToolAccess()) == address


def _name(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    """Have every name stand for these addresses."""

    async def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
