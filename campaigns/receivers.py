"""What campaigns do when a call tells something. Receivers run on a call's writer thread: one short write each."""

from typing import Any
from uuid import UUID

from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from calls.models import Suppression
from calls.signals import attempt_over, call_finished, opted_out
from campaigns import services
from campaigns.models import CampaignEvent


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
    """Settle a campaign's call whose conversation is stored already, or that had none; of others tell the end."""
    now = timezone.now()
    if not services.tell_other_call(attempt_id, at=now):
        services.settle_attempt(attempt_id, at=now)


@receiver(opted_out, dispatch_uid="cancel_queued")
def cancel_calls(*, e164: str, **_sender: Any) -> None:
    """Take a number that nobody may dial any more out of every campaign."""
    services.cancel_queued(e164, at=timezone.now())


@receiver(post_save, sender=CampaignEvent, dispatch_uid="tell_campaign")
def tell_campaign(*, instance: CampaignEvent, created: bool, **_sender: Any) -> None:
    """Store what other systems are told of a campaign, in the transaction in which it happened."""
    if created:
        services.tell_campaign(instance)


@receiver(post_save, sender=Suppression, dispatch_uid="tell_opt_out")
def tell_opt_out(*, instance: Suppression, created: bool, **_sender: Any) -> None:
    """Store what other systems are told of an opt-out, however it came."""
    if created:
        services.tell_opt_out(instance)
