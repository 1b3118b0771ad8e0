from datetime import timedelta

import pytest

from calls import services as call_services
from calls.enums import AttemptStatus
from calls.models import CallAttempt
from campaigns import services
from campaigns.enums import CampaignStatus, FinishReason, MembershipState, Outcome
from campaigns.models import Campaign, CampaignAttempt, CampaignContact
from campaigns.services.sweeping import judge_campaign
from tests.campaigns.rows import NOW, make_callable, make_running, version_of

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def settled(campaign: Campaign, outcome: Outcome, *, count: int, since: int = 0) -> None:
    """Calls of one member, a minute apart."""
    member = CampaignContact.objects.filter(campaign=campaign).first() or make_callable(campaign)
    done = member.campaign_attempts.count()
    for number in range(count):
        at = NOW + (since + number) * MINUTE
        attempt = call_services.open_attempt(
            member.contact.e164,
            from_e164="+12125550199",
            carrier="fake",
            version_id=version_of(campaign),
            variables={},
            at=at,
        )
        CallAttempt.objects.filter(pk=attempt.pk).update(status=AttemptStatus.NOT_PLACED, ended_at=at)
        CampaignAttempt.objects.create(
            attempt=attempt,
            campaign=campaign,
            member=member,
            number=done + number + 1,
            outcome=outcome,
            created_at=at,
            settled_at=at,
        )


def test_a_breaker_pauses_with_its_evidence_and_a_resumed_campaign_is_judged_by_newer_calls() -> None:
    campaign = make_running()
    settled(campaign, Outcome.NOT_DIALLED, count=20)
    later = NOW + 30 * MINUTE
    services.sweep_campaigns(at=later)
    campaign.refresh_from_db()
    evidence = {"calls": 20, "errors": 20, "share": 1.0}
    assert (campaign.status, campaign.paused_because, campaign.pause_evidence) == (
        CampaignStatus.PAUSED,
        "The carrier fails.",
        evidence,
    )
    (event,) = campaign.events.all()
    assert (event.kind, event.actor, event.detail) == (
        "paused",
        None,
        {"reason": "The carrier fails.", "evidence": evidence},
    )
    services.resume_campaign(campaign.pk, by=None, at=later)
    assert judge_campaign(campaign.pk, at=later + MINUTE) is None
    settled(campaign, Outcome.FAILED, count=20, since=31)
    assert judge_campaign(campaign.pk, at=later + 60 * MINUTE) is not None


def test_a_campaign_that_ended_while_its_contacts_were_being_closed_is_closed() -> None:
    campaign = make_running()
    make_callable(campaign)
    Campaign.objects.update(status=CampaignStatus.FINISHED, finished_at=NOW)
    services.sweep_campaigns(at=NOW)
    member = CampaignContact.objects.get()
    assert (member.state, member.finish_reason) == (MembershipState.FINISHED, FinishReason.CAMPAIGN_OVER)
