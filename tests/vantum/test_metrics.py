import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from vantum import metrics


def test_every_metric_is_named_once_and_described() -> None:
    names = [metric._name for metric in vars(metrics).values() if hasattr(metric, "_documentation")]
    assert all(name.startswith("vantum_") for name in names)
    assert len(names) == len(set(names))


@pytest.mark.django_db
def test_a_stranger_sees_nothing() -> None:
    response = Client(REMOTE_ADDR="203.0.113.9").get("/metrics")
    assert (response.status_code, b"vantum_" in response.content) == (403, False)


@pytest.mark.django_db
@pytest.mark.parametrize(("is_staff", "status"), [(True, 200), (False, 403)])
def test_staff_may_look(is_staff: bool, status: int) -> None:
    client = Client()
    client.force_login(User.objects.create_user("someone", is_staff=is_staff))
    assert client.get("/metrics").status_code == status


@pytest.mark.parametrize(
    ("header", "status"), [("Bearer right", 200), ("bearer right", 200), ("Bearer wrong", 403), ("Bearer ", 403)]
)
def test_the_token_opens_the_page(settings: Settings, header: str, status: int) -> None:
    settings.METRICS_TOKEN = "right"
    response = Client(headers={"authorization": header}).get("/metrics")
    assert response.status_code == status


@pytest.mark.django_db
def test_without_a_token_set_no_token_opens_the_page() -> None:
    assert Client(headers={"authorization": "Bearer "}).get("/metrics").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "debug", "status"),
    [
        ("127.0.0.1", True, 200),
        ("::1", True, 200),
        ("203.0.113.9", True, 403),
        ("", True, 403),
        ("127.0.0.1", False, 403),
    ],
)
def test_this_machine_may_look_under_debug(settings: Settings, address: str, debug: bool, status: int) -> None:
    settings.DEBUG = debug
    assert Client(REMOTE_ADDR=address).get("/metrics").status_code == status


def test_what_is_counted_is_shown(settings: Settings) -> None:
    settings.METRICS_TOKEN = "right"
    metrics.CALLS_ENDED.labels(reason="shown_by_a_test").inc()
    response = Client(headers={"authorization": "Bearer right"}).get("/metrics")
    assert b'vantum_calls_ended_total{reason="shown_by_a_test"} 1.0' in response.content
    assert response.headers["Content-Type"].startswith("text/plain; version=")
