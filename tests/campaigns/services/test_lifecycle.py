from datetime import timedelta
from typing import Any

import pytest

from campaigns import services
from campaigns.enums import CampaignStatus, FinishReason, MembershipState
from campaigns.errors import CampaignError
from campaigns.models import Campaign, CampaignEvent
from tests.calls import rows as call_rows
from tests.campaigns.rows import NOW, make_campaign, make_contact, make_member

pytestmark = pytest.mark.django_db


def ready(**columns: Any) -> Campaign:
    campaign = make_campaign(**columns)
    make_member(campaign)
    return campaign


def events(campaign: Campaign) -> list[str]:
    return list(CampaignEvent.objects.filter(campaign=campaign).order_by("at", "pk").values_list("kind", flat=True))


def test_a_campaign_moves_from_draft_to_its_end_and_each_step_is_done_once() -> None:
    campaign = ready()
    steps = [
        services.start_campaign(campaign.pk, by=None, at=NOW),
        services.start_campaign(campaign.pk, by=None, at=NOW),
        services.pause_campaign(campaign.pk, by=None, at=NOW, reason="lunch", evidence={"a": 1}),
        services.pause_campaign(campaign.pk, by=None, at=NOW, reason="again"),
    ]
    campaign.refresh_from_db()
    assert (steps, campaign.paused_because, campaign.pause_evidence) == (
        [True, False, True, False],
        "lunch",
        {"a": 1},
    )
    steps = [
        services.resume_campaign(campaign.pk, by=None, at=NOW),
        services.resume_campaign(campaign.pk, by=None, at=NOW),
        services.abort_campaign(campaign.pk, by=None, at=NOW + timedelta(hours=1)),
        services.abort_campaign(campaign.pk, by=None, at=NOW),
        services.start_campaign(campaign.pk, by=None, at=NOW),
    ]
    campaign.refresh_from_db()
    assert (steps, campaign.status, campaign.paused_because) == (
        [True, False, True, False, False],
        CampaignStatus.ABORTED,
        "",
    )
    assert (campaign.started_at, campaign.finished_at) == (NOW, NOW + timedelta(hours=1))
    assert events(campaign) == ["started", "paused", "resumed", "aborted"]


def test_a_start_fixes_the_agents_version() -> None:
    agent = call_rows.agent()
    campaign = ready(agent=agent)
    services.start_campaign(campaign.pk, by=None, at=NOW)
    campaign.refresh_from_db()
    assert campaign.agent_version_id == agent.published_id


def test_everything_that_keeps_a_campaign_from_starting_is_named_at_once() -> None:
    campaign = make_campaign(
        agent=call_rows.agent(published=False), ends_at=NOW, weekdays=[], retry_policy={"rude": {}}
    )
    with pytest.raises(CampaignError) as caught:
        services.start_campaign(campaign.pk, by=None, at=NOW)
    starts = [problem.split()[1] for problem in caught.value.problems]
    assert starts == ["agent", "campaign's", "calling", "campaign", "retry"]
    assert events(campaign) == []


def test_an_aborted_campaign_is_done_with_those_who_wait() -> None:
    campaign = ready()
    busy = make_member(campaign, make_contact("+12125550101"), state=MembershipState.CALLING, next_attempt_at=None)
    services.start_campaign(campaign.pk, by=None, at=NOW)
    services.abort_campaign(campaign.pk, by=None, at=NOW)
    found = dict(campaign.members.values_list("state", "finish_reason"))
    assert found == {MembershipState.FINISHED: FinishReason.CAMPAIGN_OVER, MembershipState.CALLING: ""}
    busy.refresh_from_db()
    assert busy.finished_at is None


def test_a_contact_is_removed_once_and_not_from_the_line() -> None:
    campaign = make_campaign()
    waiting = make_member(campaign)
    busy = make_member(campaign, make_contact("+12125550101"), state=MembershipState.CALLING)
    removed = [services.remove_contact(member.pk, by=None, at=NOW) for member in (waiting, waiting, busy)]
    waiting.refresh_from_db()
    assert (removed, waiting.finish_reason, waiting.next_attempt_at) == (
        [True, False, False],
        FinishReason.REMOVED,
        None,
    )
    assert events(campaign) == ["contact_removed"]
