"""Which addresses have a WebSocket."""

import asyncio
from typing import Any

import pytest

from calls.routing import websockets


async def answer(path: str, extensions: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    inbox.put_nowait({"type": "websocket.connect"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": path, "headers": [], "query_string": b"", "extensions": extensions}
    await websockets(scope, inbox.get, send)
    return sent


@pytest.mark.parametrize(("path", "status"), [("/ws", 401), ("/ws/", 404), ("/wss", 404), ("/", 404), ("/WS", 404)])
async def test_only_the_exact_path_is_the_consoles(path: str, status: int) -> None:
    sent = await answer(path, {"websocket.http.response": {}})
    assert [message["type"] for message in sent] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert sent[0]["status"] == status


async def test_where_the_server_cannot_answer_an_unknown_path_is_closed() -> None:
    assert await answer("/nothing", {}) == [{"type": "websocket.close", "code": 1008}]
