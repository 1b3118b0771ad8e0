"""How quickly the admin's lists and pages and the API answer over many rows.

``python -m tests.bench.bench_admin [--contacts 1000000] [--calls 200000] [--requests 5]`` fills a database of its own
(SQLite in a temporary folder, or an empty PostgreSQL database that DATABASE_URL names) and prints medians in
milliseconds, as the web process's views answer: middleware, queries and templates, without the network; by the clock,
and as work, which other programs on the machine do not make longer. It asks for
each list of the admin as it is, with each choice of each filter, in each order and with searches.

``--keep FOLDER`` keeps the SQLite database there; a database that is filled already is migrated and used as it is.
``--only WORDS`` measures the pages whose name has one of the words, ``--above 100`` prints those that took longer.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Fill where nothing is yet, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--requests", type=int, default=5)
    parser.add_argument("--keep", default="", help="folder in which the SQLite database stays")
    parser.add_argument("--only", nargs="*", default=[], help="words of names of pages")
    parser.add_argument("--above", type=float, default=0, help="milliseconds at the median")
    parser.add_argument("--fill-only", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vantum-bench-") as folder:
        os.environ |= {"DATA_DIR": given.keep or folder, "DJANGO_SETTINGS_MODULE": "vantum.settings", "DEBUG": "1"}
        os.environ |= {f"{kind}_PROVIDER": "scripted" for kind in ("STT", "LLM", "TTS")}
        os.environ |= {"LOG_LEVEL": "ERROR", "API_RATE": "1000000/m"}
        import django  # noqa: PLC0415 (the environment comes first)

        django.setup()
        prepare(given)
        if not given.fill_only:
            measure_all(given)


def prepare(given: argparse.Namespace) -> None:
    """Have a database with the rows, and say what is in it."""
    from django.core.management import call_command  # noqa: PLC0415 (settings come first)
    from django.db import connection  # noqa: PLC0415

    from calls.models import CallAttempt  # noqa: PLC0415
    from campaigns.models import Contact  # noqa: PLC0415
    from tests.bench import admin_rows  # noqa: PLC0415

    begun = time.perf_counter()
    if "campaigns_contact" in connection.introspection.table_names():
        call_command("migrate", verbosity=0)
        admin_rows.settle()
    else:
        admin_rows.fill(
            given.contacts, given.calls, lambda what: say(f"{what} after {time.perf_counter() - begun:.0f} s")
        )
    counted = f"{Contact.objects.count():,} contacts, {CallAttempt.objects.count():,} calls"
    say(f"{connection.vendor}: {counted}, ready after {time.perf_counter() - begun:.0f} s")


def measure_all(given: argparse.Namespace) -> None:
    """Ask for each page and print."""
    from django.conf import settings  # noqa: PLC0415 (settings come first)
    from django.contrib.auth import get_user_model  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from campaigns import services  # noqa: PLC0415
    from campaigns.enums import Scope  # noqa: PLC0415
    from tests.bench import admin_pages  # noqa: PLC0415

    settings.DEBUG = False  # it would keep every query
    large, few = admin_pages.large_and_few()
    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model().objects.get(username="boss"))
    _, key = services.make_api_key("Benchmark", scopes=Scope, by=None, at=timezone.now())
    machine = Client(headers={"host": "localhost", "authorization": f"Bearer {key}"})
    say(f"{'':52}{'clock':>9}{'work':>9}   (medians in ms, {given.requests} requests)")
    report = Report(given)
    for name, address in (*admin_pages.pages(large), *admin_pages.narrowed(large, few), *admin_pages.lists()):
        report.measure(client, name, address)
        if name == "campaign page":
            report.measure(client, f"{name}, everything counted anew", address, is_cold=True)
    for name, address in admin_pages.api_pages(large):
        report.measure(machine, name, address)
    report.close()


class Report:
    """Measures pages and writes a line for each: the clock, and the work without what others took of the cores."""

    def __init__(self, given: argparse.Namespace) -> None:
        self._given = given
        self._medians: list[float] = []

    def measure(self, client: Any, name: str, address: str, *, is_cold: bool = False) -> None:
        """Ask some times; ``is_cold`` forgets kept figures before each."""
        if self._given.only and not any(word in name for word in self._given.only):
            return
        if not is_cold:
            _took(client, address, is_cold=False)
        found = [_took(client, address, is_cold=is_cold) for _ in range(self._given.requests)]
        clock, work = (sorted(column)[len(found) // 2] for column in zip(*found, strict=True))
        self._medians.append(work)
        if work >= self._given.above:
            say(f"{name[:51]:52}{clock:9.0f}{work:9.0f}")

    def close(self) -> None:
        """Say how many there were, and how many took too long."""
        late, longest = sum(median > 300 for median in self._medians), max(self._medians, default=0)
        say(f"{len(self._medians)} pages, {late} of them above 300 ms of work; the longest took {longest:.0f} ms")


def _took(client: Any, address: str, *, is_cold: bool) -> tuple[float, float]:
    """Give the milliseconds of one request by the clock, and of its work here and in the database's server."""
    from django.core.cache import cache  # noqa: PLC0415 (settings come first)

    from campaigns.services import numbers  # noqa: PLC0415

    if is_cold:
        cache.clear()
        numbers._kept.clear()
    before = _server_work()
    begun, here = time.perf_counter(), time.process_time()
    response = client.get(address)
    clock, here = time.perf_counter() - begun, time.process_time() - here
    if response.status_code != 200:
        sys.exit(f"{address} answered {response.status_code}")
    return clock * 1000, (here + _server_work() - before) * 1000


def _server_work() -> float:
    """Give the seconds that PostgreSQL's processes for this database have worked; they must run on this machine.

    Workers that come and go with a query do not count: forbid them with ``max_parallel_workers_per_gather = 0``.
    """
    from django.db import connection  # noqa: PLC0415 (settings come first)

    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = %s",
            ["client backend"],
        )
        pids = [pid for (pid,) in cursor.fetchall()]
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9


def say(line: str) -> None:
    """Write a line at once."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
