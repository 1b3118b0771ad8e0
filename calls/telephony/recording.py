"""The carrier's own recording of a call: begun after the notice, stopped by an objection, deleted with the call."""

import logging
from uuid import UUID

from calls import services
from calls.errors import UnknownCallError
from calls.models import CallAttempt
from calls.telephony import twiml
from calls.telephony.carriers import carrier

logger = logging.getLogger(__name__)


def start_recording(attempt_id: UUID) -> None:
    """Have the carrier record a call from now on. Raises ``TelephonyError`` where it cannot be asked, or refuses."""
    attempt = CallAttempt.objects.live().filter(pk=attempt_id).exclude(carrier_sid="").first()
    if attempt is not None:
        url = twiml.callback_url("twilio-recording", attempt)
        carrier(attempt.carrier).start_recording(attempt.carrier_sid, url=url)
        logger.info("the carrier records attempt %s", attempt_id)


def stop_recording(attempt_id: UUID) -> None:
    """Have the carrier stop recording a call. Raises ``TelephonyError`` where it cannot be asked."""
    attempt = CallAttempt.objects.live().filter(pk=attempt_id).exclude(carrier_sid="").first()
    if attempt is not None:
        try:
            carrier(attempt.carrier).stop_recording(attempt.carrier_sid)
        except UnknownCallError:
            logger.info("attempt %s was gone when its recording was to be stopped", attempt_id)


def delete_recording(attempt: CallAttempt) -> None:
    """Delete the carrier's recording of a call, and forget where it was. Raises ``TelephonyError``; then nothing is."""
    if attempt.recording_sid:
        carrier(attempt.carrier).delete_recording(attempt.recording_sid)
        services.forget_carrier_recording(attempt.pk)
