import asyncio
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from channels.layers import InMemoryChannelLayer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import DatabaseError
from django.test import Client
from django.urls import path

from calls.consumers import monitor, watching
from calls.consumers.monitor import MonitorConsumer, MonitorParts
from calls.consumers.watching import Gallery, Watch

CALL = UUID("01930000-0000-7000-8000-0000000000a1")
ADDRESS = f"/live/ws/{CALL}"
ORIGIN = (b"origin", b"http://testserver")
HOST = (b"host", b"testserver")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def layer(monkeypatch: pytest.MonkeyPatch) -> InMemoryChannelLayer:
    made = InMemoryChannelLayer()
    for module in (watching, monitor):
        monkeypatch.setattr(module, "get_channel_layer", lambda: made)
    monkeypatch.setattr(monitor, "_LOOK_EVERY_SECONDS", 0.01)
    return made


class Books:
    """Where the call is, as the test says."""

    def __init__(self) -> None:
        self.call: dict[str, Any] = {"status": "ringing", "is_over": False, "is_stored": True}
        self.turns: list[Mapping[str, Any]] = []
        self.failures = 0

    async def look(self, attempt_id: UUID) -> Mapping[str, Any]:
        assert attempt_id == CALL
        if self.failures:
            self.failures -= 1
            raise DatabaseError
        return dict(self.call)

    async def read(self, attempt_id: UUID) -> list[Mapping[str, Any]]:
        assert attempt_id == CALL
        return self.turns


def session_of(*, is_staff: bool = True, permissions: tuple[str, ...] = ("view_callattempt",)) -> str:
    user = get_user_model().objects.create_user("clerk", is_staff=is_staff)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    browser = Client()
    browser.force_login(user)
    return browser.cookies["sessionid"].value


def connection(books: Books, session: str = "", headers: tuple[tuple[bytes, bytes], ...] = (ORIGIN,)) -> Any:
    parts = MonitorParts(look=books.look, read=books.read)
    application = URLRouter([path("live/ws/<uuid:attempt_id>", MonitorConsumer.as_asgi(parts=parts))])
    cookie = ((b"cookie", f"sessionid={session}".encode()),) if session else ()
    return WebsocketCommunicator(application, ADDRESS, headers=[HOST, *headers, *cookie])


async def told(watcher: Any) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await watcher.receive_from(timeout=5))
    return message


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        (None, (ORIGIN,)),
        ({"is_staff": False}, (ORIGIN,)),
        ({"permissions": ()}, (ORIGIN,)),
        ({"permissions": ("view_agent",)}, (ORIGIN,)),
        ({}, ((b"origin", b"http://evil.example"),)),
        ({}, ()),
    ],
    ids=["nobody", "no staff", "no permission", "another permission", "a foreign page", "no page"],
)
async def test_only_staff_with_the_permission_watch_and_only_from_our_pages(
    fields: dict[str, Any] | None, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    session = "" if fields is None else await sync_to_async(session_of)(**fields)
    is_connected, code = await connection(Books(), session, headers).connect()
    assert (is_connected, code) == (False, 1008)


async def test_a_watcher_is_told_where_the_call_is_and_what_is_said_to_its_end() -> None:
    books, gallery, watch = Books(), Gallery(), Watch()
    watcher = connection(books, await sync_to_async(session_of)())
    assert (await watcher.connect())[0]
    assert await told(watcher) == {"type": "call", "status": "ringing", "is_over": False, "is_stored": True}
    gallery.add(CALL, watch)
    watch.show_token(1, "Hello.")
    facts = await told(watcher)
    assert (facts["type"], facts["state"]) == ("facts", "INITIALIZING")
    assert [turn["text"] for turn in facts["turns"]] == ["Hello."]
    books.call = {"status": "completed", "is_over": True, "is_stored": True}
    books.turns = [{"key": "stored 1", "text": "Hello."}]
    assert (await told(watcher))["status"] == "completed"
    assert await told(watcher) == {"type": "stored", "turns": books.turns}
    assert (await watcher.receive_output(timeout=5)) == {"type": "websocket.close", "code": 1000}
    gallery.discard(CALL, watch)


async def test_the_end_waits_for_what_was_said_to_be_stored_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "_LAST_TURNS_SECONDS", 0.2)
    books = Books()
    books.call = {"status": "completed", "is_over": True, "is_stored": False}
    watcher = connection(books, await sync_to_async(session_of)())
    assert (await watcher.connect())[0]
    began = asyncio.get_running_loop().time()
    assert (await told(watcher))["type"] == "call"
    assert (await told(watcher)) == {"type": "stored", "turns": []}
    assert asyncio.get_running_loop().time() - began >= 0.2


async def test_a_database_that_is_away_is_asked_again() -> None:
    books = Books()
    books.failures = 3
    watcher = connection(books, await sync_to_async(session_of)())
    assert (await watcher.connect())[0]
    assert (await told(watcher))["status"] == "ringing"
    await watcher.send_to(text_data="let me in")
    await watcher.disconnect()
