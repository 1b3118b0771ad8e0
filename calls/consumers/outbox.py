"""What one socket is to be told, in order: everybody puts, one task writes."""

import asyncio
from collections import deque
from collections.abc import Callable

from calls.consumers.lean import Message, Send

MAX_WAITING = 2000
"""Frames without audio. A client that leaves so many unread does not read."""
_MAX_AUDIO_WAITING = 3
_CLOSE_SECONDS = 5.0


class Outbox:
    """The single writer of a socket. ``on_overflow`` is called once when the client does not read what it is told.

    ``is_text``: the frames are UTF-8 and go out as texts.
    """

    def __init__(self, send: Send, on_overflow: Callable[[], None], *, is_text: bool = False) -> None:
        self._send = send
        self._is_text = is_text
        self._on_overflow = on_overflow
        self._waiting: deque[tuple[bytes, int]] = deque()  # the frame and its audio's reply, 0 for all other frames
        self._cancelled = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._close_code: int | None = None
        self._closed = asyncio.Event()

    @property
    def is_closed(self) -> bool:
        """Whether the end of the connection was sent, or is the next thing to be."""
        return self._close_code is not None

    def put(self, frame: bytes) -> None:
        """Send a frame after what waits already. After ``close`` nothing is taken."""
        if self.is_closed:
            return
        if len(self._waiting) < MAX_WAITING:
            self._add(frame, 0)
        else:
            self._close_code = 1013
            self._on_overflow()

    async def put_audio(self, reply: int, frame: bytes) -> None:
        """Send a frame of a reply's audio; waits while the client is slow. Replies count up."""
        while not self._room.is_set() and reply > self._cancelled:
            await self._room.wait()
        if reply > self._cancelled and not self.is_closed:
            self._add(frame, reply)

    def cancel(self, reply: int, frame: bytes) -> None:
        """Take back the audio of this reply and of those before it that waits, and send ``frame`` in its place."""
        self._cancelled = reply
        self._waiting = deque(item for item in self._waiting if not item[1])
        self._note_room()
        self.put(frame)

    async def close(self, code: int) -> None:
        """Close the socket behind everything that waits; a client that does not read for 5 s is left alone."""
        if self._close_code is None:
            self._close_code = code
            self._wake.set()
            self._room.set()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._closed.wait()
        except TimeoutError:
            pass

    def abandon(self) -> None:
        """The client is gone: forget what waits, and let nobody wait for it."""
        self._close_code = self._close_code or 1006
        self._waiting.clear()
        self._room.set()
        self._closed.set()

    async def write(self) -> None:
        """Write until closed. Raises ``OSError`` when the client is gone."""
        while True:
            while self._waiting:
                frame, reply = self._waiting.popleft()
                if reply:
                    self._note_room()
                await self._send(self._message(frame))
            if self._close_code is not None:
                await self._send({"type": "websocket.close", "code": self._close_code})
                self._closed.set()
                return
            self._wake.clear()
            await self._wake.wait()

    def _message(self, frame: bytes) -> Message:
        if self._is_text:
            return {"type": "websocket.send", "text": frame.decode()}
        return {"type": "websocket.send", "bytes": frame}

    def _add(self, frame: bytes, reply: int) -> None:
        self._waiting.append((frame, reply))
        if reply:
            self._note_room()
        self._wake.set()

    def _note_room(self) -> None:
        if sum(1 for _, reply in self._waiting if reply) < _MAX_AUDIO_WAITING:
            self._room.set()
        elif not self.is_closed:
            self._room.clear()
