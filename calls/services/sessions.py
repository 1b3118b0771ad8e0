"""Sessions and what was said in them. Every function may be called twice with the same facts and stores them once."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet

from calls.engine.events import SpokenTurn
from calls.enums import Door, EndReason, SessionStatus
from calls.models import Agent, AgentVersion, CallEvent, CallSession, Recording, Turn
from calls.services.cleaning import clean_json, clean_text
from calls.services.consequences import draw_consequences
from calls.signals import call_finished

logger = logging.getLogger(__name__)

_LARGEST = 2**31 - 1
_ROWS_A_STATEMENT = 500


class TurnFact(msgspec.Struct, frozen=True, gc=False, tag="turn"):
    """A turn and the call that it belongs to."""

    session_id: UUID
    turn: SpokenTurn


class EventFact(msgspec.Struct, frozen=True, tag="event"):
    """An event; ``seq`` counts from 0 within the call and is the idempotency key, ``at_ms`` since the call began."""

    session_id: UUID
    seq: int
    kind: str
    at_ms: int
    detail: dict[str, Any]


def open_session(session_id: UUID, *, door: Door, user_id: int | None, instance: str, started_at: datetime) -> None:
    """Store a call that has just begun. A user that is gone by now is left out."""
    known = user_id is not None and get_user_model().objects.filter(pk=user_id).exists()
    session = CallSession(
        id=session_id,
        door=door,
        user_id=user_id if known else None,
        instance=instance,
        started_at=started_at,
        alive_at=started_at,
    )
    CallSession.objects.bulk_create([session], ignore_conflicts=True)


def attach_agent(
    session_id: UUID,
    *,
    agent_id: UUID | None,
    version_id: UUID | None,
    language: str,
    variables: Mapping[str, Any],
    campaign_id: str,
) -> None:
    """Store who answers, in which language and with which variables. An agent that is gone by now is left out."""
    CallSession.objects.filter(pk=session_id).update(
        agent_id=agent_id and Agent.objects.filter(pk=agent_id).values("pk"),
        agent_version_id=version_id and AgentVersion.objects.filter(pk=version_id).values("pk"),
        language=clean_text(language)[:20],
        variables=clean_json(variables),
        campaign_id=clean_text(campaign_id),
    )


def record_turns(facts: Sequence[TurnFact]) -> None:
    """Store finished turns; those stored already stay as they are."""
    if not facts:
        return
    stored = _stored(fact.session_id for fact in facts)
    rows = [_turn_row(fact) for fact in facts if fact.session_id in stored]
    Turn.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_ROWS_A_STATEMENT)


def record_events(facts: Sequence[EventFact]) -> None:
    """Store events; those stored already stay as they are."""
    if not facts:
        return
    stored = _stored(fact.session_id for fact in facts)
    rows = [
        CallEvent(
            session_id=fact.session_id,
            seq=fact.seq,
            kind=clean_text(fact.kind)[:100],
            at_ms=_whole(fact.at_ms),
            detail=clean_json(fact.detail),
        )
        for fact in facts
        if fact.session_id in stored
    ]
    CallEvent.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_ROWS_A_STATEMENT)
    for row in rows:
        draw_consequences(row.session_id, row.kind, row.at_ms, row.detail)


def store_recording(
    session_id: UUID, *, path: str, rate: int, duration_ms: int, missing_ms: int, complete: bool
) -> None:
    """Store where the sound is; a second report replaces the first."""
    if not _stored([session_id]):
        return
    figures = {"path": path, "rate": rate, "duration_ms": duration_ms, "missing_ms": missing_ms, "complete": complete}
    Recording.objects.update_or_create(session_id=session_id, defaults=figures)


def finish_call(
    session_id: UUID, *, reason: EndReason, ended_at: datetime, duration_ms: int, totals: Mapping[str, Any]
) -> bool:
    """End a call that is live. True: this call did it, and ``call_finished`` is sent once the end is committed."""
    return _end(
        CallSession.objects.filter(pk=session_id),
        session_id,
        end_reason=reason,
        ended_at=ended_at,
        duration_ms=max(duration_ms, 0),
        totals=clean_json(totals),
    )


@transaction.atomic
def _end(sessions: "QuerySet[CallSession]", session_id: UUID, **columns: Any) -> bool:
    changed = sessions.filter(status=SessionStatus.LIVE).update(status=SessionStatus.ENDED, **columns)
    if changed != 1:
        return False
    transaction.on_commit(partial(_send_finished, session_id), robust=True)
    return True


def _send_finished(session_id: UUID) -> None:
    for receiver, answer in call_finished.send_robust(sender=CallSession, session_id=session_id):
        if isinstance(answer, Exception):
            logger.error("a receiver of call_finished failed: %r", receiver, exc_info=answer)


@transaction.atomic
def store_measurement(
    session_id: UUID,
    *,
    latency_median_ms: int | None,
    latency_p95_ms: int | None,
    totals: Mapping[str, Any],
    peaks: list[list[int]],
    measured_at: datetime,
) -> bool:
    """Store what the analytics found. False: the call is not over, or gone."""
    changed = (
        CallSession.objects.ended()
        .filter(pk=session_id)
        .update(
            latency_median_ms=latency_median_ms,
            latency_p95_ms=latency_p95_ms,
            totals=clean_json(totals),
            measured_at=measured_at,
        )
    )
    if peaks:
        Recording.objects.filter(session_id=session_id).update(peaks=peaks)
    return changed == 1


def touch_sessions(instance: str, *, at: datetime) -> int:
    """Say that a process lives, for all calls that it holds; gives their number."""
    return CallSession.objects.live().filter(instance=instance).update(alive_at=at)


def close_lost_calls(*, now: datetime, grace: timedelta, held: Collection[str] = ()) -> list[UUID]:
    """End live calls whose process was silent for ``grace`` and is not among the ``held`` instances; gives their ids.

    They end when they were last heard of. Each is closed by itself, so that one of them cannot hold up the others.
    """
    lost = CallSession.objects.silent_since(now - grace).exclude(instance__in=held)
    closed = []
    for session_id, started_at, alive_at in lost.values_list("pk", "started_at", "alive_at"):
        duration_ms = max(int((alive_at - started_at) / timedelta(milliseconds=1)), 0)
        # Compared again in the update: the process may have said something since.
        sessions = lost.filter(pk=session_id)
        if _end(sessions, session_id, end_reason=EndReason.INSTANCE_LOST, ended_at=alive_at, duration_ms=duration_ms):
            closed.append(session_id)
    return closed


def _stored(session_ids: Any) -> set[UUID]:
    """Which of the sessions have a row: an operator may have deleted one, and its facts go with it."""
    wanted = set(session_ids)
    return set(CallSession.objects.filter(pk__in=wanted).values_list("pk", flat=True))


def _turn_row(fact: TurnFact) -> Turn:
    turn = fact.turn
    started_ms = _whole(turn.started_ms)
    latency, usage = turn.latency, turn.usage
    return Turn(
        session_id=fact.session_id,
        index=turn.index,
        speaker=turn.speaker,
        text=clean_text(turn.text),
        interrupted=turn.interrupted,
        confidence=None if turn.confidence is None else min(max(turn.confidence, 0.0), 1.0),
        started_ms=started_ms,
        ended_ms=max(_whole(turn.ended_ms), started_ms),
        endpointing_ms=_whole(latency.endpointing) if latency else None,
        stt_ms=_whole(latency.stt) if latency else None,
        llm_ms=_whole(latency.llm) if latency else None,
        tts_ms=_whole(latency.tts) if latency else None,
        total_ms=_whole(latency.total) if latency else None,
        prompt_tokens=_whole(usage.prompt_tokens) if usage else None,
        completion_tokens=_whole(usage.completion_tokens) if usage else None,
    )


def _whole(value: float) -> int:
    """Round into the range of a column."""
    return min(max(round(value), 0), _LARGEST)
