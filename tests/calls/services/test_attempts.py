from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from uuid_utils.compat import uuid7

from calls import services
from calls.engine.agent import AgentSpec, Intent, Silence
from calls.enums import AttemptStatus, DialRefusal, Direction, SuppressionSource
from calls.errors import DialRefusedError
from calls.models import CallAttempt, Suppression
from tests.calls import phones, rows

pytestmark = pytest.mark.django_db

LATER = rows.BEGAN + timedelta(seconds=5)
STATUS = AttemptStatus


def stored(attempt: CallAttempt, *columns: str) -> tuple[Any, ...]:
    attempt.refresh_from_db()
    return tuple(getattr(attempt, column) for column in columns)


def test_an_attempt_is_stored_as_dialling() -> None:
    agent = rows.agent()
    attempt = phones.attempt(agent=agent)
    columns = ("status", "to_e164", "from_e164", "carrier", "agent_version_id", "created_at", "ended_at")
    numbers = (phones.SOMEBODY, phones.OUR_NUMBER)
    expected = (STATUS.DIALING, *numbers, "twilio", agent.published_id, rows.BEGAN, None)
    assert stored(attempt, *columns) == expected


@pytest.mark.django_db(transaction=True)
def test_an_attempt_is_never_stored_inside_of_a_transaction() -> None:
    agent = rows.agent()
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        phones.attempt(agent=agent)


def test_a_suppressed_number_is_refused_and_leaves_no_row() -> None:
    services.suppress(phones.SOMEBODY, source=SuppressionSource.SPOKEN, proof="said so")
    with pytest.raises(DialRefusedError) as refused:
        phones.attempt()
    assert (refused.value.reason, CallAttempt.objects.count()) == (DialRefusal.SUPPRESSED, 0)


def test_a_number_that_is_being_called_is_refused() -> None:
    phones.attempt(status="unknown")
    with pytest.raises(DialRefusedError) as refused:
        phones.attempt()
    assert (refused.value.reason, CallAttempt.objects.count()) == (DialRefusal.ALREADY_CALLED, 1)


def test_a_status_moves_forward_with_its_moments() -> None:
    attempt = phones.attempt()
    steps = [STATUS.QUEUED, STATUS.INITIATED, STATUS.RINGING, STATUS.IN_PROGRESS, STATUS.COMPLETED]
    for seconds, status in enumerate(steps):
        at = rows.BEGAN + timedelta(seconds=seconds)
        assert services.advance_attempt(attempt.pk, status, at=at, sequence=seconds)
    services.advance_attempt(attempt.pk, STATUS.FAILED, at=LATER)
    moments = stored(attempt, "created_at", "ringing_at", "answered_at", "ended_at", "heard_at")
    assert [int((moment - rows.BEGAN).total_seconds()) for moment in moments] == [0, 2, 3, 4, 5]
    assert stored(attempt, "status", "sequence") == ("completed", 4)


@pytest.mark.parametrize(
    ("before", "news"),
    [
        ("in-progress", STATUS.RINGING),
        ("ringing", STATUS.RINGING),
        ("ringing", STATUS.UNKNOWN),
        ("ringing", STATUS.NOT_PLACED),
        ("queued", STATUS.NOT_PLACED),
        ("unknown", STATUS.UNKNOWN),
    ],
)
def test_late_and_doubled_news_changes_nothing(before: str, news: AttemptStatus) -> None:
    attempt = phones.attempt(status=before)
    assert not services.advance_attempt(attempt.pk, news, at=LATER)
    assert stored(attempt, "status", "heard_at", "ended_at") == (before, LATER, None)


def test_a_callback_that_is_older_than_what_counted_does_not_count() -> None:
    attempt = phones.attempt(status="ringing", sequence=3)
    assert not services.advance_attempt(attempt.pk, STATUS.IN_PROGRESS, at=LATER, sequence=2)
    assert services.advance_attempt(attempt.pk, STATUS.IN_PROGRESS, at=LATER, sequence=4)


def test_what_the_carrier_did_not_do_keeps_its_reason_until_it_turns_out_well() -> None:
    attempt = phones.attempt()
    services.advance_attempt(attempt.pk, STATUS.UNKNOWN, at=LATER, error="no answer\x00", error_code=500)
    assert stored(attempt, "error", "error_code") == ("no answer", 500)
    services.advance_attempt(attempt.pk, STATUS.NOT_PLACED, at=LATER)
    assert stored(attempt, "error", "ended_at") == ("no answer", LATER)
    services.advance_attempt(attempt.pk, STATUS.RINGING, at=LATER)
    assert stored(attempt, "status", "error", "error_code", "ended_at") == ("ringing", "", None, None)


def test_a_call_that_turns_up_beside_its_successor_stays_not_placed_until_its_end() -> None:
    lost = phones.attempt(status="not-placed", ended_at=rows.BEGAN)
    phones.attempt()
    assert not services.advance_attempt(lost.pk, STATUS.IN_PROGRESS, at=LATER)
    assert stored(lost, "status") == ("not-placed",)
    assert services.advance_attempt(lost.pk, STATUS.COMPLETED, at=LATER, duration_seconds=9)
    assert stored(lost, "status", "duration_seconds") == ("completed", 9)


def test_the_carriers_id_is_learnt_once_and_by_one_attempt() -> None:
    one, other = phones.attempt(), phones.attempt("+15005550043")
    assert [services.name_attempt(one.pk, sid) for sid in ("CA1", "CA1", "CA2")] == [True, False, False]
    assert not services.name_attempt(other.pk, "CA1")
    assert stored(one, "carrier_sid") + stored(other, "carrier_sid") == ("CA1", "")


def test_a_call_is_missed_for_the_first_time_once_and_only_while_it_is_unknown() -> None:
    attempt, ringing = phones.attempt(status="unknown"), phones.attempt("+15005550043", status="ringing")
    for at in (LATER, LATER + timedelta(seconds=1)):
        services.miss_attempt(attempt.pk, at=at)
        services.miss_attempt(ringing.pk, at=at)
    assert stored(attempt, "missed_at") + stored(ringing, "missed_at") == (LATER, None)


def test_the_first_verdict_on_who_answered_stays() -> None:
    attempt = phones.attempt()
    assert [services.note_machine_detection(attempt.pk, by) for by in ("machine_end_beep", "human")] == [True, False]
    assert stored(attempt, "answered_by") == ("machine_end_beep",)


def test_an_inbound_call_that_is_told_twice_is_one() -> None:
    numbers = {"to_e164": phones.OUR_NUMBER, "from_e164": phones.SOMEBODY, "carrier": "twilio"}
    one, same = (
        services.open_inbound("CA1", **numbers, version_id=None, variables={}, at=at) for at in (rows.BEGAN, LATER)
    )
    assert one == same
    assert stored(one, "direction", "status", "answered_at", "person_e164") == (
        *(Direction.INBOUND, STATUS.IN_PROGRESS, rows.BEGAN, phones.SOMEBODY),
    )


def test_a_number_is_suppressed_once_with_its_first_proof() -> None:
    first = services.suppress(phones.SOMEBODY, source=SuppressionSource.KEY, proof="pressed 9")
    again = services.suppress(phones.SOMEBODY, source=SuppressionSource.OPERATOR, proof="wrote")
    assert (first, again) == (True, False)
    assert list(Suppression.objects.values_list("e164", "source", "proof")) == [(phones.SOMEBODY, "key", "pressed 9")]
    with pytest.raises(ValidationError):
        services.suppress("anonymous", source=SuppressionSource.KEY, proof="pressed 9")


def test_all_variables_that_a_call_would_miss_are_named() -> None:
    spec = AgentSpec(
        name="Ada",
        prompt="You call {{name}} of {{company|somewhere}}.",
        opening="Hello {{name}}, this is about {{topic}}.",
        silence=Silence(goodbye="Bye, {{nick}}."),
        intents=(Intent(name="price", examples=(), answer="It is {{price}}."),),
    )
    assert sorted(services.missing_variables(spec, {"nick": "Bo"})) == ["name", "price", "topic"]
    assert services.missing_variables(spec, dict.fromkeys(("name", "topic", "nick", "price"), "x")) == []


def test_verdicts_on_who_answered_are_read_for_many_calls_at_once() -> None:
    known, unknown = phones.attempt(answered_by="human"), phones.attempt("+15005550043")
    assert services.machine_detections([known.pk, unknown.pk, uuid7()]) == {known.pk: "human"}
