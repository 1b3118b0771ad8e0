"""Calls and recordings that are to be forgotten: at the carrier, on the disk, in the database, in this order.

What fails on the way leaves the row, so that it is seen and tried again. A suppressed number stays suppressed: its
proof stands in its own row.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from calls import services, telephony
from calls.errors import ErasureRefusedError, TelephonyError
from calls.models import CallAttempt, CallSession, Recording
from calls.recorder.erasing import erase_recording, erase_session_files

logger = logging.getLogger(__name__)

_MOST_A_SWEEP = 5000


def erase_call(session_id: UUID) -> int:
    """Delete a conversation on all its streams, with sound, journals and what its attempt says of the person.

    Gives the number of sessions. Raises ``ErasureRefusedError`` for a call that is live or under legal hold,
    ``TelephonyError`` where the carrier keeps its recording, ``OSError`` where a file cannot be deleted.
    """
    session_ids = services.sessions_of_call(session_id)
    sessions = CallSession.objects.filter(pk__in=session_ids)
    if sessions.filter(is_held=True).exists():
        message = "the call is under legal hold"
        raise ErasureRefusedError(message)
    attempts = CallAttempt.objects.filter(streams__session_id__in=session_ids).distinct()
    if sessions.live().exists() or any(not attempt.is_over for attempt in attempts):
        message = "the call is on the line; wait until it is over"
        raise ErasureRefusedError(message)
    for attempt in attempts:
        telephony.delete_recording(attempt)
    for each in session_ids:
        erase_session_files(each)
    services.delete_call(session_ids)
    logger.info("a call was deleted with its %s conversations", len(session_ids))
    return len(session_ids)


def expire_recordings(now: datetime) -> int:
    """Delete the recordings that are older than the installation keeps them; gives their number."""
    if not settings.RECORDING_RETENTION_DAYS:
        return 0
    before = now - timedelta(days=settings.RECORDING_RETENTION_DAYS)
    deleted = 0
    for recording in Recording.objects.expired(before)[:_MOST_A_SWEEP]:
        try:
            erase_recording(recording)
        except OSError:
            logger.exception("a recording that is too old cannot be deleted")
        else:
            deleted += 1
    for attempt in CallAttempt.objects.recorded_before(before)[:_MOST_A_SWEEP]:
        try:
            telephony.delete_recording(attempt)
        except (TelephonyError, KeyError) as error:
            logger.warning("the carrier keeps a recording that is too old: %s", error)
        else:
            deleted += 1
    if deleted:
        logger.info("%s recordings were older than %s days", deleted, settings.RECORDING_RETENTION_DAYS)
    return deleted
