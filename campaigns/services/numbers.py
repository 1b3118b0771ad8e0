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


class CampaignNumbers(Struct, frozen=True, kw_only=True):
    """Where a campaign is."""

    contacts: int
    states: dict[MembershipState, int]
    held: dict[DialReason, int]
    """Why contacts wait, those that the gate holds back."""
    finished: dict[FinishReason, int]
    attempts: int
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


def campaign_numbers(campaign_id: UUID, *, at: datetime) -> CampaignNumbers:
    """Give the figures of now. Four counts, each over an index alone."""
    campaign = Campaign.objects.get(pk=campaign_id)
    states, held, finished = Counter[MembershipState](), Counter[DialReason](), Counter[FinishReason]()
    members = CampaignContact.objects.filter(campaign_id=campaign_id).order_by()
    for row in members.values("state", "held_because", "finish_reason").annotate(count=Count("*")):
        state = MembershipState(row["state"])
        states[state] += row["count"]
        if row["held_because"] and state is MembershipState.WAITING:
            held[DialReason(row["held_because"])] += row["count"]
        if row["finish_reason"]:
            finished[FinishReason(row["finish_reason"])] += row["count"]
    attempts = CampaignAttempt.objects.filter(campaign_id=campaign_id).order_by()
    outcomes = Counter[Outcome]()
    on_the_line = 0
    for outcome, count in attempts.values_list("outcome").annotate(count=Count("*")):
        if outcome:
            outcomes[Outcome(outcome)] += count
        else:
            on_the_line += count
    rated = sum(outcomes[outcome] for outcome in RATED)
    answered = sum(outcomes[outcome] for outcome in PICKED_UP)
    return CampaignNumbers(
        contacts=states.total(),
        states=dict(states),
        held=dict(held),
        finished=dict(finished),
        attempts=outcomes.total() + on_the_line,
        on_the_line=on_the_line,
        outcomes=dict(outcomes),
        answered=answered,
        reached=finished[FinishReason.REACHED],
        answer_rate=answered / rated if rated else None,
        calls_last_minute=attempts.filter(created_at__gt=at - timedelta(minutes=1)).count(),
        calls_last_hour=attempts.filter(created_at__gt=at - timedelta(hours=1)).count(),
        spent_micros=campaign.spent_micros,
        budget_micros=campaign.budget_micros,
        blocked_by=_blocked_by(campaign, at),
    )


def _blocked_by(campaign: Campaign, at: datetime) -> Decision | None:
    if campaign.status != CampaignStatus.RUNNING or campaign.agent_version_id is None:
        return None
    try:
        spec = call_services.load_version(campaign.agent_version_id).spec
        decision = decide_campaign(standing_of(campaign, spec, at=at), at)
    except (AgentError, CampaignError):
        return Decision(reason=DialReason.CAMPAIGN_NOT_RUNNING)
    return None if decision.is_allowed else decision
