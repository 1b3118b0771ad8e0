"""Starting, pausing, resuming, aborting and finishing a campaign. Each moves its status by compare-and-swap."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from calls import telephony
from calls.errors import TelephonyError
from campaigns.enums import CampaignStatus, FinishReason, MembershipState
from campaigns.errors import CampaignError
from campaigns.models import ApiKey, Campaign, CampaignAttempt, CampaignContact, CampaignEvent
from campaigns.pacing import RetryPolicyError, read_retry_policy
from campaigns.services.rules import gate_of

logger = logging.getLogger(__name__)

By = AbstractBaseUser | ApiKey | None
"""Who did it: a person, another system by its key, or None: ours."""
_ROWS_A_STATEMENT = 2000


def note_event(
    campaign_id: UUID, kind: str, *, at: datetime, by: By = None, detail: dict[str, Any] | None = None
) -> None:
    """Append what happened to a campaign. A key's name stands in the detail, as ``api_key``: it outlives the key."""
    told, actor_id = dict(detail or {}), None
    if isinstance(by, ApiKey):
        told["api_key"] = by.name
    elif by is not None:
        actor_id = by.pk
    CampaignEvent.objects.create(campaign_id=campaign_id, kind=kind, at=at, actor_id=actor_id, detail=told)


@transaction.atomic
def move_campaign(
    campaign_id: UUID,
    earlier: Iterable[CampaignStatus],
    kind: str,
    *,
    at: datetime,
    by: By,
    detail: dict[str, Any],
    **columns: Any,
) -> bool:
    """Move a campaign and note it. False: it is elsewhere by now, and nothing has changed."""
    moved = Campaign.objects.filter(pk=campaign_id, status__in=list(earlier)).update(**columns) == 1
    if moved:
        note_event(campaign_id, kind, at=at, by=by, detail=detail)
        logger.info("campaign %s is %s", campaign_id, columns["status"])
    return moved


def start_problems(campaign: Campaign, *, at: datetime) -> list[str]:
    """Give what keeps a campaign from being started, each with its remedy."""
    problems = []
    if campaign.agent.published_id is None:
        problems.append("The agent has no published version; publish it.")
    if campaign.ends_at is not None and campaign.ends_at <= at:
        problems.append("The campaign's end has passed; set a later one.")
    if not campaign.weekdays or not all(day in range(7) for day in campaign.weekdays):
        problems.append("The calling window never opens: choose weekdays, 0 (Monday) to 6 (Sunday).")
    if not campaign.lists.exists() and not campaign.members.exists():
        problems.append("The campaign has no contacts; choose a list.")
    try:
        read_retry_policy(campaign.retry_policy)
    except RetryPolicyError as error:
        problems.append(f"The retry policy cannot be read: {error}.")
    try:
        gate_of(campaign)
    except CampaignError as error:
        problems += error.problems
    return problems


def start_campaign(campaign_id: UUID, *, by: By, at: datetime) -> bool:
    """Have a draft dial. False: it was started before. Its contacts are enrolled by the dialler.

    The agent's published version is fixed: a later edit changes no call of this campaign. Raises ``CampaignError``
    with every problem at once.
    """
    campaign = Campaign.objects.select_related("agent").get(pk=campaign_id)
    if problems := start_problems(campaign, at=at):
        raise CampaignError(problems)
    version_id = campaign.agent.published_id
    return move_campaign(
        campaign_id,
        [CampaignStatus.DRAFT],
        "started",
        at=at,
        by=by,
        detail={"agent_version": str(version_id)},
        status=CampaignStatus.RUNNING,
        agent_version_id=version_id,
        started_at=at,
    )


def pause_campaign(
    campaign_id: UUID, *, by: By, at: datetime, reason: str, evidence: dict[str, Any] | None = None
) -> bool:
    """Have a campaign dial nobody else; calls on the line go on. False: it does not run."""
    return move_campaign(
        campaign_id,
        [CampaignStatus.RUNNING],
        "paused",
        at=at,
        by=by,
        detail={"reason": reason, "evidence": evidence or {}},
        status=CampaignStatus.PAUSED,
        paused_because=reason[:300],
        pause_evidence=evidence or {},
    )


def resume_campaign(campaign_id: UUID, *, by: By, at: datetime) -> bool:
    """Have a paused campaign dial again. False: it is not paused."""
    return move_campaign(
        campaign_id,
        [CampaignStatus.PAUSED],
        "resumed",
        at=at,
        by=by,
        detail={},
        status=CampaignStatus.RUNNING,
        paused_because="",
        pause_evidence={},
    )


def abort_campaign(campaign_id: UUID, *, by: By, at: datetime) -> bool:
    """End a campaign for good, and hang up on those who are on the line. False: it was over already.

    The carrier is asked, so this must not be called in a transaction. A call whose request is on its way right now is
    hung up by the dialler as soon as the carrier has named it.
    """
    alive = [status for status in CampaignStatus if not status.is_over]
    moved = move_campaign(
        campaign_id, alive, "aborted", at=at, by=by, detail={}, status=CampaignStatus.ABORTED, finished_at=at
    )
    if moved:
        close_members(campaign_id, at=at)
        hang_up_all(campaign_id)
    return moved


def hang_up_all(campaign_id: UUID) -> int:
    """Hang up every call of a campaign; gives how many the carrier was asked to end."""
    live = CampaignAttempt.objects.filter(campaign_id=campaign_id, outcome="", attempt__ended_at=None)
    ended = 0
    for attempt_id in live.order_by().values_list("attempt_id", flat=True):
        try:
            telephony.hang_up(attempt_id)
        except (TelephonyError, KeyError) as error:
            logger.warning("attempt %s could not be hung up: %s", attempt_id, error)
        else:
            ended += 1
    return ended


def close_members(campaign_id: UUID, *, at: datetime) -> int:
    """Be done with every contact that waits, in short transactions. Calls on the line are settled when they end."""
    waiting = CampaignContact.objects.filter(
        campaign_id=campaign_id, state__in=(MembershipState.WAITING, MembershipState.CLAIMED)
    )
    closed = 0
    while ids := list(waiting.order_by().values_list("pk", flat=True)[:_ROWS_A_STATEMENT]):
        closed += waiting.filter(pk__in=ids).update(**finished(FinishReason.CAMPAIGN_OVER, at))
    return closed


def finished(reason: FinishReason, at: datetime) -> dict[str, Any]:
    """Give the columns of a membership that is done with."""
    return {
        "state": MembershipState.FINISHED,
        "finish_reason": reason,
        "finished_at": at,
        "next_attempt_at": None,
        "lease_until": None,
        "lease_key": None,
    }


def remove_contact(member_id: UUID, *, by: By, at: datetime) -> bool:
    """Take a contact out of a campaign. False: it is on the line, or done with already."""
    member = CampaignContact.objects.get(pk=member_id)
    with transaction.atomic():
        waiting = CampaignContact.objects.filter(
            pk=member_id, state__in=(MembershipState.WAITING, MembershipState.CLAIMED)
        )
        removed = waiting.update(**finished(FinishReason.REMOVED, at)) == 1
        if removed:
            note_event(member.campaign_id, "contact_removed", at=at, by=by, detail={"contact": str(member.contact_id)})
    return removed
