"""Calls on the line with nobody at our end of it: they get a new stream to go on with, or are ended.

The carrier asks what comes next as soon as a stream's socket closes, so this finds only what it did not notice, and
streams that it never opened.
"""

import logging
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.conf import settings

from calls.enums import LOST, SAID_GOODBYE, AttemptStatus, EndReason, LegFate, SessionStatus
from calls.errors import TelephonyError
from calls.models import CallAttempt, CallSession, CallStream
from calls.telephony import twiml
from calls.telephony.carriers import carrier
from calls.telephony.reconciling import refresh

logger = logging.getLogger(__name__)

NOTICED_AFTER = timedelta(seconds=10)
"""By then the carrier has asked what comes next, if it has noticed at all."""
SILENT_AFTER = timedelta(seconds=90)
"""Four heartbeats of an instance; also how long the row of a conversation may be on its way."""
GIVEN_UP_AFTER = timedelta(minutes=5)
"""A call that did not go on by then, however often the carrier was told to, is hung up."""
_MOST_A_SWEEP = 200


def fate(stream: CallStream, session: CallSession | None, *, now: datetime, held: Collection[str] = ()) -> LegFate:
    """Decide about a call that the carrier has on the line. ``held``: instances that are known to live."""
    if stream.opened_at is None:
        return _go_on(stream.issued_at, timedelta(seconds=settings.STREAM_TOKEN_SECONDS) + NOTICED_AFTER, now)
    if session is None:
        return _go_on(stream.opened_at, SILENT_AFTER, now)
    if session.status == SessionStatus.LIVE:
        return LegFate.LEAVE if session.instance in held else _go_on(session.alive_at, SILENT_AFTER, now)
    if session.ended_at is None or session.ended_at > now - NOTICED_AFTER:
        return LegFate.LEAVE
    reason = EndReason(session.end_reason)
    if reason in SAID_GOODBYE:
        return LegFate.HANG_UP
    return _go_on(session.ended_at, NOTICED_AFTER, now) if reason in LOST else LegFate.LEAVE


def _go_on(since: datetime, patience: timedelta, now: datetime) -> LegFate:
    """Decide about a call that has had nobody at our end since then."""
    if since < now - patience - GIVEN_UP_AFTER:
        return LegFate.HANG_UP
    return LegFate.GO_ON if since < now - patience else LegFate.LEAVE


def rescue_calls(now: datetime, *, held: Collection[str] = ()) -> None:
    """Have every call that lost our end of it go on or end. A carrier that cannot be asked is asked the next time."""
    for stream, decided in islice(_abandoned(now, held), _MOST_A_SWEEP):
        attempt = stream.attempt
        try:
            refresh(attempt.pk, now=now)
            if CallAttempt.objects.filter(pk=attempt.pk, status=AttemptStatus.IN_PROGRESS).exists():
                _rescue(stream, decided)
        except (TelephonyError, KeyError) as error:
            logger.warning("attempt %s cannot be rescued now: %s", attempt.pk, error)
            if isinstance(error, TelephonyError) and not error.permanent:
                return  # each of the others would wait for the same time-out


def _rescue(stream: CallStream, decided: LegFate) -> None:
    attempt, asked = stream.attempt, carrier(stream.attempt.carrier)
    if decided is LegFate.HANG_UP:
        logger.warning("attempt %s is still on the line after its goodbye and is hung up", attempt.pk)
        asked.hang_up(attempt.carrier_sid)
    else:
        logger.warning("attempt %s lost stream %s unnoticed and goes on", attempt.pk, stream.number)
        asked.update(attempt.carrier_sid, url=twiml.callback_url("twilio-next", attempt, after=stream.number))


def _abandoned(now: datetime, held: Collection[str]) -> Iterator[tuple[CallStream, LegFate]]:
    streams = list(CallStream.objects.newest_on_the_line().select_related("attempt"))
    sessions = _sessions(stream.session_id for stream in streams)
    for stream in streams:
        session = sessions.get(stream.session_id) if stream.session_id else None
        decided = fate(stream, session, now=now, held=held)
        if decided is not LegFate.LEAVE:
            yield stream, decided


def _sessions(session_ids: Iterable[UUID | None]) -> dict[UUID, CallSession]:
    return CallSession.objects.in_bulk([session_id for session_id in session_ids if session_id])
