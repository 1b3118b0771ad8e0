"""One row as what it becomes: a contact with its fields and consent, or every reason why it becomes none."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from msgspec import Struct

from campaigns.enums import ConsentKind
from campaigns.imports.mapping import FIELD, IGNORE
from campaigns.imports.numbers import NumberRefusedError, known_regions, normalise
from campaigns.imports.reading import Row, is_damaged

_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?\Z")
_CODE = re.compile(r"[A-Z0-9]{1,3}\Z")
_YES = frozenset("yes y true t 1 x ja oui si sí sim express opt-in optin opted-in subscribed".split())
_NO = frozenset("no n false f 0 nein non não nao none - opt-out optout unsubscribed".split())
_WRITTEN = frozenset("written write schriftlich escrito écrit ecrit signed".split())
_MONTH_FIRST = frozenset({"US", "PH"})
_LONGEST = {"name": 200, "consent_source": 200, "consent_seller": 200}
_LONGEST_FIELD = 2000


class GivenConsent(Struct, frozen=True):
    """What the person agreed to, as the row says."""

    kind: ConsentKind
    given_at: datetime
    source: str
    text: str = ""
    seller: str = ""


class Entry(Struct, frozen=True):
    """A good row."""

    row: int
    e164: str
    name: str = ""
    region: str = ""
    time_zone: str = ""
    fields: dict[str, str] = {}
    consent: GivenConsent | None = None


class BadRow(Struct, frozen=True):
    """A row that is returned, with every reason."""

    row: Row
    reasons: tuple[str, ...]


class Plan(Struct, frozen=True):
    """How rows of one file are understood.

    ``targets``: of each column, in order. ``region``: where numbers without a country's code belong. ``source``: where
    consents come from that do not say so themselves. ``zones``: the names of the time zones there are.
    """

    columns: tuple[str, ...]
    targets: tuple[str, ...]
    region: str
    source: str
    zones: frozenset[str]
    now: datetime

    @classmethod
    def of(
        cls,
        columns: Sequence[str],
        mapping: Mapping[str, str],
        *,
        region: str,
        source: str,
        zones: frozenset[str],
        now: datetime,
    ) -> "Plan":
        """Put a mapping in the order of the columns; unnamed ones are ignored."""
        targets = tuple(mapping.get(column, IGNORE) for column in columns)
        return cls(tuple(columns), targets, region, source, zones, now)


def read_entry(row: Row, plan: Plan) -> Entry | BadRow:
    """Understand one row."""
    if len(row.cells) > len(plan.columns):
        count, given = len(plan.columns), len(row.cells)
        return BadRow(row, (f"the row has {given} cells, the table {count} columns: a delimiter stands in a text",))
    if is_damaged(row):
        reason = "the row is in another encoding than the rest of the file: save the file as CSV UTF-8"
        return BadRow(row, (reason,))
    values = {target: cell for target, cell in zip(plan.targets, row.cells, strict=False) if target and cell}
    reasons: list[str] = []
    e164 = ""
    try:
        e164 = normalise(values.get("phone", ""), plan.region)
    except NumberRefusedError as error:
        reasons.append(f"{_column(plan, 'phone')}: {error}")
    entry = Entry(
        row=row.number,
        e164=e164,
        name=values.get("name") or f"{values.get('first_name', '')} {values.get('last_name', '')}".strip(),
        region=_region(values.get("region", ""), plan, reasons),
        time_zone=_zone(values.get("time_zone", ""), plan, reasons),
        fields=_fields(values, reasons),
        consent=_consent(values, plan, reasons),
    )
    for target, most in _LONGEST.items():
        if len(entry.name if target == "name" else values.get(target, "")) > most:
            reasons.append(f"{_column(plan, target)}: longer than {most} characters")
    return BadRow(row, tuple(reasons)) if reasons else entry


def _column(plan: Plan, target: str) -> str:
    return plan.columns[plan.targets.index(target)] if target in plan.targets else target


def _fields(values: Mapping[str, str], reasons: list[str]) -> dict[str, str]:
    fields = {key.removeprefix(FIELD): value for key, value in values.items() if key.startswith(FIELD)}
    # A name in two parts is also kept in parts, for agents that greet by the first.
    fields |= {key: values[key] for key in ("first_name", "last_name") if key in values}
    long = [name for name, value in fields.items() if len(value) > _LONGEST_FIELD]
    reasons += [f"{name}: longer than {_LONGEST_FIELD} characters" for name in long]
    return fields


def _region(text: str, plan: Plan, reasons: list[str]) -> str:
    """Read ``US-FL``, and ``FL`` alone where the numbers are of a country with such parts."""
    code = text.upper().replace("_", "-")
    if not code:
        return ""
    if plan.region and "-" not in code and _CODE.match(code) and (code not in known_regions() or plan.region == "US"):
        # In a list of US numbers CA is California and DE is Delaware; a whole country is written with its prefix.
        code = code if code == plan.region else f"{plan.region}-{code}"
    if _REGION.match(code) and (code.partition("-")[0] in known_regions() or code.startswith("ZZ-")):
        return code
    reasons.append(f"{_column(plan, 'region')}: {text[:60]} is no region; write ISO 3166-2, such as US-FL")
    return ""


def _zone(text: str, plan: Plan, reasons: list[str]) -> str:
    if not text or text in plan.zones:
        return text
    guess = text.replace(" ", "_")
    if guess in plan.zones:
        return guess
    reasons.append(f"{_column(plan, 'time_zone')}: {text[:60]} is no time zone; write it as America/New_York")
    return ""


def _consent(values: Mapping[str, str], plan: Plan, reasons: list[str]) -> GivenConsent | None:
    word = values.get("consent", "").casefold()
    given_at = values.get("consent_at", "")
    if word in _NO or not (word or given_at):
        return None
    if word and word not in _YES | _WRITTEN:
        reasons.append(f"{_column(plan, 'consent')}: {word[:60]!r} is not known; write express, written, yes or no")
        return None
    if not word and "consent" in plan.targets:
        return None
    if not given_at:
        reasons.append(
            f"{_column(plan, 'consent')}: the day on which it was given is missing; without it it proves nothing"
        )
        return None
    moment = read_moment(given_at, is_month_first=plan.region in _MONTH_FIRST)
    if moment is None or moment > plan.now:
        fault = "is no date; write it as 2026-11-24" if moment is None else "lies in the future"
        reasons.append(f"{_column(plan, 'consent_at')}: {given_at[:60]} {fault}")
        return None
    kind = ConsentKind.WRITTEN if word in _WRITTEN else ConsentKind.EXPRESS
    source = values.get("consent_source") or plan.source
    return GivenConsent(kind, moment, source, values.get("consent_text", ""), values.get("consent_seller", ""))


@lru_cache(maxsize=4096)
def read_moment(text: str, *, is_month_first: bool) -> datetime | None:
    """Give a moment (UTC where it names no zone) from ISO 8601 or from days as people write them; None: it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        order = ("%m/%d/%Y", "%d/%m/%Y") if is_month_first else ("%d/%m/%Y", "%m/%d/%Y")
        patterns = ("%d.%m.%Y", "%d.%m.%y", *order, "%d-%m-%Y", "%Y/%m/%d", "%Y.%m.%d")
        for pattern in (*patterns, *(f"{day} %H:%M" for day in patterns), *(f"{day} %H:%M:%S" for day in patterns)):
            try:
                moment = datetime.strptime(text, pattern)  # noqa: DTZ007 (the zone is set below)
            except ValueError:
                continue
            break
        else:
            return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
