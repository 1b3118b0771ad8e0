"""What the law asks for: dated rule rows in, the law of one person out. Pure; no legal advice.

A rule belongs to a jurisdiction: a country (``US``), a state (``US-FL``), ``US-*`` for every state that has no rule of
that kind in force, ``*`` for every country that has no rule at all. All that apply to a person hold at once, so the
strictest of them decides: hours intersect, closed days add up, the smaller number of calls counts.
"""

from collections.abc import Iterable, Mapping
from datetime import date, time
from functools import lru_cache
from typing import Any, assert_never

import msgspec
from msgspec import Struct

from campaigns.enums import CampaignKind, ConsentKind, DialReason, RuleKind

DAY_SECONDS = 86_400
ANYWHERE = "*"
_SUNDAY = 6


class ParameterError(ValueError):
    """A rule's parameters cannot be used. ``field`` names the one."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class CallingHours(Struct, frozen=True, forbid_unknown_fields=True):
    """From when until when, on the person's clock. ``weekdays``: 0 is Monday; the others are not spoken of."""

    start: str
    end: str
    weekdays: list[int] = msgspec.field(default_factory=lambda: list(range(7)))


class ForbiddenWeekdays(Struct, frozen=True, forbid_unknown_fields=True):
    """Days without calls; 0 is Monday, 6 is Sunday."""

    weekdays: list[int]


class Holidays(Struct, frozen=True, forbid_unknown_fields=True):
    """Holidays without calls: those of a calendar that the ``holidays`` library keeps, and dates beside it."""

    country: str = ""
    subdivision: str = ""
    dates: list[str] = []
    """Each ``2026-11-26``, or ``12-24`` for every year."""


class MaxAttemptsPerDay(Struct, frozen=True, forbid_unknown_fields=True):
    """The most calls to one number, whatever the campaign, in any span of so many hours."""

    calls: int
    hours: int = 24


class ConsentNeeded(Struct, frozen=True, forbid_unknown_fields=True):
    """Which consent a call needs; a written one is an express one too."""

    kind: ConsentKind


class DoNotCallListNeeded(Struct, frozen=True, forbid_unknown_fields=True):
    """How old the copy of the public list of a jurisdiction may be."""

    max_age_days: int
    jurisdiction: str = "US"


class ScrubNeeded(Struct, frozen=True, forbid_unknown_fields=True):
    """How long ago a reassigned-numbers service may have been asked."""

    max_age_days: int


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


Parameters = (
    CallingHours
    | ForbiddenWeekdays
    | Holidays
    | MaxAttemptsPerDay
    | ConsentNeeded
    | DoNotCallListNeeded
    | ScrubNeeded
    | Nothing
)

_SHAPES: Mapping[RuleKind, type[Parameters]] = {
    RuleKind.CALLING_HOURS: CallingHours,
    RuleKind.FORBIDDEN_WEEKDAYS: ForbiddenWeekdays,
    RuleKind.HOLIDAYS: Holidays,
    RuleKind.MAX_ATTEMPTS_PER_DAY: MaxAttemptsPerDay,
    RuleKind.CONSENT: ConsentNeeded,
    RuleKind.DO_NOT_CALL_LIST: DoNotCallListNeeded,
    RuleKind.SCRUB: ScrubNeeded,
    RuleKind.VOICEMAIL_OPT_OUT: Nothing,
    RuleKind.ALWAYS_OPEN: Nothing,
}


def read_parameters(kind: RuleKind, parameters: Mapping[str, Any]) -> Parameters:
    """Read a rule's parameters. Raises ``ParameterError`` that names the field and says what is wanted."""
    try:
        read = msgspec.convert(parameters, _SHAPES[kind])
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        field = path.strip(".`").partition("[")[0] or (text.split("`")[1] if "`" in text else "parameters")
        raise ParameterError(text, field=field) from None
    _check(read)
    return read


def _check(read: Parameters) -> None:
    match read:
        case CallingHours():
            _check_weekdays(read.weekdays)
            if _seconds("start", read.start) >= _seconds("end", read.end):
                message = "the hours end before they begin"
                raise ParameterError(message, field="end")
        case ForbiddenWeekdays():
            _check_weekdays(read.weekdays)
        case Holidays():
            for word in read.dates:
                _date_of(word)
            _check_calendar(read)
        case MaxAttemptsPerDay():
            _check_positive("calls", read.calls)
            _check_positive("hours", read.hours)
        case DoNotCallListNeeded() | ScrubNeeded():
            _check_positive("max_age_days", read.max_age_days)
        case ConsentNeeded() | Nothing():
            pass
        case _:
            assert_never(read)


def _check_positive(field: str, number: int) -> None:
    if number < 1:
        message = "at least 1"
        raise ParameterError(message, field=field)


def _check_weekdays(weekdays: Iterable[int]) -> None:
    if not all(0 <= day <= _SUNDAY for day in weekdays):
        message = "0 (Monday) to 6 (Sunday)"
        raise ParameterError(message, field="weekdays")


def _check_calendar(read: Holidays) -> None:
    if read.subdivision and not read.country:
        message = "a subdivision needs its country"
        raise ParameterError(message, field="country")
    try:
        _calendar(read.country, read.subdivision, date.min.year + 2000)
    except NotImplementedError as error:
        raise ParameterError(str(error), field="subdivision" if "subdivision" in str(error) else "country") from None


def _seconds(field: str, word: str) -> int:
    """Read ``08:30`` as seconds since midnight; ``24:00`` is the day's end."""
    if word == "24:00":
        return DAY_SECONDS
    try:
        read = time.fromisoformat(word)
    except ValueError:
        message = "write it as 08:30"
        raise ParameterError(message, field=field) from None
    return seconds_of(read)


def seconds_of(moment: time) -> int:
    """Give the seconds since midnight; the last instant of a day counts as its end."""
    return DAY_SECONDS if moment >= time(23, 59, 59) else moment.hour * 3600 + moment.minute * 60 + moment.second


def _date_of(word: str) -> tuple[int | None, int, int]:
    """Read ``2026-11-26`` or ``12-24``."""
    try:
        if len(word) == len("12-24"):
            yearly = date.fromisoformat(f"2000-{word}")
            return None, yearly.month, yearly.day
        exact = date.fromisoformat(word)
    except ValueError:
        message = f"{word!r}: write it as 2026-12-24, or 12-24 for every year"
        raise ParameterError(message, field="dates") from None
    return exact.year, exact.month, exact.day


@lru_cache(maxsize=512)
def _calendar(country: str, subdivision: str, year: int) -> frozenset[date]:
    if not country:
        return frozenset()
    import holidays  # noqa: PLC0415 (only for rules that name a calendar)

    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


class Rule(Struct, frozen=True, kw_only=True):
    """One row of the table."""

    jurisdiction: str
    kind: RuleKind
    parameters: Parameters
    effective_from: date
    applies_to: CampaignKind | None = None
    effective_until: date | None = None
    citation: str = ""

    def is_in_force(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.effective_from <= day and (self.effective_until is None or day <= self.effective_until)


class DayHours(Struct, frozen=True):
    """The seconds of one day, since midnight on the person's clock, in which a call may begin. Closed: both 0."""

    start: int
    end: int
    closed_by: DialReason = DialReason.OUTSIDE_LEGAL_HOURS
    rules: tuple[str, ...] = ()
    """What decided, in words: ``US-FL calling hours (Fla. Stat. 501.616(6))``."""

    @property
    def is_closed(self) -> bool:
        """Whether no call may begin on that day."""
        return self.start >= self.end


class Law:
    """The rules that protect one kind of person from one kind of campaign, asked by the day."""

    def __init__(self, groups: Iterable[tuple[list[Rule], list[Rule]]]) -> None:
        """Take, for each of the person's regions, its own rules and those that stand in for missing ones."""
        self._groups = [group for group in groups if group[0] or group[1]]
        self._days: dict[date, DayHours] = {}

    def rules_on(self, day: date, kind: RuleKind) -> list[Rule]:
        """Give the rules of a kind that hold on a day."""
        return [rule for group in self._groups for rule in _rules_of(group, day, kind)]

    def _closing_on(self, day: date, kind: RuleKind) -> list[Rule]:
        """Give those of them that close hours or days: a region that is always open lifts its own, nobody else's."""
        closing = [group for group in self._groups if not _rules_of(group, day, RuleKind.ALWAYS_OPEN)]
        return [rule for group in closing for rule in _rules_of(group, day, kind)]

    def hours_on(self, day: date) -> DayHours:
        """Give when a call may begin on a day of the person's calendar."""
        if day not in self._days:
            self._days[day] = self._find_hours(day)
        return self._days[day]

    def _find_hours(self, day: date) -> DayHours:
        for kind, reason in (
            (RuleKind.FORBIDDEN_WEEKDAYS, DialReason.FORBIDDEN_DAY),
            (RuleKind.HOLIDAYS, DialReason.HOLIDAY),
        ):
            closing = [rule for rule in self._closing_on(day, kind) if _closes(rule.parameters, day)]
            if closing:
                return DayHours(0, 0, reason, _name(closing))
        start, end, deciding = 0, DAY_SECONDS, []
        for rule in self._closing_on(day, RuleKind.CALLING_HOURS):
            hours = rule.parameters
            if isinstance(hours, CallingHours) and day.weekday() in hours.weekdays:
                start, end = max(start, _seconds("start", hours.start)), min(end, _seconds("end", hours.end))
                deciding.append(rule)
        return DayHours(start, max(start, end), rules=_name(deciding))

    def caps_on(self, day: date) -> list[MaxAttemptsPerDay]:
        """Give the limits of calls to one number."""
        rules = self.rules_on(day, RuleKind.MAX_ATTEMPTS_PER_DAY)
        return [rule.parameters for rule in rules if isinstance(rule.parameters, MaxAttemptsPerDay)]

    def consent_on(self, day: date) -> ConsentKind | None:
        """Give the consent that a call needs: the strictest."""
        rules = self.rules_on(day, RuleKind.CONSENT)
        kinds = {rule.parameters.kind for rule in rules if isinstance(rule.parameters, ConsentNeeded)}
        return ConsentKind.WRITTEN if ConsentKind.WRITTEN in kinds else next(iter(kinds), None)

    def lists_on(self, day: date) -> dict[str, int]:
        """Give the public lists that must be looked at: jurisdiction to the most days of age."""
        ages: dict[str, int] = {}
        for rule in self.rules_on(day, RuleKind.DO_NOT_CALL_LIST):
            if isinstance(needed := rule.parameters, DoNotCallListNeeded):
                ages[needed.jurisdiction] = min(needed.max_age_days, ages.get(needed.jurisdiction, needed.max_age_days))
        return ages

    def scrub_on(self, day: date) -> int | None:
        """Give how many days ago a reassigned-numbers service may have been asked; None: it need not."""
        rules = self.rules_on(day, RuleKind.SCRUB)
        ages = [rule.parameters.max_age_days for rule in rules if isinstance(rule.parameters, ScrubNeeded)]
        return min(ages, default=None)

    def needs_voicemail_opt_out(self, day: date) -> bool:
        """Whether a message on a mailbox must name a number to opt out at."""
        return bool(self.rules_on(day, RuleKind.VOICEMAIL_OPT_OUT))


def _rules_of(group: tuple[list[Rule], list[Rule]], day: date, kind: RuleKind) -> list[Rule]:
    own, stand_ins = group
    mine = [rule for rule in own if rule.kind == kind and rule.is_in_force(day)]
    return mine or [rule for rule in stand_ins if rule.kind == kind and rule.is_in_force(day)]


def _closes(parameters: Parameters, day: date) -> bool:
    if isinstance(parameters, ForbiddenWeekdays):
        return day.weekday() in parameters.weekdays
    if isinstance(parameters, Holidays):
        named = any(_date_of(word) in {(None, day.month, day.day), _of(day)} for word in parameters.dates)
        return named or day in _calendar(parameters.country, parameters.subdivision, day.year)
    return False


def _of(day: date) -> tuple[int | None, int, int]:
    return day.year, day.month, day.day


def _name(rules: Iterable[Rule]) -> tuple[str, ...]:
    names = []
    for rule in rules:
        source = f" ({rule.citation})" if rule.citation else ""
        names.append(f"{rule.jurisdiction} {rule.kind.replace('_', ' ')}{source}")
    return tuple(dict.fromkeys(names))


class Rulebook:
    """All rules, asked by region."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_place: dict[str, list[Rule]] = {}
        for rule in rules:
            self._by_place.setdefault(rule.jurisdiction, []).append(rule)
        self._laws: dict[tuple[tuple[str, ...], CampaignKind], Law] = {}

    def law_of(self, regions: tuple[str, ...], kind: CampaignKind) -> Law:
        """Give what protects a person of these regions from campaigns of a kind."""
        if (regions, kind) not in self._laws:
            self._laws[regions, kind] = Law(self._group(region, kind) for region in regions or (ANYWHERE,))
        return self._laws[regions, kind]

    def _group(self, region: str, kind: CampaignKind) -> tuple[list[Rule], list[Rule]]:
        country, dash, _ = region.partition("-")
        if dash:
            stand_in = f"{country}-{ANYWHERE}"
            return self._of(region, kind), self._of(stand_in, kind) if stand_in != region else []
        return self._of(region if region in self._by_place else ANYWHERE, kind), []

    def _of(self, jurisdiction: str, kind: CampaignKind) -> list[Rule]:
        return [rule for rule in self._by_place.get(jurisdiction, []) if rule.applies_to in {None, kind}]
