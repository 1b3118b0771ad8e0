"""Fills a database as an installation is after a year: the rows that ``bench_admin`` looks at.

The worst cases are on purpose: what is rare is old, so that a list of the newest finds it last.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.models import F

from calls.demo import DEMO_AGENT
from calls.enums import (
    AnsweredBy,
    AttemptStatus,
    Direction,
    Door,
    EndReason,
    SessionStatus,
    Speaker,
    SuppressionSource,
)
from calls.models import Agent, CallAttempt, CallEvent, CallSession, CallStream, Suppression, Turn
from calls.services import ensure_demo_agent
from campaigns import services
from campaigns.enums import (
    AnalysisMethod,
    AnalysisStatus,
    CampaignStatus,
    ConsentKind,
    ContactStatus,
    DialReason,
    Disposition,
    FinishReason,
    MembershipState,
    Outcome,
    Sentiment,
)
from campaigns.models import (
    CallAnalysis,
    Campaign,
    CampaignAttempt,
    CampaignContact,
    Consent,
    Contact,
    ContactList,
    DialDecision,
)
from tests.bench.admin_rest import fill_beside, fill_seldom
from tests.bench.batches import BLOCKS, NOW, key, moment, multiply, name_of, stored

FEW = 2000
"""Contacts of a second list and campaign: the oldest ones."""
STATES = ("NY", "FL", "TX", "CA", "WA")
OUTCOMES = (Outcome.ANSWERED, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VOICEMAIL, Outcome.FAILED)
STATUSES = (
    AttemptStatus.COMPLETED,
    AttemptStatus.NO_ANSWER,
    AttemptStatus.BUSY,
    AttemptStatus.COMPLETED,
    AttemptStatus.FAILED,
)
WORDS = (
    "Hello, this is Sam of Example Solar. Have I reached you at a good moment?",
    "Well, what is it about? I have a minute, but not much more than that.",
    "It is about your roof, and what the sun on it would bring you each year.",
    "We have talked about that with the neighbours, and they were rather content.",
    "Shall somebody come by on Thursday at ten to have a look at it with you?",
    "Thursday is fine. Thank you, and good bye.",
)


def number_of(number: int) -> str:
    """Give a number of its own for each."""
    return f"+1{2_120_000_000 + number}"


def fill(contacts: int, calls: int, said: Callable[[str], None]) -> None:
    """Make campaigns of all contacts and of few, calls of some of them, and what an installation keeps beside."""
    call_command("migrate", verbosity=0)
    services.ensure_roles()
    agent, other = ensure_demo_agent(DEMO_AGENT), Agent.objects.create(name="Seldom used")
    assert agent is not None
    get_user_model().objects.create_superuser("boss")
    block, called = contacts // BLOCKS, calls // BLOCKS
    ids = [key(n, 1) for n in range(block)]
    _store_people(ids, contacts)
    large = _campaign("Large", agent, ids)
    _store_members(large, ids, contacts, called)
    said("contacts")
    _store_calls(large, calls)
    said("calls")
    fill_beside(large, calls)
    _mark_what_is_rare(other)
    few = _campaign("Few", agent, ids[:FEW])
    stored(CampaignContact, (_member(few, key(n, 99), pk, n, 0, NOW) for n, pk in enumerate(ids[:FEW])))
    fill_seldom(few)
    settle()
    said("the rest")


def _store_people(ids: list[UUID], contacts: int) -> None:
    block = len(ids)
    number = f"'+1' || (CAST(substr(old.e164, 3) AS bigint) + k * {block})"
    stored(Contact, (_contact(pk, n, contacts) for n, pk in enumerate(ids)))
    Contact.objects.update(created_at=F("updated_at"))  # The models say "now" while they are stored.
    multiply(Contact, among={Contact}, size=block, e164=number, name="old.name || k")
    stored(Consent, (_consent(ids[n], n, contacts) for n in range(block) if n % 4))
    multiply(Consent, among={Contact, Consent}, size=block)
    stored(Suppression, (_suppression(n) for n in range(0, block, 20)))
    multiply(Suppression, among={Suppression}, size=block, e164=number)


def _store_members(large: Campaign, ids: list[UUID], contacts: int, called: int) -> None:
    block, listed = len(ids), Contact.lists.through
    multiply(listed, among={Contact}, size=block)
    stored(CampaignContact, (_member(large, key(n, 2), pk, n, called, moment(n, contacts)) for n, pk in enumerate(ids)))
    multiply(CampaignContact, among={Contact, CampaignContact}, size=block)
    stored(DialDecision, (_decision(n, moment(n, contacts)) for n in range(called)))
    multiply(DialDecision, among={DialDecision, CampaignContact}, size=block)


def _mark_what_is_rare(other: Agent) -> None:
    """Have the oldest rows be unlike all others."""
    first = {
        model: [key(n, kind) for n in range(30)] for model, kind in ((Contact, 1), (CallSession, 4), (CallAttempt, 5))
    }
    Contact.objects.filter(pk__in=first[Contact]).update(region="US-AK", status=ContactStatus.ARCHIVED)
    Consent.objects.filter(contact__in=first[Contact]).update(kind=ConsentKind.EXPRESS)
    CallSession.objects.filter(pk__in=first[CallSession]).update(agent=other, door=Door.CONSOLE, is_held=True)
    CallAttempt.objects.filter(pk__in=first[CallAttempt]).update(direction=Direction.INBOUND, carrier="twilio")
    CallAnalysis.objects.filter(pk__in=first[CallSession]).update(
        method=AnalysisMethod.MODEL, sentiment=Sentiment.NEGATIVE, disposition=Disposition.QUALIFIED
    )
    CallAnalysis.objects.filter(pk=first[CallSession][4]).update(summary="They talked of a giraffe.")
    Turn.objects.filter(session=first[CallSession][3], index=3).update(text="We have a hippopotamus on the roof.")


def settle() -> None:
    """Have the planner know what there is, as autovacuum has in time."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _contact(contact_id: UUID, number: int, contacts: int) -> Contact:
    return Contact(
        id=contact_id,
        e164=number_of(number),
        name=name_of(number),
        region=f"US-{STATES[number % 5]}",
        fields={"order": str(number)},
        created_at=moment(number, contacts),
    )


def _consent(contact_id: UUID, number: int, contacts: int) -> Consent:
    return Consent(
        id=key(number, 3),
        contact_id=contact_id,
        kind=ConsentKind.WRITTEN,
        source="https://example.com/form",
        text="I agree to be called about my order.",
        given_at=moment(number, contacts) - timedelta(days=1),
    )


def _suppression(number: int) -> Suppression:
    return Suppression(
        id=key(number, 6), e164=number_of(number), source=SuppressionSource.SPOKEN, proof="Said so on the telephone."
    )


def _campaign(name: str, agent: Agent, ids: list[UUID]) -> Campaign:
    group = ContactList.objects.create(name=name)
    listed = Contact.lists.through
    stored(listed, (listed(contact_id=pk, contactlist_id=group.pk) for pk in ids))
    campaign = Campaign.objects.create(
        name=name,
        agent=agent,
        agent_version_id=agent.published_id,
        status=CampaignStatus.RUNNING,
        started_at=NOW - timedelta(days=3),
    )
    campaign.lists.add(group)
    return campaign


def _member(
    campaign: Campaign, member_id: UUID, contact_id: UUID, number: int, called: int, at: datetime
) -> CampaignContact:
    is_done = number < called // 2
    return CampaignContact(
        id=member_id,
        campaign=campaign,
        contact_id=contact_id,
        state=MembershipState.FINISHED if is_done else MembershipState.WAITING,
        finished_at=at if is_done else None,
        finish_reason=FinishReason.REACHED if is_done else "",
        next_attempt_at=None if is_done else at,
        attempts=1 if number < called else 0,
        last_outcome=OUTCOMES[number % 5] if number < called else "",
        held_because=DialReason.NO_CONSENT if number % 7 == 0 and not is_done else "",
        decided_at=at,
    )


def _decision(number: int, at: datetime) -> DialDecision:
    reason = DialReason.ALLOWED
    return DialDecision(id=key(number, 7), member_id=key(number, 2), allowed=True, reason=reason, since=at)


def _store_calls(campaign: Campaign, calls: int) -> None:
    size = calls // BLOCKS
    moments = [moment(n, calls) for n in range(size)]
    stored(CallSession, (_session(campaign, n, at) for n, at in enumerate(moments)))
    stored(Turn, chain.from_iterable(_turns(n) for n in range(size)))
    stored(CallEvent, chain.from_iterable(_events(n) for n in range(size)))
    stored(CallAttempt, (_attempt(campaign, n, at) for n, at in enumerate(moments)))
    stored(CallStream, (CallStream(attempt_id=key(n, 5), number=1, issued_at=at) for n, at in enumerate(moments)))
    stored(CampaignAttempt, (_campaign_attempt(campaign, n, at) for n, at in enumerate(moments)))
    stored(CallAnalysis, (_analysis(campaign, n, moments[n]) for n in range(0, size, 2)))
    among = {CallSession, CallAttempt, CampaignContact}
    for model in (CallSession, Turn, CallEvent, CallStream, CampaignAttempt, CallAnalysis):
        if model is CallStream:
            sid = {"dial_key": "old.dial_key || k", "carrier_sid": "old.carrier_sid || '-' || k"}
            multiply(CallAttempt, among=among, size=size, **sid)
        multiply(model, among=among, size=size)


def _campaign_attempt(campaign: Campaign, number: int, at: datetime) -> CampaignAttempt:
    return CampaignAttempt(
        attempt_id=key(number, 5),
        campaign=campaign,
        member_id=key(number, 2),
        number=1,
        outcome=OUTCOMES[number % 5],
        created_at=at,
        settled_at=at,
    )


def _session(campaign: Campaign, number: int, at: datetime) -> CallSession:
    return CallSession(
        id=key(number, 4),
        door=Door.PHONE,
        agent_id=campaign.agent_id,
        agent_version_id=campaign.agent_version_id,
        status=SessionStatus.ENDED,
        end_reason=EndReason.CALLER_ENDED,
        started_at=at,
        ended_at=at,
        duration_ms=1000 + number % 600_000,
        latency_median_ms=600 + number % 500,
        instance="bench",
        alive_at=at,
        measured_at=at,
        totals={"llm_requests": 3, "stt_seconds": 40.5, "interruptions": 1},
    )


def _turns(number: int) -> Iterator[Turn]:
    for index, text in enumerate(WORDS):
        yield Turn(
            session_id=key(number, 4),
            index=index,
            speaker=(Speaker.AGENT, Speaker.CALLER)[index % 2],
            text=text,
            started_ms=index * 1000,
            ended_ms=index * 1000 + 900,
        )


def _events(number: int) -> Iterator[CallEvent]:
    for seq, kind in enumerate(("answered", "greeting_played", "ended")):
        yield CallEvent(session_id=key(number, 4), seq=seq, kind=kind, at_ms=seq * 1000)


def _attempt(campaign: Campaign, number: int, at: datetime) -> CallAttempt:
    return CallAttempt(
        id=key(number, 5),
        to_e164=number_of(number),
        from_e164="+15005550100",
        carrier="sandbox",
        carrier_sid=f"CA{number}",
        status=STATUSES[number % 5],
        answered_kind=AnsweredBy.VOICEMAIL if number % 5 == 3 else "",
        agent_version_id=campaign.agent_version_id,
        session_id=key(number, 4),
        created_at=at,
        heard_at=at,
        ended_at=at,
        duration_seconds=number % 600,
    )


def _analysis(campaign: Campaign, number: int, at: datetime) -> CallAnalysis:
    return CallAnalysis(
        campaign=campaign,
        session_id=key(number, 4),
        status=AnalysisStatus.DONE,
        method=AnalysisMethod.RULES,
        disposition=tuple(Disposition)[number % len(Disposition)],
        sentiment=Sentiment.NEUTRAL,
        summary="They talked about the roof and agreed on a visit.",
        interest=number % 101,
        quality_score=number % 101,
        topics=["roof", "visit"],
        analysed_at=at,
    )
