"""A language model behind OpenAI's chat completions, streamed token by token over HTTP/1.1."""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

from tests.simulators.faults import Delay, Fault, Plan

_REASONS = {200: "OK", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}
_TERMINATOR = b"0\r\n\r\n"


@dataclass(frozen=True)
class Reply:
    """One scripted answer: text, tool calls as (id, name, arguments), how it ends."""

    text: str = ""
    tools: tuple[tuple[str, str, str], ...] = ()
    finish_reason: str = ""


@dataclass
class OpenAISimulator(Plan):
    """One server. ``url`` goes into ``OPENAI_BASE_URL``. Without a scripted reply it repeats the last user message."""

    port: int = 0
    first_token_ms: float = 0.0
    token_ms: float = 0.0
    replies: deque[Reply] = field(default_factory=deque)
    echo: str = "You said: {text}"
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0
    live: int = 0
    cancelled: int = 0
    tokens_sent: int = 0

    async def __aenter__(self) -> Self:
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.live += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while True:
                    path, headers, body = await _read_request(reader)
                    self.headers.append(headers)
                    await self._answer(path, body, reader, writer)
        finally:
            self.live -= 1
            writer.close()

    async def _answer(self, path: str, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if path.endswith("/models"):
            await _respond(writer, 200, {"object": "list", "data": [{"id": "sim", "object": "model"}]})
            return
        fault = self.next_fault()
        request = json.loads(body)
        self.requests.append(request)
        if fault.hang:
            async with self._watched(reader):
                await self._stopping.wait()
        if fault.status:
            error = {"error": {"message": "refused", "type": "error", "code": fault.error or None}}
            await _respond(writer, fault.status, error, {"Retry-After": "60"})
            return
        if not request.get("stream"):
            await _respond(writer, 200, self._whole(request, fault))
            return
        async with self._watched(reader):
            await self._stream(request, fault, writer)

    def _whole(self, request: dict[str, Any], fault: Fault) -> dict[str, Any]:
        """Answer in one piece, as to who does not ask for a stream."""
        reply = self.replies.popleft() if self.replies else Reply("{}")
        reason = "length" if fault.unfinished else reply.finish_reason or "stop"
        message = {"role": "assistant", "content": reply.text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
        usage = {"prompt_tokens": 10 * len(request["messages"]), "completion_tokens": 1, "total_tokens": 0}
        return {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": request["model"],
            "choices": [choice],
            "usage": usage,
        }

    @asynccontextmanager
    async def _watched(self, reader: asyncio.StreamReader) -> AsyncIterator[None]:
        """Stop as soon as the client closes its side: that is how a generation is cancelled."""
        working = asyncio.current_task()
        assert working is not None

        async def watch() -> None:
            while not (reader.at_eof() or reader.exception()):  # noqa: ASYNC110 (a read would eat the next request)
                await asyncio.sleep(0.005)
            self.cancelled += 1
            working.cancel()

        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()

    async def _stream(self, request: dict[str, Any], fault: Fault, writer: asyncio.StreamWriter) -> None:
        asked_at = time.monotonic()
        said = next((m["content"] for m in reversed(request["messages"]) if m["role"] == "user"), "")
        reply = self.replies.popleft() if self.replies else Reply(self.echo.format(text=said))
        await asyncio.sleep(self.first_token_ms / 1000)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        tokens = _pieces(reply.text)
        for number, token in enumerate(tokens):
            if fault.drop_after is not None and number >= fault.drop_after:
                await self._break_off(fault, writer)
                return
            await _send(writer, _chunk({"content": token}))
            self.tokens_sent += 1
            if not number:
                self.log(Delay("openai", str(said), asked_at, time.monotonic(), self.first_token_ms))
            await asyncio.sleep(self.token_ms / 1000)
        for piece in _tool_pieces(reply.tools):
            await _send(writer, _chunk({"tool_calls": [piece]}))
        await self._finish(request, reply, fault, writer, len(tokens))

    async def _break_off(self, fault: Fault, writer: asyncio.StreamWriter) -> None:
        if fault.mute_after is not None:
            await self._stopping.wait()
        if fault.error:
            await _send(writer, {"error": {"message": "planned", "type": "server_error", "code": fault.error}})
            writer.write(_TERMINATOR)
        elif fault.unfinished:
            writer.write(_TERMINATOR)
        else:
            writer.transport.abort()
        await writer.drain()

    async def _finish(
        self, request: dict[str, Any], reply: Reply, fault: Fault, writer: asyncio.StreamWriter, tokens: int
    ) -> None:
        if not fault.unfinished:
            await _send(writer, _chunk({}, reply.finish_reason or ("tool_calls" if reply.tools else "stop")))
        if request.get("stream_options", {}).get("include_usage"):
            usage = {"prompt_tokens": 10 * len(request["messages"]), "completion_tokens": tokens, "total_tokens": 0}
            await _send(writer, {**_chunk({}), "choices": [], "usage": usage})
        if not fault.no_done:
            writer.write(_framed(b"data: [DONE]\n\n"))
        writer.write(_TERMINATOR)
        await writer.drain()


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return head[0].split()[1], headers, body


async def _respond(
    writer: asyncio.StreamWriter, status: int, content: dict[str, Any], extra: dict[str, str] | None = None
) -> None:
    body = json.dumps(content).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(extra or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}\r\n{lines}\r\n".encode() + body)
    await writer.drain()


def _framed(event: bytes) -> bytes:
    return f"{len(event):x}\r\n".encode() + event + b"\r\n"


async def _send(writer: asyncio.StreamWriter, event: dict[str, Any]) -> None:
    writer.write(_framed(b"data: " + json.dumps(event).encode() + b"\n\n"))
    await writer.drain()


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "sim", "choices": [choice]}


def _pieces(text: str) -> list[str]:
    """Cut into tokens of about a word, spaces kept in front."""
    words = text.split(" ")
    return [word if not number else f" {word}" for number, word in enumerate(words)] if text else []


def _tool_pieces(tools: tuple[tuple[str, str, str], ...]) -> list[dict[str, Any]]:
    """Write tool calls as the API streams them: id and name first, the arguments in two halves."""
    pieces: list[dict[str, Any]] = []
    for index, (call_id, name, arguments) in enumerate(tools):
        half = len(arguments) // 2
        function = {"name": name, "arguments": ""}
        pieces.append({"index": index, "id": call_id, "type": "function", "function": function})
        pieces += [{"index": index, "function": {"arguments": part}} for part in (arguments[:half], arguments[half:])]
    return pieces
