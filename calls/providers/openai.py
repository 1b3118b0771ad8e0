"""OpenAI's chat completions through its SDK (https://platform.openai.com/docs/api-reference/chat).

Every server that speaks the same is reached by ``OPENAI_BASE_URL``: Ollama, vLLM and others.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import aclosing, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec
import openai
from django.conf import settings
from openai import AsyncOpenAI, AsyncStream, DefaultAsyncHttpx2Client

from calls.engine.events import Message, ToolRequest, Usage
from calls.enums import Role
from calls.errors import ProviderError
from calls.providers.base import GenerationPiece, GenerationRequest, TextDelta
from calls.providers.resilience import Circuit, Guard

_GAP_SECONDS = 5.0
"""The longest pause within an answer."""
_LAST_SECONDS = 0.5
"""How long the usage report may come after the answer's end."""
_DRAIN_SECONDS = 0.1
"""How long the body's end may come after its last event."""
_CLOSE_SECONDS = 1.0
_CONNECT_SECONDS = 2.0
_KEPT_SECONDS = 120.0
"""Idle connections stay open between turns; the SDK's five seconds would cost most turns a new TLS handshake."""
_REASONING = ("o1", "o3", "o4", "gpt-5")
"""OpenAI's models that refuse a temperature."""


class OpenAI:
    """Implements ``LanguageModel``. One client and one connection pool for all calls of the process's event loop."""

    name = "openai"

    def __init__(self) -> None:
        self.model: str = settings.OPENAI_MODEL
        self._guard = Guard(self.name, Role.LLM)
        self._budget_seconds: float = settings.TURN_BUDGET_SECONDS
        self._is_openais = urlsplit(settings.OPENAI_BASE_URL).hostname == "api.openai.com"
        timeout = httpx2.Timeout(max(self._budget_seconds, _GAP_SECONDS), connect=_CONNECT_SECONDS)
        limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=200, keepalive_expiry=_KEPT_SECONDS)
        self._http = DefaultAsyncHttpx2Client(limits=limits, timeout=timeout)
        self._warming = asyncio.Lock()
        self._client = AsyncOpenAI(
            api_key=settings.OPENAI_API_KEY or "none",  # a server of one's own asks for none
            base_url=settings.OPENAI_BASE_URL,
            max_retries=0,  # the SDK would obey a Retry-After of two minutes in silence
            timeout=timeout,
            http_client=self._http,
        )

    async def warm_up(self) -> None:
        """Have an idle connection in the pool: where there is none, asking for the list of models opens it."""
        async with self._warming:
            is_resting = self._guard.breaker.state(asyncio.get_running_loop().time()) is Circuit.OPEN
            if is_resting or self._has_idle_connection():
                return
            try:
                await self._client.models.list()
            except (openai.APIError, httpx2.HTTPError) as error:
                raise translate(self._guard, error) from error

    def _has_idle_connection(self) -> bool:
        """Whether a request would find a connection that the far side has not closed."""
        transport: Any = self._http._transport_for_url(self._client.base_url)  # noqa: SLF001 (not shown otherwise)
        return any(one.is_idle() and not one.has_expired() for one in transport._pool.connections)  # noqa: SLF001

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationPiece, None]:
        """Stream one reply: text as it comes, then complete tool requests, then the usage.

        Closing the iterator, or cancelling the task that waits on it, closes the request, which ends the generation.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._budget_seconds
        stream = await self._guard.open(lambda: self._request(request), budget_seconds=self._budget_seconds)
        chunks, reply = _chunks(stream.response, self._guard), _Reply()
        try:
            wait_seconds = max(0.1, deadline - loop.time())
            while (chunk := await self._next(chunks, wait_seconds, is_complete=reply.is_complete)) is not None:
                for piece in reply.read(chunk):
                    yield piece
                wait_seconds = _LAST_SECONDS if reply.is_complete else _GAP_SECONDS
            if not reply.is_complete:
                message = "the answer ended before its end"
                raise self._guard.failed(self._guard.unavailable(message))
            if reply.is_withheld:
                message = "the answer was withheld by the content filter"
                raise self._guard.rejected(message)
            if reply.usage is not None:
                yield reply.usage
        finally:
            with suppress(TimeoutError, httpx2.HTTPError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await stream.close()
                    await chunks.aclose()

    async def aclose(self) -> None:
        """Close the pool."""
        await self._client.close()

    async def _request(self, request: GenerationRequest) -> AsyncStream[object]:
        """Ask through the SDK's plain ``post``; what it gives is read by ``_chunks``.

        ``chat.completions.create`` walks the whole context through its type definitions before the request and builds
        a validated object from every token after it, several milliseconds of each turn and half the cost of a token.
        """
        try:
            stream: AsyncStream[object] = await self._client.post(
                "/chat/completions",
                body=self._arguments(request),
                cast_to=object,
                stream=True,
                stream_cls=AsyncStream[object],
            )
        except (openai.APIError, httpx2.HTTPError) as error:
            raise translate(self._guard, error) from error
        return stream

    def _arguments(self, request: GenerationRequest) -> dict[str, Any]:
        model = request.spec.model or self.model
        arguments: dict[str, Any] = {
            "model": model,
            "messages": _messages(request.messages),
            "stream": True,
            "stream_options": {"include_usage": True},
            # Compatible servers know the older name only; OpenAI's newer models the newer only.
            "max_completion_tokens" if self._is_openais else "max_tokens": request.spec.max_reply_tokens,
        }
        if not (self._is_openais and model.startswith(_REASONING)):
            arguments["temperature"] = request.spec.temperature
        if request.tools:
            arguments["tools"] = [{"type": "function", "function": dict(tool)} for tool in request.tools]
        return arguments

    async def _next(
        self, chunks: AsyncIterator[Mapping[str, Any]], seconds: float, *, is_complete: bool
    ) -> Mapping[str, Any] | None:
        """Give the next chunk, None at the end. What goes wrong after the answer's end no longer matters."""
        try:
            async with asyncio.timeout(seconds):
                return await anext(chunks, None)
        except TimeoutError:
            if is_complete:
                return None
            message = f"the answer paused for {seconds:.1f} s"
            raise self._guard.failed(self._guard.timed_out(message)) from None
        except (httpx2.HTTPError, ProviderError, ValueError) as error:  # ValueError: an event that is no JSON
            if is_complete:
                return None
            if isinstance(error, ProviderError):
                raise self._guard.failed(error) from None
            raise self._guard.failed(translate(self._guard, error)) from error


async def _chunks(response: httpx2.Response, guard: Guard) -> AsyncGenerator[Mapping[str, Any], None]:
    """Give the events of an answer, to the end of its body: only then can the connection serve the next.

    An event of chat completions is one line of JSON, so no more of "server-sent events" is read than lines of ``data``.
    Raises ``ProviderError`` for one that is an error, ``ValueError`` for one that is no JSON.
    """
    pending = b""
    async with aclosing(response.aiter_bytes()) as body:
        async for piece in body:
            *lines, pending = (pending + piece).split(b"\n")
            for content in (line[5:].strip() for line in lines if line.startswith(b"data:")):
                if content.startswith(b"[DONE]"):
                    await _drain(body)
                    return
                chunk = msgspec.json.decode(content)
                if isinstance(chunk, dict):
                    if error := chunk.get("error"):
                        raise _reported(guard, error)
                    yield chunk


async def _drain(body: AsyncIterator[bytes]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for _ in body:
                pass


def _reported(guard: Guard, error: Any) -> ProviderError:
    """Sort an error in the middle of an answer, as ``translate`` does."""
    about = error if isinstance(error, dict) else {}
    code = about.get("code") or about.get("type") or ""
    return guard.unavailable(f"the connection failed: APIError {code}".rstrip())


def translate(guard: Guard, error: Exception) -> ProviderError:
    """Sort the SDK's exceptions. Their texts may repeat the prompt, so only status and code are passed on."""
    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
        return guard.timed_out("no answer in time")
    code = getattr(error, "code", None) or getattr(error, "type", None) or ""
    if isinstance(error, openai.APIStatusError):
        if code == "insufficient_quota":  # a 429 that no waiting heals
            return guard.rejected(f"status {error.status_code}: {code}")
        return guard.for_status(error.status_code, str(code))
    return guard.unavailable(f"the connection failed: {type(error).__name__} {code}".rstrip())


class _Reply:
    """Puts one answer together from its chunks."""

    def __init__(self) -> None:
        self.is_complete = False
        self.is_withheld = False
        self.usage: Usage | None = None
        self._calls: dict[tuple[int, str], _ToolCall] = {}
        self._current: dict[int, _ToolCall] = {}

    def read(self, chunk: Mapping[str, Any]) -> Iterable[GenerationPiece]:
        """Give what the chunk adds. ``choices`` may be empty: the usage report, or Azure's first chunk."""
        if usage := chunk.get("usage"):
            self.usage = Usage(usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0)
        if not (choices := chunk.get("choices")):
            return
        delta = choices[0].get("delta") or {}
        if text := delta.get("content"):
            yield TextDelta(text)
        for part in delta.get("tool_calls") or ():
            self._add(part)
        reason = choices[0].get("finish_reason")
        if reason is not None and not self.is_complete:
            self.is_complete = True
            self.is_withheld = reason == "content_filter"
            for number, call in enumerate(self._calls.values()):
                yield ToolRequest(call.call_id or f"call_{number}", call.name, call.arguments or "{}")

    def _add(self, part: Mapping[str, Any]) -> None:
        """Add a piece of a tool call: id and name come once, arguments in pieces, told apart by the index.

        Some compatible servers give every call the index 0 and each its own id.
        """
        index, call_id = part.get("index") or 0, part.get("id") or ""
        call = self._current.get(index)
        if call is None or (call_id and call.call_id and call_id != call.call_id):
            call = self._current[index] = _ToolCall()
            self._calls[index, call_id] = call
        call.call_id = call.call_id or call_id
        function = part.get("function") or {}
        call.name = call.name or function.get("name") or ""
        call.arguments += function.get("arguments") or ""


class _ToolCall:
    """A tool call that is still being written."""

    def __init__(self) -> None:
        self.call_id = ""
        self.name = ""
        self.arguments = ""


def _messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Write the context as OpenAI reads it, without tool calls that nobody answered.

    A barge-in during a tool call leaves such a one in the history, and OpenAI answers it with 400 on every later turn.
    """
    messages = tuple(messages)
    answered = {message.tool_call_id for message in messages if message.role == "tool"}
    asked = {request.call_id for message in messages for request in message.tool_requests}
    written = (_message(message, answered & asked) for message in messages)
    return [message for message in written if message]


def _message(message: Message, paired: set[str]) -> dict[str, Any]:
    if message.role == "tool":
        if message.tool_call_id not in paired:
            return {}
        return {"role": "tool", "content": message.content, "tool_call_id": message.tool_call_id}
    calls = [
        {
            "id": request.call_id,
            "type": "function",
            "function": {"name": request.name, "arguments": request.arguments},
        }
        for request in message.tool_requests
        if request.call_id in paired
    ]
    if calls:
        return {"role": message.role, "content": message.content or None, "tool_calls": calls}
    return {"role": message.role, "content": message.content} if message.content else {}
