import pytest

from campaigns.contacts import is_fictional, regions_of, variables_of, zones_of

NEW_YORK, CHICAGO = "America/New_York", "America/Chicago"


@pytest.mark.parametrize(
    ("e164", "region", "regions", "zones"),
    [
        ("+12125551234", "", ("US", "US-NY"), (NEW_YORK,)),
        ("+12125551234", "US-FL", ("US", "US-FL", "US-NY"), (CHICAGO, NEW_YORK)),
        ("+12125551234", "US-HI", ("US", "US-HI", "US-NY"), ("Pacific/Honolulu",)),
        ("+18505551234", "", ("US", "US-FL"), (CHICAGO, NEW_YORK)),
        ("+14235551234", "", ("US", "US-TN"), (CHICAGO, NEW_YORK)),
        ("+17875551234", "", ("US", "US-PR"), ("America/Puerto_Rico",)),
        ("+12025551234", "", ("US", "US-DC"), (NEW_YORK,)),
        ("+12065551234", "", ("US", "US-WA"), ("America/Los_Angeles",)),
        ("+18005551234", "", ("US", "US-*"), ()),
        ("+18005551234", "US-TX", ("US", "US-TX"), (CHICAGO, "America/Denver")),
        ("+14165551234", "", ("CA",), ("America/Toronto",)),
        ("+442079460000", "", ("GB",), ("Europe/London",)),
        ("+4915112345678", "DE-BY", ("DE", "DE-BY"), ("Europe/Berlin",)),
        ("+99912345678", "", (), ()),
    ],
)
def test_rules_of_number_and_address_hold_and_the_address_or_every_zone_of_the_area_code_tells_the_time(
    e164: str, region: str, regions: tuple[str, ...], zones: tuple[str, ...]
) -> None:
    assert (regions_of(e164, region), zones_of(e164, region)) == (regions, zones)


def test_a_time_zone_that_was_given_is_the_only_one() -> None:
    assert zones_of("+18505551234", "US-FL", "America/Denver") == ("America/Denver",)


@pytest.mark.parametrize("unknown", ["America/Atlantis", "America", "../etc", "EST\x005"])
def test_a_time_zone_that_nobody_knows_is_none_so_that_the_gate_holds_the_contact(unknown: str) -> None:
    assert zones_of("+18505551234", "US-FL", unknown) == ()


def test_the_sandbox_counts_for_numbers_of_fiction_only() -> None:
    assert {regions_of("+12125550100", region) for region in ("", "ZZ-SBX")} == {("ZZ-SBX",)}
    assert regions_of("+12125550100", "US-FL") == ("US", "US-FL", "US-NY")
    assert [zones_of(number) for number in ("+12125550100", "+15005550101", "+15005551234")] == [
        (NEW_YORK,),
        ("UTC",),
        (),
    ]
    assert regions_of("+12125551234", "ZZ-SBX") == ("US", "US-NY")
    assert zones_of("+12125551234", "ZZ-SBX") == (NEW_YORK,)
    numbers = ["+12125550099", "+12125550100", "+12125550199", "+12125550200", "+442125550100"]
    assert [is_fictional(number) for number in numbers] == [False, True, True, False, False]


def test_a_contact_fills_texts_with_its_fields_before_its_name_and_number() -> None:
    fields = {"name": "Bo", "balance": 12.5, "city": "  ", "note": None}
    assert variables_of("+12125551234", "Robert", fields) == {"name": "Bo", "phone": "+12125551234", "balance": "12.5"}
    assert variables_of("+12125551234", "", {}) == {"phone": "+12125551234"}
