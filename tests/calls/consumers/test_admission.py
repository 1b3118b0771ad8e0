import asyncio
import time
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.test import Client as Browser
from pytest_django import Settings

from calls.consumers import admission
from calls.consumers.admission import Refusal, Visitor, admit, is_own_origin, refuse
from calls.live import live_calls
from calls.services.tokens import make_call_token
from tests.calls.consumers.driver import HTTP_RESPONSE, Client, Workshop, hold


def scope(query: str = "", **headers: str) -> dict[str, Any]:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "websocket", "headers": raw, "query_string": query.encode()}


class Call:
    def shut_down(self, reason: object) -> None:
        raise AssertionError(reason)


@pytest.fixture(autouse=True)
def _login_needed(settings: Settings, _anyone_may_call: None) -> None:
    settings.WS_ALLOW_ANONYMOUS = False


@pytest.mark.parametrize(
    ("origin", "host", "is_own"),
    [
        (None, "", True),
        ("http://testserver", "testserver", True),
        ("http://testserver:8000", "testserver:8000", True),
        ("http://testserver:8000", "testserver", False),
        ("http://evil.example", "testserver", False),
        ("http://evil.example", "evil.example", False),
        ("https://app.example", "testserver", True),
        ("http://calls.example", "testserver", True),
        ("http://localhost:5173", "testserver", False),
        ("null", "testserver", False),
        ("http://[::1", "testserver", False),
        ("", "testserver", False),
    ],
)
def test_pages_of_the_own_host_and_of_named_origins_may_call(
    settings: Settings, origin: str | None, host: str, is_own: bool
) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.PUBLIC_URL = "http://calls.example"
    settings.WS_ALLOWED_ORIGINS = ("https://app.example",)
    assert is_own_origin(origin, host) is is_own


@pytest.mark.parametrize(
    ("origin", "is_own"),
    [
        ("http://localhost:5173", True),
        ("http://localhost", True),
        ("https://localhost:5173", False),
        ("http://localhost.evil.example", False),
    ],
)
def test_under_debug_any_port_of_localhost_may_call(settings: Settings, origin: str, is_own: bool) -> None:
    settings.DEBUG = True
    settings.PUBLIC_URL = "http://calls.example"
    assert is_own_origin(origin, "testserver") is is_own


async def test_nobody_comes_in_without_a_login() -> None:
    assert await admit(scope()) == Refusal(401, "login", "Log in, or connect with ?token=.")


async def test_everybody_comes_in_where_calls_are_anonymous(settings: Settings) -> None:
    settings.WS_ALLOW_ANONYMOUS = True
    assert await admit(scope()) == Visitor(None)


async def test_a_foreign_page_is_refused_even_where_calls_are_anonymous(settings: Settings) -> None:
    settings.WS_ALLOW_ANONYMOUS = True
    refusal = await admit(scope(origin="http://evil.example", host="testserver"))
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.reason) == (401, "origin")


@pytest.mark.parametrize("user_id", [None, 7])
async def test_a_token_lets_in(user_id: int | None) -> None:
    assert await admit(scope(f"token={make_call_token(user_id=user_id)}")) == Visitor(user_id)


async def test_a_forged_token_is_refused_even_where_calls_are_anonymous(settings: Settings) -> None:
    settings.WS_ALLOW_ANONYMOUS = True
    refusal = await admit(scope("token=forged"))
    assert refusal == Refusal(401, "token", "The token is forged or too old; get a new one.")


@pytest.mark.django_db(transaction=True)
async def test_a_logged_in_browser_comes_in_as_its_user() -> None:
    user = await get_user_model().objects.acreate(username="ann")
    browser = Browser()
    await browser.aforce_login(user)
    name = django_settings.SESSION_COOKIE_NAME
    cookie = f"theme=dark; {name}={browser.cookies[name].value}"
    assert await admit(scope(cookie=cookie)) == Visitor(user.pk)
    user.is_active = False
    await user.asave(update_fields=["is_active"])
    assert isinstance(await admit(scope(cookie=cookie)), Refusal)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("value", ["unknown", ""])
async def test_a_session_that_is_no_login_is_refused(value: str) -> None:
    assert isinstance(await admit(scope(cookie=f"{django_settings.SESSION_COOKIE_NAME}={value}")), Refusal)


def _is_away(_: str) -> int | None:
    message = "the database is away"
    raise OperationalError(message)


def _hangs(_: str) -> int | None:
    time.sleep(0.2)
    return 7


@pytest.mark.parametrize("database", [_is_away, _hangs])
async def test_a_database_that_does_not_answer_knows_nobody(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, database: Any
) -> None:
    monkeypatch.setattr(admission, "_user_of", database)
    monkeypatch.setattr(admission, "_LOOK_UP_SECONDS", 0.05)
    cookie = f"{django_settings.SESSION_COOKIE_NAME}=abc"
    assert isinstance(await admit(scope(cookie=cookie)), Refusal)
    settings.WS_ALLOW_ANONYMOUS = True
    assert await admit(scope(cookie=cookie)) == Visitor(None)
    await asyncio.sleep(0.2)  # the hanging thread ends


async def test_without_a_cookie_nothing_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_: str) -> int:
        message = "no look-up is needed"
        raise AssertionError(message)

    monkeypatch.setattr(admission, "_user_of", forbidden)
    assert isinstance(await admit(scope(cookie="theme=dark")), Refusal)


async def test_a_full_or_draining_process_refuses_with_503(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WS_ALLOW_ANONYMOUS = True
    settings.WS_MAX_CALLS = 1
    call = Call()
    live_calls.add(call)
    try:
        assert await admit(scope()) == Refusal(503, "capacity", "All lines are busy; try again later.")
    finally:
        live_calls.discard(call)
    monkeypatch.setattr(live_calls, "is_draining", True)
    assert await admit(scope()) == Refusal(503, "draining", "This server is stopping and takes no new calls.")


@pytest.mark.parametrize("status", [401, 503])
async def test_a_refusal_is_a_status_where_the_server_can_say_it(status: int) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await refuse(scope() | {"extensions": HTTP_RESPONSE}, send, Refusal(status, "test", "Because."))
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if status == 503:
        headers.append((b"retry-after", b"5"))
    assert sent == [
        {"type": "websocket.http.response.start", "status": status, "headers": headers},
        {"type": "websocket.http.response.body", "body": b"Because.\n"},
    ]


def test_a_refused_connection_was_never_accepted(settings: Settings) -> None:
    async def scenario(client: Client) -> None:
        await client.closed()

    settings.WS_ALLOW_ANONYMOUS = False
    client = hold(Workshop(), scenario, {"extensions": HTTP_RESPONSE})
    assert [message["type"] for message in client.sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    client = hold(Workshop(), scenario)
    assert [message["type"] for message in client.sent] == ["websocket.close"]
