from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pytest_django.fixtures import Settings
from uuid_utils.compat import uuid7

from calls import services as call_services
from calls.models import CallAttempt
from campaigns.enums import CampaignStatus, DialReason, MembershipState
from campaigns.gate import GateRefusedError
from campaigns.models import CallerId, Campaign, CampaignAttempt, CampaignContact, PriceRow
from campaigns.services.admission import admission, free_caller_ids, room_for
from campaigns.services.costs import TYPICAL_SECONDS
from tests.campaigns.rows import NOW, make_campaign, make_consent, make_contact, make_member, version_of

pytestmark = pytest.mark.django_db

OUR_NUMBER = "+12125550199"


def running(**columns: Any) -> Campaign:
    campaign = make_campaign(status=CampaignStatus.RUNNING, carrier="fake", **columns)
    Campaign.objects.filter(pk=campaign.pk).update(agent_version=campaign.agent.published_id)
    campaign.refresh_from_db()
    return campaign


def claimed(campaign: Campaign, number: int = 0, key: UUID | None = None) -> CampaignContact:
    contact = make_contact(f"+121255510{number:02}")
    make_consent(contact)
    lease = {"lease_key": key or uuid7(), "lease_until": NOW}
    return make_member(campaign, contact, state=MembershipState.CLAIMED, **lease)


def dial(member: CampaignContact, *, from_e164: str = OUR_NUMBER, key: UUID | None = None) -> CallAttempt:
    assert member.lease_key is not None
    return call_services.open_attempt(
        member.contact.e164,
        from_e164=from_e164,
        carrier="fake",
        version_id=version_of(member.campaign),
        variables={},
        at=NOW,
        admit=admission(member.pk, lease_key=key or member.lease_key, at=NOW),
    )


def refusal(member: CampaignContact, **more: Any) -> DialReason | None:
    with pytest.raises(GateRefusedError) as caught:
        dial(member, **more)
    assert not CallAttempt.objects.filter(to_e164=member.contact.e164).exists()
    member.refresh_from_db()
    assert member.state == MembershipState.CLAIMED
    return caught.value.decision.reason if caught.value.decision else None


def test_what_is_admitted_is_one_commit_of_attempt_and_membership() -> None:
    member = claimed(running())
    attempt = dial(member)
    member.refresh_from_db()
    stored = CampaignAttempt.objects.get()
    assert (member.state, member.lease_key, member.lease_until) == (MembershipState.CALLING, None, None)
    assert (stored.attempt_id, stored.member_id, stored.number, stored.outcome) == (attempt.pk, member.pk, 1, "")


def test_a_claim_that_is_anothers_by_now_admits_nobody() -> None:
    assert refusal(claimed(running()), key=uuid7()) is None


def test_a_pause_and_an_edit_hold_before_the_next_dial() -> None:
    campaign = running()
    member = claimed(campaign)
    Campaign.objects.update(status=CampaignStatus.PAUSED)
    assert refusal(member) == DialReason.CAMPAIGN_NOT_RUNNING
    Campaign.objects.update(status=CampaignStatus.RUNNING, window_end="10:00")
    assert refusal(member) == DialReason.OUTSIDE_CAMPAIGN_WINDOW


def test_limits_of_campaign_carrier_and_installation_leave_no_room(settings: Settings) -> None:
    campaign = running(max_concurrent=2, calls_per_minute=600)
    dial(claimed(campaign, 1))
    assert room_for(campaign, at=NOW) == 1
    settings.CARRIER_LIMITS = {"fake": {"a_second": 1}}
    assert refusal(claimed(campaign, 2)) is None
    settings.CARRIER_LIMITS = {"fake": {"concurrent": 1}}
    assert room_for(campaign, at=NOW + timedelta(minutes=2)) == 0
    settings.CARRIER_LIMITS = {}
    settings.MAX_OUTBOUND_CALLS = 1
    assert room_for(campaign, at=NOW + timedelta(minutes=2)) == 0
    settings.MAX_OUTBOUND_CALLS = 50
    dial(claimed(campaign, 3))
    assert refusal(claimed(campaign, 4)) is None


def test_a_budget_holds_with_the_calls_on_the_line_at_their_worst() -> None:
    PriceRow.objects.create(item="fake.minute", micros=10, effective_from="2026-01-01")
    campaign = running(calls_per_minute=600, budget_micros=0)
    minutes = campaign.agent.max_duration_seconds // 60 + 1
    Campaign.objects.update(budget_micros=minutes * 10 * 2 + 9)
    for number in range(2):
        dial(claimed(Campaign.objects.get(), number))
    assert refusal(claimed(Campaign.objects.get(), 3)) == DialReason.OVER_BUDGET
    assert campaign.agent.max_duration_seconds > TYPICAL_SECONDS


def test_a_caller_id_has_its_cap_and_the_least_used_comes_first() -> None:
    campaign = running(calls_per_minute=600)
    numbers = [
        CallerId.objects.create(e164=f"+1212555019{number}", daily_cap=cap, is_verified=True)
        for number, cap in enumerate((1, 2, None))
    ]
    CallerId.objects.create(e164="+12125550198", is_verified=False)
    campaign.caller_ids.set(CallerId.objects.all())
    dial(claimed(campaign, 1), from_e164=numbers[0].e164)
    assert refusal(claimed(campaign, 2), from_e164=numbers[0].e164) == DialReason.CALLER_ID_CAP
    dial(claimed(campaign, 3), from_e164=numbers[1].e164)
    assert free_caller_ids(campaign, at=NOW) == [numbers[2].e164, numbers[1].e164]
    assert free_caller_ids(campaign, at=NOW + timedelta(hours=25)) == [number.e164 for number in numbers]


def test_a_campaign_with_numbers_of_its_own_calls_from_no_other() -> None:
    campaign = running()
    campaign.caller_ids.add(CallerId.objects.create(e164="+12125550190", is_verified=True))
    assert refusal(claimed(campaign), from_e164=OUR_NUMBER) == DialReason.CALLER_ID_CAP


def test_a_campaign_whose_numbers_are_not_verified_has_none() -> None:
    campaign = running()
    campaign.caller_ids.add(CallerId.objects.create(e164=OUR_NUMBER))
    assert refusal(claimed(campaign)) == DialReason.NO_CALLER_ID
