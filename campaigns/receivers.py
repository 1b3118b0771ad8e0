"""What campaigns do when a call tells something. Receivers run on a call's writer thread: one short write each."""

from typing import Any
from uuid import UUID

from django.dispatch import receiver
from django.utils import timezone

from calls.signals import call_finished
from campaigns import services


@receiver(call_finished, dispatch_uid="await_analysis")
def ask_for_analysis(*, session_id: UUID, **_sender: Any) -> None:
    """Have a finished call judged at the next sweep."""
    services.await_analysis([session_id], at=timezone.now())
