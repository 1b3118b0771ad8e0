"""What other systems are told, as rows."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from pytest_django.fixtures import Settings

from calls.enums import AttemptKind, AttemptStatus, Direction
from calls.models import CallAttempt, CallStream
from campaigns import services
from campaigns.enums import CampaignStatus, HookEvent, MessageStatus, Scope
from campaigns.models import WebhookEndpoint, WebhookMessage
from campaigns.services.webhooks import GIVE_UP, WAITS, Attempted
from tests.campaigns.rows import NOW, make_campaign, make_member
from tests.campaigns.services.test_analyses import done

pytestmark = pytest.mark.django_db

URL = "https://hooks.example.com/in"
NO_ANSWER = Attempted(status_code=None, latency_ms=9, error="timed out")


def endpoint(name: str = "CRM", *events: str, **more: object) -> WebhookEndpoint:
    row, _ = services.make_endpoint(name=name, url=URL, events=events or [HookEvent.CALL_FINISHED], **more)  # type: ignore[arg-type]
    return row


def message() -> WebhookMessage:
    services.tell(HookEvent.CALL_FINISHED, {"a": 1}, at=NOW)
    return WebhookMessage.objects.get()


def test_an_event_goes_to_each_endpoint_that_wants_it_and_to_no_other() -> None:
    campaign = make_campaign()
    other = make_campaign("Autumn", agent=campaign.agent)
    every = endpoint("every")
    own = endpoint("own", campaign_id=campaign.pk)
    endpoint("other", campaign_id=other.pk)
    endpoint("else", HookEvent.CAMPAIGN_STARTED)
    WebhookEndpoint.objects.filter(pk=endpoint("off").pk).update(is_active=False)
    assert services.tell(HookEvent.CALL_FINISHED, {"n": 1}, at=NOW, campaign_id=campaign.pk) == 2
    told = WebhookMessage.objects.all()
    assert {row.endpoint for row in told} == {every, own}
    assert {row.body for row in told} == {
        f'{{"type":"call.finished","timestamp":"{NOW.isoformat()}","data":{{"campaign_id":"{campaign.pk}","n":1}}}}'
    }


def test_what_belongs_to_no_campaign_goes_to_endpoints_of_all() -> None:
    campaign = make_campaign()
    endpoint("own", campaign_id=campaign.pk)
    assert services.tell(HookEvent.CALL_FINISHED, {}, at=NOW) == 0


def test_a_secret_is_one_of_the_standard() -> None:
    row, secret = services.make_endpoint(name="CRM", url=URL, events=[HookEvent.CALL_FINISHED])
    assert secret == row.secret
    assert secret.startswith("whsec_")
    assert len(secret) == len("whsec_") + 44


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"url": "http://example.com"}, "url"),
        ({"url": "http://127.0.0.1:9/x"}, "url"),
        ({"url": "https://user:pw@example.com"}, "url"),
        ({"url": "https://"}, "url"),
        ({"events": ["call.exploded"]}, "events"),
        ({"events": []}, "events"),
        ({"name": " "}, "name"),
    ],
)
def test_what_is_wrong_with_an_endpoint_is_told_by_field(given: dict[str, object], field: str) -> None:
    whole = {"name": "CRM", "url": URL, "events": ["call.finished"]} | given
    with pytest.raises(ValidationError) as refused:
        services.make_endpoint(**whole)  # type: ignore[arg-type]
    assert list(refused.value.message_dict) == [field]


def test_loopback_is_for_development(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    services.make_endpoint(name="here", url="http://127.0.0.1:9/x", events=["call.finished"])


def test_a_message_is_claimed_once_until_its_lease_is_over() -> None:
    endpoint()
    row = message()
    claimed = services.claim_message(row.pk, now=NOW)
    assert claimed
    assert claimed.tries == 1
    assert services.claim_message(row.pk, now=NOW) is None
    again = services.claim_message(row.pk, now=NOW + timedelta(minutes=2))
    assert again
    assert again.tries == 2


def test_a_delivered_message_is_done() -> None:
    endpoint()
    row = message()
    claimed = services.claim_message(row.pk, now=NOW)
    assert claimed
    services.note_delivery(claimed, Attempted(status_code=204, latency_ms=12, answer="ok"), at=NOW)
    row.refresh_from_db()
    assert (row.status, row.delivered_at, row.next_try_at) == (MessageStatus.DELIVERED, NOW, None)
    assert list(row.deliveries.values_list("at", "status_code", "latency_ms", "answer", "error")) == [
        (NOW, 204, 12, "ok", "")
    ]


def test_a_message_is_tried_eight_times_over_most_of_a_day_and_can_be_sent_again() -> None:
    endpoint()
    row, now, tried = message(), NOW, 0
    while services.claim_message(row.pk, now=now):
        row.refresh_from_db()
        services.note_delivery(row, NO_ANSWER, at=now)
        row.refresh_from_db()
        tried += 1
        now = row.next_try_at or now + timedelta(days=1)
    assert (tried, row.status, row.deliveries.count()) == (8, MessageStatus.FAILED, 8)
    assert sum(WAITS, timedelta()) > timedelta(hours=17)
    assert services.replay_message(row.pk, at=now)
    assert not services.replay_message(row.pk, at=now)
    assert services.claim_message(row.pk, now=now)


def test_an_endpoint_that_takes_nothing_for_days_is_switched_off_and_keeps_its_messages() -> None:
    row = endpoint()
    waits = message()
    services.note_delivery(waits, NO_ANSWER, at=NOW)
    services.note_delivery(waits, NO_ANSWER, at=NOW + GIVE_UP)
    row.refresh_from_db()
    assert row.is_active
    services.note_delivery(waits, NO_ANSWER, at=NOW + GIVE_UP + timedelta(seconds=1))
    row.refresh_from_db()
    assert (row.is_active, row.failing_since) == (False, NOW)
    assert row.disabled_because == "Nothing was delivered since 3 days; the last answer was none."
    assert not WebhookMessage.objects.due(NOW + timedelta(days=9)).exists()
    assert services.enable_endpoint(row.pk)
    assert not services.enable_endpoint(row.pk)
    assert WebhookMessage.objects.due(NOW + timedelta(days=9)).count() == 1


def test_one_delivery_makes_an_endpoint_healthy() -> None:
    row = endpoint()
    waits = message()
    services.note_delivery(waits, NO_ANSWER, at=NOW)
    services.note_delivery(waits, Attempted(status_code=200, latency_ms=1), at=NOW)
    row.refresh_from_db()
    assert row.failing_since is None


def test_a_body_is_what_any_database_and_reader_takes() -> None:
    endpoint()
    services.tell(HookEvent.CALL_FINISHED, {"text": "a\x00b\ud800", "number": float("nan")}, at=NOW)
    assert json.loads(WebhookMessage.objects.get().body)["data"] == {"text": "ab\ufffd", "number": None}


def over(**columns: object) -> CallAttempt:
    usual = {"to_e164": "+12125550100", "status": AttemptStatus.COMPLETED, "carrier": "fake", "ended_at": NOW}
    return CallAttempt.objects.create(**usual | {"created_at": NOW, "heard_at": NOW} | columns)


def told(event: HookEvent) -> list[dict[str, object]]:
    bodies = WebhookMessage.objects.filter(event=event).order_by("created_at", "id").values_list("body", flat=True)
    return [json.loads(body)["data"] for body in bodies]


def test_only_a_pause_with_evidence_is_the_breakers() -> None:
    endpoint("CRM", HookEvent.CAMPAIGN_PAUSED, HookEvent.CAMPAIGN_BREAKER)
    key, _ = services.make_api_key("CRM key", scopes=list(Scope), by=None, at=NOW)
    campaign = make_campaign()
    for by, reason, evidence in ((None, "Carrier fails", {"errors": 9}), (key, "Holiday", {}), (None, "No price", {})):
        type(campaign).objects.update(status=CampaignStatus.RUNNING)
        assert services.pause_campaign(campaign.pk, by=by, at=NOW, reason=reason, evidence=evidence)
    details = [one["detail"] for one in told(HookEvent.CAMPAIGN_PAUSED)]
    assert details == [
        {"reason": "Carrier fails", "evidence": {"errors": 9}},
        {"reason": "Holiday", "evidence": {}, "api_key": "CRM key"},
        {"reason": "No price", "evidence": {}},
    ]
    assert [one["detail"] for one in told(HookEvent.CAMPAIGN_BREAKER)] == details[:1]


def test_calls_of_no_campaign_are_told_but_not_those_to_colleagues() -> None:
    endpoint()
    inbound = over(
        direction=Direction.INBOUND, from_e164="+12125550100", to_e164="+12125550199", duration_seconds=7
    )  # fmt: skip
    colleague = over(kind=AttemptKind.COLLEAGUE)
    done = [services.tell_other_call(call.pk, at=NOW) for call in (inbound, colleague)]
    assert (done, told(HookEvent.CALL_FINISHED)) == (
        [True, False],
        [
            {
                "attempt_id": str(inbound.pk), "session_id": None, "direction": "inbound", "number": "+12125550100",
                "status": "completed", "answered_at": None, "ended_at": NOW.isoformat(), "duration_seconds": 7,
            }
        ],
    )  # fmt: skip


def test_what_a_call_came_to_is_told_and_told_again_when_a_person_corrects_it(admin_user: User) -> None:
    member = make_member(make_campaign())
    endpoint("own", HookEvent.CALL_ANALYSED, campaign_id=member.campaign_id)
    analysis = done()
    assert told(HookEvent.CALL_ANALYSED) == []
    attempt = over()
    member.campaign_attempts.create(attempt=attempt, campaign_id=member.campaign_id, number=1, created_at=NOW)
    CallStream.objects.create(attempt=attempt, number=1, issued_at=NOW, session_id=analysis.pk)
    services.correct(analysis.pk, "disposition", "qualified", by=admin_user, at=NOW)
    (data,) = told(HookEvent.CALL_ANALYSED)
    assert data == {
        "campaign_id": str(member.campaign_id), "session_id": str(analysis.pk), "attempt_id": str(attempt.pk),
        "contact_id": str(member.contact_id), "number": member.contact.e164, "corrected": ["disposition"],
        **analysis.corrected(), "disposition": "qualified",
    }  # fmt: skip


def test_a_judgement_is_told_where_it_is_stored() -> None:
    endpoint("all", HookEvent.CALL_ANALYSED)
    analysis = done()
    (data,) = told(HookEvent.CALL_ANALYSED)
    assert (data["session_id"], data["disposition"], data["corrected"]) == (str(analysis.pk), "scheduled", [])
