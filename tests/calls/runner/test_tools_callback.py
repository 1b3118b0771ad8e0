from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from calls.errors import ToolRefusedError
from calls.runner.tools.callback import ScheduleCallback, zone_of

NOON = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


async def noted(arguments: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    await ScheduleCallback(NEW_YORK, lambda: NOON, found.append).use(arguments)
    return found


@pytest.mark.parametrize(
    ("at", "stored"),
    [
        ("2026-03-02T12:05", "2026-03-02T12:05-05:00"),
        ("2026-03-02 12:05", "2026-03-02T12:05-05:00"),
        ("2026-03-02T18:05+01:00", "2026-03-02T12:05-05:00"),
        ("2026-03-08T02:30", "2026-03-08T03:30-04:00"),  # the hour that the clock leaves out
        ("2026-05-01T11:59", "2026-05-01T11:59-04:00"),
    ],
)
async def test_a_time_is_stored_with_the_offset_that_the_caller_has_then(at: str, stored: str) -> None:
    assert await noted(f'{{"at": "{at}", "words": " later "}}') == [
        {"at": stored, "zone": "America/New_York", "words": "later"}
    ]


@pytest.mark.parametrize(
    ("at", "remedy"),
    [
        ("2026-03-02T12:00", "Ask for a time in the future"),
        ("2026-05-01T13:01", "Ask for a time within 60 days"),
        ("tomorrow", "write it like 2026-03-05T14:30"),
        ("2026-03-05", "has no time of day; ask for one"),
        ("9999-12-31T23:59", "is no time that a calendar has"),
        ("0001-01-01T00:00+14:00", "is no time that a calendar has"),
    ],
)
async def test_a_time_that_cannot_be_is_refused_with_the_remedy(at: str, remedy: str) -> None:
    with pytest.raises(ToolRefusedError, match=remedy):
        await noted(f'{{"at": "{at}"}}')


@pytest.mark.parametrize("arguments", ["", "[]", "{", '{"at": 5}', '{"words": "x"}', "[" * 100_000])
async def test_arguments_that_are_none_are_refused(arguments: str) -> None:
    with pytest.raises(ToolRefusedError):
        await noted(arguments)


@pytest.mark.parametrize(
    ("name", "zone"),
    [("Europe/Berlin", "Europe/Berlin"), ("", "America/New_York"), ("Nowhere/At_All", "America/New_York")],
)
def test_an_unknown_zone_gives_way_to_the_installations(name: str, zone: str) -> None:
    assert zone_of(name, "America/New_York").key == zone
    assert zone_of("../etc", "../passwd").key == "UTC"
