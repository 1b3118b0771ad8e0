from datetime import timedelta

import pytest

from calls import services as call_services
from campaigns import services
from campaigns.enums import CampaignStatus, DialReason, FinishReason, MembershipState, Outcome
from campaigns.models import Campaign, CampaignAttempt
from campaigns.services import CampaignNumbers, numbers
from tests.campaigns.rows import NOW, make_campaign, make_contact, make_member, version_of

pytestmark = pytest.mark.django_db

WAITING, FINISHED = MembershipState.WAITING, MembershipState.FINISHED


def attempts_of(campaign: Campaign, outcomes: list[str]) -> None:
    for number, outcome in enumerate(outcomes):
        contact = make_contact(f"+12125551{number:03}")
        done = {"state": FINISHED, "finished_at": NOW, "finish_reason": FinishReason.REACHED, "next_attempt_at": None}
        member = make_member(campaign, contact, **(done if outcome else {"state": MembershipState.CALLING}))
        attempt = call_services.open_attempt(
            contact.e164,
            from_e164="+12125550199",
            carrier="fake",
            version_id=version_of(campaign),
            variables={},
            at=NOW - timedelta(minutes=number * 20),
        )
        CampaignAttempt.objects.create(
            attempt=attempt,
            campaign=campaign,
            member=member,
            number=1,
            outcome=outcome,
            created_at=attempt.created_at,
        )


def test_a_campaign_is_counted_by_state_reason_and_outcome() -> None:
    campaign = make_campaign(budget_micros=10, spent_micros=3)
    attempts_of(
        campaign, [Outcome.ANSWERED, Outcome.VOICEMAIL, Outcome.NO_ANSWER, Outcome.NO_ANSWER, Outcome.NOT_DIALLED, ""]
    )
    make_member(campaign, held_because=DialReason.NO_CONSENT)
    assert services.campaign_numbers(campaign.pk, at=NOW) == CampaignNumbers(
        contacts=7,
        states={MembershipState.CALLING: 1, FINISHED: 5, WAITING: 1},
        held={DialReason.NO_CONSENT: 1},
        finished={FinishReason.REACHED: 5},
        attempts=6,
        rated=4,
        on_the_line=1,
        outcomes={Outcome.ANSWERED: 1, Outcome.VOICEMAIL: 1, Outcome.NO_ANSWER: 2, Outcome.NOT_DIALLED: 1},
        answered=2,
        reached=5,
        answer_rate=0.5,
        calls_last_minute=1,
        calls_last_hour=3,
        spent_micros=3,
        budget_micros=10,
        blocked_by=None,
    )


def test_the_counts_of_a_big_campaign_are_used_again_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = make_campaign()
    make_member(campaign)
    assert services.campaign_numbers(campaign.pk, at=NOW).contacts == 1
    monkeypatch.setattr(numbers, "BIG", 2)
    make_member(campaign, make_contact("+12125550101"))
    assert services.campaign_numbers(campaign.pk, at=NOW).contacts == 2
    make_member(campaign, make_contact("+12125550102"))
    moments = [NOW + numbers.KEPT - timedelta(seconds=1), NOW - timedelta(seconds=1), NOW + numbers.KEPT]
    assert [services.campaign_numbers(campaign.pk, at=at).contacts for at in moments] == [2, 3, 3]


def test_what_holds_a_running_campaign_as_a_whole_is_told() -> None:
    campaign = make_campaign(status=CampaignStatus.RUNNING, ends_at=NOW)
    Campaign.objects.update(agent_version=campaign.agent.published_id)
    found = services.campaign_numbers(campaign.pk, at=NOW)
    assert found.blocked_by is not None
    assert (found.blocked_by.reason, found.answer_rate) == (DialReason.CAMPAIGN_OVER, None)
