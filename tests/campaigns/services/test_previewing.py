from datetime import timedelta
from typing import Any

import pytest

from calls import services as call_services
from calls.enums import SuppressionSource
from campaigns import services
from campaigns.enums import CampaignStatus, DialReason, MembershipState
from campaigns.models import Campaign, PriceRow
from tests.calls import rows as call_rows
from tests.campaigns.rows import NOW, make_campaign, make_consent, make_contact, make_member

pytestmark = pytest.mark.django_db

NUMBERS = [f"+1212555{number}" for number in range(1000, 1010)]


def campaign_of_many(**columns: Any) -> Campaign:
    """Five could be called; one wants none, one never agreed, one has no name, one sleeps, one is due tomorrow."""
    agent = call_rows.agent(prompt="Talk to {{name}}.")
    campaign = make_campaign(agent=agent, **{"calls_per_minute": 1, "max_concurrent": 10} | columns)
    for number, e164 in enumerate(NUMBERS):
        contact = make_contact(e164, name="" if number == 7 else "Bo", time_zone="Asia/Tokyo" if number == 8 else "")
        if number != 6:
            make_consent(contact)
        later = NOW + timedelta(days=1) if number == 9 else NOW
        make_member(campaign, contact, next_attempt_at=later)
    call_services.suppress(NUMBERS[5], source=SuppressionSource.KEY, proof="pressed 9")
    return campaign


def test_the_preflight_counts_what_an_operator_should_know() -> None:
    campaign = campaign_of_many()
    PriceRow.objects.create(item="fake.minute", micros=14_000, effective_from="2026-01-01")
    Campaign.objects.update(carrier="fake")
    found = services.preflight(campaign.pk, at=NOW)
    assert (found.problems, found.contacts, found.examined, found.is_estimate) == ((), 10, 10, False)
    assert (found.missing_variables, found.without_consent, found.suppressed) == ({"name": 1}, 1, 1)
    assert found.held == {
        DialReason.SUPPRESSED: 1,
        DialReason.NO_CONSENT: 1,
        DialReason.MISSING_VARIABLES: 1,
        DialReason.OUTSIDE_LEGAL_HOURS: 1,
    }
    assert (found.callable, found.expected_seconds, found.expected_cost_micros) == (7, 7 * 60, 7 * 2 * 14_000)


def test_the_dry_run_dials_who_asked_to_be_called_though_the_attempts_are_used() -> None:
    campaign, contact = make_campaign(max_attempts=1), make_contact()
    make_consent(contact)
    make_member(campaign, contact, attempts=1, callback_at=NOW, next_attempt_at=NOW)
    found = services.plan_next_hour(campaign.pk, at=NOW)
    assert (found.would_dial, found.held) == (1, {})


def test_a_preflight_of_a_part_is_an_estimate_of_the_whole() -> None:
    campaign = campaign_of_many()
    found = services.preflight(campaign.pk, at=NOW, most=5)
    assert (found.examined, found.is_estimate, found.callable, found.expected_seconds) == (5, True, 5, 10 * 60)


def test_the_dry_run_says_whom_the_next_hour_reaches_and_why_not_the_rest() -> None:
    campaign = campaign_of_many()
    found = services.plan_next_hour(campaign.pk, at=NOW)
    assert (found.blocked_by, found.capacity, found.would_dial) == (None, 60, 5)
    assert (found.not_due, found.no_room, found.examined) == (1, 0, 9)
    assert [sample.e164 for sample in found.dialled_samples] == NUMBERS[:5]
    assert found.held == {
        DialReason.SUPPRESSED: 1,
        DialReason.NO_CONSENT: 1,
        DialReason.MISSING_VARIABLES: 1,
        DialReason.OUTSIDE_LEGAL_HOURS: 1,
    }
    assert found.held_samples[DialReason.MISSING_VARIABLES][0].detail == {"names": ["name"]}


def test_a_window_that_opens_within_the_hour_counts_and_a_slow_campaign_has_no_room() -> None:
    campaign = campaign_of_many(max_concurrent=1)
    campaign.members.filter(contact__e164__in=NUMBERS[5:]).delete()
    before_eight = NOW - timedelta(hours=4, minutes=30)
    found = services.plan_next_hour(campaign.pk, at=before_eight)
    assert (found.capacity, found.would_dial, found.held) == (30, 0, {})
    campaign.members.update(next_attempt_at=before_eight)
    Campaign.objects.update(window_start="08:00")
    found = services.plan_next_hour(campaign.pk, at=before_eight)
    assert (found.would_dial, found.held) == (0, {DialReason.OUTSIDE_LEGAL_HOURS: 5})
    found = services.plan_next_hour(campaign.pk, at=before_eight + timedelta(hours=1))
    assert (found.would_dial, found.held) == (5, {})


def test_a_paused_campaign_is_blocked_as_a_whole_and_nothing_is_written() -> None:
    campaign = campaign_of_many(status=CampaignStatus.PAUSED)
    found = services.plan_next_hour(campaign.pk, at=NOW)
    assert found.blocked_by is not None
    assert found.blocked_by.reason == DialReason.CAMPAIGN_NOT_RUNNING
    assert set(campaign.members.values_list("state", "held_because")) == {(MembershipState.WAITING, "")}
