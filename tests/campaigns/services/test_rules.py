from datetime import UTC, date, datetime, timedelta

import pytest

from campaigns.compliance import Law
from campaigns.enums import CampaignKind, ConsentKind, DialReason
from campaigns.errors import CampaignError
from campaigns.models import ComplianceRule, DoNotCallList
from campaigns.services.rules import list_dates, rulebook

pytestmark = pytest.mark.django_db

TUESDAY, SUNDAY = date(2026, 11, 24), date(2026, 11, 29)
SALES = CampaignKind.SALES


def law(*regions: str) -> Law:
    return rulebook().law_of(regions, SALES)


def open_at(regions: tuple[str, ...], day: date) -> str:
    hours = law(*regions).hours_on(day)
    return hours.closed_by if hours.is_closed else f"{hours.start / 3600:g}-{hours.end / 3600:g}"


@pytest.mark.parametrize(
    ("region", "tuesday", "sunday"),
    [
        ("US-FL", "8-20", "8-20"),
        ("US-OK", "8-20", "8-20"),
        ("US-MD", "8-20", "8-20"),
        ("US-TX", "9-21", "12-21"),
        ("US-CA", "9-20", "12-20"),
        ("US-*", "9-20", "12-20"),
        *((f"US-{state}", "9-20", DialReason.FORBIDDEN_DAY) for state in ("AL", "LA", "MS", "PA", "UT")),
    ],
)
def test_the_installation_begins_with_the_hours_of_the_states(region: str, tuesday: str, sunday: str) -> None:
    assert (open_at(("US", region), TUESDAY), open_at(("US", region), SUNDAY)) == (tuesday, sunday)


def test_the_installation_begins_with_federal_rules_strict_ones_abroad_and_none_in_the_sandbox() -> None:
    federal = law("US", "US-CA")
    assert (federal.consent_on(TUESDAY), federal.lists_on(TUESDAY)) == (ConsentKind.WRITTEN, {"US": 31})
    assert rulebook().law_of(("US",), CampaignKind.INFORMATIONAL).consent_on(TUESDAY) == ConsentKind.EXPRESS
    assert {region: len(law("US", region).caps_on(TUESDAY)) for region in ("US-FL", "US-OK", "US-MD", "US-CA")} == {
        "US-FL": 1,
        "US-OK": 1,
        "US-MD": 1,
        "US-CA": 1,
    }
    assert open_at(("US", "US-AL"), date(2026, 11, 26)) == DialReason.HOLIDAY
    assert (open_at(("GB",), TUESDAY), open_at(("GB",), SUNDAY)) == ("9-20", DialReason.FORBIDDEN_DAY)
    assert (open_at(("ZZ-SBX",), SUNDAY), law("ZZ-SBX").caps_on(SUNDAY)) == ("0-24", [])


def test_every_rule_of_the_installation_can_be_read_and_says_where_it_comes_from() -> None:
    rows = list(ComplianceRule.objects.all())
    for row in rows:
        row.full_clean()
    assert [row.pk for row in rows if not row.citation] == []


def test_a_changed_rule_counts_from_the_next_question_on() -> None:
    assert open_at(("US", "US-FL"), TUESDAY) == "8-20"
    row = ComplianceRule.objects.get(jurisdiction="US-FL", kind="calling_hours")
    row.parameters = {"start": "10:00", "end": "11:00"}
    row.save()
    assert open_at(("US", "US-FL"), TUESDAY) == "10-11"
    row.delete()
    assert open_at(("US", "US-FL"), TUESDAY) == "9-20"


def test_a_rule_that_cannot_be_read_lets_nobody_be_called() -> None:
    row = ComplianceRule.objects.get(jurisdiction="US-FL", kind="calling_hours")
    row.parameters = {"start": "ten"}
    row.save()
    with pytest.raises(CampaignError, match="cannot be read"):
        rulebook()
    row.is_enabled = False
    row.save()
    assert open_at(("US", "US-FL"), TUESDAY) == "9-20"


def test_the_newest_complete_copy_of_a_list_counts() -> None:
    day = timedelta(days=1)
    for age, is_complete in ((3, True), (2, True), (1, False)):
        DoNotCallList.objects.create(name="FTC", version_date=TUESDAY - age * day, is_complete=is_complete)
    assert list_dates() == {"US": datetime(2026, 11, 22, tzinfo=UTC)}
