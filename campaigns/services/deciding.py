"""What the gate says of many members, stored: once when it changes, with the moment at which to ask again."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from msgspec import Struct

from calls.engine.agent import AgentSpec
from campaigns.enums import ContactStatus, DialReason, FinishReason, MembershipState
from campaigns.gate import FINAL, LOOK_AGAIN, Decision, Gate, Person
from campaigns.models import CampaignContact, DialDecision
from campaigns.services.lifecycle import finished
from campaigns.services.people import load_people, required_variables

_FINISH = {
    ContactStatus.WRONG_NUMBER: FinishReason.WRONG_NUMBER,
    ContactStatus.INVALID_NUMBER: FinishReason.INVALID_NUMBER,
}


class Decided(Struct, frozen=True):
    """A member, as it was read, and what the gate says of it."""

    member: CampaignContact
    decision: Decision


def people_of(members: Sequence[CampaignContact], spec: AgentSpec, *, at: datetime) -> dict[UUID, Person]:
    """Give contact id to person. ``members`` come with their contacts."""
    return load_people(
        [member.contact for member in members],
        at=at,
        required=required_variables(spec),
        attempts={member.contact_id: counted_attempts(member) for member in members},
    )


def counted_attempts(member: CampaignContact) -> int:
    """Give the attempts that count against the cap: who asked to be called once more is, whatever was before."""
    return 0 if member.callback_at is not None else member.attempts


def decide_many(members: Sequence[CampaignContact], gate: Gate, spec: AgentSpec, *, at: datetime) -> list[Decided]:
    """Ask the gate about members that come with their contacts."""
    people = people_of(members, spec, at=at)
    return [Decided(member, gate.decide(people[member.contact_id], at)) for member in members]


@transaction.atomic
def record_decisions(decided: Sequence[Decided], *, at: datetime) -> int:
    """Store what has changed, for members that still wait as they were read. Gives how many those were.

    A refusal moves the next attempt to the moment at which it is worth asking again; a final one ends the membership.
    """
    untouched = _untouched([one.member for one in decided])
    current = [one for one in decided if one.member.pk in untouched]
    groups: dict[tuple[tuple[str, Any], ...], list[UUID]] = defaultdict(list)
    for one in current:
        groups[tuple(_columns(one, at).items())].append(one.member.pk)
    for columns, ids in groups.items():
        CampaignContact.objects.filter(pk__in=ids).update(**dict(columns))
    DialDecision.objects.bulk_create(
        DialDecision(
            member_id=one.member.pk,
            allowed=one.decision.is_allowed,
            reason=one.decision.reason,
            detail=one.decision.detail,
            since=at,
        )
        for one in current
        if _is_news(one)
    )
    return len(current)


def _untouched(members: Iterable[CampaignContact]) -> set[UUID]:
    """Lock those that nobody has decided about, claimed or moved since they were read."""
    read = {member.pk: (member.decided_at, member.next_attempt_at) for member in members}
    waiting = CampaignContact.objects.filter(pk__in=read, state=MembershipState.WAITING).order_by()
    rows = waiting.select_for_update(skip_locked=True).values_list("pk", "decided_at", "next_attempt_at")
    return {pk for pk, decided_at, next_attempt_at in rows if read[pk] == (decided_at, next_attempt_at)}


def _is_news(one: Decided) -> bool:
    if one.member.decided_at is None:
        return True
    return one.member.held_because != ("" if one.decision.is_allowed else one.decision.reason)


def _columns(one: Decided, at: datetime) -> dict[str, Any]:
    decision = one.decision
    if decision.is_allowed:
        return {"held_because": "", "decided_at": at}
    held: dict[str, Any] = {"held_because": decision.reason, "decided_at": at}
    if decision.reason in FINAL:
        return held | finished(_finish_reason(one), at)
    return held | {"next_attempt_at": decision.retry_at or at + LOOK_AGAIN}


def _finish_reason(one: Decided) -> FinishReason:
    if one.decision.reason is DialReason.SUPPRESSED:
        return FinishReason.OPTED_OUT
    if one.decision.reason is DialReason.ATTEMPTS_USED:
        return FinishReason.ATTEMPTS_USED
    return _FINISH.get(ContactStatus(one.member.contact.status), FinishReason.REMOVED)


def decide_undecided(campaign_id: UUID, gate: Gate, spec: AgentSpec, *, at: datetime, most: int) -> int:
    """Look at members that the gate has not seen yet. Gives how many were looked at."""
    unseen = CampaignContact.objects.undecided().filter(campaign_id=campaign_id).select_related("contact")
    members = list(unseen.order_by("pk")[:most])
    return record_decisions(decide_many(members, gate, spec, at=at), at=at) if members else 0
