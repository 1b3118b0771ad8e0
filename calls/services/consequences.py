"""What some events of a call mean beyond it: its number may not be dialled any more, or a machine answered."""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from calls.enums import AnsweredBy, AttemptKind, EventKind, SuppressionSource
from calls.models import CallAttempt, CallSession, CallStream, Turn
from calls.services.attempts import suppress

logger = logging.getLogger(__name__)


def draw_consequences(session_id: UUID, kind: str, at_ms: int, detail: Mapping[str, Any]) -> None:
    """Do what follows from an event that is stored by now; from the same event again, nothing more."""
    if kind == EventKind.OPTED_OUT:
        _suppress(session_id, at_ms, detail)
    elif kind == EventKind.ANSWERED and detail.get("by") in set(AnsweredBy):
        attempts = CallStream.objects.filter(session_id=session_id).values("attempt")
        CallAttempt.objects.filter(pk__in=attempts).update(answered_kind=detail["by"])


def _suppress(session_id: UUID, at_ms: int, detail: Mapping[str, Any]) -> None:
    """Have the other party's number never dialled again, with the words or the key as the proof."""
    attempt = CallAttempt.objects.filter(streams__session_id=session_id).first()
    if attempt is None or attempt.kind != AttemptKind.CONTACT or not attempt.person_e164:
        logger.warning("an opt-out has no number that it could hold for")
        return
    source = SuppressionSource(detail["source"])
    suppress(attempt.person_e164, source=source, proof=_proof(session_id, at_ms, source, detail.get("turn")))


def _proof(session_id: UUID, at_ms: int, source: SuppressionSource, number: int | None) -> str:
    """Say in which call and turn it was, when, and in which words."""
    began = CallSession.objects.values_list("started_at", flat=True).get(pk=session_id)
    moment = f"call {session_id}, {at_ms / 1000:.1f} s after its beginning at {began.isoformat(timespec='seconds')}"
    if source is SuppressionSource.KEY:
        return f"pressed a key for it: {moment}"
    turn = Turn.objects.filter(session_id=session_id, index=number).first() if number is not None else None
    return moment if turn is None else f'said "{turn.text}" in turn {turn.index}: {moment}'
