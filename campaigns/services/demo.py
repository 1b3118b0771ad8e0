"""The demo campaign's rows, made once."""

from datetime import date, datetime, time

from django.db import transaction

from calls.enums import SuppressionSource
from calls.models import Agent, Suppression
from campaigns.demo import (
    DEMO_CAMPAIGN,
    DEMO_LIST,
    DEMO_PEOPLE,
    DEMO_RETRIES,
    SHUT_REGION,
    SHUT_RULE_NOTE,
    DemoPerson,
)
from campaigns.enums import ConsentKind, RuleKind
from campaigns.models import Campaign, ComplianceRule, Consent, Contact, ContactList

_SOURCE = "made up for the demo"


@transaction.atomic
def ensure_demo(agent: Agent, *, at: datetime) -> Campaign | None:
    """Make the demo where it never was; None where its list is or was known by name already.

    It is an ordinary draft: the gate runs unchanged, the carrier is the sandbox whatever keys are set. Some contacts
    are held back on purpose.
    """
    if Campaign.objects.filter(name=DEMO_CAMPAIGN).exists() or ContactList.objects.filter(name=DEMO_LIST).exists():
        return None
    people = ContactList.objects.create(name=DEMO_LIST)
    people.contacts.set([_contact(person, at) for person in DEMO_PEOPLE])
    ComplianceRule.objects.get_or_create(
        jurisdiction=SHUT_REGION,
        kind=RuleKind.FORBIDDEN_WEEKDAYS,
        defaults={
            "parameters": {"weekdays": list(range(7))},
            "effective_from": date(2020, 1, 1),
            "note": SHUT_RULE_NOTE,
        },
    )
    campaign = Campaign.objects.create(
        name=DEMO_CAMPAIGN,
        agent=agent,
        carrier="sandbox",
        window_start=time(0),
        window_end=time(23, 59, 59),
        calls_per_minute=30,
        max_concurrent=2,
        max_attempts=2,
        retry_policy=DEMO_RETRIES,
    )
    campaign.lists.add(people)
    return campaign


def _contact(person: DemoPerson, at: datetime) -> Contact:
    first, _, _ = person.name.partition(" ")
    contact, _ = Contact.objects.get_or_create(
        e164=person.number,
        defaults={
            "name": person.name,
            "region": person.region,
            "time_zone": person.time_zone,
            "fields": {"first_name": first, "note": person.note},
        },
    )
    if person.has_consent:
        Consent.objects.get_or_create(contact=contact, kind=ConsentKind.EXPRESS, given_at=at, source=_SOURCE)
    if person.is_suppressed:
        Suppression.objects.get_or_create(
            e164=person.number, defaults={"source": SuppressionSource.OPERATOR, "proof": _SOURCE}
        )
    return contact
