"""What follows from the end of a call: outcome, cost, and when the contact is tried again, if ever. Done once.

A call's end is told twice, by the carrier and by the conversation, in any order; whoever comes when both are known
settles it. The sweep settles what nobody told.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from msgspec import Struct

from calls import services as call_services
from calls.engine.agent import AgentSpec
from calls.enums import AnsweredBy, AttemptStatus, EndReason, EventKind, SessionStatus, Speaker
from calls.errors import AgentError
from calls.models import CallAttempt, CallEvent, CallSession, Turn
from campaigns.enums import ContactStatus, FinishReason, MembershipState, Outcome
from campaigns.errors import CampaignError
from campaigns.models import Campaign, CampaignAttempt, CampaignContact, Contact
from campaigns.outcomes import Ending, outcome_of
from campaigns.pacing import RetryPolicyError, Window, read_retry_policy, retry_at
from campaigns.services.costs import tariff
from campaigns.services.lifecycle import finished
from campaigns.services.people import load_people
from campaigns.services.rules import gate_of
from campaigns.services.webhooks import tell_call

logger = logging.getLogger(__name__)

CONVERSATION_GRACE = timedelta(minutes=2)
"""How long after the carrier's end the conversation's record is waited for."""
_NOT_DIALLED_SECONDS, _MOST_NOT_DIALLED_SECONDS = 30, 900

_FINAL = {
    Outcome.ANSWERED: FinishReason.REACHED,
    Outcome.OPTED_OUT: FinishReason.OPTED_OUT,
    Outcome.WRONG_NUMBER: FinishReason.WRONG_NUMBER,
    Outcome.INVALID_NUMBER: FinishReason.INVALID_NUMBER,
}
_CONTACT_STATUS = {
    Outcome.WRONG_NUMBER: ContactStatus.WRONG_NUMBER,
    Outcome.INVALID_NUMBER: ContactStatus.INVALID_NUMBER,
}


class _Talk(Struct, frozen=True, kw_only=True):
    """What the conversations of one attempt tell."""

    is_over: bool = True
    end_reason: EndReason | None = None
    agent_spoke: bool = False
    caller_spoke: bool = False
    first_audio_at: datetime | None = None
    greeted_at: datetime | None = None
    """When the person's greeting was over, where it came before the agent's first sound."""
    callback_at: datetime | None = None


def settle_attempt(attempt_id: UUID, *, at: datetime) -> bool:
    """Deal with the end of a campaign's call. True: this did it; False: not over yet, done before, or no campaign's."""
    made = CampaignAttempt.objects.filter(pk=attempt_id, settled_at=None)
    one = made.select_related("attempt", "campaign", "member__contact").first()
    if one is None or not one.attempt.is_over or one.attempt.ended_at is None:
        return False
    talk = _talk_of(one.attempt)
    if not talk.is_over and at - one.attempt.ended_at < CONVERSATION_GRACE:
        return False
    outcome = outcome_of(_ending(one.attempt, talk))
    with transaction.atomic():
        if made.update(settled_at=at, outcome=outcome, **_figures(one, outcome, talk)) != 1:
            return False
        Campaign.objects.filter(pk=one.campaign_id).update(
            spent_micros=F("spent_micros") + CampaignAttempt.objects.get(pk=attempt_id).cost_micros
        )
        _mark_contact(one.member.contact, outcome)
        calling = CampaignContact.objects.filter(pk=one.member_id, state=MembershipState.CALLING)
        calling.update(**_next(one, outcome, talk, at))
        tell_call(attempt_id, at=at)
    logger.info("attempt %s is settled as %s", attempt_id, outcome)
    return True


def _ending(attempt: CallAttempt, talk: _Talk) -> Ending:
    return Ending(
        status=AttemptStatus(attempt.status),
        error_code=attempt.error_code or 0,
        is_refused=attempt.is_refused,
        answered_kind=AnsweredBy(attempt.answered_kind) if attempt.answered_kind else None,
        end_reason=talk.end_reason,
        agent_spoke=talk.agent_spoke,
        caller_spoke=talk.caller_spoke,
        wants_callback=talk.callback_at is not None,
    )


def _talk_of(attempt: CallAttempt) -> _Talk:
    """Read the conversations that the call's streams carried, the last of them for how it ended."""
    opened = attempt.streams.order_by("number").values_list("session_id", flat=True)
    ids = [session_id for session_id in opened if session_id is not None]
    if not ids and attempt.session_id is not None:
        ids = [attempt.session_id]
    sessions = {session.pk: session for session in CallSession.objects.filter(pk__in=ids)}
    last = sessions.get(ids[-1]) if ids else None
    if last is None:
        return _Talk(is_over=not ids)
    turns = Turn.objects.filter(session_id__in=ids).order_by("session__started_at", "index")
    spoken = [
        (speaker, _moment(sessions[pk], began_ms), _moment(sessions[pk], ended_ms))
        for pk, speaker, began_ms, ended_ms in turns.values_list("session_id", "speaker", "started_ms", "ended_ms")
    ]
    first = next((began for speaker, began, _ in spoken if speaker == Speaker.AGENT), None)
    greetings = [ended for speaker, _, ended in spoken if speaker == Speaker.CALLER and first and ended <= first]
    return _Talk(
        is_over=last.status == SessionStatus.ENDED,
        end_reason=EndReason(last.end_reason) if last.end_reason else None,
        agent_spoke=first is not None,
        caller_spoke=any(speaker == Speaker.CALLER for speaker, _, _ in spoken),
        first_audio_at=first,
        greeted_at=max(greetings, default=None),
        callback_at=_callback(CallEvent.objects.filter(session_id__in=ids, kind=EventKind.CALLBACK_REQUESTED)),
    )


def _moment(session: CallSession, ms: int) -> datetime:
    return session.started_at + timedelta(milliseconds=ms)


def _callback(events: QuerySet[CallEvent]) -> datetime | None:
    """Give the time that was asked for last."""
    wishes = [detail.get("at") for detail in events.order_by("pk").values_list("detail", flat=True)]
    if not wishes:
        return None
    try:
        at = datetime.fromisoformat(str(wishes[-1]))
    except ValueError:
        logger.warning("a callback was asked for at no time that can be read")
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _figures(one: CampaignAttempt, outcome: Outcome, talk: _Talk) -> dict[str, Any]:
    attempt = one.attempt
    answered_at, ended_at = attempt.answered_at, attempt.ended_at
    seconds = (ended_at - answered_at).total_seconds() if answered_at and ended_at else 0.0
    billed = attempt.duration_seconds if attempt.duration_seconds is not None else seconds
    first_audio = None
    if answered_at is not None and talk.first_audio_at is not None:
        since = max(answered_at, talk.greeted_at or answered_at)
        first_audio = max(0, round((talk.first_audio_at - since).total_seconds() * 1000))
    return {
        "is_counted": outcome is not Outcome.NOT_DIALLED,
        "cost_micros": _cost(one, billed),
        "talk_ms": round(max(0.0, seconds) * 1000) if answered_at else None,
        "first_audio_ms": first_audio,
    }


def _cost(one: CampaignAttempt, seconds: float) -> int:
    spec = _spec(one.attempt)
    return 0 if spec is None else tariff(one.attempt.carrier, spec, day=one.created_at.date()).cost(seconds, spec)


def _spec(attempt: CallAttempt) -> AgentSpec | None:
    if attempt.agent_version_id is None:
        return None
    try:
        return call_services.load_version(attempt.agent_version_id).spec
    except AgentError:
        return None


def _mark_contact(contact: Contact, outcome: Outcome) -> None:
    """A number that is nobody's, or somebody else's, is called by no campaign."""
    if (status := _CONTACT_STATUS.get(outcome)) is not None:
        Contact.objects.filter(pk=contact.pk, status=ContactStatus.ACTIVE).update(status=status)


def _next(one: CampaignAttempt, outcome: Outcome, talk: _Talk, at: datetime) -> dict[str, Any]:
    """Give the membership's columns after an outcome."""
    campaign = Campaign.objects.get(pk=one.campaign_id)
    if outcome is Outcome.NOT_DIALLED:
        if campaign.finished_at is not None:
            return finished(FinishReason.CAMPAIGN_OVER, at)
        return {"state": MembershipState.WAITING, "next_attempt_at": at + _pause_after_trouble(one)}
    known = {"attempts": F("attempts") + 1, "last_outcome": outcome, "callback_at": None, "held_because": ""}
    if (reason := _FINAL.get(outcome)) is not None:
        return known | finished(reason, at)
    if campaign.finished_at is not None:
        return known | finished(FinishReason.CAMPAIGN_OVER, at)
    window = _window(campaign, one.member.contact, at)
    if talk.callback_at is not None:
        wanted = max(talk.callback_at, at)
        opens_at = window.next_opening(wanted) if window else wanted
        if opens_at is not None:
            return known | _waiting(opens_at) | {"callback_at": talk.callback_at}
    next_at = None
    if one.member.attempts + 1 < campaign.max_attempts:
        next_at = _retry(one, campaign, outcome, window)
    return known | (_waiting(next_at) if next_at else finished(FinishReason.ATTEMPTS_USED, at))


def _waiting(next_at: datetime) -> dict[str, Any]:
    return {"state": MembershipState.WAITING, "next_attempt_at": next_at}


def _retry(one: CampaignAttempt, campaign: Campaign, outcome: Outcome, window: Window | None) -> datetime | None:
    """Give when the policy tries again; one that cannot be read tries nobody again."""
    try:
        policy = read_retry_policy(campaign.retry_policy)
    except RetryPolicyError:
        logger.error("campaign %s has a retry policy that cannot be read", campaign.pk)  # noqa: TRY400 (no bug of ours)
        return None
    before = CampaignAttempt.objects.filter(member_id=one.member_id, outcome=outcome, settled_at__isnull=False)
    ended_at = one.attempt.ended_at or one.created_at
    earlier = before.exclude(pk=one.pk).count()
    return retry_at(policy, outcome, earlier=earlier, ended_at=ended_at, window=window)


def _window(campaign: Campaign, contact: Contact, at: datetime) -> Window | None:
    """Give when the contact may be called; None where nobody can say: the gate holds it then."""
    try:
        return gate_of(campaign).window_of(load_people([contact], at=at)[contact.pk])
    except CampaignError:
        return None


def _pause_after_trouble(one: CampaignAttempt) -> timedelta:
    """Wait longer after each trouble in a row; the contact has nothing to do with it."""
    latest = CampaignAttempt.objects.filter(member_id=one.member_id, settled_at__isnull=False).order_by("-number")
    in_a_row = 0
    for outcome in latest.exclude(pk=one.pk).values_list("outcome", flat=True)[:10]:
        if outcome != Outcome.NOT_DIALLED:
            break
        in_a_row += 1
    return timedelta(seconds=min(_NOT_DIALLED_SECONDS * 2**in_a_row, _MOST_NOT_DIALLED_SECONDS))


def settle_session(session_id: UUID, *, at: datetime) -> bool:
    """Deal with the end of a conversation, where its call is over too."""
    found = CallAttempt.objects.filter(streams__session_id=session_id).values_list("pk", flat=True).first()
    return found is not None and settle_attempt(found, at=at)
