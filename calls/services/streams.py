"""The media streams of a telephone call, and what each of them is to say."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import ProtectedError
from msgspec import Struct
from msgspec.structs import replace

from calls.engine.agent import AgentSpec
from calls.engine.events import SpokenTurn
from calls.enums import (
    LOST,
    OBJECTION,
    AttemptKind,
    Direction,
    EndReason,
    EventKind,
    OperatorOrder,
    SessionStatus,
    Speaker,
    TransferKind,
    TransferStatus,
)
from calls.errors import AgentError
from calls.models import CallAttempt, CallEvent, CallSession, CallStream, Transfer, Turn
from calls.services.agents import spec_of
from calls.services.briefing import briefing_spec
from calls.services.cleaning import clean_text
from calls.services.sessions import EventFact

_LONGEST_ERROR = 500
_ABOUT_RECORDING = (
    EventKind.NOTICE_PLAYED,
    EventKind.RECORDING_STOPPED,
    EventKind.RECORDING_ENDED,
    EventKind.RECORDING_RESUMED,
)


class StreamGrant(Struct, frozen=True):
    """What a token stood for, once: the call, and which of its streams this is. From 2 on it goes on with the call."""

    attempt_id: UUID
    number: int


class PhoneCall(Struct, frozen=True, kw_only=True):
    """What to run on a stream. ``history`` is what was said on the call's earlier streams, renumbered from 0.

    ``direction``: None where a colleague is on the line, to whom nothing of a call to a person applies.
    """

    attempt_id: UUID
    agent_id: UUID
    version_id: UUID
    spec: AgentSpec
    variables: Mapping[str, str]
    language: str
    direction: Direction | None = Direction.OUTBOUND
    history: tuple[SpokenTurn, ...] = ()
    earlier_seconds: float = 0.0
    """How long the call had lasted when this stream was opened; 0 on the first one."""
    is_noticed: bool = True
    """Whether the notice was heard to its end on an earlier stream; on the first one nobody asks."""
    has_objected: bool = False
    """Whether somebody said on an earlier stream that they do not want to be recorded."""
    resumes_recording: bool = False
    """Whether recording had ended for a transfer, from which the caller comes back on this stream."""
    is_briefing: bool = False
    """A colleague is on the line, whose keys decide about a caller."""
    is_consulting: bool = False
    """The caller waits for a colleague who is being called."""
    resume_line: str = ""
    """What is said first, where the call comes back from a transfer; empty: what is said after any loss."""
    last_line: str = ""
    """An operator wants only this said."""


def ask_for_stream(attempt_id: UUID, number: int, *, at: datetime) -> None:
    """Store that the carrier is asked to open a stream. Asked again, an unopened one gets its time anew."""
    _, is_new = CallStream.objects.get_or_create(attempt_id=attempt_id, number=number, defaults={"issued_at": at})
    if not is_new:
        unopened = CallStream.objects.filter(attempt_id=attempt_id, number=number, opened_at__isnull=True)
        unopened.update(issued_at=at)


def open_stream(grant: StreamGrant, session_id: UUID | None, *, at: datetime, not_before: datetime) -> bool:
    """Let one socket have a stream that was asked for since ``not_before``. True: this socket has it."""
    if not CallAttempt.objects.live().filter(pk=grant.attempt_id).exists():
        return False
    # Columns of its own table only: a subquery would not be looked at again when two sockets come at once.
    unopened = CallStream.objects.filter(attempt_id=grant.attempt_id, number=grant.number, opened_at__isnull=True)
    if unopened.filter(issued_at__gte=not_before).update(opened_at=at, session_id=session_id) != 1:
        return False
    if session_id is not None:
        CallAttempt.objects.filter(pk=grant.attempt_id).update(session_id=session_id)
    return True


def opened_streams(attempt_id: UUID) -> int:
    """Give the number of the newest stream that a socket has opened; 0 before the first."""
    streams = CallStream.objects.filter(attempt_id=attempt_id, opened_at__isnull=False)
    return streams.order_by("-number").values_list("number", flat=True).first() or 0


def note_stream(
    grant: StreamGrant, *, carrier_sid: str, at: datetime, has_started: bool = False, error: str = ""
) -> None:
    """Store what the carrier says of a stream: it has started, or has stopped, for an error where there is one."""
    stream = CallStream.objects.filter(attempt_id=grant.attempt_id, number=grant.number)
    stream.filter(carrier_sid="").update(carrier_sid=clean_text(carrier_sid)[:64])
    if error:
        stream.filter(error="").update(error=clean_text(error)[:_LONGEST_ERROR])
    if has_started:
        stream.filter(started_at__isnull=True).update(started_at=at)
    else:
        stream.filter(stopped_at__isnull=True).update(stopped_at=at)


class Journalled(Struct, frozen=True):
    """What is known of a conversation and may not be in the database yet."""

    turns: Sequence[SpokenTurn] = ()
    events: Sequence[EventFact] = ()
    end_reason: EndReason | None = None


ReadJournal = Callable[[UUID], Journalled]


def _nothing(_session_id: UUID) -> Journalled:
    return Journalled()


def has_conversation_ended(attempt_id: UUID, number: int, *, journalled: ReadJournal = _nothing) -> bool | None:
    """Whether what was said on a stream came to its end. None: it is not over, as far as anybody knows here.

    The journal knows before the socket closes. The recorder writes behind the call, so of a conversation that another
    machine held, the end may be in the database a moment after the carrier has noticed it.
    """
    streams = CallStream.objects.filter(attempt_id=attempt_id, number=number, opened_at__isnull=False)
    session_id = streams.values_list("session_id", flat=True).first()
    if session_id is None:
        return False
    # The journal first: once its facts are stored it is removed, and then the database has them.
    reason = journalled(session_id).end_reason
    ended = CallSession.objects.filter(pk=session_id, status=SessionStatus.ENDED)
    if stored := ended.values_list("end_reason", flat=True).first():
        reason = EndReason(stored)
    return None if reason is None else reason not in LOST


def load_attempt_call(grant: StreamGrant, *, journalled: ReadJournal = _nothing) -> PhoneCall:
    """Give what to say on a stream. Raises ``AgentError`` where nothing can be said."""
    attempt = CallAttempt.objects.select_related("agent_version").filter(pk=grant.attempt_id).first()
    version = attempt.agent_version if attempt else None
    if attempt is None or version is None:
        message = f"attempt {grant.attempt_id} has no agent"
        raise AgentError(message)
    spec = spec_of(version.content)
    call = PhoneCall(
        attempt_id=attempt.pk,
        agent_id=version.agent_id,
        version_id=version.pk,
        spec=spec,
        variables={name: str(value) for name, value in attempt.variables.items()},
        language=spec.language,
        direction=None if attempt.kind == AttemptKind.COLLEAGUE else Direction(attempt.direction),
    )
    if attempt.kind == AttemptKind.COLLEAGUE:
        briefing = Transfer.objects.filter(leg=attempt).first()
        return replace(call, spec=briefing_spec(spec, briefing), is_briefing=True) if briefing else call
    if attempt.order == OperatorOrder.LEAVE_MESSAGE:
        return replace(call, last_line=spec.telephone.voicemail_message)
    if grant.number == 1:  # nothing was before it, and somebody who has just answered waits: not one question more
        return call
    seconds = _earlier_seconds(attempt, grant.number)
    return replace(call, earlier_seconds=seconds, **_before(grant, journalled), **_transfer_of(grant, spec))


def _earlier_seconds(attempt: CallAttempt, number: int) -> float:
    """Say how long a call had lasted before a stream; a clock that was set back meanwhile says nothing."""
    stream = CallStream.objects.filter(attempt=attempt, number=number, opened_at__isnull=False).first()
    if stream is None or stream.opened_at is None or attempt.answered_at is None:
        return 0.0
    return max((stream.opened_at - attempt.answered_at).total_seconds(), 0.0)


def _transfer_of(grant: StreamGrant, spec: AgentSpec) -> dict[str, Any]:
    """Say how a stream goes on with a transfer that waits for its outcome, or that has just failed."""
    transfer = Transfer.objects.filter(attempt=grant.attempt_id).first()
    if transfer is None:
        return {}
    if transfer.kind == TransferKind.WARM and transfer.status in {TransferStatus.PENDING, TransferStatus.ACCEPTED}:
        return {"is_consulting": True}
    streams = CallStream.objects.filter(attempt=grant.attempt_id, number__lt=grant.number)
    is_told = transfer.ended_at is None or streams.filter(opened_at__gt=transfer.ended_at).exists()
    if transfer.status != TransferStatus.FAILED or is_told:
        return {}
    # Who waited for a colleague on a stream that was lost has not heard it either.
    return {"resume_line": spec.transfer_lines.returned}


def load_expected_call(attempt_id: UUID) -> PhoneCall:
    """Give what a call will begin with. Raises ``AgentError`` where nothing can be said."""
    return load_attempt_call(StreamGrant(attempt_id, 1))


def _before(grant: StreamGrant, journalled: ReadJournal) -> dict[str, Any]:
    """Say what an earlier stream left to this one: the turns, numbered anew, and what stands about notice and tape."""
    streams = CallStream.objects.filter(attempt_id=grant.attempt_id, number__lt=grant.number, session_id__isnull=False)
    said: list[SpokenTurn] = []
    noted: list[tuple[str, Any]] = []
    sessions = [found for found in streams.order_by("number").values_list("session_id", flat=True) if found]
    for session_id in sessions:
        # The journal first: once its facts are stored it is removed, and then the database has them.
        kept = journalled(session_id)
        turns = {turn.index: turn for turn in kept.turns}
        turns |= {turn.index: _spoken(turn) for turn in Turn.objects.filter(session_id=session_id)}
        said += [turns[index] for index in sorted(turns)]
        events = {event.seq: (event.kind, event.detail.get("reason")) for event in kept.events}
        stored = CallEvent.objects.filter(session_id=session_id, kind__in=_ABOUT_RECORDING)
        events |= {
            seq: (kind, detail.get("reason")) for seq, kind, detail in stored.values_list("seq", "kind", "detail")
        }
        noted += [events[seq] for seq in sorted(events)]
    moves = [kind for kind, _ in noted if kind in {EventKind.RECORDING_ENDED, EventKind.RECORDING_RESUMED}]
    return {
        "history": tuple(replace(turn, index=index) for index, turn in enumerate(said)),
        "is_noticed": not sessions or any(kind == EventKind.NOTICE_PLAYED for kind, _ in noted),
        "has_objected": (EventKind.RECORDING_STOPPED, OBJECTION) in noted,
        "resumes_recording": moves[-1:] == [EventKind.RECORDING_ENDED],
    }


def _spoken(turn: Turn) -> SpokenTurn:
    return SpokenTurn(
        index=turn.index,
        speaker=Speaker(turn.speaker),
        text=turn.text,
        started_ms=turn.started_ms,
        ended_ms=turn.ended_ms,
        interrupted=turn.interrupted,
        confidence=turn.confidence,
    )


def sessions_of_call(session_id: UUID) -> list[UUID]:
    """Give the conversations of the call that this one is a part of, in their order; itself, where it is alone."""
    attempts = CallStream.objects.filter(session_id=session_id).values("attempt_id")
    streams = CallStream.objects.filter(attempt_id__in=attempts, session_id__isnull=False).order_by("number")
    found = [session for session in streams.values_list("session_id", flat=True) if session]
    return found or [session_id]


@transaction.atomic
def delete_call(session_ids: Sequence[UUID]) -> None:
    """Delete conversations and the attempts that carried them; an attempt that others count keeps number and times."""
    attempts = list(CallAttempt.objects.filter(streams__session_id__in=session_ids).distinct())
    CallSession.objects.filter(pk__in=session_ids).delete()
    for attempt in attempts:
        try:
            with transaction.atomic():
                attempt.delete()
        except ProtectedError:
            CallAttempt.objects.filter(pk=attempt.pk).update(variables={}, session=None)
            CallStream.objects.filter(attempt_id=attempt.pk).update(session_id=None)


def hold_call(session_id: UUID, *, is_held: bool) -> int:
    """Put a call with all its conversations under legal hold, or lift that; gives their number."""
    return CallSession.objects.filter(pk__in=sessions_of_call(session_id)).update(is_held=is_held)
