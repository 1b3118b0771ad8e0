"""Who may open a connection, decided at the handshake; what is refused there was never accepted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.core.signing import BadSignature
from django.db import DatabaseError
from django.http import HttpRequest, parse_cookie
from django.http.request import validate_host
from msgspec import Struct

from calls.consumers.lean import Send
from calls.live import live_calls
from calls.services.tokens import read_call_token
from vantum.metrics import CALLS_REFUSED

log = logging.getLogger(__name__)

_LOOK_UP_SECONDS = 2.0


class Visitor(Struct, frozen=True):
    """Who is let in; ``user_id`` is None without a login."""

    user_id: int | None = None


class Refusal(Struct, frozen=True):
    """Why nobody is let in: an HTTP status, a short name for the metrics, and a sentence."""

    status: int
    reason: str
    text: str


async def admit(scope: Mapping[str, Any]) -> Visitor | Refusal:
    """Judge a handshake. Waits for nothing, unless the browser sent a session's cookie."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if not is_own_origin(headers.get("origin"), headers.get("host", "")):
        return Refusal(
            401, "origin", "Pages of this origin may not open calls; WS_ALLOWED_ORIGINS names those that may."
        )
    visitor = await _identify(scope, headers.get("cookie", ""))
    if isinstance(visitor, Refusal):
        return visitor
    if live_calls.is_draining:
        return Refusal(503, "draining", "This server is stopping and takes no new calls.")
    if not live_calls.may_take(settings.WS_MAX_CALLS):
        return Refusal(503, "capacity", "All lines are busy; try again later.")
    return visitor


async def admit_staff(scope: Mapping[str, Any], permission: str) -> Refusal | None:
    """Judge the handshake of a page for operators; None lets in whom the permission is given."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if "origin" not in headers or not is_own_origin(headers["origin"], headers.get("host", "")):
        return Refusal(401, "origin", "Only this site's own pages may open this.")
    try:
        async with asyncio.timeout(_LOOK_UP_SECONDS):
            judge: Callable[[str, str], Awaitable[bool]] = database_sync_to_async(_may_staff, thread_sensitive=False)
            may = await judge(headers.get("cookie", ""), permission)
    except (DatabaseError, TimeoutError) as error:
        log.warning("a login could not be looked up: %s", type(error).__name__)
        return Refusal(503, "database", "The login cannot be looked up; try again later.")
    return None if may else Refusal(401, "login", "Log in as staff with the right to see telephone calls.")


async def refuse(scope: Mapping[str, Any], send: Send, refusal: Refusal) -> None:
    """Answer the handshake with a status, or where the server cannot (Daphne) with its 403."""
    CALLS_REFUSED.labels(reason=refusal.reason).inc()
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1013 if refusal.status == 503 else 1008})  # noqa: PLR2004 (HTTP)
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if refusal.status == 503:  # noqa: PLR2004 (HTTP)
        headers.append((b"retry-after", b"5"))
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": f"{refusal.text}\n".encode()})


def is_own_origin(origin: str | None, host: str) -> bool:
    """Whether a page of this origin may open calls. A client without an origin is no page.

    ``host`` is believed only where ALLOWED_HOSTS has it: a foreign name that resolves to this machine is foreign.
    """
    if origin is None:
        return True
    own = urlsplit(settings.PUBLIC_URL)
    if origin in {f"{own.scheme}://{own.netloc}", *settings.WS_ALLOWED_ORIGINS}:
        return True
    try:
        parts = urlsplit(origin)
        name = parts.hostname or ""
    except ValueError:
        return False
    if settings.DEBUG and parts.scheme == "http" and name == "localhost":
        return True
    return bool(name) and parts.netloc == host and validate_host(name, settings.ALLOWED_HOSTS)


async def _identify(scope: Mapping[str, Any], cookies: str) -> Visitor | Refusal:
    token = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token")
    if token:
        try:
            return Visitor(read_call_token(token[0]))
        except BadSignature:
            return Refusal(401, "token", "The token is forged or too old; get a new one.")
    if settings.SESSION_COOKIE_NAME in cookies and (user_id := await _find_user(cookies)) is not None:
        return Visitor(user_id)
    if settings.WS_ALLOW_ANONYMOUS:
        return Visitor()
    return Refusal(401, "login", "Log in, or connect with ?token=.")


async def _find_user(cookies: str) -> int | None:
    """Give the user of the session; a database that does not answer knows nobody."""
    try:
        async with asyncio.timeout(_LOOK_UP_SECONDS):
            # In a thread of its own: Django's one shared thread may be busy with a page.
            look_up: Callable[[str], Awaitable[int | None]] = database_sync_to_async(_user_of, thread_sensitive=False)
            return await look_up(cookies)
    except (DatabaseError, TimeoutError) as error:
        log.warning("a login could not be looked up: %s", type(error).__name__)
        return None


def _may_staff(cookies: str, permission: str) -> bool:
    user = _session_user(cookies)
    return bool(user.is_active and user.is_staff and user.has_perm(permission))


def _user_of(cookies: str) -> int | None:
    user_id: int | None = _session_user(cookies).pk
    return user_id


def _session_user(cookies: str) -> Any:
    key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    return get_user(request)
