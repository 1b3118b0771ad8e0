import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import AsyncClient, Client
from pytest_django import Settings

from calls.live import live_calls
from vantum.health import NotReadyError, Part, Verdict


@pytest.fixture
def _draining() -> Iterator[None]:
    live_calls.is_draining = True
    yield
    live_calls.is_draining = False


def test_live_answers_whatever_else_is_broken() -> None:
    assert Client().get("/health/live").json() == {"status": "live"}


@pytest.mark.django_db(transaction=True)
def test_ready_names_each_part() -> None:
    response = Client().get("/health/ready")
    body = response.json()
    assert (response.status_code, body["status"]) == (200, "ready")
    assert {name: part["ok"] for name, part in body["parts"].items()} == dict.fromkeys(
        ("database", "broker", "channel_layer", "journal", "calls"), True
    )


@pytest.mark.django_db(transaction=True)
async def test_ready_answers_under_asgi() -> None:
    assert (await AsyncClient().get("/health/ready")).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_draining")
def test_a_draining_process_is_not_ready() -> None:
    response = Client().get("/health/ready")
    assert response.status_code == 503
    assert response.json()["parts"]["calls"] == {"ok": False, "detail": "0 live; draining, takes no new call", "ms": 0}


@pytest.mark.django_db(transaction=True)
def test_a_disk_that_fills_up_is_named(settings: Settings, tmp_path: Path) -> None:
    settings.JOURNAL_DIR = tmp_path / "journal"
    settings.MIN_FREE_MIB = 2**30
    response = Client().get("/health/ready")
    journal = response.json()["parts"]["journal"]
    assert (response.status_code, journal["ok"]) == (503, False)
    assert journal["detail"].endswith("MiB left; MIN_FREE_MIB asks for 1073741824")


@pytest.mark.django_db(transaction=True)
def test_a_journal_that_cannot_be_written_is_named(settings: Settings, tmp_path: Path) -> None:
    settings.JOURNAL_DIR = tmp_path / "file"
    settings.JOURNAL_DIR.write_text("not a folder")
    journal = Client().get("/health/ready").json()["parts"]["journal"]
    assert (journal["ok"], "File exists" in journal["detail"]) == (False, True)


@pytest.mark.django_db(transaction=True)
def test_a_redis_that_is_away_is_named(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    layer = Client().get("/health/ready").json()["parts"]["channel_layer"]
    assert (layer["ok"], "refused" in layer["detail"]) == (False, True)


async def test_a_failure_shows_its_reason_without_passwords() -> None:
    def look() -> str:
        message = "cannot connect to postgres://user:secret@db"
        raise NotReadyError(message)

    verdict = await Part("database", look).verdict()
    assert (verdict.ok, verdict.detail) == (False, "cannot connect to postgres://user:***@db")


async def test_a_look_that_hangs_is_given_up_and_not_repeated() -> None:
    looks = 0
    release = threading.Event()

    def look() -> str:
        nonlocal looks
        looks += 1
        release.wait(10)
        return "there"

    part = Part("database", look)
    first, second = await part.verdict(0.01), await part.verdict(0.01)
    assert (first.ok, first.detail, second.detail) == (False, "no answer within 0.01 s", "no answer within 0.01 s")
    assert looks == 1
    release.set()
    third = await part.verdict(5)
    assert third == Verdict(ok=True, detail="there", took_ms=third.took_ms)
