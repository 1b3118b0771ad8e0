"""Who starts the campaign, and resumes it each time that its breaker has paused it: killed servers make late answers.

``python -m tests.bench.killing.operator FIRST COUNT AT_ONCE``
"""

import os
import sys
import time
from datetime import date
from datetime import time as clock

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vantum.settings")
django.setup()

from django.utils import timezone  # noqa: E402 (settings come first)

from calls.models import Agent  # noqa: E402
from campaigns import services  # noqa: E402
from campaigns.enums import CampaignStatus, ConsentKind, RuleKind  # noqa: E402
from campaigns.models import Campaign, ComplianceRule, Consent, Contact, ContactList  # noqa: E402
from tests.bench.killing.policy import MOST_ATTEMPTS, as_columns  # noqa: E402

_RULES = {
    RuleKind.ALWAYS_OPEN: {},
    RuleKind.CONSENT: {"kind": "express"},
    RuleKind.MAX_ATTEMPTS_PER_DAY: {"calls": MOST_ATTEMPTS + 1, "hours": 24},
}
"""The gate runs unchanged, over rules that let it call at any hour of the test's day."""


def make(first: int, count: int, at_once: int) -> Campaign:
    """Store the rules, the people, their consents, and the campaign; start it."""
    ComplianceRule.objects.update(is_enabled=False)
    for kind, parameters in _RULES.items():
        ComplianceRule.objects.create(
            jurisdiction="US", kind=kind, parameters=parameters, effective_from=date(2020, 1, 1), citation="the test"
        )
    people = ContactList.objects.create(name="everybody")
    contacts = Contact.objects.bulk_create(
        Contact(e164=f"+{first + index}", name=f"Person {index}", time_zone="America/New_York")
        for index in range(count)
    )
    now = timezone.now()
    Consent.objects.bulk_create(
        Consent(contact=contact, kind=ConsentKind.EXPRESS, given_at=now, source="the test") for contact in contacts
    )
    people.contacts.set(contacts)
    campaign = Campaign.objects.create(
        name="killed",
        agent=Agent.objects.get(),
        window_start=clock(0),
        window_end=clock(23, 59, 59),
        calls_per_minute=6000,
        max_concurrent=at_once,
        max_attempts=MOST_ATTEMPTS,
        retry_policy=as_columns(),
    )
    campaign.lists.add(people)
    services.start_campaign(campaign.pk, by=None, at=now)
    return campaign


def main(first: int, count: int, at_once: int) -> None:
    """Keep the campaign running until it is over, then stay."""
    campaign = Campaign.objects.first() or make(first, count, at_once)
    while True:
        campaign.refresh_from_db()
        if campaign.status == CampaignStatus.PAUSED:
            print(f"resumed after: {campaign.paused_because} {campaign.pause_evidence}", flush=True)
            services.resume_campaign(campaign.pk, by=None, at=timezone.now())
        time.sleep(1)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
