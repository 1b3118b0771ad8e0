"""The operator's own tools: one HTTP request each, to public addresses only."""

import asyncio
import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry

from calls.engine.toolspec import HttpTool
from calls.errors import ToolRefusedError
from calls.runner.tools.access import ToolAccess
from calls.runner.tools.base import Outcome, read_arguments
from vantum.outbound import PrivateAddressError, checked_address

_CONNECT_SECONDS = 3.0
_MAX_BYTES = 200_000
_GRACE_SECONDS = 0.5


class HttpRequestTool:
    """One tool of ``AgentSpec.http_tools``."""

    def __init__(self, tool: HttpTool, access: ToolAccess) -> None:
        self._tool = tool
        self._access = access
        self._validator = Draft202012Validator(tool.parameters, registry=Registry())
        self.name = tool.name
        self.filler = tool.filler
        self.seconds = tool.timeout_ms / 1000 + _GRACE_SECONDS

    def describe(self) -> Mapping[str, Any]:
        """Describe it as the operator wrote it."""
        return {"name": self.name, "description": self._tool.description, "parameters": self._tool.parameters}

    async def use(self, arguments: str) -> Outcome:
        """Check the arguments, make the request, cut the answer to its length."""
        given = read_arguments(arguments)
        self._check(given)
        headers = await self._headers()
        try:
            async with asyncio.timeout(self._tool.timeout_ms / 1000):
                status, text = await self._request(given, headers)
        except TimeoutError:
            raise
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            message = f"the server of this tool could not be asked ({type(error).__name__}); say so, and go on"
            raise ToolRefusedError(message) from error
        cut = text[: self._tool.max_result_characters]
        if not 200 <= status < 300:  # noqa: PLR2004 (RFC 9110's class of success)
            message = f"the server of this tool answered {status}: {cut}" if cut else f"the server answered {status}"
            raise ToolRefusedError(message)
        return Outcome(result=cut or "Done.", detail={"status": status, "cut": len(text) > len(cut)})

    def _check(self, given: dict[str, Any]) -> None:
        error = next(iter(sorted(self._validator.iter_errors(given), key=_depth)), None)
        if error is not None:
            place = "/".join(map(str, error.absolute_path)) or "the arguments"
            message = f"{place}: {error.message[:300]}; ask the caller for what is missing, or write it as described"
            raise ToolRefusedError(message)

    async def _headers(self) -> dict[str, str]:
        if not self._tool.secret:
            return {}
        value = await self._access.find_secret(self._tool.secret)
        if value is None:
            message = "this tool is not set up: its secret is missing; say that it does not work at the moment"
            raise ToolRefusedError(message)
        return {self._tool.secret_header: value}

    async def _request(self, given: dict[str, Any], headers: dict[str, str]) -> tuple[int, str]:
        """Ask the address that was checked, under the name that was written: nothing resolves it a second time."""
        url = httpx.URL(self._tool.url)
        checked = await resolve(url.host, url.port or {"https": 443}.get(url.scheme, 80), self._access)
        host = url.netloc.decode("ascii")
        is_query = self._tool.method == "GET"
        async with httpx.AsyncClient(
            follow_redirects=False, trust_env=False, timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS)
        ) as client:
            request = client.build_request(
                self._tool.method,
                url.copy_with(host=checked),
                params={**url.params, **{name: _as_text(value) for name, value in given.items()}} if is_query else None,
                json=None if is_query else given,
                headers={"Accept": "application/json, text/*", **headers, "Host": host},
                extensions={"sni_hostname": url.host},
            )
            answer = await client.send(request, stream=True)
            try:
                return answer.status_code, await _read(answer)
            finally:
                await answer.aclose()


def _depth(error: ValidationError) -> int:
    return len(error.absolute_path)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


async def _read(answer: httpx.Response) -> str:
    """Read an answer as far as anybody wants it."""
    content = bytearray()
    async for piece in answer.aiter_bytes():
        content += piece
        if len(content) > _MAX_BYTES:
            break
    with suppress(LookupError, UnicodeError):
        return content[:_MAX_BYTES].decode(answer.charset_encoding or "utf-8", "replace").strip()
    return content[:_MAX_BYTES].decode("utf-8", "replace").strip()


async def resolve(host: str, port: int, access: ToolAccess) -> str:
    """Give an address of a host. Raises ``ToolRefusedError`` unless all that it has are public, ``OSError``.

    One that is private among them is reason enough: a name that points inwards now and then is no honest one.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    try:
        return checked_address((str(entry[4][0]) for entry in found), allow_loopback=access.allow_loopback)
    except PrivateAddressError:
        message = "this tool's address leads into a private network, which is not allowed; say that it does not work"
        raise ToolRefusedError(message) from None
