"""Days as people write them, as moments on the installation's clock."""

from datetime import date, datetime, time, timedelta

from django.utils.timezone import make_aware

_FIRST, _LAST = date(1900, 1, 1), date(9000, 1, 1)


def day_begins(text: str | None) -> datetime | None:
    """Give the first moment of a day written as 2026-11-25; None for what is no day."""
    day = _day(text)
    return None if day is None else make_aware(datetime.combine(day, time()))


def day_ends(text: str | None) -> datetime | None:
    """Give the first moment after a day; None for what is no day."""
    day = _day(text)
    return None if day is None else make_aware(datetime.combine(day + timedelta(days=1), time()))


def _day(text: str | None) -> date | None:
    try:
        return min(max(date.fromisoformat(text or ""), _FIRST), _LAST)
    except ValueError:
        return None
