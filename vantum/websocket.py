"""Uvicorn's WebSocket protocol with a short way for what a call consists of: small whole messages, fifty a second.

Uvicorn's own way leads each message through three parsers, a queue and the application's task, and stops and resumes
reading for it. Here a message in one frame is cut out of the stream and handed over at once, in the very callback in
which it came. All else (control frames, fragments, what breaks the rules of RFC 6455) goes to Uvicorn's protocol, one
whole frame after the other.
"""

from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Opcode, apply_mask  # type: ignore[attr-defined]  # (in C, where the wheel has it)
from websockets.protocol import OPEN

from calls.consumers.lean import STRAIGHT, Take
from calls.wire.frames import BINARY, FIN, KEY_BYTES, MASKED, TEXT, bounds, header


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection. What was received and is no whole frame yet waits in ``_rest``."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._rest = b""
        self._is_cutting = False
        self._is_fragmented = False
        self._take: Take | None = None

    async def run_asgi(self) -> None:
        """Run the application; it may ask for the short way."""
        self.scope["extensions"][STRAIGHT] = {"hand_over": self._go_straight}
        try:
            await super().run_asgi()
        finally:  # nothing of the call is held any longer than the call
            self._take = None
            del self.scope["extensions"][STRAIGHT]

    def _go_straight(self, take: Take) -> None:
        self._take = take

    # --- in -----------------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Cut whole frames out of what came."""
        if not self.handshake_complete:
            # Who sends frames before the handshake is over is served the long way.
            self._is_cutting = not self.handshake_initiated and data.endswith(b"\r\n\r\n")
        if not (self._is_cutting and self.handshake_complete):
            super().data_received(data)
            return
        stream = self._rest + data if self._rest else data
        begin, size = 0, len(stream)
        while size - begin > 1:
            payload, end = bounds(stream, begin)
            if end - payload > self.config.ws_max_size or not stream[begin + 1] & MASKED:
                self._is_cutting = False
                super().data_received(stream[begin:])
                return
            if end > size:
                break
            self._take_frame(stream, begin, payload, end)
            begin = end
        self._rest = stream[begin:]

    def _take_frame(self, stream: bytes, begin: int, payload: int, end: int) -> None:
        first = stream[begin]
        is_open = self.conn.state is OPEN and not self.close_sent
        if first in {BINARY, TEXT} and is_open and not self._is_fragmented:
            self._hand_over(
                apply_mask(stream[payload:end], stream[payload - KEY_BYTES : payload]), is_text=first == TEXT
            )
            return
        if first & 0x0F in {Opcode.CONT, Opcode.TEXT, Opcode.BINARY}:
            self._is_fragmented = not first & FIN
        super().data_received(stream[begin:end])

    def _hand_over(self, payload: bytes, *, is_text: bool) -> None:
        if self._take is None or not self.queue.empty():
            self.curr_msg_data_type = "text" if is_text else "bytes"
            self.frames = [payload]
            self.send_receive_event_to_app()
        elif not is_text:
            self._take(payload, None)
        else:
            try:
                text = payload.decode()
            except UnicodeDecodeError:
                self.conn.fail(1007, "invalid UTF-8")
                self.handle_parser_exception()
            else:
                self._take(None, text)

    # --- out ----------------------------------------------------------------------------------------------------------

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message; one of an open connection that takes it now goes out without a state machine."""
        if message["type"] != "websocket.send" or not self._is_ready():
            await super().send(message)
            return
        binary = message.get("bytes")
        if binary is not None:
            self.transport.write(header(BINARY, len(binary)) + binary)
        else:
            text = (message.get("text") or "").encode()
            self.transport.write(header(TEXT, len(text)) + text)

    def _is_ready(self) -> bool:
        is_open = self.handshake_complete and self.conn.state is OPEN and self.initial_response is None
        return is_open and self.writable.is_set() and not (self.close_sent or self.disconnected)
