"""A campaign in figures, from covering indexes: the page that shows them asks every few seconds."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count
from msgspec import Struct

from calls import services as call_services
from calls.errors import AgentError
from campaigns.breaker import PICKED_UP, RATED
from campaigns.enums import CampaignStatus, DialReason, FinishReason, MembershipState, Outcome
from campaigns.errors import CampaignError
from campaigns.gate import Decision, decide_campaign
from campaigns.models import Campaign, CampaignAttempt, CampaignContact
from campaigns.services.admission import standing_of
from campaigns.services.rules import gate_of


class CampaignNumbers(Struct, frozen=True, kw_only=True):
    """Where a campaign is."""

    contacts: int
    states: dict[MembershipState, int]
    held: dict[DialReason, int]
    """Why contacts wait, those that the gate holds back."""
    finished: dict[FinishReason, int]
    attempts: int
    rated: int
    """Ended calls that tell something about who picks up: not those that never rang."""
    on_the_line: int
    outcomes: dict[Outcome, int]
    answered: int
    reached: int
    """Contacts with whom the campaign is done because they were reached."""
    answer_rate: float | None
    """Share of the dialled and ended calls that somebody took; None before the first."""
    calls_last_minute: int
    calls_last_hour: int
    spent_micros: int
    budget_micros: int | None
    blocked_by: Decision | None
    """What holds the whole campaign back now; None: nothing, or it does not run."""


class Counts(Struct, frozen=True, kw_only=True):
    """What is counted over all contacts and attempts of a campaign."""

    states: Counter[MembershipState]
    held: Counter[DialReason]
    finished: Counter[FinishReason]
    outcomes: Counter[Outcome]
    on_the_line: int


BIG = 100_000
"""Contacts from which on a count is used again for a moment: a million take a quarter of a second to count."""
KEPT = timedelta(seconds=5)
_MOST_KEPT = 20
_kept: dict[UUID, tuple[datetime, Counts]] = {}


def campaign_numbers(campaign_id: UUID, *, at: datetime) -> CampaignNumbers:
    """Give the figures of now; of a big campaign the counts may be some seconds old."""
    campaign = Campaign.objects.get(pk=campaign_id)
    counts = counts_of(campaign_id, at=at)
    attempts = CampaignAttempt.objects.filter(campaign_id=campaign_id).order_by()
    rated = sum(counts.outcomes[outcome] for outcome in RATED)
    answered = sum(counts.outcomes[outcome] for outcome in PICKED_UP)
    return CampaignNumbers(
        contacts=counts.states.total(),
        states=dict(counts.states),
        held=dict(counts.held),
        finished=dict(counts.finished),
        attempts=counts.outcomes.total() + counts.on_the_line,
        rated=rated,
        on_the_line=counts.on_the_line,
        outcomes=dict(counts.outcomes),
        answered=answered,
        reached=counts.finished[FinishReason.REACHED],
        answer_rate=answered / rated if rated else None,
        calls_last_minute=attempts.filter(created_at__gt=at - timedelta(minutes=1)).count(),
        calls_last_hour=attempts.filter(created_at__gt=at - timedelta(hours=1)).count(),
        spent_micros=campaign.spent_micros,
        budget_micros=campaign.budget_micros,
        blocked_by=_blocked_by(campaign, at),
    )


def counts_of(campaign_id: UUID, *, at: datetime) -> Counts:
    """Count a campaign, or give the count of a moment ago where counting is dear."""
    taken_at, kept = _kept.get(campaign_id, (None, None))
    if kept is not None and taken_at is not None and timedelta(0) <= at - taken_at < KEPT:
        return kept
    counts = _count(campaign_id)
    _kept.pop(campaign_id, None)
    if counts.states.total() >= BIG:
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)), None)
        _kept[campaign_id] = (at, counts)
    return counts


def _count(campaign_id: UUID) -> Counts:
    """Ask two covering indexes, and no row."""
    states, held, done = Counter[MembershipState](), Counter[DialReason](), Counter[FinishReason]()
    members = CampaignContact.objects.filter(campaign_id=campaign_id).order_by()
    groups = members.values_list("state", "held_because", "finish_reason").annotate(count=Count("*"))
    for state, held_because, finish_reason, count in groups:
        states[MembershipState(state)] += count
        if held_because and state == MembershipState.WAITING:
            held[DialReason(held_because)] += count
        if finish_reason:
            done[FinishReason(finish_reason)] += count
    attempts = CampaignAttempt.objects.filter(campaign_id=campaign_id).order_by()
    outcomes = dict(attempts.values_list("outcome").annotate(count=Count("*")))
    on_the_line = outcomes.pop("", 0)
    return Counts(
        states=states,
        held=held,
        finished=done,
        outcomes=Counter({Outcome(outcome): count for outcome, count in outcomes.items()}),
        on_the_line=on_the_line,
    )


def _blocked_by(campaign: Campaign, at: datetime) -> Decision | None:
    if campaign.status != CampaignStatus.RUNNING or campaign.agent_version_id is None:
        return None
    try:
        spec = call_services.load_version(campaign.agent_version_id).spec
        decision = decide_campaign(standing_of(campaign, spec, gate_of(campaign), at=at), at)
    except (AgentError, CampaignError):
        return Decision(reason=DialReason.CAMPAIGN_NOT_RUNNING)
    return None if decision.is_allowed else decision
