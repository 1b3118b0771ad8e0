"""``python -m vantum.server``: the web process, with Uvicorn as it was measured to carry most calls.

A stop (SIGTERM, Ctrl-C) first drains: /health/ready answers 503, no new call is taken, those on the line may end.
Telephone calls move to another process, once there is one that takes calls at our public address.
A second one stops at once; the calls then end with a shutdown.
"""

import asyncio
import fcntl
import gc
import importlib.util
import os
import socket
from functools import partial
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import IO

import uvicorn

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vantum.settings")

from django.conf import settings

from calls.live import live_calls
from vantum.succession import wait_for_another
from vantum.supervisor import LISTEN_FD
from vantum.websocket import WebSocketProtocol

_APPLICATION = "vantum.asgi"
MAX_FRAME_BYTES = 2**20 + 1024
"""The protocol's 1 MiB and the WebSocket's own few bytes; past it the server closes with 1009."""


class DrainingServer(uvicorn.Server):
    """Uvicorn closes all sockets when it is told to stop; here the calls on the line come first."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ask for a stop; asked again, do not wait any longer."""
        if self.should_exit:
            self.force_exit = True
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then close."""
        another = partial(wait_for_another, settings.PUBLIC_URL)
        drain = asyncio.create_task(live_calls.drain(settings.DRAIN_SECONDS, wait_for_another=another))
        while not drain.done() and not self.force_exit:
            await asyncio.wait({drain}, timeout=0.1)
        if not drain.done():
            drain.cancel()
            await live_calls.drain(0)
        await super().shutdown(sockets)


def config() -> uvicorn.Config:
    """Give Uvicorn's configuration: one process, since the calls of one machine share its models and its memory."""
    return uvicorn.Config(
        f"{_APPLICATION}:application",
        host=settings.HOST,
        port=settings.PORT,
        loop="uvloop" if importlib.util.find_spec("uvloop") else "asyncio",
        ws=WebSocketProtocol,
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


def inherited_sockets() -> list[socket.socket] | None:
    """Give the listening socket that a supervisor holds for us; None: this process opens its own.

    Connections wait in such a socket while one process is dead and the next one starts.
    """
    descriptor = os.environ.pop(LISTEN_FD, "")
    return [socket.socket(fileno=int(descriptor))] if descriptor else None


def wait_for_turn(path: Path) -> IO[bytes]:
    """Load the site, and return once no other process holds this file; ours is the turn while the result is open.

    A spare web process waits here: of the start of a process, loading is nearly all, and the lock of one that was
    killed is free at once. Callers wait for what is left, so that what the first request would load is loaded too, and
    the collector's first round over all of it is made.
    """
    import_module(_APPLICATION)
    import_module(settings.ROOT_URLCONF)
    gc.collect()
    gc.freeze()
    path.parent.mkdir(parents=True, exist_ok=True)
    held = path.open("ab")
    fcntl.flock(held, fcntl.LOCK_EX)
    return held


if __name__ == "__main__":
    inherited = inherited_sockets()
    turn = wait_for_turn(settings.DATA_DIR / "web.lock") if settings.WEB_SPARE and inherited else None
    DrainingServer(config()).run(sockets=inherited)
