"""What campaigns do when a call tells something. Receivers run on a call's writer thread: one short write each."""

from typing import Any
from uuid import UUID

from django.dispatch import receiver
from django.utils import timezone

from calls.signals import attempt_over, call_finished, opted_out
from campaigns import services


@receiver(call_finished, dispatch_uid="await_analysis")
def ask_for_analysis(*, session_id: UUID, **_sender: Any) -> None:
    """Have a finished call judged at the next sweep."""
    services.await_analysis([session_id], at=timezone.now())


@receiver(call_finished, dispatch_uid="settle_session")
def settle_conversation(*, session_id: UUID, **_sender: Any) -> None:
    """Settle a campaign's call whose carrier has told its end already."""
    services.settle_session(session_id, at=timezone.now())


@receiver(attempt_over, dispatch_uid="settle_attempt")
def settle_call(*, attempt_id: UUID, **_sender: Any) -> None:
    """Settle a campaign's call whose conversation is stored already, or that had none."""
    services.settle_attempt(attempt_id, at=timezone.now())


@receiver(opted_out, dispatch_uid="cancel_queued")
def cancel_calls(*, e164: str, **_sender: Any) -> None:
    """Take a number that nobody may dial any more out of every campaign."""
    services.cancel_queued(e164, at=timezone.now())
