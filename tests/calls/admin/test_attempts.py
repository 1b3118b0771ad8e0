from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from calls import services
from calls.enums import SuppressionSource
from calls.models import CallAttempt, Suppression
from calls.services import StreamGrant
from tests.calls import phones, rows

pytestmark = pytest.mark.django_db

LIST = reverse("admin:calls_callattempt_changelist")
SUPPRESSIONS = reverse("admin:calls_suppression_changelist")
SUPPRESS = reverse("admin:calls_suppression_add")


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("op"))
    return client


def page(attempt: CallAttempt) -> str:
    return reverse("admin:calls_callattempt_change", args=[attempt.pk])


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as caught:
        assert client.get(address).status_code == 200
    return len(caught)


def test_the_list_asks_as_often_for_100_attempts_as_for_one(client: Client) -> None:
    phones.attempt()
    few = queries(client, LIST + "?all=")
    for number in range(100, 199):
        phones.attempt(f"+15005550{number}")
    assert queries(client, LIST + "?all=") == few


@pytest.mark.parametrize(
    ("words", "found"), [("+1500555004", 1), ("CA7", 1), ("+442", 0), ("+15005550006", 2), ("", 2)]
)
def test_calls_are_found_by_number_and_by_the_carriers_id(client: Client, words: str, found: int) -> None:
    phones.attempt()
    phones.attempt("+15005550999", carrier_sid="CA7")
    answer = client.get(LIST, {"q": words})
    assert answer.context["cl"].result_count == found


def test_the_page_of_a_call_shows_it_and_leads_to_what_was_said(client: Client) -> None:
    attempt = phones.attempt(error="Twilio did not answer", answered_by="human")
    session_id = rows.live_call()
    services.ask_for_stream(attempt.pk, 1, at=rows.BEGAN)
    services.open_stream(StreamGrant(attempt.pk, 1), session_id, at=rows.BEGAN, not_before=rows.BEGAN)
    text = client.get(page(attempt)).content.decode()
    assert reverse("admin:calls_callsession_change", args=[session_id]) in text
    for words in (phones.SOMEBODY, "Twilio did not answer", "human", "Ada v1", "Stream 1"):
        assert words in text
    assert attempt.dial_key not in text


def test_a_call_whose_conversation_is_not_stored_yet_can_be_looked_at(client: Client) -> None:
    attempt = phones.attempt()
    services.ask_for_stream(attempt.pk, 1, at=rows.BEGAN)
    services.open_stream(StreamGrant(attempt.pk, 1), attempt.pk, at=rows.BEGAN, not_before=rows.BEGAN)
    assert [client.get(address).status_code for address in (page(attempt), LIST)] == [200, 200]


def test_calls_are_read_only(client: Client) -> None:
    attempt = phones.attempt()
    assert client.get(reverse("admin:calls_callattempt_add")).status_code == 403
    assert client.post(page(attempt), {"status": "completed"}).status_code == 403
    assert client.post(reverse("admin:calls_callattempt_delete", args=[attempt.pk])).status_code == 403
    assert 'name="status"' not in client.get(page(attempt)).content.decode()


def test_a_number_is_suppressed_with_a_proof_at_once(client: Client) -> None:
    assert client.post(SUPPRESS, {"e164": phones.SOMEBODY, "proof": "wrote to us"}).status_code == 302
    assert list(Suppression.objects.values_list("e164", "source", "proof")) == [
        (phones.SOMEBODY, SuppressionSource.OPERATOR, "wrote to us")
    ]
    text = client.get(SUPPRESSIONS, {"q": "50042"}).content.decode()
    assert phones.SOMEBODY in text
    assert "wrote to us" in text


@pytest.mark.parametrize("form", [{"e164": "500 555 0042", "proof": "x"}, {"e164": phones.SOMEBODY, "proof": ""}])
def test_no_number_and_no_proof_are_refused(client: Client, form: dict[str, str]) -> None:
    answer = client.post(SUPPRESS, form)
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert not Suppression.objects.exists()


def test_a_suppression_is_not_edited(client: Client) -> None:
    services.suppress(phones.SOMEBODY, source=SuppressionSource.SPOKEN, proof="said so")
    address = reverse("admin:calls_suppression_change", args=[Suppression.objects.get().pk])
    assert client.post(address, {"e164": "+15005550043", "proof": "y"}).status_code == 403
    assert Suppression.objects.get().proof == "said so"


def test_who_may_only_look_cannot_lift_a_suppression() -> None:
    services.suppress(phones.SOMEBODY, source=SuppressionSource.SPOKEN, proof="said so")
    user = get_user_model().objects.create_user("reader", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_suppression"))
    client = Client()
    client.force_login(user)
    assert client.get(SUPPRESSIONS).status_code == 200
    address = reverse("admin:calls_suppression_delete", args=[Suppression.objects.get().pk])
    assert client.post(address, {"post": "yes"}).status_code == 403


def test_calls_are_narrowed_to_a_carrier_and_a_span_of_days_without_asking_all_of_them(client: Client) -> None:
    twilio = phones.attempt("+12125550101")
    sandbox = phones.attempt("+12125550102")
    CallAttempt.objects.filter(pk=sandbox.pk).update(carrier="sandbox")
    with CaptureQueriesContext(connection) as caught:
        shown = client.get(f"{LIST}?carrier=sandbox").context["cl"].result_list
    assert [attempt.pk for attempt in shown] == [sandbox.pk]
    assert [query["sql"] for query in caught if "DISTINCT" in query["sql"]] == []
    day, tomorrow = (f"{twilio.created_at + timedelta(days=days):%Y-%m-%d}" for days in (0, 1))
    spans = (
        f"created_at_from={day}&created_at_to={day}",
        f"created_at_from={tomorrow}",
        "created_at_from=nonsense",
        "created_at_to=9999-12-31",
    )
    assert [len(client.get(f"{LIST}?{span}").context["cl"].result_list) for span in spans] == [2, 0, 2, 2]
