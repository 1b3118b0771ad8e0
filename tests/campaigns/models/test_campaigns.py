from datetime import time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from uuid_utils.compat import uuid7

from campaigns.enums import CampaignStatus, FinishReason, MembershipState
from campaigns.models import Campaign, CampaignContact
from tests.campaigns import rows

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "columns",
    [
        {"starts_at": rows.NOW, "ends_at": rows.NOW},
        {"window_start": time(20), "window_end": time(9)},
        {"calls_per_minute": 0},
        {"max_concurrent": 0},
        {"max_attempts": 0},
        {"name": ""},
    ],
)
def test_a_campaign_that_could_never_call_is_refused(columns: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.make_campaign(**columns)


def test_only_running_campaigns_dial() -> None:
    agent = rows.make_campaign("draft").agent
    running = rows.make_campaign("running", agent=agent, status=CampaignStatus.RUNNING)
    rows.make_campaign("paused", agent=agent, status=CampaignStatus.PAUSED)
    assert list(Campaign.objects.running()) == [running]


def test_a_contact_is_in_a_campaign_once() -> None:
    member = rows.make_member(rows.make_campaign())
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.make_member(member.campaign, member.contact)


def test_who_waits_is_due_from_its_moment_on() -> None:
    member = rows.make_member(rows.make_campaign())
    moments = (rows.NOW - timedelta(seconds=1), rows.NOW)
    assert [list(CampaignContact.objects.due(at)) for at in moments] == [[], [member]]


def test_a_claim_expires_with_its_lease() -> None:
    member = rows.make_member(
        rows.make_campaign(), state=MembershipState.CLAIMED, lease_until=rows.NOW, lease_key=uuid7()
    )
    moments = (rows.NOW, rows.NOW + timedelta(seconds=1))
    assert [list(CampaignContact.objects.expired(at)) for at in moments] == [[], [member]]


@pytest.mark.parametrize(
    "columns",
    [
        {"state": MembershipState.CLAIMED},
        {"state": MembershipState.FINISHED, "finish_reason": FinishReason.REACHED},
        {"finished_at": rows.NOW},
    ],
)
def test_a_state_without_what_belongs_to_it_is_refused(columns: dict[str, Any]) -> None:
    campaign, contact = rows.make_campaign(), rows.make_contact()
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.make_member(campaign, contact, **columns)


def test_words_find_members_by_the_beginning_of_a_number_and_nothing_else() -> None:
    member = rows.make_member(rows.make_campaign(), rows.make_contact("+12125550101"))
    found = {words: list(CampaignContact.objects.matching({"words": words})) for words in ("+1 212", "212", "Ann", "")}
    assert found == {"+1 212": [member], "212": [], "Ann": [], "": [member]}
    with pytest.raises(ValueError, match="badly formed"):
        CampaignContact.objects.matching({"campaign": "none"})
