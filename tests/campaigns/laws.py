"""Rules and people that tests of the gate begin with."""

from datetime import date
from typing import Any

from campaigns.compliance import Rule, Rulebook, read_parameters
from campaigns.enums import CampaignKind, ConsentKind, RuleKind
from campaigns.gate import Given, Person

EVERY_DAY = list(range(7))
EXPRESS, WRITTEN = Given(ConsentKind.EXPRESS), Given(ConsentKind.WRITTEN)


def rule(jurisdiction: str, kind: RuleKind, applies_to: CampaignKind | None = None, /, **parameters: Any) -> Rule:
    return Rule(
        jurisdiction=jurisdiction,
        kind=kind,
        applies_to=applies_to,
        parameters=read_parameters(kind, parameters),
        effective_from=date(2020, 1, 1),
    )


def hours(jurisdiction: str, start: str, end: str, weekdays: list[int] = EVERY_DAY) -> Rule:
    return rule(jurisdiction, RuleKind.CALLING_HOURS, start=start, end=end, weekdays=weekdays)


def book(*rules: Rule) -> Rulebook:
    return Rulebook(rules)


def person(**changes: Any) -> Person:
    usual = {
        "e164": "+12125551234",
        "regions": ("US", "US-NY"),
        "zones": ("America/New_York",),
        "consents": (EXPRESS,),
    }
    return Person(**usual | changes)
