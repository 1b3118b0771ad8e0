"""Finding out what became of calls of which nobody tells: asked of the carrier, never tried by dialling again."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from calls import services
from calls.enums import AttemptStatus
from calls.errors import TelephonyError, UnknownCallError
from calls.models import CallAttempt, CallSession
from calls.models.attempts import CallAttemptQuerySet
from calls.telephony.carriers import CarrierCall, carrier

logger = logging.getLogger(__name__)

STRANDED_AFTER = timedelta(seconds=60)
"""Longer than a dialling takes, its time-outs included."""
LISTINGS_APART = timedelta(seconds=60)
"""A carrier's list may lag behind its calls."""
UNHEARD_AFTER = timedelta(minutes=2)
_CLOCKS_APART = timedelta(seconds=60)
_MOST_A_SWEEP = 200


def reconcile(attempt_id: UUID, *, now: datetime) -> None:
    """Look for a call that is unknown, in the carrier's list or by the id that it is known to have.

    It counts as not placed when the list was without it twice, a minute apart. Raises ``TelephonyError`` where the
    carrier cannot be asked; then nothing has changed.
    """
    attempt = CallAttempt.objects.unknown().filter(pk=attempt_id).first()
    if attempt is None:
        return
    call = _find(attempt)
    if call is not None:
        services.name_attempt(attempt.pk, call.sid)
        services.advance_attempt(attempt.pk, call.status, at=now, duration_seconds=call.duration_seconds)
    elif attempt.missed_at is None:
        services.miss_attempt(attempt.pk, at=now)
    elif now - attempt.missed_at >= LISTINGS_APART:
        services.advance_attempt(attempt.pk, AttemptStatus.NOT_PLACED, at=now)


def _find(attempt: CallAttempt) -> CarrierCall | None:
    asked = carrier(attempt.carrier)
    if attempt.carrier_sid:
        try:
            return asked.fetch(attempt.carrier_sid)
        except UnknownCallError:
            return None
    since = attempt.created_at - _CLOCKS_APART
    listed = asked.find(to_e164=attempt.to_e164, from_e164=attempt.from_e164, since=since)
    others = CallAttempt.objects.filter(carrier=attempt.carrier, carrier_sid__in=[call.sid for call in listed])
    known = set(others.values_list("carrier_sid", flat=True))
    fresh = [call for call in listed if call.sid not in known]
    if len(fresh) > 1:
        logger.warning("the carrier has %s calls that may be attempt %s", len(fresh), attempt.pk)
    return fresh[0] if fresh else None


def refresh(attempt_id: UUID, *, now: datetime) -> None:
    """Ask the carrier for the state of a call of which nothing was heard for long. Raises ``TelephonyError``."""
    attempt = CallAttempt.objects.live().filter(pk=attempt_id).first()
    if attempt is None:
        return
    try:
        call = carrier(attempt.carrier).fetch(attempt.carrier_sid)
    except UnknownCallError as error:
        close(attempt, error=str(error), error_code=error.code)
    else:
        services.advance_attempt(attempt.pk, call.status, at=now, duration_seconds=call.duration_seconds)


def close(attempt: CallAttempt, *, error: str, error_code: int | None = None) -> bool:
    """End a call that no carrier can be asked about, when it was last heard of. False: it is over.

    One that was answered was held, whatever came after: it is completed. Of any other one nobody knows more than that
    it came to nothing.
    """
    ended = attempt.streams.order_by("-number").values_list("session_id", flat=True).first()
    talk = CallSession.objects.ended().filter(pk=ended).first() if ended else None
    at = (talk and talk.ended_at) or attempt.heard_at
    if attempt.answered_at is not None:
        return services.advance_attempt(attempt.pk, AttemptStatus.COMPLETED, at=max(at, attempt.answered_at))
    return services.advance_attempt(attempt.pk, AttemptStatus.FAILED, at=at, error=error, error_code=error_code)


def sweep_attempts(now: datetime) -> None:
    """Find out about every call that was left alone. A carrier that cannot be asked is asked at the next sweep."""
    for attempt_id in _ids(CallAttempt.objects.stranded(now - STRANDED_AFTER)):
        services.advance_attempt(attempt_id, AttemptStatus.UNKNOWN, at=now)
    _ask(reconcile, CallAttempt.objects.unknown(), now)
    _ask(refresh, CallAttempt.objects.unheard_of(now - UNHEARD_AFTER), now)


def _ask(question: Callable[..., None], attempts: CallAttemptQuerySet, now: datetime) -> None:
    """Ask about each attempt, until the carrier does not answer. One that it refuses to speak of is left out."""
    for attempt_id in _ids(attempts):
        try:
            question(attempt_id, now=now)
        except TelephonyError as error:
            logger.warning("the carrier cannot be asked about attempt %s: %s", attempt_id, error)
            if not error.permanent:
                return
        except KeyError as error:
            logger.warning("attempt %s is left alone: CARRIERS has no %s", attempt_id, error)


def hang_up(attempt_id: UUID) -> None:
    """End the carrier's side of a call. Nothing to do where the carrier has none, or it is over.

    Raises ``TelephonyError`` where the carrier cannot be asked.
    """
    attempt = CallAttempt.objects.live().filter(pk=attempt_id).exclude(carrier_sid="").first()
    if attempt is None:
        return
    try:
        carrier(attempt.carrier).hang_up(attempt.carrier_sid)
    except UnknownCallError:
        logger.info("attempt %s was gone when it was to be hung up", attempt_id)


def _ids(attempts: CallAttemptQuerySet) -> list[UUID]:
    return list(attempts.order_by("heard_at").values_list("pk", flat=True)[:_MOST_A_SWEEP])
