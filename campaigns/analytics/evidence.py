"""What a judge may look at: one finished call, read once from the rows."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from calls import services as call_services
from calls.engine.agent import AgentSpec
from calls.enums import EndReason, Speaker
from calls.models import CallSession
from campaigns.models import CampaignAttempt


class Line(Struct, frozen=True):
    """One turn, as heard. ``waited_ms``: how long the caller waited for it; None for what answers nobody."""

    speaker: Speaker
    text: str
    interrupted: bool = False
    waited_ms: int | None = None


class Evidence(Struct, frozen=True, kw_only=True):
    """A call as a judge sees it. ``events``: the kinds of what happened in it; ``answered_by``: the carrier's word.

    ``answered_kind``: what the engine heard it to be, in the words of ``AnsweredBy``; empty: it never asked, or died.
    """

    lines: tuple[Line, ...]
    end_reason: EndReason
    duration_ms: int
    spec: AgentSpec
    variables: Mapping[str, Any] = {}
    events: frozenset[str] = frozenset()
    answered_by: str = ""
    answered_kind: str = ""
    result_schema: Mapping[str, Any] = {}
    rubric: str = ""

    def said_by(self, speaker: Speaker) -> list[str]:
        """Give one side's words, turn by turn."""
        return [line.text for line in self.lines if line.speaker is speaker]


def gather(session_id: UUID) -> Evidence | None:
    """Read a call that is over; None where it is not, is gone, or had no agent.

    A call that went over several streams is judged once, at its last session, with all that was said on the others.
    """
    sessions = CallSession.objects.ended().select_related("agent_version")
    session = sessions.filter(pk=session_id).first()
    if session is None or session.agent_version is None:
        return None
    attempt = session.attempts.first()
    campaign_attempt = (
        CampaignAttempt.objects.select_related("member__campaign").filter(attempt=attempt).first() if attempt else None
    )
    campaign = campaign_attempt.member.campaign if campaign_attempt else None
    parts = [session]
    if attempt is not None:
        ids = attempt.streams.filter(session_id__isnull=False).values("session_id")
        parts = list(CallSession.objects.filter(pk__in=ids).order_by("started_at", "pk")) or parts
    return Evidence(
        lines=tuple(line for part in parts for line in _lines(part)),
        end_reason=EndReason(session.end_reason),
        duration_ms=sum(part.duration_ms or 0 for part in parts),
        spec=call_services.spec_of(session.agent_version.content),
        variables=session.variables,
        events=frozenset(kind for part in parts for kind in part.events.values_list("kind", flat=True)),
        answered_by=attempt.answered_by if attempt else "",
        answered_kind=attempt.answered_kind if attempt else "",
        result_schema=campaign.result_schema if campaign else {},
        rubric=campaign.rubric if campaign else "",
    )


def _lines(session: CallSession) -> list[Line]:
    return [
        Line(Speaker(turn.speaker), turn.text, turn.interrupted, turn.total_ms)
        for turn in session.turns.order_by("index")
    ]
