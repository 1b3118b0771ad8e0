from datetime import date
from typing import Any

import pytest
from msgspec import structs

from campaigns.compliance import DayHours, MaxAttemptsPerDay, ParameterError, read_parameters
from campaigns.enums import CampaignKind, ConsentKind, DialReason, RuleKind
from tests.campaigns.laws import book, hours, rule

SALES, INFORMATIONAL = CampaignKind.SALES, CampaignKind.INFORMATIONAL
TUESDAY, SUNDAY, THANKSGIVING = date(2026, 11, 24), date(2026, 11, 29), date(2026, 11, 26)
NEW_YORK = ("US", "US-NY")
HOUR = 3600


@pytest.mark.parametrize(
    ("kind", "parameters", "field"),
    [
        (RuleKind.CALLING_HOURS, {"start": "8", "end": "21:00"}, "start"),
        (RuleKind.CALLING_HOURS, {"start": "21:00", "end": "08:00"}, "end"),
        (RuleKind.CALLING_HOURS, {"start": "08:00"}, "end"),
        (RuleKind.CALLING_HOURS, {"start": "08:00", "end": "21:00", "weekdays": [7]}, "weekdays"),
        (RuleKind.CALLING_HOURS, {"start": "08:00", "end": "21:00", "weekdays": ["Monday"]}, "weekdays"),
        (RuleKind.CALLING_HOURS, {"start": "08:00", "end": "21:00", "until": "x"}, "until"),
        (RuleKind.FORBIDDEN_WEEKDAYS, {}, "weekdays"),
        (RuleKind.HOLIDAYS, {"country": "XX"}, "country"),
        (RuleKind.HOLIDAYS, {"country": "US", "subdivision": "QQ"}, "subdivision"),
        (RuleKind.HOLIDAYS, {"subdivision": "AL"}, "country"),
        (RuleKind.HOLIDAYS, {"dates": ["24.12."]}, "dates"),
        (RuleKind.MAX_ATTEMPTS_PER_DAY, {"calls": 0}, "calls"),
        (RuleKind.MAX_ATTEMPTS_PER_DAY, {"calls": 3, "hours": 0}, "hours"),
        (RuleKind.MAX_ATTEMPTS_PER_DAY, {"calls": "three"}, "calls"),
        (RuleKind.CONSENT, {"kind": "winked"}, "kind"),
        (RuleKind.DO_NOT_CALL_LIST, {"max_age_days": -1}, "max_age_days"),
        (RuleKind.SCRUB, {}, "max_age_days"),
        (RuleKind.ALWAYS_OPEN, {"really": True}, "really"),
    ],
)
def test_parameters_that_cannot_be_used_are_refused_by_name(
    kind: RuleKind, parameters: dict[str, Any], field: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        read_parameters(kind, parameters)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


def test_hours_of_all_that_apply_intersect_and_a_state_without_hours_gets_the_strict_ones() -> None:
    rules = book(
        hours("US", "08:00", "21:00"), hours("US-NY", "09:00", "22:00"), hours("US-*", "10:00", "20:00", list(range(6)))
    )
    law = rules.law_of(NEW_YORK, INFORMATIONAL)
    assert law.hours_on(TUESDAY) == DayHours(9 * HOUR, 21 * HOUR, rules=("US calling hours", "US-NY calling hours"))
    unknown = rules.law_of(("US", "US-CA"), INFORMATIONAL)
    assert unknown.hours_on(TUESDAY) == DayHours(10 * HOUR, 20 * HOUR, rules=("US calling hours", "US-* calling hours"))
    both = rules.law_of(("US", "US-CA", "US-NY"), INFORMATIONAL)
    assert (both.hours_on(TUESDAY).start, both.hours_on(TUESDAY).end) == (10 * HOUR, 20 * HOUR)


def test_a_country_without_rules_gets_those_of_anywhere() -> None:
    rules = book(hours("*", "09:00", "20:00"), hours("US", "08:00", "21:00"))
    assert rules.law_of(("GB",), SALES).hours_on(TUESDAY).start == 9 * HOUR
    assert rules.law_of((), SALES).hours_on(TUESDAY).start == 9 * HOUR
    assert rules.law_of(("US",), SALES).hours_on(TUESDAY).start == 8 * HOUR


def test_a_rule_holds_from_its_first_to_its_last_day() -> None:
    dated = structs.replace(
        hours("US", "10:00", "12:00"), effective_from=TUESDAY, effective_until=THANKSGIVING, citation="a law"
    )
    law = book(dated).law_of(("US",), SALES)
    days = [date(2026, 11, day) for day in (23, 24, 26, 27)]
    assert [law.hours_on(day).rules for day in days] == [(), *[("US calling hours (a law)",)] * 2, ()]


def test_forbidden_days_and_holidays_close_the_day() -> None:
    law = book(
        hours("US-AL", "08:00", "20:00"),
        rule("US-AL", RuleKind.FORBIDDEN_WEEKDAYS, weekdays=[6]),
        rule("US-AL", RuleKind.HOLIDAYS, country="US", subdivision="AL", dates=["11-24", "2026-12-30"]),
    ).law_of(("US-AL",), SALES)
    closed = {day: law.hours_on(day).closed_by for day in (SUNDAY, THANKSGIVING, TUESDAY, date(2026, 12, 30))}
    assert closed == {
        SUNDAY: DialReason.FORBIDDEN_DAY,
        THANKSGIVING: DialReason.HOLIDAY,
        TUESDAY: DialReason.HOLIDAY,
        date(2026, 12, 30): DialReason.HOLIDAY,
    }
    assert all(law.hours_on(day).is_closed for day in closed)
    assert not law.hours_on(date(2027, 12, 30)).is_closed


def test_always_open_opens_every_day() -> None:
    rules = book(rule("ZZ-SBX", RuleKind.ALWAYS_OPEN), rule("ZZ-SBX", RuleKind.FORBIDDEN_WEEKDAYS, weekdays=[6]))
    assert rules.law_of(("ZZ-SBX",), SALES).hours_on(SUNDAY) == DayHours(0, 24 * HOUR)


def test_a_region_that_is_always_open_lifts_its_own_hours_and_not_those_of_another() -> None:
    rules = book(
        rule("US-CA", RuleKind.ALWAYS_OPEN),
        hours("US-CA", "10:00", "12:00"),
        hours("US-NY", "09:00", "20:00"),
        rule("US-NY", RuleKind.FORBIDDEN_WEEKDAYS, weekdays=[6]),
    )
    assert rules.law_of(("US", "US-CA"), SALES).hours_on(SUNDAY) == DayHours(0, 24 * HOUR)
    both = rules.law_of(("US", "US-CA", "US-NY"), SALES)
    assert both.hours_on(SUNDAY).closed_by is DialReason.FORBIDDEN_DAY
    assert both.hours_on(TUESDAY) == DayHours(9 * HOUR, 20 * HOUR, rules=("US-NY calling hours",))


def test_the_strictest_of_consents_caps_and_ages_is_given_for_the_campaigns_kind() -> None:
    rules = book(
        rule("US", RuleKind.CONSENT, kind="express"),
        rule("US", RuleKind.CONSENT, SALES, kind="written"),
        rule("US-*", RuleKind.MAX_ATTEMPTS_PER_DAY, calls=3),
        rule("US", RuleKind.DO_NOT_CALL_LIST, SALES, max_age_days=31),
        rule("US-NY", RuleKind.DO_NOT_CALL_LIST, SALES, max_age_days=10),
        rule("US", RuleKind.SCRUB, max_age_days=90),
        rule("US", RuleKind.VOICEMAIL_OPT_OUT, SALES),
    )
    sales, other = rules.law_of(NEW_YORK, SALES), rules.law_of(NEW_YORK, INFORMATIONAL)
    assert (sales.consent_on(TUESDAY), other.consent_on(TUESDAY)) == (ConsentKind.WRITTEN, ConsentKind.EXPRESS)
    assert (sales.lists_on(TUESDAY), other.lists_on(TUESDAY)) == ({"US": 10}, {})
    assert (sales.caps_on(TUESDAY), sales.scrub_on(TUESDAY)) == ([MaxAttemptsPerDay(3)], 90)
    assert (sales.needs_voicemail_opt_out(TUESDAY), other.needs_voicemail_opt_out(TUESDAY)) == (True, False)
