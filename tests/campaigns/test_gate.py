from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns.enums import CampaignKind, CampaignStatus, ContactStatus, DialReason, RuleKind, VoicemailPolicy
from campaigns.gate import ALLOWED, LOOK_AGAIN, Decision, Gate, Given, Standing, Terms, decide_campaign
from campaigns.pacing import Hours
from tests.campaigns.laws import EXPRESS, WRITTEN, book, hours, person, rule

NOON = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
"""A Tuesday, in New York."""
REASON = DialReason
SALES = CampaignKind.SALES
RULES = book(
    hours("US", "08:00", "21:00"),
    rule("US", RuleKind.CONSENT, kind="express"),
    rule("US", RuleKind.CONSENT, SALES, kind="written"),
    rule("US", RuleKind.DO_NOT_CALL_LIST, SALES, max_age_days=31),
    rule("US-NY", RuleKind.MAX_ATTEMPTS_PER_DAY, calls=3),
    rule("US-FL", RuleKind.SCRUB, max_age_days=90),
)
FRESH = {"US": NOON - timedelta(days=3)}


def ask(at: datetime = NOON, terms: dict[str, Any] | None = None, **changes: Any) -> Decision:
    return Gate(RULES, Terms(**terms or {})).decide(person(**changes), at)


def test_who_agreed_is_called_in_the_daytime() -> None:
    assert ask() == ALLOWED
    assert ask(terms={"kind": SALES, "list_dates": FRESH}, consents=(WRITTEN,)) == ALLOWED


@pytest.mark.parametrize(
    ("terms", "changes", "reason"),
    [
        ({}, {"is_suppressed": True, "consents": ()}, REASON.SUPPRESSED),
        ({}, {"status": ContactStatus.WRONG_NUMBER}, REASON.CONTACT_NOT_ACTIVE),
        ({"max_attempts": 3}, {"attempts": 3}, REASON.ATTEMPTS_USED),
        ({}, {"consents": ()}, REASON.NO_CONSENT),
        ({}, {"consents": (Given(EXPRESS.kind, "Acme"),)}, REASON.NO_CONSENT),
        ({"seller": "Acme"}, {"consents": (Given(EXPRESS.kind, "Acme"),)}, REASON.ALLOWED),
        ({"kind": SALES, "list_dates": FRESH}, {}, REASON.CONSENT_NOT_WRITTEN),
        ({"kind": SALES}, {"consents": (WRITTEN,)}, REASON.DO_NOT_CALL_LIST_STALE),
        (
            {"kind": SALES, "list_dates": {"US": NOON - timedelta(days=32)}},
            {"consents": (WRITTEN,)},
            REASON.DO_NOT_CALL_LIST_STALE,
        ),
        (
            {"kind": SALES, "list_dates": FRESH},
            {"consents": (WRITTEN,), "listed_on": ("US",)},
            REASON.ON_DO_NOT_CALL_LIST,
        ),
        ({}, {"listed_on": ("US",)}, REASON.ALLOWED),
        ({}, {"regions": ("US", "US-FL")}, REASON.NUMBER_NOT_SCRUBBED),
        ({}, {"regions": ("US", "US-FL"), "scrubbed_at": NOON - timedelta(days=89)}, REASON.ALLOWED),
        ({}, {"missing_variables": ("balance",)}, REASON.MISSING_VARIABLES),
        ({}, {"zones": ()}, REASON.NO_TIME_ZONE),
        (
            {"hours": Hours(start=9 * 3600, end=17 * 3600)},
            {"zones": ("America/New_York", "Asia/Bangkok")},
            REASON.WINDOW_NEVER_OPENS,
        ),
        ({}, {"zones": ("Asia/Tokyo",)}, REASON.OUTSIDE_LEGAL_HOURS),
        ({"hours": Hours(end=11 * 3600)}, {}, REASON.OUTSIDE_CAMPAIGN_WINDOW),
        ({"hours": Hours(weekdays=frozenset())}, {}, REASON.WINDOW_NEVER_OPENS),
        ({"hours": Hours(starts_at=NOON + timedelta(days=1))}, {}, REASON.CAMPAIGN_NOT_STARTED),
        ({}, {"is_on_the_line": True}, REASON.ALREADY_ON_THE_LINE),
    ],
)
def test_what_speaks_against_a_call_is_the_reason(
    terms: dict[str, Any], changes: dict[str, Any], reason: DialReason
) -> None:
    assert ask(terms=terms, **changes).reason == reason


def test_a_closed_window_says_which_rule_closed_it_and_when_it_opens() -> None:
    night = NOON + timedelta(hours=12)
    opens = datetime(2026, 11, 25, 13, 0, tzinfo=UTC)
    assert ask(night) == Decision(
        reason=REASON.OUTSIDE_LEGAL_HOURS,
        detail={
            "zone": "America/New_York",
            "rules": ["US calling hours"],
            "opens_at": "2026-11-25T13:00:00+00:00",
        },
        retry_at=opens,
    )
    assert ask(opens) == ALLOWED
    assert ask(opens - timedelta(seconds=1)).reason == REASON.OUTSIDE_LEGAL_HOURS


def test_an_opening_after_the_campaigns_end_never_comes() -> None:
    night = NOON + timedelta(hours=12)
    decision = ask(night, terms={"hours": Hours(ends_at=night + timedelta(hours=2))})
    assert (decision.reason, decision.detail["closed_by"]) == (REASON.WINDOW_NEVER_OPENS, "outside_legal_hours")


def test_the_fourth_call_in_a_day_waits_until_the_first_is_a_day_ago() -> None:
    first = NOON - timedelta(hours=20)
    recent = (first - timedelta(days=2), first, NOON - timedelta(hours=2), NOON - timedelta(hours=1))
    assert ask(recent=recent) == Decision(
        reason=REASON.TOO_MANY_ATTEMPTS_TODAY,
        detail={"calls": 3, "most": 3, "hours": 24},
        retry_at=first + timedelta(hours=24),
    )
    assert ask(recent=recent[:3]) == ALLOWED
    assert ask(first + timedelta(hours=24), recent=recent) == ALLOWED


def test_a_cap_that_ends_at_night_waits_for_the_morning() -> None:
    first = NOON - timedelta(hours=12)
    recent = (first, NOON - timedelta(hours=2), NOON - timedelta(hours=1))
    assert ask(recent=recent).retry_at == datetime(2026, 11, 25, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "reason", "retry_at"),
    [
        ({}, REASON.ALLOWED, None),
        ({"status": CampaignStatus.PAUSED}, REASON.CAMPAIGN_NOT_RUNNING, None),
        ({"starts_at": NOON + LOOK_AGAIN}, REASON.CAMPAIGN_NOT_STARTED, NOON + LOOK_AGAIN),
        ({"ends_at": NOON}, REASON.CAMPAIGN_OVER, None),
        (
            {"budget_micros": 100, "spent_micros": 60, "reserved_micros": 20, "next_call_micros": 20},
            REASON.ALLOWED,
            None,
        ),
        (
            {"budget_micros": 100, "spent_micros": 60, "reserved_micros": 21, "next_call_micros": 20},
            REASON.OVER_BUDGET,
            NOON + LOOK_AGAIN,
        ),
        ({"has_caller_id": False}, REASON.NO_CALLER_ID, NOON + LOOK_AGAIN),
        ({"free_caller_ids": 0}, REASON.CALLER_ID_CAP, NOON + LOOK_AGAIN),
        ({"needs_opt_out_number": True}, REASON.ALLOWED, None),
        (
            {"needs_opt_out_number": True, "voicemail": VoicemailPolicy.LEAVE_MESSAGE},
            REASON.VOICEMAIL_NEEDS_OPT_OUT_NUMBER,
            NOON + LOOK_AGAIN,
        ),
        (
            {"needs_opt_out_number": True, "voicemail": VoicemailPolicy.LEAVE_MESSAGE, "has_opt_out_number": True},
            REASON.ALLOWED,
            None,
        ),
    ],
)
def test_a_campaign_dials_only_while_it_runs_and_has_what_it_needs(
    changes: dict[str, Any], reason: DialReason, retry_at: datetime | None
) -> None:
    decision = decide_campaign(Standing(**{"status": CampaignStatus.RUNNING} | changes), NOON)
    assert (decision.reason, decision.retry_at) == (reason, retry_at)
