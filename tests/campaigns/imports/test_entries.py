"""One row as what it becomes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.enums import ConsentKind
from campaigns.imports import BadRow, Entry, GivenConsent, Plan, Row, read_entry
from campaigns.imports.entries import read_moment

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
ZONES = frozenset({"America/New_York", "Europe/Berlin"})


def plan(*targets: str, region: str = "US") -> Plan:
    return Plan(tuple(f"c_{target}" for target in targets), targets, region, "Import of list.csv", ZONES, NOW)


def read(given: dict[str, str], region: str = "US") -> Entry | BadRow:
    return read_entry(Row(7, tuple(given.values())), plan(*given, region=region))


def reasons(given: dict[str, str], region: str = "US") -> tuple[str, ...]:
    found = read(given, region)
    assert isinstance(found, BadRow)
    return found.reasons


def test_a_row_becomes_a_contact_with_its_fields_and_consent() -> None:
    row = {
        "phone": "212 555 0100", "name": "Ada", "region": "ny", "time_zone": "America/New York", "field:order": "=1+1",
        "consent": "Written", "consent_at": "11/05/2026", "consent_text": "I agree", "consent_seller": "Acme", "": "x",
    }  # fmt: skip
    consent = GivenConsent(
        ConsentKind.WRITTEN, datetime(2026, 11, 5, tzinfo=UTC), "Import of list.csv", "I agree", "Acme"
    )
    assert read(row) == Entry(7, "+12125550100", "Ada", "US-NY", "America/New_York", {"order": "=1+1"}, consent)


def test_a_name_in_two_parts_is_joined_and_kept_in_parts() -> None:
    row = {"phone": "212 555 0100", "first_name": "Ada", "last_name": "King"}
    assert read(row) == Entry(7, "+12125550100", "Ada King", fields={"first_name": "Ada", "last_name": "King"})


def test_every_reason_is_told_with_its_column() -> None:
    row = {"phone": "4.15555E+10", "region": "Atlantis", "time_zone": "Mars", "consent": "maybe", "name": "x" * 201}
    assert [reason.partition(":")[0] for reason in reasons(row)] == [
        *("c_phone", "c_region", "c_time_zone", "c_consent", "c_name")
    ]


@pytest.mark.parametrize(
    ("region", "text", "found"),
    [("US", "US-FL", "US-FL"), ("US", "FL", "US-FL"), ("US", "DE", "US-DE"), ("DE", "FR", "FR"), ("DE", "BY", "BY"),
     ("DE", "DE-BY", "DE-BY"), ("US", "US", "US"), ("US", "ZZ-SBX", "ZZ-SBX")],
)  # fmt: skip
def test_a_region_is_read_with_or_without_its_country(region: str, text: str, found: str) -> None:
    entry = read({"phone": "+12125550100", "region": text}, region)
    assert isinstance(entry, Entry)
    assert entry.region == found


@pytest.mark.parametrize("word", ["no", "Nein", "opt-out", "0", ""])
def test_no_consent_is_none(word: str) -> None:
    entry = read({"phone": "+12125550100", "consent": word, "consent_at": "2026-01-01"})
    assert isinstance(entry, Entry)
    assert entry.consent is None


@pytest.mark.parametrize(
    ("given_at", "reason"),
    [
        ("", "c_consent: the day on which it was given is missing; without it it proves nothing"),
        ("soon", "c_consent_at: soon is no date; write it as 2026-11-24"),
        ("2027-01-01", "c_consent_at: 2027-01-01 lies in the future"),
    ],
)
def test_a_consent_without_its_day_returns_the_row(given_at: str, reason: str) -> None:
    assert reasons({"phone": "+12125550100", "consent": "yes", "consent_at": given_at}) == (reason,)


@pytest.mark.parametrize(
    ("text", "is_month_first", "day"),
    [("2026-03-04", True, (3, 4)), ("03/04/2026", True, (3, 4)), ("03/04/2026", False, (4, 3)),
     ("13/04/2026", True, (4, 13)), ("04.03.2026", True, (3, 4)), ("2026-03-04T10:00:00+02:00", True, (3, 4))],
)  # fmt: skip
def test_days_are_read_as_the_country_writes_them(text: str, is_month_first: bool, day: tuple[int, int]) -> None:
    moment = read_moment(text, is_month_first=is_month_first)
    assert moment is not None
    assert (moment.month, moment.day) == day


def test_a_row_with_more_cells_than_columns_is_returned() -> None:
    assert read_entry(Row(3, ("+12125550100", "x")), plan("phone")) == BadRow(
        Row(3, ("+12125550100", "x")), ("the row has 2 cells, the table 1 columns: a delimiter stands in a text",)
    )


def test_a_row_in_another_encoding_is_returned() -> None:
    found = read_entry(Row(3, ("+12125550100", "M\udcfcller")), plan("phone", "name"))
    assert isinstance(found, BadRow)
    assert "another encoding" in found.reasons[0]


def test_a_long_field_is_returned() -> None:
    assert reasons({"phone": "+12125550100", "field:note": "x" * 2001}) == ("note: longer than 2000 characters",)


@given(st.lists(st.text(max_size=40), min_size=6, max_size=6))
def test_every_row_is_a_contact_or_has_a_reason(cells: list[str]) -> None:
    found = read_entry(Row(2, tuple(cells)), plan("phone", "name", "region", "time_zone", "consent", "consent_at"))
    assert isinstance(found, Entry) or found.reasons
