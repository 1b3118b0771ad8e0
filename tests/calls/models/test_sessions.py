from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from calls.enums import EndReason, SessionStatus
from calls.models import CallEvent, CallSession, Recording, Turn
from tests.calls import rows

pytestmark = pytest.mark.django_db


def test_querysets_tell_where_a_call_is_in_its_life() -> None:
    live = rows.live_call()
    measured, unmeasured = rows.ended_call(), rows.ended_call()
    CallSession.objects.filter(pk=measured.pk).update(measured_at=timezone.now())
    calls = CallSession.objects
    assert [session.pk for session in calls.live()] == [live]
    assert set(calls.ended()) == {measured, unmeasured}
    assert list(calls.unmeasured()) == [unmeasured]
    assert [session.pk for session in calls.silent_since(rows.BEGAN + timedelta(seconds=1))] == [live]
    assert list(calls.silent_since(rows.BEGAN)) == []


@pytest.mark.parametrize(
    "columns",
    [
        {"status": SessionStatus.ENDED},
        {"end_reason": EndReason.SILENCE},
        {"status": SessionStatus.ENDED, "end_reason": EndReason.SILENCE},
        {"ended_at": rows.BEGAN},
        {"status": "gone"},
    ],
)
def test_a_call_is_live_or_has_ended_at_a_time_for_a_reason(columns: dict[str, Any]) -> None:
    session_id = rows.live_call()
    with pytest.raises(IntegrityError), transaction.atomic():
        CallSession.objects.filter(pk=session_id).update(**columns)


@pytest.mark.parametrize("columns", [{"started_ms": 5, "ended_ms": 4}, {"confidence": 1.5}, {"started_ms": -1}])
def test_a_turn_that_makes_no_sense_is_refused(columns: dict[str, Any]) -> None:
    turn = {"index": 0, "speaker": "caller", "text": "hi", "started_ms": 0, "ended_ms": 9, **columns}
    with pytest.raises(IntegrityError), transaction.atomic():
        Turn.objects.create(session_id=rows.live_call(), **turn)


def test_an_agent_with_calls_cannot_be_deleted() -> None:
    agent = rows.agent()
    rows.ended_call(with_agent=agent)
    with pytest.raises(ProtectedError):
        agent.delete()


def test_rows_say_what_they_are_and_never_what_was_said() -> None:
    session = rows.ended_call()
    turn = Turn(session=session, index=3, speaker="agent", text="a secret")
    names = [str(session), str(turn), str(CallEvent(kind="barge_in")), str(Recording(path="ab/x.wav"))]
    assert names == [f"Call of 2025-11-21 09:00:00 ({session.pk})", "Turn 3 (agent)", "barge_in", "ab/x.wav"]
    assert (session.is_live, CallSession(status="live").is_live) == (False, True)
