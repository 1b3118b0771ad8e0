"""Calls as somebody who watches them sees them: where they are, and what was said once it is stored."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from calls.enums import AttemptStatus, EndReason, SessionStatus, label
from calls.models import CallAttempt, CallSession, Turn


def masked(e164: str) -> str:
    """Give a number that an operator may recognise and nobody can dial: country and last two digits."""
    return f"{e164[:2]} ••• ••• ••{e164[-2:]}" if e164 else "withheld"


def in_words(attempt: CallAttempt) -> str:
    """Give where a call is as an operator reads it."""
    return label(AttemptStatus(attempt.status)).replace("-", " ")


def describe_call(attempt_id: UUID) -> dict[str, Any] | None:
    """Give where a call is, in words and times; None where there is no such call.

    ``is_stored``: what was said is in the database to its end, where anything was said.
    """
    attempt = CallAttempt.objects.filter(pk=attempt_id).first()
    if attempt is None:
        return None
    session = CallSession.objects.filter(pk=attempt.session_id).first() if attempt.session_id else None
    is_ended = session is not None and session.status == SessionStatus.ENDED
    return {
        "status": attempt.status,
        "status_words": in_words(attempt),
        "is_over": attempt.is_over,
        "is_stored": attempt.session_id is None or is_ended,
        "answered_by": attempt.answered_by.replace("_", " "),
        "end_reason": label(EndReason(session.end_reason)) if session and session.end_reason else "",
        "error": attempt.error,
        "answered_at": _iso(attempt.answered_at),
        "ended_at": _iso(attempt.ended_at),
        "session": str(attempt.session_id) if session else "",
    }


def stored_turns(attempt_id: UUID) -> list[Mapping[str, Any]]:
    """Give what was said on all streams of a call, in order, as a watcher's page shows turns."""
    sessions = CallSession.objects.filter(pk__in=_sessions(attempt_id))
    turns = Turn.objects.filter(session__in=sessions).order_by("session__started_at", "session_id", "index")
    return [
        {
            "key": f"stored {turn.session_id.hex} {turn.index}",
            "speaker": turn.speaker,
            "text": turn.text,
            "is_final": True,
            "is_interrupted": turn.interrupted,
            "unheard": "",
            "total_ms": turn.total_ms,
        }
        for turn in turns
    ]


def _sessions(attempt_id: UUID) -> list[UUID]:
    attempt = CallAttempt.objects.filter(pk=attempt_id).first()
    if attempt is None:
        return []
    streamed = attempt.streams.exclude(session_id=None).values_list("session_id", flat=True)
    return [session_id for session_id in {*streamed, attempt.session_id} if session_id]


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
