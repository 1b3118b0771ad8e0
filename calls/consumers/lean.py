"""A Channels consumer for audio: a frame costs no task switch, no thread and no queue.

Stock Channels sends every message through ``await_many_dispatch``, ``dispatch`` and ``aclose_old_connections``: with
one slow query running in another consumer, the frames of all calls wait for it. Here frames go straight from the
socket to ``take_frame``. The price: layer events come between frames, and who uses the database closes its
connections (``database_sync_to_async`` does).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextvars import copy_context
from typing import Any

from channels.consumer import AsyncConsumer, get_handler_name
from channels.layers import get_channel_layer

log = logging.getLogger(__name__)

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Take = Callable[[bytes | None, str | None], None]
"""Takes a message at once, as bytes or as text. Must not raise."""

STRAIGHT = "vantum.straight"
"""A server's extension of the scope: ``hand_over``, told a ``Take``, leads messages there and no longer to ``receive``.
Those that came before, and the end of the connection, still come by ``receive``."""

RESTARTED = 1012
"""With this code Uvicorn takes leave of connections when it stops without a drain."""

_FAREWELL_SECONDS = 2.0


class LeanConsumer(AsyncConsumer):  # type: ignore[misc]  # (Channels has no types)
    """One connection: a group of tasks that lives until ``over`` is set, the client goes or something fails.

    ``channel_layer_alias`` None: no layer. Subclasses fill ``connect``, ``take_frame``, ``disconnected`` and ``fail``,
    and answer a layer's event of type ``a.b`` in a coroutine ``a_b``. A failure in any of the tasks ends all of them.
    """

    channel_layer_alias: str | None = None
    scope: dict[str, Any]
    tasks: asyncio.TaskGroup

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve the connection to its end."""
        self.scope, self.base_send = scope, send
        self.over = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as self.tasks:
                self._helpers = [self.tasks.create_task(self._read(receive))]
                if self.channel_layer_alias is not None:
                    self.help_with(self._follow_layer(self.channel_layer_alias))
                await self.over.wait()
                for helper in self._helpers:
                    helper.cancel()
        except* Exception:
            log.exception("a connection failed and is closed")
            await self._fail()
        finally:
            self.leave()

    def help_with(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task that is cancelled when the connection is over."""
        helper = self.tasks.create_task(work)
        self._helpers.append(helper)
        return helper

    async def _read(self, receive: Receive) -> None:
        while not self.over.is_set():
            message = await receive()
            kind = message["type"]
            if kind == "websocket.receive":
                self.take_frame(message.get("bytes"), message.get("text"))
            elif kind == "websocket.connect":
                await self.connect()
                self._shorten_the_way()
            else:
                self.disconnected(message.get("code", 1005))
                self.over.set()

    def _shorten_the_way(self) -> None:
        """Let the server, where it can, hand frames over in the moment in which they come: no queue, no switch."""
        extension = self.scope.get("extensions", {}).get(STRAIGHT)
        if extension is not None:
            context = copy_context()  # what is logged about a frame has the call's id
            extension["hand_over"](lambda binary, text: context.run(self._take_straight, binary, text))

    def _take_straight(self, binary: bytes | None, text: str | None) -> None:
        if self.over.is_set():
            return
        try:
            self.take_frame(binary, text)
        except Exception as error:  # noqa: BLE001 (it is raised again, where it ends the connection)
            self.tasks.create_task(_raise(error))
            self.over.set()

    async def _follow_layer(self, alias: str) -> None:
        self.channel_layer = get_channel_layer(alias)
        self.channel_name = await self.channel_layer.new_channel()
        await self.joined()
        while True:
            message = await self.channel_layer.receive(self.channel_name)
            await getattr(self, get_handler_name(message))(message)

    async def _fail(self) -> None:
        try:
            async with asyncio.timeout(_FAREWELL_SECONDS):
                await self.fail()
        except (OSError, TimeoutError):
            log.info("the client did not hear of the failure")

    # --- for subclasses -----------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Accept the connection or refuse it."""
        await self.base_send({"type": "websocket.accept"})

    def take_frame(self, binary: bytes | None, text: str | None) -> None:
        """Take one frame. Never waits."""
        raise NotImplementedError

    def disconnected(self, code: int) -> None:
        """The client is gone; nothing can be sent any more."""

    async def joined(self) -> None:
        """The channel is there: groups may be joined."""

    async def fail(self) -> None:
        """Something failed and all tasks are gone: tell the client."""
        await self.base_send({"type": "websocket.close", "code": 1011})

    def leave(self) -> None:
        """Let go of what the connection held; the last thing that happens, however it ended."""


async def _raise(error: Exception) -> None:
    raise error
