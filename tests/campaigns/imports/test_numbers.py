"""Telephone numbers as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.models.attempts import E164
from campaigns.imports import NumberRefusedError, known_regions, normalise


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("(212) 555-0100", "US", "+12125550100"),
        ("1-212-555-0100", "US", "+12125550100"),
        ("+44 20 7946 0000", "US", "+442079460000"),
        ("0044 20 7946 0000", "DE", "+442079460000"),
        ("030 123456", "DE", "+4930123456"),
        ("12125550100.0", "US", "+12125550100"),
        ("1.2125550100E+10", "US", "+12125550100"),
        ("２１２５５５０１００", "US", "+12125550100"),
        ("tel:+1-212-555-0100", "US", "+12125550100"),
    ],
)
def test_a_number_is_normalised(text: str, region: str, e164: str) -> None:
    assert normalise(text, region) == e164


@pytest.mark.parametrize(
    ("text", "region", "reason"),
    [
        ("", "US", "the number is missing"),
        ("4.15555E+10", "US", "has lost its digits"),
        ("Ada", "US", "is no telephone number"),
        ("212 555 0100", "", "does not say its country"),
        ("212 555 0100 ext. 5", "US", "has an extension"),
        ("555 0100", "US", "is no valid number in US"),
        ("+1 112 555 0100", "US", "is no valid number in US"),
    ],
)
def test_what_cannot_be_dialled_says_why(text: str, region: str, reason: str) -> None:
    with pytest.raises(NumberRefusedError, match=reason):
        normalise(text, region)


@given(st.text(max_size=80) | st.from_regex(r"\+?[0-9 ()./-]{3,20}", fullmatch=True))
def test_every_text_is_a_number_that_the_database_takes_or_is_refused(text: str) -> None:
    try:
        e164 = normalise(text, "US")
    except NumberRefusedError:
        return
    E164(e164)


def test_countries_are_known() -> None:
    assert {"US", "DE", "JP"} <= known_regions()
