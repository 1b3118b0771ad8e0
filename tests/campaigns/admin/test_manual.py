from typing import Any

import pytest

from calls.enums import AttemptStatus
from calls.models import CallAttempt, Suppression
from campaigns import services
from campaigns.admin import manual
from campaigns.enums import DialReason
from campaigns.gate import Decision
from campaigns.services import ManualCall
from tests.calls import rows as call_rows
from tests.campaigns.admin.site import boss, in_role, logged_in, page_of
from tests.campaigns.rows import NOW

pytestmark = pytest.mark.django_db

PAGE = page_of("call_once")


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would have been dialled; the gate says yes."""
    placed: list[dict[str, Any]] = []

    def dial(e164: str, **order: Any) -> ManualCall:
        placed.append({"to": e164, **order})
        attempt = CallAttempt.objects.create(
            to_e164=e164, carrier="sandbox", status=AttemptStatus.RINGING, created_at=NOW, heard_at=NOW
        )
        return ManualCall(decision=Decision(reason=DialReason.ALLOWED), attempt=attempt)

    monkeypatch.setattr(services, "dial_once", dial)
    return placed


def order(**changes: str) -> dict[str, str]:
    return {
        "number": "(212) 555-0100",
        "agent": str(call_rows.agent().pk),
        "variables": "first_name = Ann",
        "is_confirmed": "on",
        **changes,
    }


def test_a_number_is_called_after_a_confirmation(orders: list[dict[str, Any]]) -> None:
    client = logged_in(in_role("Operator"))
    response = client.post(PAGE, order(dial="1"))
    assert response.headers["Location"] == f"/admin/calls/callattempt/{CallAttempt.objects.get().pk}/change/"
    (placed,) = orders
    assert (placed["to"], placed["variables"], placed["is_confirmed"], str(placed["by"])) == (
        "+12125550100",
        {"first_name": "Ann"},
        True,
        "operator",
    )


def test_without_the_confirmation_nobody_is_called(orders: list[dict[str, Any]]) -> None:
    text = logged_in(boss()).post(PAGE, order(dial="1", is_confirmed="")).content.decode()
    assert "Without this nobody is called." in text
    assert orders == []


def test_the_gates_answer_is_shown_without_a_call(orders: list[dict[str, Any]]) -> None:
    Suppression.objects.create(e164="+12125550100", proof="asked")
    text = logged_in(boss()).post(PAGE, order(check="1")).content.decode()
    assert "They asked not to be called." in text
    assert orders == []


def test_the_gates_refusal_of_a_call_is_shown() -> None:
    Suppression.objects.create(e164="+12125550100", proof="asked")
    response = logged_in(boss()).post(PAGE, order(dial="1"))
    assert response.status_code == 200
    assert "They asked not to be called." in response.content.decode()
    assert CallAttempt.objects.count() == 0


@pytest.mark.parametrize("number", ["hello", "123", "+1 212 555"])
def test_what_is_no_number_is_refused(number: str, orders: list[dict[str, Any]]) -> None:
    form = manual.ManualCallForm(order(number=number))
    assert "number" in form.errors
    assert orders == []


def test_auditors_call_nobody() -> None:
    assert logged_in(in_role("Auditor")).get(PAGE).status_code == 403
