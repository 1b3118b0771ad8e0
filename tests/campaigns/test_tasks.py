import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from calls.models import CallSession
from campaigns import services, tasks
from campaigns.enums import AnalysisStatus, ContactStatus, HookEvent, ImportStatus, JobKind, JobStatus, MembershipState
from campaigns.models import CallAnalysis, CampaignContact, WebhookMessage
from tests.calls import rows
from tests.campaigns.carrier import FakeCarrier
from tests.campaigns.lists import receive, start
from tests.campaigns.rows import make_consent, make_contact, make_member, make_running

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would have gone to the broker."""
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.analyse_call, "apply_async", lambda **message: messages.append(message))
    return messages


def test_the_sweep_wakes_a_worker_for_each_call_that_is_due(sent: list[dict[str, Any]]) -> None:
    now = timezone.now()
    due, later = rows.ended_call().pk, rows.ended_call().pk
    services.await_analysis([due], at=now - timedelta(seconds=1))
    services.await_analysis([later], at=now + timedelta(hours=1))
    tasks.sweep_analyses()
    assert sent == [{"kwargs": {"session_id": str(due)}, "expires": 300}]


def test_the_sweep_finds_recent_calls_that_nobody_asked_about(sent: list[dict[str, Any]]) -> None:
    agent, now = rows.agent(), timezone.now()
    forgotten = rows.ended_call(with_agent=agent, began=now - timedelta(minutes=10)).pk
    rows.ended_call(with_agent=agent, began=now - timedelta(seconds=70))  # it ended ten seconds ago
    rows.ended_call(with_agent=agent, began=now - timedelta(days=3))
    tasks.sweep_analyses()
    assert sent == [{"kwargs": {"session_id": str(forgotten)}, "expires": 300}]


def test_a_message_that_comes_twice_judges_once() -> None:
    call = rows.ended_call(with_agent=rows.agent())
    services.await_analysis([call.pk], at=timezone.now())
    for _ in range(2):
        tasks.analyse_call(session_id=str(call.pk))
    assert list(CallAnalysis.objects.values_list("status", "tries")) == [(AnalysisStatus.DONE, 1)]
    assert CallSession.objects.count() == 1


def test_the_sweep_of_jobs_works_off_what_is_due() -> None:
    contact = make_contact()
    job = services.start_job(JobKind.ARCHIVE, selection={"filters": {}}, by=None, at=timezone.now())
    tasks.sweep_jobs()
    contact.refresh_from_db()
    job.refresh_from_db()
    assert (contact.status, job.status) == (ContactStatus.ARCHIVED, JobStatus.DONE)


def test_a_tick_claims_and_sends_a_wake_up_per_claim_and_the_wake_up_dials(
    carrier: FakeCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = make_running(window_start="00:00", window_end="23:59:59", carrier="fake")
    sandbox = make_contact("+12125550101", region="ZZ-SBX")
    make_consent(sandbox)
    make_member(campaign, sandbox)
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.dial_member, "apply_async", lambda **message: messages.append(message))
    tasks.dial_due()
    tasks.dial_due()
    (message,) = messages
    assert (message["expires"], message["retry"]) == (60, False)
    for _ in range(2):
        tasks.dial_member(**message["kwargs"])
    assert carrier.numbers == ["+12125550101"]


def test_a_flushed_broker_loses_nobody(carrier: FakeCarrier, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = make_running(window_start="00:00", window_end="23:59:59", carrier="fake")
    sandbox = make_contact("+12125550101", region="ZZ-SBX")
    make_consent(sandbox)
    member = make_member(campaign, sandbox)
    monkeypatch.setattr(tasks.dial_member, "apply_async", lambda **_message: None)
    tasks.dial_due()
    CampaignContact.objects.filter(pk=member.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    tasks.sweep_campaigns()
    member.refresh_from_db()
    assert (member.state, member.attempts, carrier.orders) == (MembershipState.WAITING, 0, [])


def test_a_second_tick_of_this_process_does_not_double_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "claim_due", lambda **_moment: pytest.fail("it went in"))
    with tasks._ticking:
        tasks.dial_due()


def test_the_sweep_of_imports_takes_in_what_waits() -> None:
    row = receive("phone\n2125550100\n")
    start(row)
    tasks.sweep_imports()
    row.refresh_from_db()
    assert (row.status, row.created) == (ImportStatus.DONE, 1)


def test_the_sweep_of_messages_sends_a_wake_up_for_each_that_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.deliver_message, "apply_async", lambda **message: sent.append(message))
    services.make_endpoint(name="CRM", url="https://example.com", events=["call.finished"])
    services.tell(HookEvent.CALL_FINISHED, {}, at=timezone.now())
    services.tell(HookEvent.CALL_FINISHED, {}, at=timezone.now() + timedelta(hours=1))
    tasks.sweep_messages()
    first = WebhookMessage.objects.order_by("created_at")[0]
    assert sent == [{"kwargs": {"message_id": str(first.pk)}, "expires": 300}]


def test_no_message_of_ours_has_an_eta_which_redis_would_deliver_twice() -> None:
    root = Path(__file__).resolve().parents[2]
    sources = [path for top in ("calls", "campaigns", "vantum") for path in (root / top).rglob("*.py")]
    words = re.compile(r"\b(?:eta|countdown)\s*=|\.retry\(")
    assert [path.name for path in sources if words.search(path.read_text())] == []
