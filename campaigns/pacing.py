"""When a contact may be called, when it is tried again, and how fast a campaign goes. Pure: moments are arguments.

A moment is open if on the clock of every zone in which the person may be it lies within the campaign's own window and
the law's hours of that day. Daylight saving needs no rule of its own: a moment is asked about, never a clock's face.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from campaigns.compliance import DAY_SECONDS, Law, seconds_of
from campaigns.enums import DialReason, Outcome

HORIZON_DAYS = 400
"""A window that stays shut for longer never opens: every weekday and every yearly holiday lies within."""


class Hours(Struct, frozen=True, kw_only=True):
    """A campaign's own window, in seconds since midnight on the contact's clock; when it begins and ends at all."""

    start: int = 0
    end: int = DAY_SECONDS
    weekdays: frozenset[int] = frozenset(range(7))
    starts_at: datetime | None = None
    ends_at: datetime | None = None


class Closed(Struct, frozen=True):
    """Why a moment is not open."""

    reason: DialReason
    rules: tuple[str, ...] = ()
    zone: str = ""


class Span(Struct, frozen=True):
    """When a call may begin next: from ``opens_at``, and, in that zone which closes first, before ``closes_at``."""

    opens_at: datetime
    closes_at: datetime


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


class Window:
    """When one kind of person may be called by one campaign."""

    def __init__(self, hours: Hours, law: Law, zones: tuple[str, ...]) -> None:
        """Take the zones in which the person may be; at least one."""
        if not zones:
            message = "a window needs a time zone"
            raise ValueError(message)
        self._hours, self._law = hours, law
        self._zones = tuple(_zone(name) for name in zones)
        self._found: tuple[datetime, Span | None] | None = None

    def closed_by(self, at: datetime) -> Closed | None:
        """Say why no call may begin at a moment; None: it may."""
        if self._hours.starts_at is not None and at < self._hours.starts_at:
            return Closed(DialReason.CAMPAIGN_NOT_STARTED)
        if self._hours.ends_at is not None and at >= self._hours.ends_at:
            return Closed(DialReason.CAMPAIGN_OVER)
        for zone in self._zones:
            if closed := self._closed_in(zone, at):
                return closed
        return None

    def _closed_in(self, zone: ZoneInfo, at: datetime) -> Closed | None:
        local = at.astimezone(zone)
        second = local.hour * 3600 + local.minute * 60 + local.second
        legal = self._law.hours_on(local.date())
        if not legal.start <= second < legal.end:
            return Closed(legal.closed_by, legal.rules, zone.key)
        own = local.weekday() in self._hours.weekdays and self._hours.start <= second < self._hours.end
        return None if own else Closed(DialReason.OUTSIDE_CAMPAIGN_WINDOW, (), zone.key)

    def next_opening(self, at: datetime) -> datetime | None:
        """Give the first moment from ``at`` on at which a call may begin. None: the window never opens again."""
        span = self.next_span(at)
        return span.opens_at if span else None

    def next_span(self, at: datetime) -> Span | None:
        """Give the next opening and its end; the same answer serves every question until that end."""
        at = max(at, self._hours.starts_at or at).astimezone(UTC)
        if self._found and self._found[0] <= at and (self._found[1] is None or at < self._found[1].closes_at):
            span = self._found[1]
            return span if span is None or at <= span.opens_at else Span(at, span.closes_at)
        span = self._find(at)
        self._found = (at, span)
        return span

    def _find(self, at: datetime) -> Span | None:
        """Move forward to what the strictest zone allows, until all of them do."""
        candidate, last = at, at + timedelta(days=HORIZON_DAYS)
        while candidate <= last:
            spans = [next(self._spans(zone, candidate, last), None) for zone in self._zones]
            found = [span for span in spans if span is not None]
            if len(found) < len(spans):
                return None
            opens_at = max(span.opens_at for span in found)
            closes_at = min(span.closes_at for span in found)
            if opens_at < closes_at:
                return self._before_the_end(Span(opens_at, closes_at))
            candidate = opens_at
        return None

    def _before_the_end(self, span: Span) -> Span | None:
        ends_at = self._hours.ends_at
        if ends_at is None:
            return span
        return Span(span.opens_at, min(span.closes_at, ends_at)) if span.opens_at < ends_at else None

    def _spans(self, zone: ZoneInfo, at: datetime, last: datetime) -> Iterator[Span]:
        """Give the spans of one zone that end after ``at``, cut to begin there."""
        day, stop = at.astimezone(zone).date(), last.astimezone(zone).date()
        while day <= stop:
            for opens_at, closes_at in self._day(zone, day):
                if closes_at > at:
                    yield Span(max(opens_at, at), closes_at)
            day += timedelta(days=1)

    def _day(self, zone: ZoneInfo, day: date) -> list[tuple[datetime, datetime]]:
        """Give the open spans of a day as moments; a clock that is set back in the midst of one makes two of them."""
        legal = self._law.hours_on(day)
        start, end = max(legal.start, self._hours.start), min(legal.end, self._hours.end)
        if start >= end or day.weekday() not in self._hours.weekdays:
            return []
        opens, closes = _moments(zone, day, start), _moments(zone, day, end)
        if len(opens) == len(closes) == 1:
            return [(opens[0], closes[0])] if opens[0] < closes[0] else []
        return _walk(zone, day, start, end, opens + closes)


def _moments(zone: ZoneInfo, day: date, second: int) -> list[datetime]:
    """Give the moments at which a clock shows a time of day: two where it is set back over it.

    Where it is set forward over it, the moment at which it is.
    """
    shown = datetime.combine(day, time()) + timedelta(seconds=second)
    first = shown.replace(tzinfo=zone).astimezone(UTC)
    second_time = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first <= second_time:
        return [first] if first == second_time else [first, second_time]
    return [_set_forward(zone, second_time, first)]


def _set_forward(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Give the moment between two at which the clock jumps, to the second."""
    offset = before.astimezone(zone).utcoffset()
    low, high = 0, math.ceil((after - before).total_seconds())
    while low < high:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            low = middle + 1
        else:
            high = middle
    return before + timedelta(seconds=low)


def _walk(zone: ZoneInfo, day: date, start: int, end: int, moments: list[datetime]) -> list[tuple[datetime, datetime]]:
    """Cut a day at these moments and where its clock is changed; keep the pieces whose clock shows an open time."""
    edges = sorted({*moments, *_changes(zone, min(moments))})
    pieces = []
    for opens_at, closes_at in pairwise(edges):
        local = opens_at.astimezone(zone)
        second = local.hour * 3600 + local.minute * 60 + local.second
        if local.date() == day and start <= second < end:
            pieces.append((opens_at, closes_at))
    return pieces


def _changes(zone: ZoneInfo, around: datetime) -> list[datetime]:
    """Give the moments within a day of another one at which the clock is changed."""
    found, step = [], timedelta(hours=1)
    moment = around - timedelta(days=1)
    while moment < around + timedelta(days=2):
        if moment.astimezone(zone).utcoffset() != (moment + step).astimezone(zone).utcoffset():
            found.append(_set_forward(zone, moment, moment + step))
        moment += step
    return found


class Retry(Struct, frozen=True, forbid_unknown_fields=True):
    """How often an outcome is tried again, and how many seconds later."""

    retries: int = 0
    after_seconds: int = 0


class RetryPolicyError(ValueError):
    """A retry policy cannot be used; the text names the outcome and the field."""


def read_retry_policy(policy: Mapping[str, Any]) -> dict[Outcome, Retry]:
    """Read a campaign's retry policy. Raises ``RetryPolicyError``."""
    try:
        read = msgspec.convert(policy, dict[Outcome, Retry])
    except msgspec.ValidationError as error:
        raise RetryPolicyError(str(error)) from None
    for outcome, retry in read.items():
        if retry.retries < 0 or retry.after_seconds < 0:
            message = f"{outcome}: retries and after_seconds are not below 0"
            raise RetryPolicyError(message)
    return read


def retry_at(
    policy: Mapping[Outcome, Retry], outcome: Outcome, *, earlier: int, ended_at: datetime, window: Window | None
) -> datetime | None:
    """Give when an outcome is tried again, always inside the window. None: it is not.

    ``earlier`` counts the retries of this outcome so far. Without a window (nobody knows the zone) the plain time is
    given; the gate holds the contact then.
    """
    retry = policy.get(outcome, Retry())
    if earlier >= retry.retries:
        return None
    plain = ended_at + timedelta(seconds=retry.after_seconds)
    return window.next_opening(plain) if window else plain


class Load(Struct, frozen=True, kw_only=True):
    """What is on the way already, seen from one campaign, carrier or installation."""

    busy: int
    """Calls on the line or about to be."""
    last_minute: int
    last_second: int


class Limits(Struct, frozen=True, kw_only=True):
    """The most that may be on the way. None: no limit."""

    concurrent: int | None = None
    a_minute: int | None = None
    a_second: int | None = None


UNLIMITED = 1_000_000
"""What stands for no limit."""


def room(load: Load, limits: Limits) -> int:
    """Give how many more calls may begin now. A minute's calls are spread over its seconds, not begun in one."""
    rooms = []
    if limits.concurrent is not None:
        rooms.append(limits.concurrent - load.busy)
    if limits.a_minute is not None:
        rooms += [limits.a_minute - load.last_minute, math.ceil(limits.a_minute / 60) - load.last_second]
    if limits.a_second is not None:
        rooms.append(limits.a_second - load.last_second)
    return max(0, min(rooms, default=UNLIMITED))


def hours_of(
    *, start: time, end: time, weekdays: list[int], starts_at: datetime | None, ends_at: datetime | None
) -> Hours:
    """Give a campaign's columns as its hours."""
    return Hours(
        start=seconds_of(start),
        end=seconds_of(end),
        weekdays=frozenset(weekdays),
        starts_at=starts_at,
        ends_at=ends_at,
    )
