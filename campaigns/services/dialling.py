"""The dialler. Whom to call lies in the table: a tick claims who is due, and each claim is dialled once or given back.

A claim is a lease: a worker that dies between claim and dial gives the contact back by doing nothing. The attempt is
admitted by the gate in its own transaction, so that whatever happened since the tick (a pause, an opt-out, another
worker) holds.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone
from msgspec import Struct
from uuid_utils.compat import uuid7

from calls import services as call_services
from calls import telephony
from calls.engine.agent import AgentSpec
from calls.enums import DialRefusal
from calls.errors import AgentError, DialRefusedError
from calls.models import CallAttempt
from campaigns.enums import CampaignStatus, DialReason, MembershipState
from campaigns.errors import CampaignError
from campaigns.gate import OF_THE_CAMPAIGN, Decision, Gate, GateRefusedError, decide_campaign
from campaigns.models import Campaign, CampaignAttempt, CampaignContact, DialDecision
from campaigns.services.admission import admission, free_caller_ids, room_for, standing_of
from campaigns.services.deciding import Decided, decide_many, decide_undecided, record_decisions
from campaigns.services.enrolment import enrol_lists
from campaigns.services.finishing import finish_if_done
from campaigns.services.lifecycle import pause_campaign
from campaigns.services.people import variables_for
from campaigns.services.rules import gate_of

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
"""Longer than a dialling takes, its time-outs included."""
BATCH = 500
MOST_A_TICK = 2000
"""Members that one tick looks at for one campaign."""


class Claim(Struct, frozen=True):
    """A contact that this tick claimed; the key tells this claim from any later one."""

    member_id: UUID
    lease_key: UUID


def claim_due(*, at: datetime) -> list[Claim]:
    """Claim whoever is due, in all running campaigns, as far as there is room; which did not dial for longest is first.

    A campaign that only people can mend is paused with what is wrong, and keeps no other from dialling.
    """
    claims: list[Claim] = []
    attempts = CampaignAttempt.objects.filter(campaign=OuterRef("pk")).order_by("-created_at")
    running = Campaign.objects.running().annotate(latest=Subquery(attempts.values("created_at")[:1]))
    for campaign in running.order_by(F("latest").asc(nulls_first=True), "pk"):
        try:
            claims += claim_of(campaign, at=at)
        except (AgentError, CampaignError) as error:
            pause_campaign(campaign.pk, by=None, at=at, reason=str(error))
    return claims


def claim_of(campaign: Campaign, *, at: datetime) -> list[Claim]:
    """Go on with one running campaign. Raises ``CampaignError`` and ``AgentError`` for what only people can mend."""
    if campaign.agent_version_id is None:
        raise CampaignError(["The campaign has no version of its agent; abort it and start another one."])
    if campaign.enrolled_at is None:
        enrol_lists(campaign.pk, at=at)
    spec, gate = call_services.load_version(campaign.agent_version_id).spec, gate_of(campaign)
    standing = decide_campaign(standing_of(campaign, spec, gate, at=at), at)
    claims = _claim(campaign, gate, spec, at=at) if standing.is_allowed else []
    decide_undecided(campaign.pk, gate, spec, at=at, most=BATCH * 2)
    finish_if_done(campaign.pk, at=at, is_over=standing.reason is DialReason.CAMPAIGN_OVER)
    return claims


def free_room(campaign: Campaign, *, at: datetime) -> int:
    """Give how many may be claimed now: what is claimed already will take its part of the room."""
    claimed = CampaignContact.objects.claimed().count()
    return max(0, room_for(campaign, at=at) - claimed)


def _claim(campaign: Campaign, gate: Gate, spec: AgentSpec, *, at: datetime) -> list[Claim]:
    """Ask the gate about who is due, in order, until there is no more room or nobody left."""
    room, looked_at, claims = free_room(campaign, at=at), 0, list[Claim]()
    after: tuple[datetime, UUID] | None = None
    while len(claims) < room and looked_at < MOST_A_TICK:
        members = _due(campaign, at, after)
        if not members:
            break
        decided = decide_many(members, gate, spec, at=at)
        allowed = [one for one in decided if one.decision.is_allowed]
        wanted = allowed[: room - len(claims)]
        record_decisions([one for one in decided if not one.decision.is_allowed] + _first_news(wanted), at=at)
        claims += _take([one.member.pk for one in wanted], at=at)
        looked_at += len(members)
        last = members[-1]
        after = (last.next_attempt_at or at, last.pk)
    return claims


def _first_news(wanted: list[Decided]) -> list[Decided]:
    """Give those of whom nothing or a refusal is stored."""
    return [one for one in wanted if one.member.held_because or one.member.decided_at is None]


def _due(campaign: Campaign, at: datetime, after: tuple[datetime, UUID] | None) -> list[CampaignContact]:
    due = CampaignContact.objects.due(at).filter(campaign=campaign).select_related("contact")
    if after is not None:
        due = due.filter(next_attempt_at__gte=after[0]).exclude(next_attempt_at=after[0], pk__lte=after[1])
    return list(due.order_by("next_attempt_at", "pk")[:BATCH])


@transaction.atomic
def _take(member_ids: list[UUID], *, at: datetime) -> list[Claim]:
    """Claim those that still wait; two ticks never get the same one. Locked rows are another tick's: left out."""
    key = uuid7()
    waiting = CampaignContact.objects.filter(pk__in=member_ids, state=MembershipState.WAITING).order_by()
    free = set(waiting.select_for_update(skip_locked=True).values_list("pk", flat=True))
    CampaignContact.objects.filter(pk__in=free, state=MembershipState.WAITING).update(
        state=MembershipState.CLAIMED, lease_key=key, lease_until=at + LEASE
    )
    return [Claim(member_id, key) for member_id in member_ids if member_id in free]


def dial_claimed(member_id: UUID, *, lease_key: UUID, at: datetime | None = None) -> CallAttempt | None:
    """Dial one claimed contact, or give it back. None: nobody was dialled.

    A second call for the same claim does nothing. The carrier is asked, so this must not be called in a transaction.
    """
    now = at or timezone.now()
    claimed = CampaignContact.objects.filter(pk=member_id, state=MembershipState.CLAIMED, lease_key=lease_key)
    member = claimed.select_related("campaign", "contact").filter(lease_until__gt=now).first()
    if member is None:
        return None
    campaign = member.campaign
    try:
        attempt = telephony.place_call(
            member.contact.e164,
            version_id=campaign.agent_version_id,
            variables=variables_for(member.contact),
            from_e164=next(iter(free_caller_ids(campaign, at=now)), ""),
            carrier=campaign.carrier,
            admit=admission(member.pk, lease_key=lease_key, at=now),
            at=now,
        )
    except GateRefusedError as error:
        give_back(member, lease_key=lease_key, at=now, decision=error.decision)
        return None
    except DialRefusedError as error:
        _refuse(member, error, lease_key=lease_key, at=now)
        return None
    except AgentError as error:
        give_back(member, lease_key=lease_key, at=now)
        pause_campaign(campaign.pk, by=None, at=now, reason=str(error))
        return None
    if Campaign.objects.filter(pk=campaign.pk, status=CampaignStatus.ABORTED).exists():
        # It was aborted while the carrier was asked; nobody could hang up a call without a name.
        telephony.hang_up(attempt.pk)
    return attempt


_REASON_OF: dict[DialRefusal, Callable[[datetime], Decision]] = {
    DialRefusal.SUPPRESSED: lambda _at: Decision(reason=DialReason.SUPPRESSED),
    DialRefusal.ALREADY_CALLED: lambda at: Decision(
        reason=DialReason.ALREADY_ON_THE_LINE, retry_at=at + timedelta(minutes=1)
    ),
    DialRefusal.MISSING_VARIABLES: lambda at: Decision(
        reason=DialReason.MISSING_VARIABLES, retry_at=at + timedelta(minutes=10)
    ),
}


def _refuse(member: CampaignContact, error: DialRefusedError, *, lease_key: UUID, at: datetime) -> None:
    """Note what the lower layer found. What is wrong with the installation stops the campaign, not the contact."""
    if (decide := _REASON_OF.get(error.reason)) is not None:
        give_back(member, lease_key=lease_key, at=at, decision=decide(at))
        return
    give_back(member, lease_key=lease_key, at=at)
    pause_campaign(member.campaign_id, by=None, at=at, reason=f"Nobody can be dialled: {error}.")


@transaction.atomic
def give_back(member: CampaignContact, *, lease_key: UUID, at: datetime, decision: Decision | None = None) -> bool:
    """Let a claimed contact wait again, with the gate's decision where there is one. False: the claim is another's."""
    claimed = CampaignContact.objects.filter(pk=member.pk, state=MembershipState.CLAIMED, lease_key=lease_key)
    waiting = {"state": MembershipState.WAITING, "lease_key": None, "lease_until": None}
    if claimed.update(**waiting) != 1:
        return False
    if decision is not None and decision.reason not in OF_THE_CAMPAIGN:
        fresh = CampaignContact.objects.select_related("contact").get(pk=member.pk)
        record_decisions([Decided(fresh, decision)], at=at)
    return True


def latest_decision(member_id: UUID) -> DialDecision | None:
    """Give what the gate last said of a member, with its evidence."""
    return DialDecision.objects.filter(member_id=member_id).first()
