"""How quickly the admin's lists and the campaign page answer over many rows.

``python -m tests.bench.bench_admin [--contacts 1000000] [--calls 200000] [--requests 15]`` fills a database of its own
(SQLite in a temporary folder, or an empty PostgreSQL database that DATABASE_URL names) and prints percentiles in
milliseconds, as the web process's views answer: middleware, queries and templates, without the network.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

_FOLDER = tempfile.mkdtemp(prefix="vantum-bench-")
os.environ |= {"DATA_DIR": _FOLDER, "DJANGO_SETTINGS_MODULE": "vantum.settings", "DEBUG": "1"}
os.environ |= {"STT_PROVIDER": "scripted", "LLM_PROVIDER": "scripted", "TTS_PROVIDER": "scripted", "LOG_LEVEL": "ERROR"}

import django  # noqa: E402 (the environment comes first)

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402
from uuid_utils.compat import uuid7  # noqa: E402

from calls.demo import DEMO_AGENT  # noqa: E402
from calls.enums import AttemptStatus, Door, EndReason, SessionStatus  # noqa: E402
from calls.models import CallAttempt, CallSession, Turn  # noqa: E402
from calls.services import ensure_demo_agent  # noqa: E402
from campaigns import services  # noqa: E402
from campaigns.enums import (  # noqa: E402
    AnalysisMethod,
    AnalysisStatus,
    CampaignStatus,
    DialReason,
    Disposition,
    FinishReason,
    MembershipState,
    Outcome,
)
from campaigns.models import (  # noqa: E402
    CallAnalysis,
    Campaign,
    CampaignAttempt,
    CampaignContact,
    Contact,
    ContactList,
)
from campaigns.services import numbers  # noqa: E402

BATCH = 5000
STATES = ("NY", "FL", "TX", "CA", "WA")
NAMES = ("Ann", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gina", "Hal", "Iris", "Joe")
OUTCOMES = (Outcome.ANSWERED, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VOICEMAIL, Outcome.FAILED)
DISPOSITIONS = tuple(Disposition)
NOW = datetime.now(tz=UTC)


def stored(rows: Iterator[Any], model: Any) -> None:
    """Store rows in batches."""
    while batch := list(islice(rows, BATCH)):
        model.objects.bulk_create(batch)


def fill(contacts: int, calls: int) -> Campaign:
    """Make one campaign of all contacts, a list of them, and calls of the first of them."""
    call_command("migrate", verbosity=0)
    services.ensure_roles()
    agent = ensure_demo_agent(DEMO_AGENT)
    assert agent is not None
    get_user_model().objects.create_superuser("boss")
    made = [NOW - timedelta(seconds=contacts - number) for number in range(contacts)]
    ids = [uuid7() for _ in range(contacts)]
    stored(
        (
            Contact(
                id=ids[number],
                e164=f"+1{2_120_000_000 + number}",
                name=f"{NAMES[number % 10]} {number}",
                region=f"US-{STATES[number % 5]}",
            )
            for number in range(contacts)
        ),
        Contact,
    )
    Contact.objects.filter(pk=ids[-1]).update(created_at=made[-1])
    group = ContactList.objects.create(name="Everybody")
    listed = Contact.lists.through
    stored((listed(contact_id=pk, contactlist_id=group.pk) for pk in ids), listed)
    campaign = Campaign.objects.create(
        name="Large",
        agent=agent,
        agent_version_id=agent.published_id,
        status=CampaignStatus.RUNNING,
        started_at=NOW - timedelta(days=3),
    )
    campaign.lists.add(group)
    members = [uuid7() for _ in range(contacts)]
    stored((_member(campaign, ids[n], members[n], n, calls) for n in range(contacts)), CampaignContact)
    _fill_calls(campaign, members, calls)
    _analyse()
    return campaign


def _member(campaign: Campaign, contact_id: Any, member_id: Any, number: int, calls: int) -> CampaignContact:
    is_done = number < calls // 2
    return CampaignContact(
        id=member_id,
        campaign=campaign,
        contact_id=contact_id,
        state=MembershipState.FINISHED if is_done else MembershipState.WAITING,
        finished_at=NOW if is_done else None,
        finish_reason=FinishReason.REACHED if is_done else "",
        next_attempt_at=None if is_done else NOW,
        attempts=1 if number < calls else 0,
        last_outcome=OUTCOMES[number % 5] if number < calls else "",
        held_because=DialReason.NO_CONSENT if number % 7 == 0 and not is_done else "",
    )


def _fill_calls(campaign: Campaign, members: list[Any], calls: int) -> None:
    attempts, sessions = [uuid7() for _ in range(calls)], [uuid7() for _ in range(calls)]
    moments = [NOW - timedelta(seconds=calls - number) for number in range(calls)]
    stored((_session(campaign, sessions[n], moments[n]) for n in range(calls)), CallSession)
    turn = {"index": 0, "speaker": "agent", "text": "Hello!", "started_ms": 0, "ended_ms": 900}
    stored((Turn(session_id=session_id, **turn) for session_id in sessions), Turn)
    stored((_attempt(campaign, n, attempts[n], sessions[n], moments[n]) for n in range(calls)), CallAttempt)
    stored(
        (
            CampaignAttempt(
                attempt_id=attempts[n],
                campaign=campaign,
                member_id=members[n],
                number=1,
                outcome=OUTCOMES[n % 5],
                created_at=moments[n],
                settled_at=moments[n],
            )
            for n in range(calls)
        ),
        CampaignAttempt,
    )
    stored((_analysis(n, sessions[n], moments[n]) for n in range(0, calls, 2)), CallAnalysis)


def _session(campaign: Campaign, session_id: Any, moment: datetime) -> CallSession:
    return CallSession(
        id=session_id,
        door=Door.PHONE,
        agent_id=campaign.agent_id,
        agent_version_id=campaign.agent_version_id,
        status=SessionStatus.ENDED,
        end_reason=EndReason.CALLER_ENDED,
        started_at=moment,
        ended_at=moment,
        duration_ms=1000,
        instance="bench",
        alive_at=moment,
        measured_at=NOW,
    )


def _attempt(campaign: Campaign, number: int, attempt_id: Any, session_id: Any, moment: datetime) -> CallAttempt:
    return CallAttempt(
        id=attempt_id,
        to_e164=f"+1{2_120_000_000 + number}",
        from_e164="+15005550100",
        carrier="sandbox",
        carrier_sid=f"CA{number}",
        status=AttemptStatus.COMPLETED,
        agent_version_id=campaign.agent_version_id,
        session_id=session_id,
        created_at=moment,
        heard_at=moment,
        ended_at=moment,
    )


def _analysis(number: int, session_id: Any, moment: datetime) -> CallAnalysis:
    return CallAnalysis(
        session_id=session_id,
        status=AnalysisStatus.DONE,
        method=AnalysisMethod.RULES,
        disposition=DISPOSITIONS[number % len(DISPOSITIONS)],
        summary="They talked.",
        analysed_at=moment,
    )


def _analyse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def pages(campaign: Campaign) -> dict[str, str]:
    """Give what is measured: name to address."""

    def listed(model: str, query: str = "") -> str:
        app = "calls" if model.startswith("call") and model not in {"callanalysis", "callerid"} else "campaigns"
        return reverse(f"admin:{app}_{model}_changelist") + query

    last = Contact.objects.first()
    assert last is not None
    return {
        "overview": reverse("admin:index"),
        "contacts": listed("contact"),
        "contacts, page 50": listed("contact", "?p=50"),
        "contacts, name": listed("contact", "?q=Gina 99"),
        "contacts, rare name": listed("contact", "?q=Zoe"),
        "contacts, number": listed("contact", "?q=21200499"),
        "contacts, region": listed("contact", "?region=US-TX"),
        "contacts, no consent": listed("contact", "?consent=none"),
        "one contact": reverse("admin:campaigns_contact_change", args=[last.pk]),
        "lists": listed("contactlist"),
        "campaigns": listed("campaign"),
        "campaign page": reverse("admin:campaigns_campaign_page", args=[campaign.pk]),
        "its refresh": reverse("admin:campaigns_campaign_numbers", args=[campaign.pk]),
        "who is called": listed("campaigncontact", f"?campaign={campaign.pk}"),
        "who waits and why": listed("campaigncontact", f"?campaign={campaign.pk}&state=waiting&held=no_consent"),
        "telephone calls": listed("callattempt"),
        "conversations": listed("callsession"),
        "analyses": listed("callanalysis"),
        "analyses, one kind": listed("callanalysis", "?disposition__exact=callback"),
        "consents": listed("consent"),
        "events": listed("campaignevent"),
    }


def measure(client: Client, address: str, requests: int, *, is_cold: bool = False) -> list[float]:
    """Give the milliseconds of each request, sorted; ``is_cold`` forgets kept figures before each."""
    client.get(address)
    found = []
    for _ in range(requests):
        if is_cold:
            cache.clear()
            numbers._kept.clear()
        begun = time.perf_counter()
        response = client.get(address)
        found.append((time.perf_counter() - begun) * 1000)
        assert response.status_code == 200, (address, response.status_code)
    return sorted(found)


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--requests", type=int, default=15)
    given = parser.parse_args()
    begun = time.perf_counter()
    campaign = fill(given.contacts, given.calls)
    print(
        f"{connection.vendor}: {given.contacts:,} contacts, {given.calls:,} calls, "
        f"filled in {time.perf_counter() - begun:.0f} s"
    )
    settings.DEBUG = False  # it would keep every query
    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model().objects.get(username="boss"))
    print(f"{'':26}{'median':>9}{'p95':>9}{'most':>9}   (ms, {given.requests} requests)")
    for name, address in pages(campaign).items():
        cold = [(f"{name}, nothing kept", True)] if name == "campaign page" else []
        for title, is_cold in [(name, False), *cold]:
            found = measure(client, address, given.requests, is_cold=is_cold)
            print(
                f"{title:26}{found[len(found) // 2]:9.0f}{found[int(len(found) * 0.95)]:9.0f}{found[-1]:9.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
