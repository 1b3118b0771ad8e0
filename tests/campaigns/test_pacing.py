from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.compliance import Law
from campaigns.enums import DialReason, Outcome, RuleKind
from campaigns.pacing import (
    HORIZON_DAYS,
    Hours,
    Limits,
    Load,
    Retry,
    RetryPolicyError,
    Span,
    Window,
    hours_of,
    read_retry_policy,
    retry_at,
    room,
)
from tests.campaigns.laws import hours, rule

ZONES = [
    "America/New_York",
    "America/Los_Angeles",
    "America/Phoenix",
    "Pacific/Honolulu",
    "Europe/London",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/St_Johns",
    "Africa/Cairo",
    "America/Santiago",
    "UTC",
]
"""Half-hour changes, changes at midnight, zones on both sides of the date line."""
HOUR = 3600
EVERY_DAY = frozenset(range(7))

moments = st.integers(0, 5 * 366 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
near_changes = st.builds(
    lambda day, minutes: datetime.combine(day, time(), UTC) + timedelta(minutes=minutes),
    st.sampled_from([date(2026, 3, 8), date(2026, 11, 1), date(2026, 3, 29), date(2026, 10, 25), date(2028, 2, 29)]),
    st.integers(-60 * 20, 60 * 40),
)
clock = st.integers(0, 24 * 60).map(lambda minutes: f"{minutes // 60:02}:{minutes % 60:02}")
weekdays = st.sets(st.integers(0, 6)).map(sorted)


@st.composite
def laws(draw: st.DrawFn) -> Law:
    found = []
    for _ in range(draw(st.integers(0, 3))):
        start, end = sorted(draw(st.sets(clock, min_size=2, max_size=2)))
        found.append(hours("US", start, end, draw(weekdays)))
    if draw(st.booleans()):
        found.append(rule("US", RuleKind.FORBIDDEN_WEEKDAYS, weekdays=draw(weekdays)))
    if draw(st.booleans()):
        found.append(rule("US", RuleKind.HOLIDAYS, country="US", dates=["02-29", "03-08", "11-01"]))
    return Law([(found, [])])


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start, end = sorted(draw(st.sets(st.integers(0, 96), min_size=2, max_size=2)))
    own = Hours(start=start * 900, end=end * 900, weekdays=frozenset(draw(weekdays)))
    return Window(own, draw(laws()), tuple(draw(st.sets(st.sampled_from(ZONES), min_size=1, max_size=3))))


@settings(max_examples=300, deadline=None)
@given(windows(), moments | near_changes)
def test_no_opening_lies_outside_its_window_and_none_is_missed_for_any_zone_change_of_the_clock_and_rules(
    window: Window, at: datetime
) -> None:
    span = window.next_span(at)
    if span is None:
        later = [at + timedelta(hours=n * 31.7) for n in range(300)]
        assert all(window.closed_by(moment) for moment in later)
        return
    assert at <= span.opens_at < span.closes_at
    inside = span.closes_at - span.opens_at
    assert not any(window.closed_by(span.opens_at + inside * share) for share in (0, 0.3, 0.7, 0.999))
    before = span.opens_at - at
    assert all(window.closed_by(at + before * share) for share in (0, 0.2, 0.5, 0.8, 0.999) if before * share < before)


@settings(max_examples=200, deadline=None)
@given(
    windows(),
    moments | near_changes,
    st.sampled_from(list(Outcome)),
    st.integers(0, 4),
    st.integers(0, 3 * 86_400),
)
def test_no_next_attempt_lies_outside_its_window(
    window: Window, ended_at: datetime, outcome: Outcome, earlier: int, after: int
) -> None:
    policy = {outcome: Retry(retries=3, after_seconds=after)}
    found = retry_at(policy, outcome, earlier=earlier, ended_at=ended_at, window=window)
    if earlier >= 3:
        assert found is None
    if found is not None:
        assert found >= ended_at + timedelta(seconds=after)
        assert window.closed_by(found) is None


@pytest.mark.parametrize(
    ("start", "end", "at", "span"),
    [
        # The clock of New York is set back from two to one: half past one comes twice.
        ("01:30", "01:45", "2026-11-01T05:50", ("2026-11-01T06:30", "2026-11-01T06:45")),
        ("01:30", "01:45", "2026-11-01T05:00", ("2026-11-01T05:30", "2026-11-01T05:45")),
        ("01:30", "03:00", "2026-11-01T05:10", ("2026-11-01T05:30", "2026-11-01T06:00")),
        ("01:30", "03:00", "2026-11-01T06:10", ("2026-11-01T06:30", "2026-11-01T08:00")),
        ("00:30", "01:30", "2026-11-01T05:40", ("2026-11-01T06:00", "2026-11-01T06:30")),
        # It is set forward from two to three: half past two never comes.
        ("02:30", "03:15", "2026-03-08T05:00", ("2026-03-08T07:00", "2026-03-08T07:15")),
        ("01:30", "02:30", "2026-03-08T05:00", ("2026-03-08T06:30", "2026-03-08T07:00")),
        ("02:15", "02:45", "2026-03-08T05:00", ("2026-03-09T06:15", "2026-03-09T06:45")),
        # A leap day.
        ("09:00", "10:00", "2028-02-28T20:00", ("2028-02-29T14:00", "2028-02-29T15:00")),
    ],
)
def test_a_window_over_a_change_of_the_clock_opens_when_the_clock_shows_it(
    start: str, end: str, at: str, span: tuple[str, str]
) -> None:
    own = hours_of(
        start=time.fromisoformat(start),
        end=time.fromisoformat(end),
        weekdays=list(EVERY_DAY),
        starts_at=None,
        ends_at=None,
    )
    found = Window(own, Law([]), ("America/New_York",)).next_span(_utc(at))
    assert found == Span(*map(_utc, span))


def _utc(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


def test_many_questions_get_the_answers_of_fresh_windows() -> None:
    law = Law([([hours("US", "09:00", "20:00", [0, 1, 2, 3, 4]), hours("US", "12:00", "20:00", [5, 6])], [])])
    zones = ("America/New_York", "America/Los_Angeles")
    asked, start = Window(Hours(), law, zones), datetime(2026, 10, 30, tzinfo=UTC)
    for step in range(600):
        at = start + timedelta(minutes=23 * step)
        assert asked.next_span(at) == Window(Hours(), law, zones).next_span(at)


def test_a_window_that_never_opens_is_told_after_a_bounded_search() -> None:
    window = Window(
        Hours(weekdays=frozenset({6})), Law([([rule("US", RuleKind.FORBIDDEN_WEEKDAYS, weekdays=[6])], [])]), ("UTC",)
    )
    assert window.next_opening(datetime(2026, 11, 24, tzinfo=UTC)) is None
    assert HORIZON_DAYS > 366


def test_a_campaign_that_has_not_begun_opens_with_its_beginning_and_never_after_its_end() -> None:
    begins, ends = datetime(2026, 11, 25, 12, 30, tzinfo=UTC), datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
    window = Window(Hours(start=9 * HOUR, end=17 * HOUR, starts_at=begins, ends_at=ends), Law([]), ("UTC",))
    asked = [datetime(2026, 11, 20, tzinfo=UTC), begins + timedelta(hours=1), begins + timedelta(hours=5)]
    assert [window.next_opening(at) for at in asked] == [begins, begins + timedelta(hours=1), None]
    reasons = [closed and closed.reason for closed in map(window.closed_by, [asked[0], begins, ends])]
    assert reasons == [DialReason.CAMPAIGN_NOT_STARTED, None, DialReason.CAMPAIGN_OVER]


def test_several_zones_open_together_only() -> None:
    window = Window(Hours(start=9 * HOUR, end=20 * HOUR), Law([]), ("America/New_York", "Pacific/Honolulu"))
    span = window.next_span(datetime(2026, 11, 24, 12, 0, tzinfo=UTC))
    assert span is not None
    assert (span.opens_at, span.closes_at) == (
        datetime(2026, 11, 24, 19, 0, tzinfo=UTC),
        datetime(2026, 11, 25, 1, 0, tzinfo=UTC),
    )


def test_a_window_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        Window(Hours(), Law([]), ())


def test_an_outcome_without_a_policy_is_final_and_a_retry_waits_for_the_window() -> None:
    window = Window(Hours(start=9 * HOUR, end=17 * HOUR), Law([]), ("UTC",))
    policy = read_retry_policy({"busy": {"retries": 1, "after_seconds": 3600}})
    evening = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)
    answers = [
        retry_at(policy, Outcome.BUSY, earlier=0, ended_at=evening, window=window),
        retry_at(policy, Outcome.BUSY, earlier=0, ended_at=evening, window=None),
        retry_at(policy, Outcome.BUSY, earlier=1, ended_at=evening, window=window),
        retry_at(policy, Outcome.ANSWERED, earlier=0, ended_at=evening, window=window),
    ]
    assert answers == [
        datetime(2026, 11, 25, 9, 0, tzinfo=UTC),
        evening + timedelta(hours=1),
        None,
        None,
    ]


@pytest.mark.parametrize(
    "policy",
    [
        {"rude": {"retries": 1}},
        {"busy": {"retries": -1}},
        {"busy": {"after_seconds": -1}},
        {"busy": {"tries": 1}},
        {"busy": 3},
    ],
)
def test_a_retry_policy_that_cannot_be_used_is_refused(policy: dict[str, object]) -> None:
    with pytest.raises(RetryPolicyError):
        read_retry_policy(policy)


@pytest.mark.parametrize(
    ("load", "limits", "expected"),
    [
        (Load(busy=3, last_minute=0, last_second=0), Limits(concurrent=5), 2),
        (Load(busy=7, last_minute=0, last_second=0), Limits(concurrent=5), 0),
        (Load(busy=0, last_minute=0, last_second=0), Limits(a_minute=30), 1),
        (Load(busy=0, last_minute=29, last_second=0), Limits(a_minute=600), 10),
        (Load(busy=0, last_minute=29, last_second=1), Limits(a_minute=30), 0),
        (Load(busy=0, last_minute=30, last_second=0), Limits(a_minute=30), 0),
        (Load(busy=0, last_minute=9, last_second=3), Limits(a_second=4, concurrent=2), 1),
    ],
)
def test_there_is_room_for_what_no_limit_forbids(load: Load, limits: Limits, expected: int) -> None:
    assert room(load, limits) == expected


def test_a_campaigns_columns_are_its_hours() -> None:
    found = hours_of(start=time(9, 30), end=time.max, weekdays=[0, 1], starts_at=None, ends_at=None)
    assert found == Hours(start=9 * HOUR + 1800, end=24 * HOUR, weekdays=frozenset({0, 1}))
