from collections import Counter

import pytest

from calls.models import Suppression
from campaigns import services
from campaigns.demo import DEMO_PEOPLE
from campaigns.enums import CampaignStatus, DialReason
from campaigns.models import Campaign, Contact
from tests.calls import rows as call_rows
from tests.campaigns.rows import NOW

pytestmark = pytest.mark.django_db


def test_the_demo_is_an_ordinary_draft_bound_to_the_sandbox() -> None:
    campaign = services.ensure_demo(call_rows.agent(), at=NOW)
    assert campaign
    assert (campaign.status, campaign.carrier, campaign.max_concurrent) == (CampaignStatus.DRAFT, "sandbox", 2)
    assert services.start_problems(campaign, at=NOW) == []


def test_it_is_made_once_and_not_again_when_it_was_deleted() -> None:
    campaign = services.ensure_demo(call_rows.agent(), at=NOW)
    assert campaign
    assert services.ensure_demo(campaign.agent, at=NOW) is None
    campaign.delete()
    assert services.ensure_demo(campaign.agent, at=NOW) is None
    assert (Campaign.objects.count(), Contact.objects.count()) == (0, len(DEMO_PEOPLE))


def test_the_unchanged_gate_holds_back_three_people_each_for_its_own_reason() -> None:
    campaign = services.ensure_demo(call_rows.agent(), at=NOW)
    assert campaign
    found = services.preflight(campaign.pk, at=NOW)
    assert (found.contacts, found.callable) == (len(DEMO_PEOPLE), len(DEMO_PEOPLE) - 3)
    assert found.held == Counter([DialReason.SUPPRESSED, DialReason.NO_CONSENT, DialReason.WINDOW_NEVER_OPENS])
    assert Suppression.objects.count() == 1
