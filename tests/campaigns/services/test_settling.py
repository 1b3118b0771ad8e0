import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from calls import services as call_services
from calls.engine.events import SpokenTurn
from calls.enums import AttemptStatus, Door, EndReason, Speaker
from calls.models import CallAttempt, CallStream
from calls.runner.tools.callback import ScheduleCallback
from calls.services import EventFact, TurnFact
from calls.telephony.carriers import carrier as carrier_named
from campaigns import services
from campaigns.enums import ContactStatus, FinishReason, MembershipState, Outcome
from campaigns.models import Campaign, CampaignAttempt, CampaignContact, PriceRow
from tests.calls import rows as call_rows
from tests.campaigns.carrier import FakeCarrier
from tests.campaigns.rows import NOW, make_callable, make_running

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("carrier")]

WAITING, FINISHED = MembershipState.WAITING, MembershipState.FINISHED
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
ANSWERED_AT = NOW + 5 * SECOND
STATUS = AttemptStatus


def dialled(*, at: datetime = NOW) -> CallAttempt:
    (claim,) = services.claim_due(at=at)
    attempt = services.dial_claimed(claim.member_id, lease_key=claim.lease_key, at=at)
    assert attempt is not None
    return attempt


def end(attempt: CallAttempt, status: AttemptStatus, *, at: datetime | None = None, **columns: Any) -> None:
    ended_at = at or attempt.created_at + 65 * SECOND
    CallAttempt.objects.filter(pk=attempt.pk).update(status=status, ended_at=ended_at, **columns)


def talked(
    attempt: CallAttempt,
    *,
    reason: EndReason | None = EndReason.CALLER_ENDED,
    words: tuple[tuple[Speaker, int], ...] = ((Speaker.AGENT, 800), (Speaker.CALLER, 3000)),
    callbacks: tuple[str, ...] = (),
) -> UUID:
    session_id = call_rows.live_call(door=Door.PHONE, began=ANSWERED_AT)
    CallStream.objects.create(attempt=attempt, number=1, issued_at=NOW, opened_at=NOW, session_id=session_id)
    turns = [
        TurnFact(session_id, SpokenTurn(index, speaker, "words", began, began + 900))
        for index, (speaker, began) in enumerate(words)
    ]
    call_services.record_turns(turns)
    call_services.record_events(
        [EventFact(session_id, seq, "callback_requested", 5000, {"at": at}) for seq, at in enumerate(callbacks)]
    )
    if reason is not None:
        call_services.finish_call(session_id, reason=reason, ended_at=NOW + 60 * SECOND, duration_ms=55_000, totals={})
    return session_id


def after(attempt: CallAttempt, *, at: datetime = NOW + 66 * SECOND) -> CampaignContact:
    assert services.settle_attempt(attempt.pk, at=at)
    return CampaignContact.objects.select_related("contact").get()


def test_a_conversation_reaches_its_contact_and_costs_what_it_lasted() -> None:
    PriceRow.objects.create(item="fake.minute", micros=10, effective_from="2026-01-01")
    make_callable(make_running())
    attempt = dialled()
    talked(attempt)
    end(attempt, STATUS.COMPLETED, answered_at=ANSWERED_AT, duration_seconds=61)
    member = after(attempt)
    stored = CampaignAttempt.objects.get()
    assert (member.state, member.finish_reason, member.attempts, member.last_outcome) == (
        FINISHED,
        FinishReason.REACHED,
        1,
        Outcome.ANSWERED,
    )
    assert (stored.outcome, stored.is_counted, stored.cost_micros, stored.talk_ms, stored.first_audio_ms) == (
        Outcome.ANSWERED,
        True,
        20,
        60_000,
        800,
    )
    assert Campaign.objects.get().spent_micros == 20
    assert not services.settle_attempt(attempt.pk, at=NOW)
    assert Campaign.objects.get().spent_micros == 20


def test_the_wait_for_the_first_sound_begins_with_the_end_of_the_greeting() -> None:
    make_callable(make_running())
    attempt = dialled()
    talked(attempt, words=((Speaker.CALLER, 1500), (Speaker.AGENT, 3000), (Speaker.CALLER, 9000)))
    end(attempt, STATUS.COMPLETED, answered_at=ANSWERED_AT)
    after(attempt)
    assert CampaignAttempt.objects.get().first_audio_ms == 600


@pytest.mark.parametrize(
    ("status", "outcome", "wait"),
    [
        (STATUS.BUSY, Outcome.BUSY, timedelta(seconds=1800)),
        (STATUS.NO_ANSWER, Outcome.NO_ANSWER, timedelta(seconds=14_400)),
        (STATUS.FAILED, Outcome.FAILED, timedelta(days=1)),
    ],
)
def test_an_outcome_that_may_be_retried_waits_as_the_policy_says(
    status: AttemptStatus, outcome: Outcome, wait: timedelta
) -> None:
    make_callable(make_running(window_end="23:00"))
    attempt = dialled()
    end(attempt, status)
    member = after(attempt)
    assert (member.state, member.last_outcome, member.attempts) == (WAITING, outcome, 1)
    assert member.next_attempt_at == NOW + 65 * SECOND + wait


def test_a_retry_never_lies_outside_the_window() -> None:
    make_callable(make_running(window_end="13:00"))
    attempt = dialled()
    end(attempt, STATUS.NO_ANSWER)
    assert after(attempt).next_attempt_at == datetime(2026, 11, 25, 14, 0, tzinfo=UTC)


def test_a_carrier_failure_is_tried_once_more_and_then_left_alone() -> None:
    make_callable(make_running())
    first = dialled()
    end(first, STATUS.FAILED)
    member = after(first)
    assert member.next_attempt_at is not None
    second = dialled(at=member.next_attempt_at)
    end(second, STATUS.FAILED)
    member = after(second, at=second.created_at + 66 * SECOND)
    assert (member.state, member.finish_reason, member.attempts) == (FINISHED, FinishReason.ATTEMPTS_USED, 2)


def test_the_last_attempt_is_the_last() -> None:
    make_callable(make_running(max_attempts=1))
    attempt = dialled()
    end(attempt, STATUS.NO_ANSWER)
    member = after(attempt)
    assert (member.state, member.finish_reason, member.next_attempt_at) == (FINISHED, FinishReason.ATTEMPTS_USED, None)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [(EndReason.OPTED_OUT, FinishReason.OPTED_OUT), (EndReason.AGENT_SAID_GOODBYE, FinishReason.REACHED)],
)
def test_what_was_said_decides_over_the_carriers_completed(reason: EndReason, finish: FinishReason) -> None:
    make_callable(make_running())
    attempt = dialled()
    talked(attempt, reason=reason)
    end(attempt, STATUS.COMPLETED, answered_at=ANSWERED_AT)
    assert after(attempt).finish_reason == finish


def test_a_number_that_nobody_has_is_called_by_no_campaign() -> None:
    make_callable(make_running())
    attempt = dialled()
    end(attempt, STATUS.NOT_PLACED, is_refused=True, error_code=21211)
    member = after(attempt)
    assert (member.finish_reason, member.contact.status) == (FinishReason.INVALID_NUMBER, ContactStatus.INVALID_NUMBER)


def test_trouble_in_a_row_waits_longer_and_never_counts() -> None:
    make_callable(make_running())
    waits, at = [], NOW
    for _ in range(7):
        attempt = dialled(at=at)
        end(attempt, STATUS.NOT_PLACED, at=at)
        member = after(attempt, at=at)
        assert member.next_attempt_at is not None
        waits.append((member.next_attempt_at - at).total_seconds())
        at = member.next_attempt_at
    assert waits == [30, 60, 120, 240, 480, 900, 900]
    assert (member.attempts, member.last_outcome, member.state) == (0, "", WAITING)


def test_a_call_is_settled_when_both_its_ends_are_known_in_any_order() -> None:
    make_callable(make_running())
    attempt = dialled()
    session_id = talked(attempt, reason=None)
    assert not services.settle_session(session_id, at=NOW)
    end(attempt, STATUS.COMPLETED, answered_at=ANSWERED_AT)
    assert not services.settle_attempt(attempt.pk, at=NOW + 66 * SECOND)
    call_services.finish_call(session_id, reason=EndReason.CALLER_ENDED, ended_at=NOW, duration_ms=1000, totals={})
    assert services.settle_session(session_id, at=NOW + 67 * SECOND)
    assert CampaignAttempt.objects.get().outcome == Outcome.ANSWERED


def test_a_conversation_that_is_never_told_does_not_hold_its_contact_for_ever() -> None:
    make_callable(make_running())
    attempt = dialled()
    talked(attempt, reason=None, words=())
    end(attempt, STATUS.COMPLETED, answered_at=ANSWERED_AT)
    services.sweep_campaigns(at=NOW + timedelta(minutes=2))
    assert CampaignAttempt.objects.get().settled_at is None
    services.sweep_campaigns(at=NOW + timedelta(minutes=4))
    assert CampaignAttempt.objects.get().outcome == Outcome.DROPPED


@pytest.mark.parametrize(
    ("wish", "next_at"),
    [
        ("2026-11-24T14:30-05:00", datetime(2026, 11, 24, 19, 30, tzinfo=UTC)),
        ("2026-11-24T23:00-05:00", datetime(2026, 11, 25, 14, 0, tzinfo=UTC)),
    ],
)
def test_a_callback_is_made_when_it_was_asked_for_or_at_the_next_opening(wish: str, next_at: datetime) -> None:
    make_callable(make_running(max_attempts=1))
    attempt = dialled()
    talked(attempt, callbacks=("2026-11-24T13:00-05:00", wish))
    end(attempt, STATUS.COMPLETED, answered_at=ANSWERED_AT)
    member = after(attempt)
    assert (member.state, member.last_outcome, member.next_attempt_at, member.callback_at) == (
        WAITING,
        Outcome.CALLBACK,
        next_at,
        datetime.fromisoformat(wish),
    )
    assert services.claim_due(at=next_at - SECOND) == []
    second = dialled(at=next_at)
    end(second, STATUS.NO_ANSWER)
    member = after(second, at=second.created_at + HOUR)
    assert (member.state, member.callback_at) == (FINISHED, None)


@pytest.mark.parametrize(
    ("said", "next_at"),
    [
        ("2026-11-25T10:15", datetime(2026, 11, 25, 15, 15, tzinfo=UTC)),
        ("2026-11-25T22:00", datetime(2026, 11, 26, 14, 0, tzinfo=UTC)),  # after hours
    ],
)
def test_what_the_agents_tool_notes_is_when_the_next_call_is_made(said: str, next_at: datetime) -> None:
    noted: list[Mapping[str, Any]] = []
    tool = ScheduleCallback(ZoneInfo("America/New_York"), lambda: ANSWERED_AT, noted.append)
    asyncio.run(tool.use(json.dumps({"at": said, "words": "tomorrow"})))
    make_callable(make_running(window_end="20:00", weekdays=[0, 1, 2, 3, 4]))
    attempt = dialled()
    session_id = talked(attempt)
    (detail,) = noted
    call_services.record_events([EventFact(session_id, 0, "callback_requested", 5000, dict(detail))])
    end(attempt, STATUS.COMPLETED, answered_at=ANSWERED_AT)
    assert (after(attempt).next_attempt_at, services.claim_due(at=next_at - SECOND)) == (next_at, [])
    assert dialled(at=next_at).to_e164 == attempt.to_e164


def test_a_call_that_ends_after_its_campaign_is_the_contacts_last() -> None:
    campaign = make_running()
    make_callable(campaign)
    attempt = dialled()
    services.abort_campaign(campaign.pk, by=None, at=NOW)
    end(attempt, STATUS.NO_ANSWER)
    member = after(attempt)
    assert (member.finish_reason, member.last_outcome) == (FinishReason.CAMPAIGN_OVER, Outcome.NO_ANSWER)
    made = carrier_named("fake")
    assert isinstance(made, FakeCarrier)
    assert made.hung_up == ["CA1"]


def test_a_policy_that_cannot_be_read_tries_nobody_again() -> None:
    make_callable(make_running())
    attempt = dialled()
    Campaign.objects.update(retry_policy={"rude": 1})
    end(attempt, STATUS.BUSY)
    assert after(attempt).finish_reason == FinishReason.ATTEMPTS_USED


def test_a_call_of_no_campaign_is_nothing_to_settle() -> None:
    assert not services.settle_attempt(call_rows.live_call(), at=NOW)
