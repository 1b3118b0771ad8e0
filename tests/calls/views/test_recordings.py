from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import reverse
from uuid_utils.compat import uuid7

from calls import services
from tests.calls import rows

pytestmark = pytest.mark.django_db

CONTENT = bytes(range(256)) * 4


@pytest.fixture
def url(settings: Any, tmp_path: Path) -> str:
    """The address of a recording of 1024 bytes."""
    settings.RECORDINGS_DIR = tmp_path
    (tmp_path / "call.wav").write_bytes(CONTENT)
    session = rows.ended_call()
    services.store_recording(session.pk, path="call.wav", rate=8000, duration_ms=1, missing_ms=0, complete=True)
    return reverse("recording", args=[session.pk])


def user(*, staff: bool, may_hear: bool) -> Any:
    person = get_user_model().objects.create_user("op", is_staff=staff)
    if may_hear:
        person.user_permissions.add(Permission.objects.get(codename="view_recording"))
    return person


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(user(staff=True, may_hear=True))
    return client


def body(response: Any) -> bytes:
    assert isinstance(response, StreamingHttpResponse)
    return response.getvalue()


def test_the_whole_recording_says_that_parts_may_be_asked_for(client: Client, url: str) -> None:
    response = client.get(url)
    assert (response.status_code, body(response)) == (200, CONTENT)
    wanted = ("Content-Type", "Content-Length", "Accept-Ranges", "Cache-Control")
    assert [response[name] for name in wanted] == ["audio/wav", "1024", "bytes", "private, no-store"]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-", 0, 1023), ("bytes=100-199", 100, 199), ("bytes=1000-5000", 1000, 1023), ("bytes=-24", 1000, 1023),
     ("bytes=-5000", 0, 1023), ("bytes=1023-1023", 1023, 1023)],
)  # fmt: skip
def test_a_part_of_the_recording(client: Client, url: str, asked: str, first: int, last: int) -> None:
    response = client.get(url, headers={"range": asked})
    assert (response.status_code, body(response)) == (206, CONTENT[first : last + 1])
    assert response["Content-Range"] == f"bytes {first}-{last}/1024"
    assert response["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=9-3", "bytes=-0", "bytes=-"])
def test_a_part_that_is_not_there(client: Client, url: str, asked: str) -> None:
    response = client.get(url, headers={"range": asked})
    assert (response.status_code, response["Content-Range"]) == (416, "bytes */1024")


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=0-1", "nonsense"])
def test_a_range_that_is_not_understood_is_ignored(client: Client, url: str, asked: str) -> None:
    response = client.get(url, headers={"range": asked})
    assert (response.status_code, body(response)) == (200, CONTENT)


@pytest.mark.parametrize(("staff", "may_hear"), [(False, False), (True, False), (False, True)])
def test_only_staff_who_may_view_recordings_hear_them(url: str, *, staff: bool, may_hear: bool) -> None:
    client = Client()
    client.force_login(user(staff=staff, may_hear=may_hear))
    assert client.get(url).status_code == 403


def test_a_stranger_is_sent_to_the_login(url: str) -> None:
    response = Client().get(url)
    assert (response.status_code, response["Location"].split("?")[0]) == (302, reverse("admin:login"))


def test_a_call_without_a_recording_and_one_whose_file_is_elsewhere_are_not_found(
    client: Client, url: str, tmp_path: Path
) -> None:
    assert client.get(reverse("recording", args=[uuid7()])).status_code == 404
    (tmp_path / "call.wav").unlink()
    assert client.get(url).status_code == 404


def test_a_recording_is_read_only(client: Client, url: str) -> None:
    assert client.post(url).status_code == 405


@pytest.mark.django_db(transaction=True)
async def test_under_asgi_the_recording_is_streamed_and_not_read_as_a_whole(url: str) -> None:
    from asgiref.sync import sync_to_async  # noqa: PLC0415 (this test alone needs it)

    client = AsyncClient()
    await client.aforce_login(await sync_to_async(user)(staff=True, may_hear=True))
    response = await client.get(url, headers={"range": "bytes=5-9"})
    assert response.status_code == 206
    assert isinstance(response, StreamingHttpResponse)
    assert response.is_async
    assert b"".join([part async for part in response]) == CONTENT[5:10]
