"""Kill -9 of any of our processes at random moments of telephone calls: what of the calls is lost?

``python -m tests.bench.kill_test --calls 20 --kills 20 --every 1.5`` takes two minutes. It starts web, worker,
scheduler and a process that dials, under the product's own supervisor and with a simulated carrier, in a folder that
goes away. It ends with 1 when a number was dialled twice, a finished turn is missing, or a call was neither resumed nor
closed within 60 s. What lasts is settling the orders of which nobody knows whether the carrier got them: a minute each.

``--campaign 100 --every 3`` takes three minutes. A campaign dials, with retries within seconds, and a Redis is killed
that is its broker too. It ends with 1 when somebody was called at twice, or more or less often than the policy says by
the carrier's books. ``--database postgres`` runs either on a PostgreSQL of its own.
"""

import argparse
import asyncio
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.bench.killing import campaign
from tests.bench.killing.callee import Callee
from tests.bench.killing.database import KINDS, database
from tests.bench.killing.exchange import Exchange, over_http
from tests.bench.killing.report import Ledger, failures, show, stream_name
from tests.bench.killing.site import Site, helper, lock_holders, product, settings_of
from tests.simulators.twilio import SimulatedCall, TwilioSimulator

_TARGETS = ("web", "spare", "worker", "scheduler", "dialler")
"""Of web and spare either may be the one that serves."""
_SETTLE_SECONDS = 240
"""A dialling that nobody can vouch for is settled by two lists of the carrier's, a minute apart."""


async def kill(site: Site, exchange: Exchange, ledger: Ledger, options: argparse.Namespace) -> None:
    """Kill so many times, at random moments while somebody talks."""
    dice = random.Random(options.seed)  # noqa: S311 (a test's dice)
    while ledger.killed.total() < options.kills:
        await asyncio.sleep(dice.uniform(0.2, 1.8) * options.every)
        name = dice.choice(_TARGETS)
        if exchange.is_quiet or (pid := site.supervisor.pids.get(name)) is None:
            continue
        is_serving = pid in lock_holders()
        os.kill(pid, signal.SIGKILL)
        ledger.killed[name] += 1
        if is_serving:
            ledger.hit += sum(callee.live_stream is not None for callee in exchange.callees)


async def watch(site: Site, ledger: Ledger) -> None:
    """Note when a call and a conversation are closed in the database."""
    while True:
        attempts, sessions = await asyncio.to_thread(_closed, site)
        now = time.monotonic()
        for sid in attempts:
            ledger.attempt_closed_at.setdefault(sid, now)
        for token in sessions:
            ledger.session_closed_at.setdefault(token, now)
        await asyncio.sleep(0.5)


def _closed(site: Site) -> tuple[list[str], list[str]]:
    attempts = site.rows("SELECT carrier_sid FROM calls_callattempt WHERE ended_at IS NOT NULL AND carrier_sid <> ''")
    sessions = site.rows(
        "SELECT s.attempt_id, s.number FROM calls_callstream s JOIN calls_callsession c ON c.id = s.session_id"
        " WHERE c.status = 'ended'"
    )
    return [sid for (sid,) in attempts], [stream_name(attempt, number) for attempt, number in sessions]


def is_settled(site: Site, calls: int) -> bool:
    """Whether every number was begun and nothing is on the line any more, as far as the database knows."""
    ((begun, live),) = site.rows("SELECT count(*), count(*) FILTER (WHERE ended_at IS NULL) FROM calls_callattempt")
    ((talking,),) = site.rows("SELECT count(*) FROM calls_callsession WHERE status = 'live'")
    return bool(begun >= calls and not live and not talking)


async def measure(folder: Path, options: argparse.Namespace) -> tuple[Ledger, list[Callee]]:
    """Run the installation, kill, and wait until everything has come to rest."""

    def somebody(call: SimulatedCall, index: int) -> Callee:
        return Callee(call, seed=index, exchanges=options.turns)

    exchange = Exchange(asyncio.get_running_loop(), somebody)
    ledger = Ledger(options.calls, options.kills)
    with (
        database(options.database, folder) as url,
        TwilioSimulator(over_http) as twilio,
        socket.create_server(("127.0.0.1", 0), backlog=2048) as listening,
    ):
        twilio.on_create = exchange.take
        keys = {"TWILIO_ACCOUNT_SID": twilio.account_sid, "TWILIO_AUTH_TOKEN": twilio.auth_token}
        keys |= {"TWILIO_PHONE_NUMBER": "+15005550006", "TWILIO_BASE_URL": twilio.url}
        keys["WEB_SPARE"] = "0" if options.no_spare else "1"
        env = settings_of(folder, listening.getsockname()[1], url, **keys)
        programs = product(listening, has_spare=not options.no_spare)
        site = Site(folder, env, (*programs, helper("dialler", options.calls, options.at_once)))
        site.prepare()
        tasks = [asyncio.create_task(site.run()), asyncio.create_task(watch(site, ledger))]
        killing = asyncio.create_task(kill(site, exchange, ledger, options))
        try:
            await site.until(lambda: _is_begun(site, options.calls) and exchange.is_quiet, options.minutes * 60)
            killing.cancel()
            ledger.is_settled = await site.until(lambda: is_settled(site, options.calls), _SETTLE_SECONDS)
            await asyncio.sleep(1)
            ledger.read(site)
            for task in exchange.tasks:
                if task.done():
                    task.result()  # a bug of the person's is not the product's
        finally:
            for task in (killing, *tasks, *exchange.tasks):
                task.cancel()
            await asyncio.gather(killing, *tasks, *exchange.tasks, return_exceptions=True)
        ledger.dialled = Counter(call.order["To"] for call in twilio.calls)
    return ledger, exchange.callees


def _is_begun(site: Site, calls: int) -> bool:
    return bool(site.rows("SELECT count(*) FROM calls_callattempt")[0][0] >= calls)


def main() -> None:
    """Kill as the arguments say, print the figures, and end with 1 where something was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.kill_test", description=__doc__)
    parser.add_argument("--calls", type=int, default=20, help="numbers to call")
    parser.add_argument("--campaign", type=int, metavar="CONTACTS", help="let a campaign dial so many contacts instead")
    parser.add_argument("--kills", type=int, default=20, help="how often a process is killed at most")
    parser.add_argument("--at-once", type=int, default=10, help="calls at the same time")
    parser.add_argument("--turns", type=int, default=5, help="what each person says before the end")
    parser.add_argument("--every", type=float, default=2.5, help="mean seconds between two kills")
    parser.add_argument("--database", choices=KINDS, default="sqlite")
    parser.add_argument("--no-spare", action="store_true", help="without a second web process that waits (WEB_SPARE)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=15, help="after so long no more is waited for calls")
    parser.add_argument("--keep-log", type=Path, help="where the processes' log goes")
    options, _others_arguments = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            _telephone(folder, options) if options.campaign is None else _campaign(folder, options)
        finally:
            if options.keep_log and (folder / "log").exists():
                options.keep_log.write_bytes((folder / "log").read_bytes())


def _telephone(folder: Path, options: argparse.Namespace) -> None:
    ledger, callees = asyncio.run(measure(folder, options))
    show(ledger, callees)
    if wrong := failures(ledger, callees):
        sys.exit(f"not survived: {'; '.join(wrong)}")
    sys.stdout.write("survived: nothing dialled twice, no turn lost, all resumed or closed in time\n")


def _campaign(folder: Path, options: argparse.Namespace) -> None:
    books = asyncio.run(campaign.measure(folder, options))
    campaign.show(books)
    if wrong := campaign.breaches(books):
        sys.exit(f"not survived: {'; '.join(f'{len(names)} {words}' for words, names in wrong.items())}")
    sys.stdout.write("survived: everybody called as often as the policy says, nobody twice at once, nobody stranded\n")


if __name__ == "__main__":
    main()
