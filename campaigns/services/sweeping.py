"""What finds the work that a lost message or a dead worker left, and looks whether campaigns should stop."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from calls.models.attempts import OVER
from campaigns.breaker import ABANDONED_DAYS, Seen, Trip, judge
from campaigns.enums import CampaignStatus, MembershipState, Outcome
from campaigns.models import Campaign, CampaignAttempt, CampaignContact
from campaigns.services.lifecycle import close_members, pause_campaign
from campaigns.services.settling import settle_attempt

logger = logging.getLogger(__name__)

_MOST_A_SWEEP = 500
_MOST_JUDGED = 5000


def sweep_campaigns(*, at: datetime) -> None:
    """Give back what dead diallers claimed, settle calls whose end nobody told, close what is over, and judge."""
    free_expired(at=at)
    for attempt_id in _unsettled():
        settle_attempt(attempt_id, at=at)
    for campaign_id in _over_with_members():
        close_members(campaign_id, at=at)
    for campaign_id in Campaign.objects.running().values_list("pk", flat=True):
        judge_campaign(campaign_id, at=at)


def free_expired(*, at: datetime) -> int:
    """Let contacts wait again whose dialler did not come back; gives how many. Nothing was asked of the carrier."""
    freed = CampaignContact.objects.expired(at).update(state=MembershipState.WAITING, lease_key=None, lease_until=None)
    if freed:
        logger.warning("%s contacts were claimed by a dialler that did not come back", freed)
    return freed


def _unsettled() -> list[UUID]:
    over = CampaignAttempt.objects.filter(settled_at=None, attempt__status__in=OVER)
    return list(over.order_by("created_at").values_list("pk", flat=True)[:_MOST_A_SWEEP])


def _over_with_members() -> list[UUID]:
    """Give campaigns that ended while their contacts were being closed. Few campaigns have anybody who waits."""
    ended = Campaign.objects.filter(status__in=(CampaignStatus.FINISHED, CampaignStatus.ABORTED))
    return [
        pk
        for pk in ended.values_list("pk", flat=True)
        if CampaignContact.objects.filter(
            campaign_id=pk, state__in=(MembershipState.WAITING, MembershipState.CLAIMED)
        ).exists()
    ]


def judge_campaign(campaign_id: UUID, *, at: datetime) -> Trip | None:
    """Pause a campaign whose calls say that it must stop. Only calls since its start or latest resuming count."""
    trip = judge(_seen(campaign_id, at), at)
    if trip is not None:
        pause_campaign(campaign_id, by=None, at=at, reason=trip.reason, evidence=trip.evidence)
    return trip


def _seen(campaign_id: UUID, at: datetime) -> list[Seen]:
    campaign = Campaign.objects.get(pk=campaign_id)
    resumed = campaign.events.filter(kind="resumed").values_list("at", flat=True).first()
    since = max(at - timedelta(days=ABANDONED_DAYS), resumed or campaign.started_at or campaign.created_at)
    settled = CampaignAttempt.objects.filter(campaign_id=campaign_id, created_at__gte=since, settled_at__isnull=False)
    rows = settled.order_by("-created_at").values_list("created_at", "outcome", "talk_ms", "first_audio_ms")
    return [
        Seen(
            at=created_at,
            outcome=Outcome(outcome),
            talk_seconds=None if talk_ms is None else talk_ms / 1000,
            first_audio_seconds=None if first_audio_ms is None else first_audio_ms / 1000,
        )
        for created_at, outcome, talk_ms, first_audio_ms in reversed(rows[:_MOST_JUDGED])
    ]
