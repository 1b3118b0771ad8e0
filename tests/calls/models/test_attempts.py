from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from calls.enums import AttemptStatus, Direction
from calls.models import CallAttempt, CallStream, Suppression
from calls.models.attempts import E164, LIVE, OVER
from tests.calls import phones, rows


@pytest.mark.parametrize(
    "number", ["+12025550123", "+442079460000", "+61491570006", "+4915112345678", "+8613800138000"]
)
def test_a_number_in_e164_is_one(number: str) -> None:
    E164(number)


@pytest.mark.parametrize(
    "number",
    [
        *("", "12025550123", "+1202555012", "+120255501234", "+02025550123", "+1 202 555 0123", "+1202555O123"),
        *("+12", "911", "+2345678901234567", "+12025550123\n", "sip:a@b.example", "+11025550123", "+٢٠٢٥٥٥٠١٢٣"),
    ],
)
def test_anything_else_is_not(number: str) -> None:
    with pytest.raises(ValidationError):
        E164(number)


def test_a_status_moves_forward_and_an_end_is_final() -> None:
    order = [*LIVE[:2], AttemptStatus.NOT_PLACED, *LIVE[2:]]
    for index, status in enumerate(order):
        assert status.earlier == frozenset(order[:index])
    ends = [status for status in OVER if status is not AttemptStatus.NOT_PLACED]
    assert all(status.earlier == frozenset(order) for status in ends)
    assert [status.value for status in ends] == ["completed", "busy", "no-answer", "failed", "canceled"]


@pytest.mark.django_db
@pytest.mark.parametrize("status", LIVE)
def test_a_number_has_one_live_attempt_and_an_unknown_one_counts(status: AttemptStatus) -> None:
    phones.attempt(status=status)
    with pytest.raises(IntegrityError), transaction.atomic():
        CallAttempt.objects.create(
            to_e164=phones.SOMEBODY, carrier="twilio", created_at=rows.BEGAN, heard_at=rows.BEGAN
        )
    phones.attempt("+15005550043")


@pytest.mark.django_db
@pytest.mark.parametrize("status", OVER)
def test_a_number_may_be_called_again_when_its_call_is_over(status: AttemptStatus) -> None:
    phones.attempt(status=status, ended_at=rows.BEGAN)
    phones.attempt()
    assert CallAttempt.objects.filter(to_e164=phones.SOMEBODY).count() == 2


@pytest.mark.django_db
def test_many_may_call_us_at_once() -> None:
    for number in range(3):
        phones.attempt(f"+1500555004{number}", status="in-progress", direction=Direction.INBOUND)
    CallAttempt.objects.update(to_e164=phones.OUR_NUMBER)
    assert CallAttempt.objects.live().count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    "columns",
    [{"status": "completed"}, {"ended_at": rows.BEGAN}, {"status": "busy", "ended_at": None}],
)
def test_what_is_over_has_an_end_and_what_is_not_has_none(columns: dict[str, Any]) -> None:
    attempt = phones.attempt()
    with pytest.raises(IntegrityError), transaction.atomic():
        CallAttempt.objects.filter(pk=attempt.pk).update(**columns)


@pytest.mark.django_db
def test_a_carriers_call_belongs_to_one_attempt() -> None:
    phones.attempt(carrier_sid="CA1")
    other = CallAttempt.objects.filter(pk=phones.attempt("+15005550043").pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        other.update(carrier_sid="CA1")
    other.update(carrier_sid="CA1", carrier="another")


@pytest.mark.django_db
def test_querysets_tell_which_attempts_nobody_cares_for() -> None:
    dialling, unknown = phones.attempt(), phones.attempt("+15005550043", status="unknown")
    ringing = phones.attempt("+15005550044", status="ringing")
    phones.attempt("+15005550045", status="busy", ended_at=rows.BEGAN)
    attempts, later = CallAttempt.objects, rows.BEGAN + timedelta(seconds=1)
    assert set(attempts.live()) == {dialling, unknown, ringing}
    assert (list(attempts.stranded(later)), list(attempts.stranded(rows.BEGAN))) == ([dialling], [])
    assert list(attempts.unknown()) == [unknown]
    assert (list(attempts.unheard_of(later)), list(attempts.unheard_of(rows.BEGAN))) == ([ringing], [])


@pytest.mark.django_db
def test_rows_say_what_they_are() -> None:
    attempt = phones.attempt()
    stream = CallStream(attempt=attempt, number=2, issued_at=rows.BEGAN)
    inbound = CallAttempt(direction=Direction.INBOUND, to_e164=phones.OUR_NUMBER, created_at=rows.BEGAN)
    assert [str(row) for row in (attempt, stream, inbound, Suppression(e164=phones.SOMEBODY))] == [
        f"{phones.SOMEBODY} at 2025-11-21 09:00:00",
        "Stream 2",
        "withheld number at 2025-11-21 09:00:00",
        phones.SOMEBODY,
    ]
    assert (attempt.person_e164, attempt.is_over) == (phones.SOMEBODY, False)
    assert len({attempt.dial_key, phones.attempt("+15005550043").dial_key}) == 2
    assert len(attempt.dial_key) == 24


@pytest.mark.django_db
@pytest.mark.parametrize("columns", [{"e164": "15005550042"}, {"proof": ""}])
def test_a_suppression_is_of_a_number_and_has_a_proof(columns: dict[str, str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Suppression.objects.create(**{"e164": phones.SOMEBODY, "proof": "said so", **columns})
