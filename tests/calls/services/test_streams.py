from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from pytest_django import DjangoAssertNumQueries
from uuid_utils.compat import uuid7

from calls import services
from calls.engine.events import SpokenTurn
from calls.enums import Door, EndReason, Speaker
from calls.errors import AgentError
from calls.models import CallAttempt, CallStream
from calls.services import EventFact, Journalled, PhoneCall, StreamGrant
from tests.calls import phones, rows

pytestmark = pytest.mark.django_db

AT, LATER = rows.BEGAN, rows.BEGAN + timedelta(seconds=5)


def opened(attempt: CallAttempt, number: int = 1) -> UUID:
    """Have a stream opened by a conversation."""
    session_id = rows.live_call(door=Door.PHONE, began=AT + timedelta(seconds=number))
    services.ask_for_stream(attempt.pk, number, at=AT)
    assert services.open_stream(StreamGrant(attempt.pk, number), session_id, at=AT, not_before=AT)
    return session_id


def end(session_id: UUID, reason: EndReason) -> None:
    services.finish_call(session_id, reason=reason, ended_at=LATER, duration_ms=5000, totals={})


def test_a_stream_is_opened_once_by_one_socket() -> None:
    attempt, one, other = phones.attempt(), uuid7(), uuid7()
    services.ask_for_stream(attempt.pk, 1, at=AT)
    grant = StreamGrant(attempt.pk, 1)
    assert [services.open_stream(grant, session, at=LATER, not_before=AT) for session in (one, other)] == [True, False]
    assert list(CallStream.objects.values_list("attempt_id", "number", "issued_at", "opened_at", "session_id")) == [
        (attempt.pk, 1, AT, LATER, one)
    ]
    attempt.refresh_from_db()
    assert attempt.session_id == one


@pytest.mark.parametrize(("number", "is_over", "age"), [(2, False, 0), (1, True, 0), (1, False, 1)])
def test_a_stream_is_not_opened_unasked_too_late_or_after_the_call(number: int, age: int, *, is_over: bool) -> None:
    attempt = phones.attempt(status="completed", ended_at=AT) if is_over else phones.attempt()
    services.ask_for_stream(attempt.pk, 1, at=AT)
    not_before = AT + timedelta(seconds=age)
    assert not services.open_stream(StreamGrant(attempt.pk, number), None, at=LATER, not_before=not_before)


def test_asking_again_renews_a_stream_that_did_not_open() -> None:
    attempt = phones.attempt()
    services.ask_for_stream(attempt.pk, 1, at=AT)
    services.ask_for_stream(attempt.pk, 1, at=LATER)
    assert list(CallStream.objects.values_list("number", "issued_at")) == [(1, LATER)]
    assert services.open_stream(StreamGrant(attempt.pk, 1), None, at=LATER, not_before=LATER)
    services.ask_for_stream(attempt.pk, 1, at=LATER + timedelta(seconds=1))
    assert list(CallStream.objects.values_list("number", "issued_at")) == [(1, LATER)]


def test_what_the_carrier_says_of_a_stream_is_stored_once() -> None:
    attempt = phones.attempt()
    opened(attempt)
    grant = StreamGrant(attempt.pk, 1)
    for at in (AT, LATER):
        services.note_stream(grant, carrier_sid="MZ1", at=at, has_started=True)
    for error in ("first", "second"):
        services.note_stream(grant, carrier_sid="MZ2", at=LATER, error=error)
    assert list(CallStream.objects.values_list("carrier_sid", "started_at", "stopped_at", "error")) == [
        ("MZ1", AT, LATER, "first")
    ]


@pytest.mark.parametrize(
    ("reason", "ended"),
    [
        (EndReason.AGENT_SAID_GOODBYE, True),
        (EndReason.CALLER_ENDED, True),
        (EndReason.SILENCE, True),
        (EndReason.MAX_DURATION, True),
        (EndReason.PROVIDER_FAILED, True),
        (EndReason.ABUSE, True),
        (EndReason.CALLER_DISCONNECTED, False),
        (EndReason.SHUTDOWN, False),
        (EndReason.INSTANCE_LOST, False),
        (EndReason.INTERNAL_ERROR, False),
    ],
)
def test_a_conversation_came_to_its_end_or_was_lost(reason: EndReason, *, ended: bool) -> None:
    attempt = phones.attempt()
    session_id = opened(attempt)
    assert services.has_conversation_ended(attempt.pk, 1) is None
    end(session_id, reason)
    assert services.has_conversation_ended(attempt.pk, 1) is ended


def test_what_the_journal_says_of_an_end_need_not_be_in_the_database_yet() -> None:
    attempt = phones.attempt()
    session_id = opened(attempt)
    ends = (EndReason.AGENT_SAID_GOODBYE, EndReason.CALLER_DISCONNECTED, None)
    known = [{session_id: Journalled(end_reason=reason)} for reason in ends]
    ask = services.has_conversation_ended
    assert [ask(attempt.pk, 1, journalled=journal.__getitem__) for journal in known] == [True, False, None]


def test_a_stream_that_did_not_open_had_no_conversation() -> None:
    attempt = phones.attempt()
    services.ask_for_stream(attempt.pk, 1, at=AT)
    assert [services.has_conversation_ended(attempt.pk, number) for number in (0, 1, 2)] == [False] * 3


def test_a_stream_runs_the_version_and_the_variables_of_its_attempt(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    agent = rows.agent(language="en-GB")
    attempt = phones.attempt(agent=agent, variables={"name": "Bo", "age": 7})
    agent.language = "de-DE"
    agent.save()
    services.publish_agent(agent)
    version = attempt.agent_version
    assert version is not None
    with django_assert_num_queries(1):
        call = services.load_attempt_call(StreamGrant(attempt.pk, 1))
    assert call == PhoneCall(
        attempt_id=attempt.pk,
        agent_id=agent.pk,
        version_id=version.pk,
        spec=services.spec_of(version.content),
        variables={"name": "Bo", "age": "7"},
        language="en-GB",
    )


def test_a_later_stream_knows_what_was_said_on_the_earlier_ones() -> None:
    attempt = phones.attempt()
    said = ("Hello!", "Hi.", "You were gone.")
    first = opened(attempt)
    services.record_turns([rows.turn_fact(first, 0, said[0], speaker=Speaker.AGENT), rows.turn_fact(first, 1, said[1])])
    services.record_turns([rows.turn_fact(opened(attempt, 2), 0, said[2], interrupted=True)])
    history = services.load_attempt_call(StreamGrant(attempt.pk, 3)).history
    assert history == (
        SpokenTurn(index=0, speaker=Speaker.AGENT, text="Hello!", started_ms=0, ended_ms=900),
        SpokenTurn(index=1, speaker=Speaker.CALLER, text="Hi.", started_ms=1000, ended_ms=1900),
        SpokenTurn(index=2, speaker=Speaker.CALLER, text=said[2], started_ms=0, ended_ms=900, interrupted=True),
    )
    assert services.load_attempt_call(StreamGrant(attempt.pk, 2)).history == history[:2]


def kept_as(found: Journalled) -> Callable[[UUID], Journalled]:
    return lambda _session_id: found


def test_what_only_the_journal_has_is_known_too_and_the_database_has_the_last_word() -> None:
    attempt = phones.attempt()
    first = opened(attempt)
    stored, lost = SpokenTurn(0, Speaker.AGENT, "Hello!", 0, 900), SpokenTurn(1, Speaker.CALLER, "Hi.", 1000, 1900)
    services.record_turns([services.TurnFact(first, stored)])
    journal = {first: [lost, SpokenTurn(0, Speaker.AGENT, "torn", 0, 900)]}
    call = services.load_attempt_call(
        StreamGrant(attempt.pk, 2), journalled=lambda session: Journalled(journal[session])
    )
    assert call.history == (stored, lost)


def test_who_did_not_want_to_be_recorded_is_not_recorded_on_any_later_stream() -> None:
    attempt = phones.attempt()
    first = opened(attempt)
    grants = [StreamGrant(attempt.pk, number) for number in (1, 2)]
    said_so = EventFact(first, 0, "recording_stopped", 5, {"reason": "objection"})
    journal = {True: Journalled(events=[said_so]), False: Journalled()}
    known = [services.load_attempt_call(grants[1], journalled=kept_as(journal[said])) for said in (True, False)]
    assert [call.has_objected for call in known] == [True, False]
    services.record_events([EventFact(first, 0, "recording_stopped", 5, {"reason": "No space left on device"})])
    assert not services.load_attempt_call(grants[1]).has_objected
    services.record_events([EventFact(first, 1, "recording_stopped", 5, {"reason": "objection"})])
    assert [services.load_attempt_call(grant).has_objected for grant in grants] == [False, True]


def test_streams_follow_each_other_in_the_order_of_their_numbers() -> None:
    """The rows of their conversations may not be there yet, so their times cannot say it."""
    attempt, sessions = phones.attempt(), [uuid7(), uuid7()]
    for number, session in zip((1, 2), reversed(sessions), strict=True):
        services.ask_for_stream(attempt.pk, number, at=AT)
        services.open_stream(StreamGrant(attempt.pk, number), session, at=AT, not_before=AT)
    journal = {session: [SpokenTurn(7, Speaker.CALLER, session.hex, 0, 1)] for session in sessions}
    call = services.load_attempt_call(
        StreamGrant(attempt.pk, 3), journalled=lambda session: Journalled(journal[session])
    )
    assert [(turn.index, turn.text) for turn in call.history] == [(0, sessions[1].hex), (1, sessions[0].hex)]


def test_the_newest_stream_that_opened_is_known() -> None:
    attempt = phones.attempt()
    assert services.opened_streams(attempt.pk) == 0
    opened(attempt)
    opened(attempt, 2)
    services.ask_for_stream(attempt.pk, 3, at=AT)
    assert services.opened_streams(attempt.pk) == 2


def test_a_call_without_an_agent_says_so() -> None:
    attempt = phones.attempt(agent_version=None)
    for attempt_id in (attempt.pk, uuid7()):
        with pytest.raises(AgentError, match="has no agent"):
            services.load_attempt_call(StreamGrant(attempt_id, 1))


@pytest.mark.parametrize(("answered", "seconds"), [(-55, 60.0), (10, 0.0)])
def test_a_later_stream_knows_how_long_the_call_has_lasted(answered: int, seconds: float) -> None:
    """The clock may have been set back since the answer."""
    agent = rows.agent(is_default=True)
    moment = AT + timedelta(seconds=answered)
    attempt = phones.attempt(agent=agent, status="in-progress", answered_at=moment)
    for number in (1, 2):
        services.ask_for_stream(attempt.pk, number, at=LATER)
        assert services.open_stream(StreamGrant(attempt.pk, number), None, at=LATER, not_before=AT)
    calls = [services.load_attempt_call(StreamGrant(attempt.pk, number)) for number in (1, 2)]
    assert [call.earlier_seconds for call in calls] == [0.0, seconds]


def event(session: UUID, seq: int, kind: str) -> EventFact:
    return EventFact(session, seq, kind, 5, {})


def test_a_notice_that_was_not_heard_to_its_end_is_owed_to_the_next_stream() -> None:
    attempt = phones.attempt()
    first, grant = opened(attempt), StreamGrant(attempt.pk, 2)
    assert services.load_attempt_call(StreamGrant(attempt.pk, 1)).is_noticed, "nobody asks the first"
    assert not services.load_attempt_call(grant).is_noticed
    played = event(first, 0, "notice_played")
    assert services.load_attempt_call(grant, journalled=kept_as(Journalled(events=[played]))).is_noticed
    services.record_events([played])
    opened(attempt, 2)
    assert services.load_attempt_call(StreamGrant(attempt.pk, 3)).is_noticed


def test_recording_goes_on_with_the_stream_after_a_transfer_and_once() -> None:
    attempt = phones.attempt()
    first = opened(attempt)
    assert not services.load_attempt_call(StreamGrant(attempt.pk, 2)).resumes_recording
    services.record_events([event(first, 3, "recording_ended")])
    assert services.load_attempt_call(StreamGrant(attempt.pk, 2)).resumes_recording
    second = opened(attempt, 2)
    assert services.load_attempt_call(StreamGrant(attempt.pk, 3)).resumes_recording, "the second never began"
    services.record_events([event(second, 0, "recording_resumed")])
    assert not services.load_attempt_call(StreamGrant(attempt.pk, 3)).resumes_recording
    services.record_events([event(second, 9, "recording_ended")])
    assert services.load_attempt_call(StreamGrant(attempt.pk, 3)).resumes_recording
