"""The gate in the transaction that stores the attempt: what it allows is stored with it, or not at all.

Whoever admits holds one lock for the whole installation until the commit, so that two workers can neither exceed a
cap nor spend a budget twice. An admission takes a few milliseconds; campaigns dial tens of calls a second at most.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q

from calls import services as call_services
from calls.engine.agent import AgentSpec
from calls.enums import AttemptStatus, Direction
from calls.models import CallAttempt
from campaigns.enums import CampaignStatus, DialReason, MembershipState, VoicemailPolicy
from campaigns.gate import Decision, Gate, GateRefusedError, Standing, decide_campaign
from campaigns.models import Campaign, CampaignAttempt, CampaignContact
from campaigns.pacing import Limits, Load, room
from campaigns.services.costs import tariff
from campaigns.services.deciding import people_of
from campaigns.services.rules import gate_of

_LOCK = 0x56_41_4E_54
"""Any number that nothing else in the database locks."""
_DAY = timedelta(hours=24)


def lock_gate() -> None:
    """Let nobody else admit a call until this transaction ends. SQLite's transactions exclude each other anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def free_caller_ids(campaign: Campaign, *, at: datetime) -> list[str]:
    """Give the campaign's numbers whose cap is not reached, the least used first."""
    usable = campaign.caller_ids.filter(is_active=True, is_verified=True)
    numbers = list(usable.values_list("e164", "daily_cap"))
    used = dict(
        CallAttempt.objects.filter(
            from_e164__in=[e164 for e164, _ in numbers], created_at__gt=at - _DAY, direction=Direction.OUTBOUND
        )
        .exclude(status=AttemptStatus.NOT_PLACED)
        .order_by()
        .values_list("from_e164")
        .annotate(count=Count("pk"))
    )
    free = [(used.get(e164, 0), e164) for e164, cap in numbers if cap is None or used.get(e164, 0) < cap]
    return [e164 for _, e164 in sorted(free)]


def standing_of(campaign: Campaign, spec: AgentSpec, gate: Gate, *, at: datetime) -> Standing:
    """Give where a campaign stands now. One without numbers of its own calls from the installation's."""
    has_pool = campaign.caller_ids.exists()
    worst = tariff(campaign.carrier, spec, day=at.date()).worst(spec)
    on_the_way = CampaignAttempt.objects.filter(campaign=campaign, outcome="").count()
    return Standing(
        status=CampaignStatus(campaign.status),
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        budget_micros=campaign.budget_micros,
        spent_micros=campaign.spent_micros,
        reserved_micros=on_the_way * worst,
        next_call_micros=worst,
        has_caller_id=not has_pool or campaign.caller_ids.filter(is_active=True, is_verified=True).exists(),
        free_caller_ids=len(free_caller_ids(campaign, at=at)) if has_pool else 1,
        voicemail=VoicemailPolicy(campaign.voicemail),
        has_opt_out_number=bool(campaign.opt_out_number),
        needs_opt_out_number=gate.needs_voicemail_opt_out(at),
    )


def room_for(campaign: Campaign, *, at: datetime) -> int:
    """Give how many more calls may begin now, by the limits of campaign, carrier and installation."""
    carrier = campaign.carrier or settings.CARRIER
    everywhere = _loads(at)
    rooms = (
        room(
            _load_of(campaign, at),
            Limits(concurrent=campaign.max_concurrent, a_minute=campaign.calls_per_minute),
        ),
        room(
            everywhere.get(carrier, _NOTHING),
            Limits(**settings.CARRIER_LIMITS.get(carrier, {})),
        ),
        settings.MAX_OUTBOUND_CALLS - sum(load.busy for load in everywhere.values()),
    )
    return max(0, min(rooms))


def _load_of(campaign: Campaign, at: datetime) -> Load:
    """Count what one campaign has on the way. A call that is over has left its line, settled or not."""
    attempts = CampaignAttempt.objects.filter(campaign=campaign).order_by()
    recent = attempts.filter(created_at__gt=at - timedelta(minutes=1)).aggregate(
        minute=Count("pk"), second=Count("pk", filter=Q(created_at__gt=at - timedelta(seconds=1)))
    )
    return Load(
        busy=attempts.filter(outcome="", attempt__ended_at=None).count(),
        last_minute=recent["minute"],
        last_second=recent["second"],
    )


_NOTHING = Load(busy=0, last_minute=0, last_second=0)


def _loads(at: datetime) -> dict[str, Load]:
    """Count what each carrier has on the way: live calls by their partial index, new ones by that of the moments."""
    outbound = CallAttempt.objects.filter(direction=Direction.OUTBOUND).order_by()
    live = dict(outbound.filter(ended_at=None).values_list("carrier").annotate(count=Count("pk")))
    recent = outbound.filter(created_at__gt=at - timedelta(minutes=1)).values_list("carrier")
    begun = recent.annotate(minute=Count("pk"), second=Count("pk", filter=Q(created_at__gt=at - timedelta(seconds=1))))
    new = {carrier: (minute, second) for carrier, minute, second in begun}
    return {
        carrier: Load(busy=live.get(carrier, 0), last_minute=minute, last_second=second)
        for carrier in live.keys() | new.keys()
        for minute, second in [new.get(carrier, (0, 0))]
    }


def admission(member_id: UUID, *, lease_key: UUID, at: datetime) -> Callable[[CallAttempt], None]:
    """Give what admits one claimed contact's call: the gate's yes, the membership and the attempt are one commit.

    It raises ``GateRefusedError``: with a decision where the gate says no, without one where there is no room now or
    the claim is another's by now.
    """

    def admit(attempt: CallAttempt) -> None:
        lock_gate()
        claimed = CampaignContact.objects.filter(pk=member_id, state=MembershipState.CLAIMED, lease_key=lease_key)
        member = claimed.select_related("campaign", "contact").first()
        if member is None:
            message = "the claim on this contact is over"
            raise GateRefusedError(message)
        decision = decide_member(member, at=at, own_number=attempt.from_e164)
        if not decision.is_allowed:
            message = f"the gate says: {decision.reason}"
            raise GateRefusedError(message, decision=decision)
        if room_for(member.campaign, at=at) < 1:
            message = "there is no room for another call now"
            raise GateRefusedError(message)
        claimed.update(state=MembershipState.CALLING, held_because="", lease_until=None, lease_key=None)
        CampaignAttempt.objects.create(
            attempt=attempt,
            campaign=member.campaign,
            member=member,
            number=member.campaign_attempts.count() + 1,
            created_at=at,
        )

    return admit


def decide_member(member: CampaignContact, *, at: datetime, own_number: str = "") -> Decision:
    """Ask the gate about one member as everything is now. ``own_number``: the caller ID that was chosen for it."""
    campaign = member.campaign
    if campaign.agent_version_id is None:
        return Decision(reason=DialReason.CAMPAIGN_NOT_RUNNING)
    spec, gate = call_services.load_version(campaign.agent_version_id).spec, gate_of(campaign)
    decision = decide_campaign(standing_of(campaign, spec, gate, at=at), at)
    if not decision.is_allowed:
        return decision
    # Also the installation's own, which was taken because all of the campaign's were full a moment ago.
    has_pool = own_number and campaign.caller_ids.exists()
    if has_pool and own_number not in free_caller_ids(campaign, at=at):
        return Decision(reason=DialReason.CALLER_ID_CAP, detail={"number": own_number[-4:]}, retry_at=at)
    people = people_of([member], spec, at=at)
    return gate.decide(people[member.contact_id], at)
