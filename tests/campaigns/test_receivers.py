import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from calls import services as call_services
from calls.enums import AttemptStatus, SuppressionSource
from calls.models import CallSession, CallStream
from calls.signals import call_finished
from campaigns import services
from campaigns.enums import AnalysisStatus, FinishReason, HookEvent, Outcome
from campaigns.models import CallAnalysis, WebhookMessage
from tests.calls import phones, rows
from tests.campaigns.carrier import FakeCarrier
from tests.campaigns.rows import NOW, make_callable, make_running


@pytest.mark.django_db
def test_a_finished_call_waits_to_be_judged() -> None:
    session = rows.ended_call()
    call_finished.send(sender=CallSession, session_id=session.pk)
    assert list(CallAnalysis.objects.values_list("session_id", "status")) == [(session.pk, AnalysisStatus.WAITING)]


@pytest.mark.django_db
def test_the_end_of_a_call_settles_a_campaigns_attempt(
    carrier: FakeCarrier, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]]
) -> None:
    member = make_callable(make_running(carrier="fake"))
    (claim,) = services.claim_due(at=NOW)
    attempt = services.dial_claimed(claim.member_id, lease_key=claim.lease_key, at=NOW)
    assert attempt is not None
    with django_capture_on_commit_callbacks(execute=True):
        call_services.advance_attempt(attempt.pk, AttemptStatus.NO_ANSWER, at=NOW + timedelta(seconds=40))
    member.refresh_from_db()
    assert (member.last_outcome, len(carrier.orders)) == (Outcome.NO_ANSWER, 1)


@pytest.mark.django_db
def test_the_end_of_a_conversation_settles_a_campaigns_attempt_whose_carrier_has_spoken(carrier: FakeCarrier) -> None:
    member = make_callable(make_running(carrier="fake"))
    (claim,) = services.claim_due(at=NOW)
    attempt = services.dial_claimed(claim.member_id, lease_key=claim.lease_key, at=NOW)
    assert attempt is not None
    session = rows.ended_call()
    CallStream.objects.create(attempt=attempt, number=1, issued_at=NOW, session_id=session.pk)
    call_services.advance_attempt(attempt.pk, AttemptStatus.COMPLETED, at=NOW + timedelta(seconds=40))
    call_finished.send(sender=CallSession, session_id=session.pk)
    member.refresh_from_db()
    assert (member.last_outcome, len(carrier.orders)) == (Outcome.DROPPED, 1)


@pytest.mark.django_db
def test_the_end_of_a_call_by_hand_is_told_to_other_systems(
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]],
) -> None:
    services.make_endpoint(name="CRM", url="https://example.com", events=[HookEvent.CALL_FINISHED])
    attempt = phones.attempt()
    with django_capture_on_commit_callbacks(execute=True):
        call_services.advance_attempt(attempt.pk, AttemptStatus.BUSY, at=NOW)
    (message,) = WebhookMessage.objects.all()
    data = json.loads(message.body)["data"]
    assert (data["attempt_id"], data["status"]) == (str(attempt.pk), "busy")


@pytest.mark.django_db
def test_an_opt_out_in_a_call_takes_the_number_out_of_every_campaign(
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]],
) -> None:
    member = make_callable(make_running())
    with django_capture_on_commit_callbacks(execute=True):
        call_services.suppress(member.contact.e164, source=SuppressionSource.SPOKEN, proof="never call me again")
    member.refresh_from_db()
    assert member.finish_reason == FinishReason.OPTED_OUT
