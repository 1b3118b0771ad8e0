"""Days as moments."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from vantum.days import day_begins, day_ends


def test_a_day_with_a_change_of_clocks_ends_where_the_next_begins() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    with timezone.override(berlin):
        assert (day_begins("2026-10-25"), day_ends("2026-10-25")) == (
            datetime(2026, 10, 25, tzinfo=berlin),
            datetime(2026, 10, 26, tzinfo=berlin),
        )


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-02-30"])
def test_what_is_no_day_is_none(text: str | None) -> None:
    assert (day_begins(text), day_ends(text)) == (None, None)


def test_days_beyond_all_clocks_are_bounded() -> None:
    begins, ends = day_begins("0001-01-01"), day_ends("9999-12-31")
    assert begins
    assert ends
    assert (begins.year, ends.year) == (1900, 9000)
