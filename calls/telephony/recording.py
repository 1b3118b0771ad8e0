"""The carrier's own recording of a call: begun after the notice, stopped by an objection, deleted with the call."""

import logging
from uuid import UUID

from calls import services
from calls.enums import RecordingOrder
from calls.models import CallAttempt
from calls.telephony import twiml
from calls.telephony.carriers import carrier

logger = logging.getLogger(__name__)


def order_recording(attempt_id: UUID, order: RecordingOrder) -> None:
    """Have the carrier begin to record a call, or change that. Nothing to do for a call that is over.

    A recording is paused rather than ended where it may have to go on: an attempt has one at most, so that it can be
    deleted with the call. Raises ``TelephonyError`` where the carrier cannot be asked, or refuses.
    """
    attempt = CallAttempt.objects.live().filter(pk=attempt_id).exclude(carrier_sid="").first()
    if attempt is None:
        return
    asked, sid = carrier(attempt.carrier), attempt.carrier_sid
    match order:
        case RecordingOrder.START:
            asked.start_recording(sid, url=twiml.callback_url("twilio-recording", attempt))
        case RecordingOrder.PAUSE:
            asked.pause_recording(sid)
        case RecordingOrder.RESUME:
            asked.resume_recording(sid)
        case RecordingOrder.STOP:
            asked.stop_recording(sid)
    logger.info("the carrier's recording of attempt %s: %s", attempt_id, order)


def delete_recording(attempt: CallAttempt) -> None:
    """Delete the carrier's recording of a call, and forget where it was. Raises ``TelephonyError``; then nothing is."""
    if attempt.recording_sid:
        carrier(attempt.carrier).delete_recording(attempt.recording_sid)
        services.forget_carrier_recording(attempt.pk)
