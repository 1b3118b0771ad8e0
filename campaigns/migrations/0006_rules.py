"""The rules that an installation begins with: the United States on the strict side, and the sandbox of the demo.

Second-hand facts, read in public guides and law firms' summaries of 2026; no legal advice. Every row is dated and may
be edited, ended or switched off. Where a source reads both ways the stricter reading stands.
"""

from datetime import date
from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.utils import timezone
from uuid_utils.compat import uuid7

GUIDES = "public guides of 2026, second-hand"
Row = tuple[str, str, str, dict[str, Any], str, str, date]
LONG_AGO = date(2020, 1, 1)
EVERY_DAY, MONDAY_TO_SATURDAY, SUNDAY = list(range(7)), list(range(6)), [6]


def hours(
    place: str,
    start: str,
    end: str,
    citation: str,
    weekdays: list[int] = EVERY_DAY,
    note: str = "",
    begin: date = LONG_AGO,
) -> Row:
    """Give calling hours."""
    return place, "calling_hours", "", {"start": start, "end": end, "weekdays": weekdays}, citation, note, begin


def rule(
    place: str,
    kind: str,
    parameters: dict[str, Any],
    citation: str,
    applies_to: str = "",
    note: str = "",
    begin: date = LONG_AGO,
) -> Row:
    """Give one rule."""
    return place, kind, applies_to, parameters, citation, note, begin


STRICT = "Stands in for what nobody has looked up; replace it with the place's own row."
RULES = [
    # Federal.
    hours(
        "US",
        "08:00",
        "21:00",
        "47 CFR 64.1200(c)(1)",
        note="The rule speaks of solicitations; here it holds for every call.",
    ),
    rule(
        "US",
        "consent",
        {"kind": "express"},
        "47 U.S.C. 227(b)(1); FCC 24-17",
        note="An AI voice is an artificial voice.",
        begin=date(2024, 2, 8),
    ),
    rule(
        "US", "consent", {"kind": "written"}, "47 CFR 64.1200(a)(2), (f)(9); FCC 24-17", "sales", begin=date(2024, 2, 8)
    ),
    rule(
        "US",
        "do_not_call_list",
        {"max_age_days": 31, "jurisdiction": "US"},
        "47 CFR 64.1200(c)(2)(i)(D)",
        "sales",
    ),
    rule(
        "US",
        "voicemail_opt_out",
        {},
        "47 CFR 64.1200(b)(3)",
        "sales",
        note="A sales message on a mailbox names a toll-free number to opt out at.",
    ),
    # Any state without a row of its own.
    hours("US-*", "09:00", "20:00", "strict default", MONDAY_TO_SATURDAY, STRICT),
    hours("US-*", "12:00", "20:00", "strict default", SUNDAY, STRICT),
    rule("US-*", "max_attempts_per_day", {"calls": 3, "hours": 24}, "strict default", note=STRICT),
    # States.
    hours("US-FL", "08:00", "20:00", "Fla. Stat. 501.616(6)(a)", begin=date(2021, 7, 1)),
    rule(
        "US-FL", "max_attempts_per_day", {"calls": 3, "hours": 24}, "Fla. Stat. 501.616(6)(b)", begin=date(2021, 7, 1)
    ),
    hours("US-OK", "08:00", "20:00", "Okla. Stat. tit. 15, 775C", begin=date(2022, 11, 1)),
    rule(
        "US-OK", "max_attempts_per_day", {"calls": 3, "hours": 24}, "Okla. Stat. tit. 15, 775C", begin=date(2022, 11, 1)
    ),
    hours("US-MD", "08:00", "20:00", GUIDES, begin=date(2024, 1, 1)),
    rule("US-MD", "max_attempts_per_day", {"calls": 3, "hours": 24}, GUIDES, begin=date(2024, 1, 1)),
    hours("US-TX", "09:00", "21:00", GUIDES, MONDAY_TO_SATURDAY),
    hours("US-TX", "12:00", "21:00", GUIDES, SUNDAY),
    *(
        made
        for state in ("AL", "LA", "MS", "PA", "UT")
        for made in (
            rule(f"US-{state}", "forbidden_weekdays", {"weekdays": SUNDAY}, GUIDES, note="Sundays or holidays; both."),
            rule(
                f"US-{state}",
                "holidays",
                {"country": "US", "subdivision": state},
                GUIDES,
                note="Sundays or holidays; both.",
            ),
        )
    ),
    # Any country without a row of its own.
    hours("*", "09:00", "20:00", "strict default", MONDAY_TO_SATURDAY, STRICT),
    rule("*", "forbidden_weekdays", {"weekdays": SUNDAY}, "strict default", note=STRICT),
    rule("*", "consent", {"kind": "express"}, "strict default", note=STRICT),
    rule("*", "consent", {"kind": "written"}, "strict default", "sales", STRICT),
    rule("*", "max_attempts_per_day", {"calls": 3, "hours": 24}, "strict default", note=STRICT),
    # The demo's simulated people; their numbers are kept free for fiction, and only such numbers get these rules.
    rule("ZZ-SBX", "always_open", {}, "no law: nobody is called"),
    rule("ZZ-SBX", "consent", {"kind": "express"}, "no law: the demo shows what a missing consent does"),
    rule("ZZ-SBX", "consent", {"kind": "written"}, "no law: the demo shows what a missing consent does", "sales"),
]


def add_rules(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Store the rules, where none of that place is there yet."""
    rows = apps.get_model("campaigns", "ComplianceRule").objects
    known = set(rows.values_list("jurisdiction", flat=True))
    now = timezone.now()
    rows.bulk_create(
        rows.model(
            id=uuid7(),
            jurisdiction=place,
            kind=kind,
            applies_to=applies_to,
            parameters=parameters,
            effective_from=begin,
            citation=citation,
            note=note,
            updated_at=now,
        )
        for place, kind, applies_to, parameters, citation, note, begin in RULES
        if place not in known
    )


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0005_gate")]

    operations = [migrations.RunPython(add_rules, migrations.RunPython.noop)]
