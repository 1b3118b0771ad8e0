"""The addresses of calls over WebSockets."""

from collections.abc import Mapping
from typing import Any

from channels.routing import URLRouter
from django.urls import path, re_path

from calls.consumers.admission import Refusal, refuse
from calls.consumers.console import ConsoleConsumer
from calls.consumers.lean import Receive, Send


async def not_found(scope: Mapping[str, Any], _receive: Receive, send: Send) -> None:
    """Refuse a handshake at an address where nothing is."""
    await refuse(scope, send, Refusal(404, "path", "There is no WebSocket here; the console's is at /ws."))


websockets = URLRouter(
    [
        path("ws", ConsoleConsumer.as_asgi()),
        re_path("", not_found),  # type: ignore[arg-type]  # (an ASGI application in a view's place)
    ]
)
