from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from uuid_utils.compat import uuid7

from calls import services
from calls.engine.events import Latency, Usage
from calls.enums import Door, EndReason, Speaker
from calls.models import CallEvent, CallSession, Recording, Turn
from calls.services import EventFact
from calls.signals import call_finished
from tests.calls import rows

pytestmark = pytest.mark.django_db

END: dict[str, Any] = {
    "reason": EndReason.CALLER_ENDED,
    "ended_at": rows.BEGAN + timedelta(seconds=9),
    "duration_ms": 9000,
    "totals": {"reconnects": 1},
}


@pytest.fixture
def finished() -> Any:
    """The calls of which the end was announced."""
    heard: list[UUID] = []

    def hear(*, session_id: UUID, **_sender: Any) -> None:
        heard.append(session_id)

    call_finished.connect(hear)
    yield heard
    call_finished.disconnect(hear)


def test_opening_a_call_twice_stores_it_once() -> None:
    user = get_user_model().objects.create_user("op")
    session_id = uuid7()
    for _ in range(2):
        services.open_session(session_id, door=Door.CONSOLE, user_id=user.pk, instance="here", started_at=rows.BEGAN)
    session = CallSession.objects.get()
    assert (session.pk, session.user, session.door, session.alive_at, session.is_live) == (
        session_id, user, "console", rows.BEGAN, True,
    )  # fmt: skip


def test_a_user_or_an_agent_that_is_gone_does_not_keep_a_call_from_being_stored() -> None:
    session_id = uuid7()
    services.open_session(session_id, door=Door.PHONE, user_id=4711, instance="here", started_at=rows.BEGAN)
    services.attach_agent(
        session_id,
        agent_id=uuid7(),
        version_id=uuid7(),
        language="en-US",
        variables={"a\x00": "b"},
        campaign_id="c\x00",
    )
    session = CallSession.objects.get()
    assert (session.user, session.agent, session.agent_version) == (None, None, None)
    assert (session.language, session.variables, session.campaign_id) == ("en-US", {"a": "b"}, "c")


def test_turns_are_stored_once_however_often_they_come() -> None:
    session_id = rows.live_call()
    answer = rows.turn_fact(
        session_id, 1, "Hi\x00!", speaker=Speaker.AGENT, interrupted=True, confidence=1.2,
        latency=Latency(300.4, 20, 310.6, 90, 700), usage=Usage(120, 8),
    )  # fmt: skip
    services.record_turns([rows.turn_fact(session_id, 0), answer])
    services.record_turns([rows.turn_fact(session_id, 0, "changed"), answer, rows.turn_fact(session_id, 2, "bye")])
    assert list(Turn.objects.values_list("index", "speaker", "text", "interrupted")) == [
        (0, "caller", "hello", False),
        (1, "agent", "Hi!", True),
        (2, "caller", "bye", False),
    ]
    turn = Turn.objects.get(index=1)
    assert (turn.confidence, turn.prompt_tokens, turn.completion_tokens) == (1.0, 120, 8)
    latency = (turn.endpointing_ms, turn.stt_ms, turn.llm_ms, turn.tts_ms, turn.total_ms)
    assert latency == (300, 20, 311, 90, 700)


def test_times_that_run_backwards_are_bent_straight() -> None:
    session_id = rows.live_call()
    services.record_turns([services.TurnFact(session_id, rows.spoken(0).__replace__(started_ms=50, ended_ms=-3))])
    assert list(Turn.objects.values_list("started_ms", "ended_ms")) == [(50, 50)]


def test_events_are_stored_once_and_clean() -> None:
    session_id = rows.live_call()
    events = [
        EventFact(session_id, 0, "barge_in", 120, {"reply": 1}),
        EventFact(session_id, 1, "odd\x00", -5, {"x": float("nan")}),
    ]
    services.record_events(events)
    services.record_events(events)
    assert list(CallEvent.objects.values_list("seq", "kind", "at_ms", "detail")) == [
        (0, "barge_in", 120, {"reply": 1}),
        (1, "odd", 0, {"x": None}),
    ]


def test_facts_of_a_call_that_was_deleted_go_with_it() -> None:
    gone = uuid7()
    services.record_turns([rows.turn_fact(gone, 0)])
    services.record_events([EventFact(gone, 0, "barge_in", 0, {})])
    services.store_recording(gone, path="x.wav", rate=16_000, duration_ms=1, missing_ms=0, complete=True)
    assert (Turn.objects.count(), CallEvent.objects.count(), Recording.objects.count()) == (0, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_the_first_end_of_a_call_counts_and_is_announced_once_after_the_commit(finished: list[UUID]) -> None:
    session_id = rows.live_call()
    with transaction.atomic():
        assert services.finish_call(session_id, **END)
        assert finished == []
    assert finished == [session_id]
    assert not services.finish_call(session_id, **{**END, "reason": EndReason.SILENCE})
    session = CallSession.objects.get()
    assert (session.status, session.end_reason, session.duration_ms) == ("ended", "caller_ended", 9000)
    assert (session.ended_at, session.totals) == (END["ended_at"], {"reconnects": 1})
    assert finished == [session_id]


@pytest.mark.django_db(transaction=True)
def test_an_end_that_is_rolled_back_is_not_announced(finished: list[UUID]) -> None:
    session_id = rows.live_call()
    with transaction.atomic():
        services.finish_call(session_id, **END)
        transaction.set_rollback(True)
    assert (finished, CallSession.objects.live().count()) == ([], 1)


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_fails_stops_neither_the_end_nor_the_others(
    finished: list[UUID], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_sender: Any) -> None:
        raise LookupError

    call_finished.connect(fail)
    session_id = rows.live_call()
    assert services.finish_call(session_id, **END)
    call_finished.disconnect(fail)
    assert finished == [session_id]
    assert "a receiver of call_finished failed" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_calls_of_silent_processes_are_closed_when_they_were_last_heard_of(finished: list[UUID]) -> None:
    lost, held, fresh = rows.live_call(instance="dead"), rows.live_call(instance="held"), rows.live_call(instance="new")
    assert services.touch_sessions("dead", at=rows.BEGAN + timedelta(minutes=2)) == 1
    services.touch_sessions("new", at=rows.BEGAN + timedelta(minutes=9))
    now = rows.BEGAN + timedelta(minutes=10)
    assert services.close_lost_calls(now=now, grace=timedelta(minutes=5), held=["held"]) == [lost]
    assert services.close_lost_calls(now=now, grace=timedelta(minutes=5), held=["held"]) == []
    session = CallSession.objects.get(pk=lost)
    assert (session.end_reason, session.duration_ms) == ("instance_lost", 120_000)
    assert session.ended_at == rows.BEGAN + timedelta(minutes=2)
    assert {call.pk for call in CallSession.objects.live()} == {held, fresh}
    assert finished == [lost]


def test_figures_belong_to_calls_that_are_over() -> None:
    live, ended = rows.live_call(), rows.ended_call()
    figures: dict[str, Any] = {
        "latency_median_ms": 500,
        "latency_p95_ms": 900,
        "totals": {"turns": 2},
        "peaks": [[1, 2]],
        "measured_at": rows.BEGAN,
    }
    services.store_recording(ended.pk, path="x.wav", rate=8000, duration_ms=1, missing_ms=0, complete=True)
    assert not services.store_measurement(live, **figures)
    assert services.store_measurement(ended.pk, **figures)
    ended.refresh_from_db()
    assert (ended.latency_median_ms, ended.latency_p95_ms, ended.totals) == (500, 900, {"turns": 2})
    assert Recording.objects.get().peaks == [[1, 2]]


def test_a_second_report_of_a_recording_replaces_the_first() -> None:
    session = rows.ended_call()
    for duration_ms in (5, 7):
        services.store_recording(
            session.pk, path="x.wav", rate=8000, duration_ms=duration_ms, missing_ms=0, complete=True
        )
    assert list(Recording.objects.values_list("duration_ms", "complete")) == [(7, True)]
