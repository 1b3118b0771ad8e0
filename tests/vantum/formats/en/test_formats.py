from datetime import UTC, date, datetime, time

from django.utils.formats import localize


def test_moments_are_written_alike_on_every_page() -> None:
    moment = datetime(2026, 3, 1, 21, 5, tzinfo=UTC)
    assert [localize(value) for value in (moment, date(2026, 3, 1), time(21, 5))] == [
        "2026-03-01 21:05",
        "2026-03-01",
        "21:05",
    ]
