"""What a campaign would do: the pre-flight before a start, and the dry run of the next hour. Nothing is written."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.db.models import QuerySet
from msgspec import Struct

from calls.engine.agent import AgentSpec
from campaigns.enums import CampaignStatus, DialReason, MembershipState
from campaigns.errors import CampaignError
from campaigns.gate import STUCK, Decision, Gate, Person, decide_campaign
from campaigns.models import Campaign, CampaignAttempt, CampaignContact, Contact
from campaigns.services.admission import standing_of
from campaigns.services.costs import TYPICAL_SECONDS, spec_of, tariff, unpriced_of
from campaigns.services.deciding import counted_attempts
from campaigns.services.lifecycle import start_problems
from campaigns.services.people import load_people, required_variables
from campaigns.services.rules import gate_of

BATCH = 1000
MOST_EXAMINED = 20_000
SAMPLES = 5
_HOUR = timedelta(hours=1)
_T = TypeVar("_T")


class Preflight(Struct, frozen=True, kw_only=True):
    """What an operator should know before the start. Counts are of the ``examined`` contacts out of ``contacts``."""

    problems: tuple[str, ...]
    """What keeps it from being started at all, each with its remedy."""
    contacts: int
    examined: int
    callable: int
    """Those whom the gate lets through now, or later by itself."""
    missing_variables: dict[str, int]
    """Name to the number of contacts without a value."""
    without_consent: int
    suppressed: int
    held: dict[DialReason, int]
    """Reason to the number of contacts whom it holds back now, all reasons."""
    expected_seconds: float
    """How long the dialling takes at the campaign's pace while windows are open; one attempt each."""
    expected_cost_micros: int
    """If everybody answers and talks as long as usual."""
    unpriced: tuple[str, ...]
    """What the campaign uses and has no price: it is missing in the cost, and in what the budget counts."""

    @property
    def is_estimate(self) -> bool:
        """Whether only a part of the contacts was looked at."""
        return self.examined < self.contacts


class Sample(Struct, frozen=True, kw_only=True):
    """One contact as an example."""

    contact_id: UUID
    e164: str
    name: str
    detail: dict[str, object]
    retry_at: datetime | None


class DryRun(Struct, frozen=True, kw_only=True):
    """What would be dialled in the next hour, and why not the rest."""

    blocked_by: Decision | None
    """What holds the whole campaign back now."""
    capacity: int
    """How many calls the campaign's pace and concurrency allow in an hour."""
    would_dial: int
    dialled_samples: tuple[Sample, ...]
    held: dict[DialReason, int]
    held_samples: dict[DialReason, tuple[Sample, ...]]
    not_due: int
    """Those whose next attempt lies later than the hour."""
    no_room: int
    """Those who could be called and for whom the hour is too short."""
    examined: int


def preflight(campaign_id: UUID, *, at: datetime, most: int = MOST_EXAMINED) -> Preflight:
    """Look at a campaign and its contacts before the start: members if there are any, else those on its lists."""
    campaign = Campaign.objects.select_related("agent").get(pk=campaign_id)
    problems = start_problems(campaign, at=at)
    contacts = _contacts(campaign)
    total, examined, held, missing = contacts.count(), 0, Counter[DialReason](), Counter[str]()
    spec, gate = spec_of(campaign), None
    with suppress(CampaignError):  # which is among the problems
        gate = gate_of(campaign)
    if gate is not None:
        for batch in _batches(contacts.iterator(chunk_size=BATCH), most):
            people = load_people(batch, at=at, required=required_variables(spec) if spec else ())
            for person in people.values():
                missing.update(person.missing_variables)
                held[gate.decide(person, at).reason] += 1
            examined += len(batch)
    callable_ = held.pop(DialReason.ALLOWED, 0) + sum(
        count for reason, count in held.items() if reason not in STUCK | _NEVER
    )
    share = total / examined if examined else 0
    return Preflight(
        problems=tuple(problems),
        contacts=total,
        examined=examined,
        callable=callable_,
        missing_variables=dict(missing),
        without_consent=held[DialReason.NO_CONSENT] + held[DialReason.CONSENT_NOT_WRITTEN],
        suppressed=held[DialReason.SUPPRESSED],
        held={reason: count for reason, count in held.items() if count},
        expected_seconds=callable_ * share * 3600 / hourly_capacity(campaign),
        expected_cost_micros=round(callable_ * share * _typical_cost(campaign, spec, at)),
        unpriced=unpriced_of(campaign, day=at.date()),
    )


_NEVER = frozenset({DialReason.SUPPRESSED, DialReason.CONTACT_NOT_ACTIVE, DialReason.ATTEMPTS_USED})


def _contacts(campaign: Campaign) -> QuerySet[Contact]:
    if campaign.members.exists():
        return Contact.objects.filter(memberships__campaign=campaign).order_by("pk")
    through = Contact.lists.through
    on_lists = through.objects.filter(contactlist__campaigns=campaign).order_by().values("contact_id")
    return Contact.objects.filter(pk__in=on_lists).order_by("pk")


def hourly_capacity(campaign: Campaign) -> int:
    """Give how many calls an hour has room for, by pace and concurrency, at the usual length of a call."""
    by_lines = campaign.max_concurrent * 3600 / _typical_seconds(campaign)
    return max(1, math.floor(min(campaign.calls_per_minute * 60, by_lines)))


def _typical_seconds(campaign: Campaign) -> float:
    """Give the mean length of the campaign's latest calls, ringing included; before the first ones a guess."""
    latest = CampaignAttempt.objects.filter(campaign=campaign).order_by("-created_at")
    spans = [
        (ended_at - created_at).total_seconds()
        for created_at, ended_at in latest.values_list("attempt__created_at", "attempt__ended_at")[:200]
        if ended_at is not None
    ]
    return max(1.0, sum(spans) / len(spans)) if spans else TYPICAL_SECONDS


def _typical_cost(campaign: Campaign, spec: AgentSpec | None, at: datetime) -> int:
    if spec is None:
        return 0
    return tariff(campaign.carrier, spec, day=at.date()).cost(_typical_seconds(campaign), spec)


def _batches(items: Iterator[_T], most: int) -> Iterator[list[_T]]:
    limited = islice(items, most)
    while batch := list(islice(limited, BATCH)):
        yield batch


def plan_next_hour(campaign_id: UUID, *, at: datetime, most: int = MOST_EXAMINED) -> DryRun:
    """Say whom the campaign would dial within an hour from ``at``, and why not the others. Raises ``CampaignError``."""
    campaign = Campaign.objects.select_related("agent").get(pk=campaign_id)
    spec, gate = spec_of(campaign), gate_of(campaign)
    if spec is None:
        raise CampaignError(start_problems(campaign, at=at) or ["The agent cannot be used; publish it again."])
    waiting = CampaignContact.objects.filter(campaign=campaign, state=MembershipState.WAITING)
    due = waiting.filter(next_attempt_at__lt=at + _HOUR).select_related("contact")
    run = _Run(gate, at, hourly_capacity(campaign))
    ordered = due.order_by("next_attempt_at", "pk").iterator(chunk_size=BATCH)
    for batch in _batches(ordered, most):
        people = load_people(
            [member.contact for member in batch],
            at=at,
            required=required_variables(spec),
            attempts={member.contact_id: counted_attempts(member) for member in batch},
        )
        for member in batch:
            run.see(member, people[member.contact_id])
    standing = decide_campaign(standing_of(campaign, spec, gate, at=at), at)
    is_blocked = not standing.is_allowed and campaign.status != CampaignStatus.DRAFT
    return run.result(standing if is_blocked else None, waiting.filter(next_attempt_at__gte=at + _HOUR).count())


class _Run:
    """Counts what the gate says of each member in turn."""

    def __init__(self, gate: Gate, at: datetime, capacity: int) -> None:
        self._gate, self._at, self._capacity = gate, at, capacity
        self._dialled, self._no_room, self._examined = 0, 0, 0
        self._held: Counter[DialReason] = Counter()
        self._samples: dict[DialReason, list[Sample]] = defaultdict(list)

    def see(self, member: CampaignContact, person: Person) -> None:
        """Decide about one member, at the moment at which it is due or opens."""
        self._examined += 1
        decision = self._gate.decide(person, max(self._at, member.next_attempt_at or self._at))
        if decision.retry_at and decision.retry_at < self._at + _HOUR:
            decision = self._gate.decide(person, decision.retry_at)
        if decision.is_allowed and self._dialled >= self._capacity:
            self._no_room += 1
            return
        if decision.is_allowed:
            self._dialled += 1
        else:
            self._held[decision.reason] += 1
        examples = self._samples[decision.reason]
        if len(examples) < SAMPLES:
            contact = member.contact
            examples.append(
                Sample(
                    contact_id=contact.pk,
                    e164=contact.e164,
                    name=contact.name,
                    detail=decision.detail,
                    retry_at=decision.retry_at,
                )
            )

    def result(self, blocked_by: Decision | None, not_due: int) -> DryRun:
        """Give what was counted."""
        dialled = self._samples.pop(DialReason.ALLOWED, [])
        return DryRun(
            blocked_by=blocked_by,
            capacity=self._capacity,
            would_dial=self._dialled,
            dialled_samples=tuple(dialled),
            held=dict(self._held),
            held_samples={reason: tuple(samples) for reason, samples in self._samples.items()},
            not_due=not_due,
            no_room=self._no_room,
            examined=self._examined,
        )
