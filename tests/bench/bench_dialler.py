"""The dialler's figures: deciding, claiming and admitting contacts, and a campaign's page over a million of them.

``python -m tests.bench.bench_dialler`` on SQLite; ``--postgres URL`` in a database of its own there. Everything is in
a temporary place and gone afterwards. The carrier is a fake in memory.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

if TYPE_CHECKING:
    from campaigns.models import Campaign

NOW = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
"""A Tuesday; ten in the morning in Los Angeles, two in the afternoon in New York."""
AREAS = ("212", "305", "213", "850", "808")
"""Five places; in the last one, Honolulu, the window of nine o'clock opens at this very moment."""


def say(*cells: object) -> None:
    """Write one line of a table."""
    sys.stdout.write("  ".join(f"{cell!s:>14}" for cell in cells) + "\n")
    sys.stdout.flush()


@contextmanager
def own_database(postgres: str) -> Iterator[None]:
    """Have the settings name a database of this run alone."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    if not postgres:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["DATABASE_URL"] = f"sqlite:///{folder}/bench.sqlite3"
            yield
        return
    import psycopg  # noqa: PLC0415 (only for PostgreSQL)

    name = f"vantum_bench_{os.getpid()}"
    with psycopg.connect(urlsplit(postgres)._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            os.environ["DATABASE_URL"] = urlsplit(postgres)._replace(path=f"/{name}").geturl()
            yield
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


class Rows:
    """Makes many rows by SQL alone, on either database."""

    def __init__(self) -> None:
        from django.db import connection  # noqa: PLC0415 (settings come first)

        self.is_postgres = connection.vendor == "postgresql"
        self._connection = connection

    def run(self, sql: str, *values: Any) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql.replace("NUMBERS(", self._numbers()).replace("UUID(", self._uuid()), values)

    def _numbers(self) -> str:
        if self.is_postgres:
            return "(SELECT n FROM generate_series(1, %s) AS n) AS numbers("[:-1]
        return (
            "(WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < %s) "
            "SELECT n FROM counted) AS numbers"
        )

    def _uuid(self) -> str:
        return "to_uuid(" if self.is_postgres else "printf('%%032x', "

    def contacts(self, count: int) -> None:
        if self.is_postgres:
            self.run(
                "CREATE FUNCTION to_uuid(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS "
                "$$ SELECT lpad(to_hex(n), 32, '0')::uuid $$"
            )
        area = "CASE n %% 5 " + " ".join(f"WHEN {index} THEN '{area}'" for index, area in enumerate(AREAS)) + " END"
        self.run(
            "INSERT INTO campaigns_contact "  # noqa: S608 (of our own words)
            "(id, e164, name, fields, time_zone, region, status, created_at, updated_at) "
            f"SELECT UUID(n), '+1' || {area} || (2000000 + n), 'Bo', '{{}}', '', '', 'active', %s, %s FROM NUMBERS(",
            NOW,
            NOW,
            count,
        )

    def consents(self, count: int) -> None:
        self.run(
            "INSERT INTO campaigns_consent (id, contact_id, kind, text, source, seller, given_at, created_at) "
            "SELECT UUID(n), UUID(n), 'express', '', 'form', '', %s, %s FROM NUMBERS(",
            NOW - timedelta(days=9),
            NOW,
            count,
        )

    def listed(self, list_id: UUID, count: int) -> None:
        self.run(
            "INSERT INTO campaigns_contact_lists (contact_id, contactlist_id) SELECT UUID(n), %s FROM NUMBERS(",
            self.key(list_id),
            count,
        )

    def members(self, campaign_id: UUID, count: int) -> None:
        """Most are finished, some wait and are held for one of three reasons."""
        self.run(
            "INSERT INTO campaigns_campaigncontact (id, campaign_id, contact_id, state, next_attempt_at, attempts, "
            "last_outcome, finish_reason, held_because, created_at, finished_at, decided_at) "
            "SELECT UUID(n + 1073741824), %s, UUID(n), "
            "CASE WHEN n %% 4 = 0 THEN 'waiting' ELSE 'finished' END, NULL, 1, '', "
            "CASE n %% 4 WHEN 0 THEN '' WHEN 1 THEN 'reached' ELSE 'attempts_used' END, "
            "CASE n %% 12 WHEN 0 THEN 'no_consent' WHEN 4 THEN 'outside_legal_hours' ELSE '' END, "
            "%s, CASE WHEN n %% 4 = 0 THEN NULL ELSE %s END, %s FROM NUMBERS(",
            self.key(campaign_id),
            NOW,
            NOW,
            NOW,
            count,
        )

    def key(self, value: UUID) -> UUID | str:
        return value if self.is_postgres else value.hex

    def settle(self) -> None:
        """Have the planner know what there is, as autovacuum has in time."""
        self.run("VACUUM ANALYZE" if self.is_postgres else "ANALYZE")


def make_attempts(campaign: "Campaign", version_id: UUID, count: int) -> None:
    """Store calls that are over and settled, of the campaign's first members."""
    from calls.models import CallAttempt  # noqa: PLC0415 (settings come first)
    from campaigns.models import CampaignAttempt  # noqa: PLC0415

    then = NOW - timedelta(days=9)
    members = campaign.members.order_by("pk").values_list("pk", "contact__e164")[:count]
    outcomes = ("answered", "voicemail", "no_answer", "no_answer", "busy")
    moments = {"created_at": then, "heard_at": then, "ended_at": then}
    for some in batched(members.iterator(chunk_size=2000), 2000):
        calls = [
            CallAttempt(
                to_e164=e164,
                from_e164="+12125550199",
                carrier="fake",
                status="no-answer",
                agent_version_id=version_id,
                **moments,
            )
            for _, e164 in some
        ]
        CallAttempt.objects.bulk_create(calls)
        CampaignAttempt.objects.bulk_create(
            CampaignAttempt(
                attempt=call,
                campaign=campaign,
                member_id=pk,
                number=1,
                outcome=outcomes[index % 5],
                is_counted=True,
                created_at=then,
                settled_at=then,
            )
            for index, (call, (pk, _)) in enumerate(zip(calls, some, strict=True))
        )


def batched(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """Give the items in lists."""
    while some := list(islice(items, size)):
        yield some


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def bench_dialling(campaign: "Campaign", *, dials: int) -> None:
    """Enrol, decide, claim and admit."""
    from django.conf import settings  # noqa: PLC0415 (settings come first)

    from calls import services as call_services  # noqa: PLC0415
    from campaigns import services  # noqa: PLC0415
    from campaigns.services.deciding import decide_undecided  # noqa: PLC0415
    from campaigns.services.rules import gate_of  # noqa: PLC0415

    seconds, count = timed(lambda: services.enrol_lists(campaign.pk, at=NOW))
    say("enrolled", count, f"{seconds:.1f} s", f"{count / seconds:.0f}/s")
    campaign.refresh_from_db()
    spec = call_services.load_version(campaign.agent_version_id or campaign.pk).spec
    decided, began = 0, time.perf_counter()
    gate = gate_of(campaign)
    while done := decide_undecided(campaign.pk, gate, spec, at=NOW, most=1000):
        decided += done
    seconds = time.perf_counter() - began
    say("decided", decided, f"{seconds:.1f} s", f"{decided / seconds:.0f}/s")
    settings.MAX_OUTBOUND_CALLS = 1_000_000
    claims: list[Any] = []
    seconds, claims = timed(lambda: services.claim_due(at=NOW))
    say("claimed", len(claims), f"{seconds:.1f} s", f"{len(claims) / seconds:.0f}/s")
    spent = []
    for claim in claims[:dials]:
        seconds, attempt = timed(partial(services.dial_claimed, claim.member_id, lease_key=claim.lease_key, at=NOW))
        if attempt is None:
            message = "a claimed contact was not dialled"
            raise SystemExit(message)
        spent.append(seconds * 1000)
    say("admitted", len(spent), f"{statistics.median(spent):.1f} ms", f"worst {max(spent):.0f} ms")
    ticks = [timed(partial(services.claim_due, at=NOW + timedelta(seconds=n)))[0] * 1000 for n in range(5)]
    say("tick", "at work", f"{statistics.median(ticks):.0f} ms", f"worst {max(ticks):.0f} ms")


def bench_page(campaign: "Campaign") -> None:
    """Ask what the campaign's page asks."""
    from campaigns import services  # noqa: PLC0415 (settings come first)
    from campaigns.services.numbers import KEPT  # noqa: PLC0415

    spent = [timed(partial(services.campaign_numbers, campaign.pk, at=NOW + n * KEPT))[0] * 1000 for n in range(9)]
    found = services.campaign_numbers(campaign.pk, at=NOW)
    say(
        "numbers of",
        f"{found.contacts}+{found.attempts}",
        f"{statistics.median(spent):.0f} ms",
        f"worst {max(spent):.0f} ms",
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", default="", help="URL of a server on which a database may be made")
    parser.add_argument("--contacts", type=int, default=100_000, help="in the campaign that dials")
    parser.add_argument("--members", type=int, default=1_000_000, help="in the campaign whose page is asked for")
    parser.add_argument("--attempts", type=int, default=200_000)
    parser.add_argument("--dials", type=int, default=200)
    options = parser.parse_args()
    with own_database(options.postgres):
        import django  # noqa: PLC0415 (the environment comes first)

        django.setup()
        measure(options)


def measure(options: argparse.Namespace) -> None:
    """Fill the database and ask."""
    from django.conf import settings  # noqa: PLC0415 (settings come first)
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    from campaigns.models import Campaign, ContactList  # noqa: PLC0415
    from tests.campaigns.rows import make_running, version_of  # noqa: PLC0415

    settings.CARRIERS = {"fake": "tests.campaigns.carrier.FakeCarrier"}
    settings.TWILIO_PHONE_NUMBER, settings.PUBLIC_URL = "+12125550199", "https://calls.example.com"
    settings.LOGGING_CONFIG = None
    call_command("migrate", verbosity=0)
    rows = Rows()
    many = make_running("Many", carrier="fake", max_concurrent=100_000, calls_per_minute=600_000, enrolled_at=None)
    page = make_running("Page", agent=many.agent, carrier="fake")
    Campaign.objects.filter(pk=page.pk).update(status="paused")
    june = ContactList.objects.create(name="June")
    many.lists.add(june)
    rows.contacts(options.members)
    rows.consents(options.contacts)
    rows.listed(june.pk, options.contacts)
    rows.members(page.pk, options.members)
    make_attempts(page, version_of(page), options.attempts)
    rows.settle()
    say(connection.vendor, "count", "time", "rate")
    bench_page(page)
    bench_dialling(many, dials=options.dials)
    connection.close()


if __name__ == "__main__":
    main()
