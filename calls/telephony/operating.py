"""What an operator does to a call on the line: through its row and the carrier, whichever process holds it.

The order is stored first. The carrier is then made to ask what comes next, which ends the running stream, and whoever
answers that question finds the order.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from calls import services
from calls.enums import AttemptKind, AttemptStatus, OperatorOrder
from calls.errors import AgentError, OrderRefusedError
from calls.models import CallAttempt, Transfer
from calls.services import spec_of
from calls.telephony import twiml
from calls.telephony.carriers import carrier
from calls.telephony.reconciling import close, hang_up

RELEASED_AFTER = timedelta(hours=5)
"""Longer than the longest call that is ever ordered (four hours), its ringing included."""


def end_call(attempt_id: UUID) -> None:
    """Hang up. Raises ``OrderRefusedError`` where nobody is on the line, ``TelephonyError`` from the carrier."""
    if not CallAttempt.objects.live().filter(pk=attempt_id).exists():
        message = "this call is over"
        raise OrderRefusedError(message)
    services.order_attempt(attempt_id, OperatorOrder.HANG_UP)
    hang_up(attempt_id)


def release_number(attempt_id: UUID, reason: str, *, now: datetime) -> None:
    """Close a call of a carrier that is not set up any more, so that its number can be called again.

    While the carrier is set up it is asked; and until the longest call is over the telephone may be ringing, or
    somebody may be talking. Raises ``OrderRefusedError``, which says which of both, or that the call is over.
    """
    attempt = CallAttempt.objects.get(pk=attempt_id)
    if attempt.carrier in settings.CARRIERS:
        message = f"the carrier {attempt.carrier} is set up, and is asked what became of this call"
        raise OrderRefusedError(message)
    if now < attempt.created_at + RELEASED_AFTER:
        message = f"it may still be on the line; wait until {RELEASED_AFTER} after it was placed"
        raise OrderRefusedError(message)
    if attempt.is_over or not close(attempt, error=f"The carrier is gone; closed by an operator: {reason}"):
        message = "this call is over"
        raise OrderRefusedError(message)


def leave_message(attempt_id: UUID) -> None:
    """Have the agent say its voicemail message, and hang up. Raises as ``end_call``, and where there is no message."""
    attempt = CallAttempt.objects.select_related("agent_version").get(pk=attempt_id)
    if attempt.status != AttemptStatus.IN_PROGRESS or attempt.kind != AttemptKind.CONTACT:
        message = "nobody is on the line of this call"
        raise OrderRefusedError(message)
    if Transfer.objects.open().filter(attempt=attempt).exists():
        message = "this call is being transferred; hang it up instead"
        raise OrderRefusedError(message)
    try:
        spec = spec_of(attempt.agent_version.content) if attempt.agent_version else None
    except AgentError:
        spec = None
    if spec is None or not spec.telephone.voicemail_message.strip():
        message = "its agent has no voicemail message; write one, and publish the agent"
        raise OrderRefusedError(message)
    if not services.order_attempt(attempt_id, OperatorOrder.LEAVE_MESSAGE):
        message = "there is an order for this call already"
        raise OrderRefusedError(message)
    after = services.opened_streams(attempt_id)
    carrier(attempt.carrier).update(attempt.carrier_sid, url=twiml.callback_url("twilio-next", attempt, after=after))
