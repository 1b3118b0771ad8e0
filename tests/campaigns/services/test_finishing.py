from typing import Any

import pytest

from campaigns.enums import CampaignStatus, MembershipState
from campaigns.models import Campaign
from campaigns.services.finishing import finish_if_done
from tests.campaigns.rows import NOW, make_callable, make_running

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("columns", "is_done"),
    [
        ({"held_because": "no_consent"}, True),
        ({"held_because": "outside_legal_hours"}, False),
        ({"held_because": "do_not_call_list_stale"}, False),
        ({}, False),
        ({"state": MembershipState.CALLING}, False),
        ({"state": MembershipState.FINISHED, "finished_at": NOW}, True),
    ],
)
def test_a_campaign_is_done_when_waiting_helps_nobody(columns: dict[str, Any], is_done: bool) -> None:
    campaign = make_running()
    make_callable(campaign, **columns)
    assert finish_if_done(campaign.pk, at=NOW) == is_done


def test_a_campaign_that_has_not_enrolled_or_does_not_run_is_not_finished() -> None:
    assert not finish_if_done(make_running(enrolled_at=None).pk, at=NOW)
    agent = Campaign.objects.get().agent
    assert not finish_if_done(make_running("Summer", agent=agent, status=CampaignStatus.PAUSED).pk, at=NOW)
