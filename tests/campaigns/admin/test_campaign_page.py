from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache

from calls.enums import AttemptStatus
from calls.models import CallAttempt
from campaigns import services
from campaigns.admin import campaign_page
from campaigns.enums import CampaignStatus, ConsentKind, DialReason, FinishReason, MembershipState, Outcome
from campaigns.models import CallAnalysis, Campaign, CampaignAttempt, ContactList
from tests.calls import rows as call_rows
from tests.campaigns.admin.site import boss
from tests.campaigns.rows import NOW, make_campaign, make_consent, make_contact, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    cache.clear()


def call(campaign: Campaign, digits: int, outcome: Outcome | str, **columns: Any) -> None:
    """Store a call that ended, or one that is on the line."""
    is_over = bool(outcome)
    member = make_member(
        campaign,
        make_contact(f"+1212555{digits:04}"),
        state=MembershipState.WAITING if is_over else MembershipState.CALLING,
        **columns,
    )
    ended = {"ended_at": NOW} if is_over else {}
    status = AttemptStatus.COMPLETED if is_over else AttemptStatus.RINGING
    attempt = CallAttempt.objects.create(
        to_e164=member.contact.e164, carrier="sandbox", status=status, created_at=NOW, heard_at=NOW, **ended
    )
    CampaignAttempt.objects.create(
        attempt=attempt,
        campaign=campaign,
        member=member,
        number=1,
        outcome=outcome,
        created_at=NOW,
        **({"settled_at": NOW} if is_over else {}),
    )


def busy_campaign() -> Campaign:
    campaign = make_campaign(status=CampaignStatus.RUNNING, started_at=NOW, spent_micros=1_500_000)
    call(campaign, 100, Outcome.ANSWERED)
    call(campaign, 101, Outcome.BUSY)
    call(campaign, 102, "")
    make_member(campaign, make_contact("+12125550103"), held_because=DialReason.NO_CONSENT)
    return campaign


def test_the_page_counts_calls_contacts_and_money() -> None:
    shown = campaign_page.live(busy_campaign(), at=NOW + timedelta(seconds=5))
    assert [(name, figure) for name, figure, _ in shown["figures"]] == [
        ("On the line", "1"),
        ("Pace", "3"),
        ("Answer rate", "50%"),
        ("Done with", "0"),
        ("Cost so far", "1.50 USD"),
    ]
    assert next(remark for name, _, remark in shown["figures"] if name == "Answer rate") == "1 of 2 calls that rang"
    assert [(step["name"], step["count"]) for step in shown["funnel"]] == [
        ("Contacts", 4),
        ("Calls made", 3),
        ("Answered", 1),
        ("Persons reached", 0),
    ]
    assert {row["name"]: row["count"] for row in shown["outcomes"]} == {"Answered": 1, "Busy": 1}
    assert [(row["words"], row["count"]) for row in shown["waiting"]] == [("They have not agreed to be called", 1)]
    assert "held=no_consent" in shown["waiting"][0]["url"]


def test_the_chart_shows_the_last_minutes_by_how_calls_ended() -> None:
    chart = campaign_page.live(busy_campaign(), at=NOW + timedelta(seconds=90))["chart"]
    assert chart["labels"] == ["17:00", "17:01"]
    assert {series["label"]: series["data"] for series in chart["datasets"]} == {
        "Answered": [1, 0],
        "On the line": [1, 0],
        "Not answered": [1, 0],
    }


def test_an_old_campaign_is_drawn_by_hours() -> None:
    campaign = busy_campaign()
    campaign.started_at = NOW - timedelta(days=9)
    chart = campaign_page.live(campaign, at=NOW + timedelta(hours=2, minutes=1))["chart"]
    assert chart["labels"] == ["17:00", "18:00", "19:00"]


def test_a_campaign_that_is_over_says_who_was_never_called_and_why() -> None:
    campaign = make_campaign(status=CampaignStatus.FINISHED)
    ends = [
        (FinishReason.CAMPAIGN_OVER, DialReason.NO_CONSENT),
        (FinishReason.CAMPAIGN_OVER, ""),
        (FinishReason.REACHED, ""),
    ]
    for digits, (reason, held) in enumerate(ends):
        over = {"state": MembershipState.FINISHED, "finished_at": NOW, "finish_reason": reason, "held_because": held}
        make_member(campaign, make_contact(f"+1212555{100 + digits:04}"), **over)
    shown = campaign_page.live(campaign, at=NOW)
    assert [(row["words"], row["count"]) for row in shown["waiting"]] == [("They have not agreed to be called", 1)]
    assert [(row["name"], row["count"]) for row in shown["ends"]] == [("Campaign over", 2), ("Reached", 1)]
    assert (shown["is_over"], shown["refresh_seconds"]) == (True, 0)


def test_conversations_are_counted_by_what_came_of_them() -> None:
    campaign = busy_campaign()
    for attempt, disposition in zip(CallAttempt.objects.all(), ("scheduled", "scheduled", "callback"), strict=True):
        attempt.session = call_rows.ended_call()
        attempt.save()
        CallAnalysis.objects.create(
            session=attempt.session, campaign=campaign, status="done", disposition=disposition, analysed_at=NOW
        )
    CallAnalysis.objects.create(session=call_rows.ended_call(), status="done", disposition="other", analysed_at=NOW)
    shown = campaign_page.live(campaign, at=NOW)["dispositions"]
    assert [(row["name"], row["count"]) for row in shown] == [("Scheduled", 2), ("Callback", 1)]


def test_a_persons_latest_correction_counts_among_the_dispositions() -> None:
    campaign, person = busy_campaign(), boss()
    for attempt, disposition in zip(CallAttempt.objects.all(), ("scheduled", "scheduled", "callback"), strict=True):
        attempt.session = call_rows.ended_call()
        attempt.save()
        CallAnalysis.objects.create(
            session=attempt.session, campaign=campaign, status="done", disposition=disposition, analysed_at=NOW
        )
    assert attempt.session_id
    for second, value in enumerate(("scheduled", "qualified")):
        services.correct(attempt.session_id, "disposition", value, by=person, at=NOW + timedelta(seconds=second))
    shown = campaign_page.live(campaign, at=NOW)["dispositions"]
    assert [(row["name"], row["count"]) for row in shown] == [("Scheduled", 2), ("Qualified", 1)]


def test_figures_of_a_moment_serve_all_who_look() -> None:
    campaign = busy_campaign()
    first = campaign_page.live(campaign, at=NOW)
    make_member(campaign, make_contact("+12125550104"))
    assert campaign_page.live(campaign, at=NOW)["figures"] == first["figures"]
    cache.clear()
    assert campaign_page.live(campaign, at=NOW)["figures"] != first["figures"]


def test_what_holds_the_whole_campaign_back_is_said() -> None:
    campaign = busy_campaign()
    campaign.agent_version = campaign.agent.published
    campaign.budget_micros = 1
    campaign.save()
    shown = campaign_page.live(campaign, at=NOW)
    assert shown["blocked"]["words"] == "The budget does not cover one more call"


def test_the_preflight_counts_who_cannot_be_called() -> None:
    group = ContactList.objects.create(name="Spring")
    agreed, silent = make_contact("+12125550100"), make_contact("+12125550101")
    group.contacts.add(agreed, silent)
    make_consent(agreed, ConsentKind.EXPRESS)
    campaign = make_campaign()
    campaign.lists.add(group)
    shown = campaign_page.preflight(campaign, at=NOW)
    assert shown["problems"] == []
    assert [(row["words"], row["count"]) for row in shown["held"]] == [("They have not agreed to be called", 1)]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (5, "less than a minute"),
        (60, "about one minute"),
        (300, "about 5 minutes"),
        (4000, "about one hour"),
        (90_000, "about one day"),
    ],
)
def test_a_span_has_the_unit_that_fits(seconds: float, words: str) -> None:
    assert campaign_page.span(seconds) == words
