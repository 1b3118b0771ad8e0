"""Handing a caller to a colleague, cold or warm, over whatever dies meanwhile: the next step is read from the rows.

Both legs of a warm transfer move themselves: a leg whose conversation has said its last words closes its stream, the
carrier asks what comes next, and both are sent into one conference. The address that the carrier asks is the same that
it asks after a crash, so that there is one path and not two.

A colleague's number is no contact's: it is dialled although it may be suppressed. The constraint of one live call per
number holds for it all the same, so a warm destination takes one caller at a time; a queue is a cold destination.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from calls import services
from calls.engine.toolspec import Destination
from calls.enums import AttemptKind, AttemptStatus, TransferKind, TransferStatus
from calls.errors import DialRefusedError, TelephonyError, ToolRefusedError
from calls.models import CallAttempt, Transfer
from calls.telephony import twiml
from calls.telephony.carriers import carrier
from calls.telephony.dialling import dial
from calls.telephony.reconciling import hang_up

logger = logging.getLogger(__name__)

DECIDED_WITHIN = timedelta(seconds=75)
"""Beyond the ringing: how long a colleague may listen and think."""
DIALLED_WITHIN = timedelta(seconds=15)
"""Whoever was to call the colleague has done it by then, or has died."""
MET_AFTER = timedelta(seconds=3)
"""A colleague who is gone so soon after the caller was sent to him has not met him."""
_LEG_SECONDS = 14_400
_TALKED = {"completed", "answered"}
_MOST_A_SWEEP = 200


# --- beginning --------------------------------------------------------------------------------------------------------


def transfer(attempt_id: UUID, destination: Destination) -> None:
    """Have the destination rung when the call's stream ends. Raises ``ToolRefusedError``."""
    services.open_transfer(attempt_id, destination, at=timezone.now())


def consult(attempt_id: UUID, destination: Destination, summary: str) -> None:
    """Call a colleague for the caller of this call. Raises ``ToolRefusedError`` where that cannot be."""
    now = timezone.now()
    attempt = CallAttempt.objects.select_related("agent_version").get(pk=attempt_id)
    wanted = services.open_transfer(attempt_id, destination, summary=summary, at=now)
    try:
        leg = services.open_attempt(
            destination.e164,
            from_e164=attempt.own_e164,
            carrier=attempt.carrier,
            version_id=attempt.agent_version_id,
            variables=attempt.variables,
            at=now,
            parent_id=attempt_id,
        )
    except DialRefusedError as error:
        services.advance_transfer(wanted.pk, TransferStatus.FAILED, at=timezone.now(), outcome="busy")
        message = "the colleague is on another call; offer a callback or another way"
        raise ToolRefusedError(message) from error
    if not services.name_leg(wanted.pk, leg.pk):
        services.advance_attempt(leg.pk, AttemptStatus.NOT_PLACED, at=timezone.now(), error="nobody waits any more")
        message = "the caller does not wait for a colleague any more"
        raise ToolRefusedError(message)
    logger.info("attempt %s calls a colleague for attempt %s", leg.pk, attempt_id)
    dial(carrier(attempt.carrier), leg, limit_seconds=_LEG_SECONDS)
    leg.refresh_from_db()
    if leg.is_over:
        services.advance_transfer(wanted.pk, TransferStatus.FAILED, at=timezone.now(), outcome=leg.status)
        message = "the colleague could not be called; offer a callback or another way"
        raise ToolRefusedError(message)


# --- the colleague's answer -------------------------------------------------------------------------------------------


def accept(leg_id: UUID) -> bool:
    """Take the caller (key 1). False: the caller is not on the line any more."""
    wanted = Transfer.objects.filter(leg=leg_id).select_related("attempt").first()
    if wanted is None or wanted.attempt.is_over:
        return False
    return services.advance_transfer(wanted.pk, TransferStatus.ACCEPTED, at=timezone.now())


def decline(leg_id: UUID) -> None:
    """Do not take the caller (key 2)."""
    for wanted in Transfer.objects.filter(leg=leg_id):
        services.advance_transfer(wanted.pk, TransferStatus.FAILED, at=timezone.now(), outcome="declined")


def look(attempt_id: UUID) -> TransferStatus:
    """Say where a caller's newest transfer is; one that nobody has decided for too long has failed by that."""
    wanted = Transfer.objects.filter(attempt=attempt_id).select_related("leg").first()
    if wanted is None:
        return TransferStatus.FAILED
    if wanted.status == TransferStatus.PENDING and wanted.kind == TransferKind.WARM:
        _expire(wanted, timezone.now())
        wanted.refresh_from_db(fields=["status"])
    return TransferStatus(wanted.status)


def _expire(wanted: Transfer, now: datetime) -> None:
    leg = wanted.leg
    until = wanted.created_at + timedelta(seconds=settings.RING_SECONDS) + DECIDED_WITHIN
    if leg is not None and leg.is_over:
        services.advance_transfer(wanted.pk, TransferStatus.FAILED, at=now, outcome=_outcome(leg))
    elif leg is None and now >= wanted.created_at + DIALLED_WITHIN:
        services.advance_transfer(wanted.pk, TransferStatus.FAILED, at=now, outcome="not-called")
    elif now >= until and services.advance_transfer(wanted.pk, TransferStatus.FAILED, at=now, outcome="no-decision"):
        _hang_up(leg)


def _outcome(leg: CallAttempt) -> str:
    """Say why a leg that is over brought nobody: answered and over is a no."""
    return "declined" if leg.status == AttemptStatus.COMPLETED else leg.status


# --- what follows from a call's end -----------------------------------------------------------------------------------


def settle(attempt: CallAttempt, *, now: datetime) -> None:
    """A call is over: decide what hung on it. Asked twice, it does nothing the second time."""
    for wanted in Transfer.objects.open().filter(attempt=attempt).select_related("leg"):
        is_talk = wanted.status == TransferStatus.CONNECTED
        ended = TransferStatus.COMPLETED if is_talk else TransferStatus.CANCELED
        if services.advance_transfer(wanted.pk, ended, at=now):
            _hang_up(wanted.leg)
    for wanted in Transfer.objects.open().filter(leg=attempt).select_related("attempt", "leg"):
        _settle_leg(wanted, now)


def _settle_leg(wanted: Transfer, now: datetime) -> None:
    """The colleague is gone. A caller who was on the way to him must not wait in an empty room."""
    if wanted.status == TransferStatus.PENDING and wanted.leg is not None:
        services.advance_transfer(wanted.pk, TransferStatus.FAILED, at=now, outcome=_outcome(wanted.leg))
        return
    has_met = wanted.connected_at is not None and now - wanted.connected_at >= MET_AFTER
    ended = TransferStatus.COMPLETED if has_met else TransferStatus.FAILED
    was_sent = wanted.status == TransferStatus.CONNECTED
    moved = services.advance_transfer(wanted.pk, ended, at=now, outcome="" if has_met else "left")
    if moved and was_sent and not wanted.attempt.is_over:
        after = services.opened_streams(wanted.attempt_id)
        try:
            asked = carrier(wanted.attempt.carrier)
            asked.update(wanted.attempt.carrier_sid, url=twiml.callback_url("twilio-next", wanted.attempt, after=after))
        except (TelephonyError, KeyError) as error:
            logger.warning("attempt %s could not be fetched back: %s", wanted.attempt_id, error)


def detect_machine(leg: CallAttempt, answered_by: str) -> None:
    """A machine took the colleague's call: there is nobody who could press a key."""
    if leg.kind == AttemptKind.COLLEAGUE and answered_by.startswith(("machine", "fax")):
        for wanted in Transfer.objects.filter(leg=leg, status=TransferStatus.PENDING):
            if services.advance_transfer(wanted.pk, TransferStatus.FAILED, at=timezone.now(), outcome="voicemail"):
                _hang_up(leg)


def _hang_up(leg: CallAttempt | None) -> None:
    if leg is None or leg.is_over:
        return
    try:
        hang_up(leg.pk)
    except (TelephonyError, KeyError) as error:
        logger.warning("attempt %s could not be hung up: %s", leg.pk, error)


def sweep_transfers(now: datetime) -> None:
    """Decide transfers whose process or callback was lost."""
    waiting = Transfer.objects.open().select_related("attempt", "leg").order_by("created_at")
    for wanted in waiting[:_MOST_A_SWEEP]:
        if wanted.attempt.is_over:
            settle(wanted.attempt, now=now)
        elif wanted.leg is not None and wanted.leg.is_over:
            _settle_leg(wanted, now)
        elif wanted.kind == TransferKind.WARM and wanted.status == TransferStatus.PENDING:
            _expire(wanted, now)


# --- what the carrier is told -----------------------------------------------------------------------------------------


def next_verbs(
    attempt: CallAttempt, *, after: int, told: str, has_ended: Callable[[], bool], now: datetime
) -> str | None:
    """Give the TwiML that a transfer asks for; None: there is none to be followed, or it has failed.

    ``told``: the ``DialCallStatus`` with which a dialling of ours ended, empty where none has. ``has_ended``: whether
    the conversation before came to an end by itself.
    """
    if attempt.kind == AttemptKind.COLLEAGUE:
        return _colleague_verbs(attempt, after=after, told=told)
    wanted = Transfer.objects.filter(attempt=attempt).select_related("leg").first()
    if wanted is None or wanted.status in {TransferStatus.FAILED, TransferStatus.CANCELED}:
        return None
    if wanted.status == TransferStatus.COMPLETED:
        return twiml.hang_up()
    if wanted.kind == TransferKind.COLD:
        return _cold_verbs(wanted, attempt, after=after, told=told, now=now)
    return _warm_verbs(wanted, attempt, after=after, told=told, has_ended=has_ended, now=now)


def _cold_verbs(wanted: Transfer, attempt: CallAttempt, *, after: int, told: str, now: datetime) -> str | None:
    if wanted.status == TransferStatus.CONNECTED and told:
        has_talked = told in _TALKED
        ended = TransferStatus.COMPLETED if has_talked else TransferStatus.FAILED
        services.advance_transfer(wanted.pk, ended, at=now, outcome="" if has_talked else told)
        return twiml.hang_up() if has_talked else None
    services.advance_transfer(wanted.pk, TransferStatus.CONNECTED, at=now)
    return twiml.dial(attempt, wanted.to_e164, after=after)


def _warm_verbs(
    wanted: Transfer, attempt: CallAttempt, *, after: int, told: str, has_ended: Callable[[], bool], now: datetime
) -> str | None:
    if wanted.status == TransferStatus.PENDING:
        if has_ended() and services.advance_transfer(wanted.pk, TransferStatus.CANCELED, at=now):
            _hang_up(wanted.leg)
        return None
    if wanted.leg is None or wanted.leg.is_over or told:
        has_met = wanted.connected_at is not None and now - wanted.connected_at >= MET_AFTER
        ended = TransferStatus.COMPLETED if has_met else TransferStatus.FAILED
        services.advance_transfer(wanted.pk, ended, at=now, outcome="" if has_met else "left")
        _hang_up(wanted.leg)
        return twiml.hang_up() if has_met else None
    services.advance_transfer(wanted.pk, TransferStatus.CONNECTED, at=now)
    return twiml.join_conference(attempt, _room(wanted), after=after)


def _colleague_verbs(leg: CallAttempt, *, after: int, told: str) -> str | None:
    """Give what a colleague's leg does next; None: he hears who is calling."""
    wanted = Transfer.objects.filter(leg=leg).first()
    if wanted is not None and wanted.status == TransferStatus.PENDING:
        return None
    is_wanted = wanted is not None and wanted.status in {TransferStatus.ACCEPTED, TransferStatus.CONNECTED}
    if wanted is None or not is_wanted or told:
        return twiml.hang_up()
    return twiml.join_conference(leg, _room(wanted), after=after)


def _room(wanted: Transfer) -> str:
    return f"transfer-{wanted.pk}"
