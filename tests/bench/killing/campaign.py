"""The kill test of a campaign: who was called how often, when any process and the broker may die at any moment."""

import argparse
import asyncio
import os
import random
import signal
import socket
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.killing.callee import Callee
from tests.bench.killing.database import database
from tests.bench.killing.exchange import Exchange, over_http
from tests.bench.killing.policy import Seen, judge
from tests.bench.killing.report import kills
from tests.bench.killing.site import FIRST_NUMBER, Site, broker, helper, product, settings_of
from tests.processes import free_port
from tests.simulators.twilio import SimulatedCall, Trouble, TwilioSimulator

_TARGETS = ("web", "spare", "worker", "worker", "scheduler", "broker")
_WEBS = frozenset({"web", "spare"})
"""Either may be the one that serves."""
_FATES = {"in-progress": 10, "no-answer": 5, "busy": 4, "failed": 1}
"""What the carrier makes of a call: so often out of twenty."""
_LINGER_SECONDS = 0.1
_AFTERMATH_SECONDS = 2.0
"""A kill so long after a call's end may still take what was not stored of it."""
_LOST_ANSWERS = 0.4
"""How often a kill comes with an order whose answer is lost."""


class Subscriber(Callee):
    """Somebody whose line is busy, who does not pick up, or who does and says little."""

    async def live(self) -> None:
        """Do what the dice say."""
        (fate,) = self._random.choices(list(_FATES), list(_FATES.values()))
        if fate == "in-progress":
            await super().live()
            return
        await self._tell(self.call.start)
        if fate == "no-answer":
            await self._tell(self.call.ring)
        await asyncio.sleep(self._random.uniform(0.2, 0.8))
        self.outcome, self.ended_at = fate, time.monotonic()
        await self._tell(lambda: self.call.end(fate))


@dataclass
class Books:
    """What the carrier saw, what was killed, and what the database says in the end."""

    contacts: int
    most_kills: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    web_killed_at: list[float] = field(default_factory=list)
    lost_answers: int = 0
    calls: dict[str, list[Seen]] = field(default_factory=dict)
    """Number to its calls, the earliest first."""
    attempts: list[tuple[str, str, bool]] = field(default_factory=list)
    """Of each attempt the carrier's id, the outcome, and whether it is settled."""
    members: Counter[tuple[str, str]] = field(default_factory=Counter)
    """State and reason of the end."""
    pauses: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def note(self, callees: list[Callee]) -> None:
        """Take over what the carrier saw."""
        calls = defaultdict(list)
        for callee in sorted(callees, key=lambda one: one.placed_at):
            over = callee.ended_at or time.monotonic()
            seen = Seen(callee.call.sid, callee.placed_at, over, self.outcomes_of(callee))
            calls[callee.call.order["To"]].append(seen)
        self.calls = dict(calls)

    def outcomes_of(self, callee: Callee) -> frozenset[str]:
        """Say what a call may count as. One that a kill hit was answered, or lost before anything was said."""
        if callee.answered_at is None:
            return frozenset({callee.outcome.replace("-", "_")})
        over = (callee.ended_at or time.monotonic()) + _AFTERMATH_SECONDS
        if any(callee.answered_at <= at <= over for at in self.web_killed_at):
            return frozenset({"answered", "dropped"})
        return frozenset({"answered" if callee.heard else "dropped"})

    def read(self, site: Site) -> None:
        """Read the rows."""
        attempts = site.rows(
            "SELECT a.carrier_sid, c.outcome, c.settled_at IS NOT NULL FROM campaigns_campaignattempt c"
            " JOIN calls_callattempt a ON a.id = c.attempt_id"
        )
        self.attempts = [(sid, outcome, bool(settled)) for sid, outcome, settled in attempts]
        for state, reason in site.rows("SELECT state, finish_reason FROM campaigns_campaigncontact"):
            self.members[state, reason] += 1
        for (detail,) in site.rows("SELECT detail ->> 'reason' FROM campaigns_campaignevent WHERE kind = 'paused'"):
            self.pauses[detail] += 1


def breaches(books: Books) -> dict[str, list[str]]:
    """Give what was not survived, in words, with whom it happened to. Nothing is believed but the carrier."""
    found = defaultdict(list)
    for number in (f"+{FIRST_NUMBER + index}" for index in range(books.contacts)):
        if wrong := judge(books.calls.get(number, [])):
            found[wrong].append(number[-6:])
    for state, reason in (key for key in books.members.elements() if key[0] != "finished" or not key[1]):
        found["stranded"].append(f"{state} {reason}")
    if books.members.total() != books.contacts:
        found["contacts missing"].append(str(books.contacts - books.members.total()))
    found["not settled"] = [sid or "without a name" for sid, _, is_settled in books.attempts if not is_settled]
    seen = {call.sid: call.outcomes for calls in books.calls.values() for call in calls}
    made = Counter(sid for sid, outcome, _ in books.attempts if outcome != "not_dialled")
    found["the carrier's calls are not the settled attempts"] = [
        sid for sid in seen.keys() | made.keys() if made[sid] != (sid in seen)
    ]
    told = {sid: outcome for sid, outcome, is_settled in books.attempts if is_settled}
    found["settled as something else"] = [sid for sid, outcomes in seen.items() if told.get(sid) not in outcomes]
    return {words: names for words, names in found.items() if names}


def show(books: Books) -> None:
    """Print the figures."""
    wrong = breaches(books)
    calls = [call for calls in books.calls.values() for call in calls]
    outcomes = Counter("/".join(sorted(call.outcomes)) for call in calls)
    per_number = Counter(len(calls) for calls in books.calls.values())
    idle = sum(outcome == "not_dialled" for _, outcome, _ in books.attempts)
    lines = {
        "killed": kills(books.killed, books.most_kills),
        "answers lost": f"{books.lost_answers} orders or questions to the carrier",
        "seconds": f"{books.seconds:.0f}",
        "contacts": f"{books.contacts}, called {_counted(Counter({f'{n} times': c for n, c in per_number.items()}))}",
        "calls at the carrier": f"{len(calls)}: {_counted(outcomes)}",
        "attempts": f"{len(books.attempts)}, of which never dialled {idle}",
        "contacts in the end": _counted(Counter({" ".join(key): count for key, count in books.members.items()})),
        "paused by its breaker": _counted(books.pauses),
        **{words: f"{len(names)}, such as {names[:3]}" for words, names in wrong.items()},
    }
    for name, value in lines.items():
        sys.stdout.write(f"{name:<23} {value}\n")


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


async def measure(folder: Path, options: argparse.Namespace) -> Books:
    """Run the campaign to its end and kill all the while."""
    dice, books = random.Random(options.seed), Books(options.campaign, options.kills)  # noqa: S311 (a test's dice)

    def somebody(call: SimulatedCall, index: int) -> Subscriber:
        return Subscriber(call, seed=options.seed * 1_000_000 + index, exchanges=0)

    exchange = Exchange(asyncio.get_running_loop(), somebody, _LINGER_SECONDS)
    with (
        database(options.database, folder) as url,
        TwilioSimulator(over_http) as twilio,
        socket.create_server(("127.0.0.1", 0), backlog=2048) as listening,
    ):
        twilio.on_create = exchange.take
        site = _site(folder, url, listening, twilio, options)
        site.prepare()
        began = time.monotonic()
        running = asyncio.create_task(site.run())
        killing = asyncio.create_task(_kill(site, twilio, books, dice, options))
        try:
            await site.until(lambda: exchange.is_quiet and _is_over(site), options.minutes * 60)
            killing.cancel()
            await site.until(lambda: exchange.is_quiet and _is_over(site), 5)
            books.seconds = time.monotonic() - began
            books.note(exchange.callees)
            books.read(site)
            for task in exchange.tasks:
                if task.done():
                    task.result()  # a bug of the person's is not the product's
        finally:
            for task in (killing, running, *exchange.tasks):
                task.cancel()
            await asyncio.gather(killing, running, *exchange.tasks, return_exceptions=True)
    return books


def _site(
    folder: Path, url: str, listening: socket.socket, twilio: TwilioSimulator, options: argparse.Namespace
) -> Site:
    port = free_port()
    env = settings_of(
        folder,
        listening.getsockname()[1],
        url,
        TWILIO_ACCOUNT_SID=twilio.account_sid,
        TWILIO_AUTH_TOKEN=twilio.auth_token,
        TWILIO_PHONE_NUMBER="+15005550006",
        TWILIO_BASE_URL=twilio.url,
        TWILIO_CALLS_PER_SECOND="100",
        CELERY_BROKER_URL=f"redis://127.0.0.1:{port}/0",
        RECORD_AUDIO="0",
        DEMO="0",
    )
    starting = helper("operator", options.campaign, options.at_once)
    return Site(folder, env, (broker(port, folder), *product(listening, workers=4), starting))


async def _kill(
    site: Site, twilio: TwilioSimulator, books: Books, dice: random.Random, options: argparse.Namespace
) -> None:
    """Kill so many times at random moments; now and then an order's answer is lost as well."""
    while books.killed.total() < options.kills:
        await asyncio.sleep(dice.uniform(0.2, 1.8) * options.every)
        name = dice.choice(_TARGETS)
        if dice.random() < _LOST_ANSWERS:
            books.lost_answers += 1
            twilio.troubles.append(Trouble(drop=True, is_accepted=dice.random() < 0.5))
        if (pid := site.supervisor.pids.get(name)) is None:
            continue
        os.kill(pid, signal.SIGKILL)
        books.killed[name] += 1
        if name in _WEBS:
            books.web_killed_at.append(time.monotonic())


def _is_over(site: Site) -> bool:
    ((ended,),) = site.rows("SELECT count(*) FROM campaigns_campaign WHERE status = 'finished'")
    ((open_,),) = site.rows("SELECT count(*) FROM campaigns_campaignattempt WHERE settled_at IS NULL")
    return bool(ended and not open_)
