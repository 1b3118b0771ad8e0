"""Telephone calls in the carrier's words: a status moves forward by compare-and-swap, late and doubled news is none."""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from calls.engine.agent import AgentSpec
from calls.engine.prompt import render_spec
from calls.enums import AttemptKind, AttemptStatus, DialRefusal, Direction, OperatorOrder, SuppressionSource
from calls.errors import DialRefusedError, MissingVariableError, ToolRefusedError
from calls.models import CallAttempt, Suppression
from calls.models.attempts import E164
from calls.services.cleaning import clean_json, clean_text
from calls.signals import attempt_over, call_expected, opted_out

logger = logging.getLogger(__name__)

_MOMENTS = {AttemptStatus.RINGING: "ringing_at", AttemptStatus.IN_PROGRESS: "answered_at"}
_EXPECTED = {AttemptStatus.INITIATED, AttemptStatus.RINGING, AttemptStatus.IN_PROGRESS}
"""From here on somebody may speak at any moment."""
_WITHOUT_THE_CARRIER = {AttemptStatus.UNKNOWN, AttemptStatus.NOT_PLACED}
_LONGEST_ERROR = 500


def missing_variables(spec: AgentSpec, variables: Mapping[str, str]) -> list[str]:
    """Give the variables that a call would need and that have neither value nor default, in the texts' order."""
    filled, missing = dict(variables), []
    while True:
        try:
            render_spec(spec, filled)
        except MissingVariableError as error:
            missing.append(error.name)
            filled[error.name] = error.name
        else:
            return missing


Admission = Callable[[CallAttempt], None]
"""Lets a call begin, or raises: run in the transaction that stores the attempt, right before it is stored.

Rows that it writes may refer to the attempt: foreign keys are checked at the commit.
"""


@transaction.atomic(durable=True)
def _store(attempt: CallAttempt, admit: Admission | None) -> None:
    if admit is not None:
        admit(attempt)
    is_contact = attempt.kind == AttemptKind.CONTACT
    if is_contact and Suppression.objects.filter(e164=attempt.to_e164).exists():
        message = "this number is suppressed: its owner wants no calls"
        raise DialRefusedError(message, reason=DialRefusal.SUPPRESSED)
    attempt.save(force_insert=True)


def open_attempt(
    to_e164: str,
    *,
    from_e164: str,
    carrier: str,
    version_id: UUID | None,
    variables: Mapping[str, str],
    at: datetime,
    parent_id: UUID | None = None,
    admit: Admission | None = None,
) -> CallAttempt:
    """Store a call that is about to be dialled; it is committed when this returns.

    With ``parent_id`` it goes to a colleague, for the caller of that call: then no suppression counts.

    Raises ``DialRefusedError`` for a suppressed number and for one that is being called already, what ``admit``
    raises, ``RuntimeError`` inside of a transaction, whose end would come after the telephone's ringing.
    """
    attempt = CallAttempt(
        kind=AttemptKind.CONTACT if parent_id is None else AttemptKind.COLLEAGUE,
        parent_id=parent_id,
        to_e164=to_e164,
        from_e164=from_e164,
        carrier=carrier,
        agent_version_id=version_id,
        variables=clean_json(variables),
        created_at=at,
        heard_at=at,
    )
    try:
        _store(attempt, admit)
    except IntegrityError:
        if CallAttempt.objects.live().filter(to_e164=to_e164, direction=Direction.OUTBOUND).exists():
            message = "this number is being called already; wait until that call is over"
            raise DialRefusedError(message, reason=DialRefusal.ALREADY_CALLED) from None
        raise
    return attempt


def open_inbound(
    carrier_sid: str,
    *,
    to_e164: str,
    from_e164: str,
    carrier: str,
    version_id: UUID | None,
    variables: Mapping[str, Any],
    at: datetime,
) -> CallAttempt:
    """Store a call that somebody made to us; the second report of it gives the same row."""
    attempt, is_new = CallAttempt.objects.get_or_create(
        carrier=carrier,
        carrier_sid=carrier_sid,
        defaults={
            "direction": Direction.INBOUND,
            "to_e164": to_e164,
            "from_e164": from_e164,
            "status": AttemptStatus.IN_PROGRESS,
            "agent_version_id": version_id,
            "variables": clean_json(variables),
            "created_at": at,
            "heard_at": at,
            "answered_at": at,
        },
    )
    if is_new:
        transaction.on_commit(partial(_tell_expected, attempt.pk))
    return attempt


def name_attempt(attempt_id: UUID, carrier_sid: str) -> bool:
    """Store under which id the carrier has the call. False: it has another one already, or the id is another call's."""
    try:
        with transaction.atomic():
            return CallAttempt.objects.filter(pk=attempt_id, carrier_sid="").update(carrier_sid=carrier_sid) == 1
    except IntegrityError:
        logger.error("two attempts have one call of the carrier; the second is %s", attempt_id)  # noqa: TRY400 (no bug)
        return False


def advance_attempt(
    attempt_id: UUID,
    status: AttemptStatus,
    *,
    at: datetime,
    sequence: int | None = None,
    duration_seconds: int | None = None,
    error: str = "",
    error_code: int | None = None,
    is_refused: bool = False,
) -> bool:
    """Move a call forward to what was said of it. True: this did it; False: it is there or further, or gone.

    ``sequence`` is the callback's number; one that is older than what counted before does not count.
    """
    columns: dict[str, Any] = {"status": status, "heard_at": at, "ended_at": at if status.is_over else None}
    if moment := _MOMENTS.get(status):
        columns[moment] = at
    if duration_seconds is not None:
        columns["duration_seconds"] = duration_seconds
    if error or status not in _WITHOUT_THE_CARRIER:
        columns |= {"error": clean_text(error)[:_LONGEST_ERROR], "error_code": error_code, "is_refused": is_refused}
    is_newer = Q()
    if sequence is not None:
        columns["sequence"] = sequence
        is_newer = Q(sequence__lt=sequence)
    earlier = CallAttempt.objects.filter(is_newer, pk=attempt_id, status__in=status.earlier)
    try:
        with transaction.atomic():
            moved = earlier.update(**columns) == 1
    except IntegrityError:
        # It counted as not placed, and its number was dialled again before the carrier's word came.
        logger.error("attempt %s was placed after all, beside another one", attempt_id)  # noqa: TRY400 (no bug)
        return False
    if moved:
        logger.info("attempt %s is %s", attempt_id, status)
        if status.is_over:
            transaction.on_commit(partial(_tell_end, attempt_id), robust=True)
    else:
        CallAttempt.objects.filter(pk=attempt_id, heard_at__lt=at).update(heard_at=at)
    if status in _EXPECTED:
        # Also where another process heard of it first: this one may get the stream all the same.
        transaction.on_commit(partial(_tell_expected, attempt_id))
    return moved


def _tell_expected(attempt_id: UUID) -> None:
    for receiver, outcome in call_expected.send_robust(None, attempt_id=attempt_id):
        if isinstance(outcome, Exception):
            logger.error("%s failed on the ringing of attempt %s", receiver, attempt_id, exc_info=outcome)


def _tell_end(attempt_id: UUID) -> None:
    for receiver, outcome in attempt_over.send_robust(None, attempt_id=attempt_id):
        if isinstance(outcome, Exception):
            logger.error("%s failed on the end of attempt %s", receiver, attempt_id, exc_info=outcome)


def miss_attempt(attempt_id: UUID, *, at: datetime) -> None:
    """Note that the carrier's list was looked through and has no such call; the first time stays."""
    unknown = CallAttempt.objects.unknown().filter(pk=attempt_id, missed_at__isnull=True)
    unknown.update(missed_at=at)


def note_machine_detection(attempt_id: UUID, answered_by: str) -> bool:
    """Store the carrier's verdict on who answered; the first one stays."""
    undecided = CallAttempt.objects.filter(pk=attempt_id, answered_by="")
    return undecided.update(answered_by=clean_text(answered_by)[:30]) == 1


def machine_detections(attempt_ids: Collection[UUID]) -> dict[UUID, str]:
    """Give the carrier's verdicts on who answered, of those calls that have one."""
    decided = CallAttempt.objects.filter(pk__in=attempt_ids).exclude(answered_by="")
    return dict(decided.values_list("pk", "answered_by"))


def note_carrier_recording(attempt_id: UUID, recording_sid: str, *, url: str, seconds: int | None) -> bool:
    """Store where the carrier has its recording of a call. The first one stays; told twice, it is the same."""
    attempts = CallAttempt.objects.filter(pk=attempt_id, recording_sid__in=("", recording_sid))
    stored = attempts.update(
        recording_sid=clean_text(recording_sid)[:64], recording_url=clean_text(url)[:500], recording_seconds=seconds
    )
    return stored == 1


def forget_carrier_recording(attempt_id: UUID) -> None:
    """Store that the carrier has no recording of a call any more."""
    CallAttempt.objects.filter(pk=attempt_id).update(recording_sid="", recording_url="", recording_seconds=None)


def suppress(e164: str, *, source: SuppressionSource, proof: str) -> bool:
    """Have a number never dialled again. The first proof stays; False: it was suppressed before.

    ``opted_out`` is sent once it is committed. Raises ``django.core.exceptions.ValidationError`` for what is no number.
    """
    E164(e164)
    _, is_new = Suppression.objects.get_or_create(e164=e164, defaults={"source": source, "proof": clean_text(proof)})
    if is_new:
        transaction.on_commit(partial(_send_opted_out, e164, source), robust=True)
    return is_new


def suppress_person(attempt_id: UUID, *, words: str, at: datetime) -> None:
    """Have the other party of a call never dialled again. Raises ``ToolRefusedError`` where there is no number."""
    attempt = CallAttempt.objects.get(pk=attempt_id)
    if attempt.kind != AttemptKind.CONTACT or not attempt.person_e164:
        message = "the other side's number is not known, so it cannot be suppressed; say that you have noted the wish"
        raise ToolRefusedError(message)
    proof = f"said on the call {attempt.carrier_sid or attempt.pk} at {at.isoformat()}: {words}"
    suppress(attempt.person_e164, source=SuppressionSource.SPOKEN, proof=proof)


def order_attempt(attempt_id: UUID, order: OperatorOrder) -> bool:
    """Store what an operator wants done with a call on the line. False: it is over, or has its order.

    The first order stays; only to hang up is always possible.
    """
    waiting = CallAttempt.objects.live().filter(pk=attempt_id)
    if order is not OperatorOrder.HANG_UP:
        waiting = waiting.filter(order="")
    return waiting.update(order=order) == 1


def _send_opted_out(e164: str, source: SuppressionSource) -> None:
    for receiver, answer in opted_out.send_robust(sender=Suppression, e164=e164, source=source):
        if isinstance(answer, Exception):
            logger.error("a receiver of opted_out failed: %r", receiver, exc_info=answer)
