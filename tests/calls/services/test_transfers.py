from datetime import timedelta

import pytest

from calls import services
from calls.engine.toolspec import Destination
from calls.enums import OperatorOrder, SuppressionSource, TransferStatus
from calls.errors import ToolRefusedError
from calls.models import Suppression, Transfer
from tests.calls import phones, rows

pytestmark = pytest.mark.django_db

DESK = Destination(name="sales", e164="+15005550043")
PENDING, ACCEPTED, CONNECTED, COMPLETED, FAILED, CANCELED = TransferStatus


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PENDING, {ACCEPTED, CONNECTED, FAILED, CANCELED}),
        (ACCEPTED, {CONNECTED, FAILED, CANCELED}),
        (CONNECTED, {COMPLETED, FAILED, CANCELED}),
        (COMPLETED, set()),
        (FAILED, set()),
        (CANCELED, set()),
    ],
)
def test_a_transfer_moves_forward_only(before: TransferStatus, after: set[TransferStatus]) -> None:
    made = services.open_transfer(phones.attempt().pk, DESK, at=rows.BEGAN)
    moved = set()
    for status in TransferStatus:
        Transfer.objects.update(status=before, ended_at=None if before.is_open else rows.BEGAN)
        if services.advance_transfer(made.pk, status, at=rows.BEGAN, outcome="busy"):
            moved.add(status)
            stored = Transfer.objects.get()
            assert (stored.status, stored.outcome) == (status, "busy")
            assert (stored.ended_at is None) == status.is_open
    assert moved == after


def test_a_call_has_one_open_transfer_and_another_after_it() -> None:
    attempt = phones.attempt()
    first = services.open_transfer(attempt.pk, DESK, at=rows.BEGAN)
    with pytest.raises(ToolRefusedError, match="already"):
        services.open_transfer(attempt.pk, DESK, at=rows.BEGAN)
    services.advance_transfer(first.pk, FAILED, at=rows.BEGAN)
    services.open_transfer(attempt.pk, DESK, at=rows.BEGAN + timedelta(seconds=1))
    assert services.transfers_of(attempt.pk) == 2


def test_a_call_that_is_over_goes_nowhere() -> None:
    attempt = phones.attempt(status="completed", ended_at=rows.BEGAN)
    with pytest.raises(ToolRefusedError, match="over"):
        services.open_transfer(attempt.pk, DESK, at=rows.BEGAN)
    assert not services.order_attempt(attempt.pk, OperatorOrder.HANG_UP)


def test_the_first_order_of_an_operator_stays_but_for_a_hang_up() -> None:
    attempt = phones.attempt()
    assert services.order_attempt(attempt.pk, OperatorOrder.LEAVE_MESSAGE)
    assert not services.order_attempt(attempt.pk, OperatorOrder.LEAVE_MESSAGE)
    assert services.order_attempt(attempt.pk, OperatorOrder.HANG_UP)


def test_a_person_who_says_so_is_suppressed_with_his_words_as_proof() -> None:
    attempt = phones.attempt(carrier_sid="CA1")
    services.suppress_person(attempt.pk, words="never again", at=rows.BEGAN)
    assert list(Suppression.objects.values_list("e164", "source", "proof")) == [
        (phones.SOMEBODY, SuppressionSource.SPOKEN, "said on the call CA1 at 2025-11-21T09:00:00+00:00: never again")
    ]
