"""A person wants no more calls: at once, everywhere, with the proof."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from msgspec import Struct

from calls import services as call_services
from calls.enums import SuppressionSource
from campaigns.enums import ContactStatus, FinishReason, MembershipState
from campaigns.models import CampaignContact, Contact
from campaigns.services.admission import lock_gate
from campaigns.services.lifecycle import finished


class OptOut(Struct, frozen=True):
    """What came of it."""

    is_new: bool
    """Whether the number was not suppressed before."""
    cancelled: int
    """In how many campaigns the person was waiting for a call."""


def opt_out(e164: str, *, source: SuppressionSource, proof: str, at: datetime | None = None) -> OptOut:
    """Have a number never dialled again, and take it out of every campaign in which it waits.

    Holds against a dialler that is at this number at the same moment: either its attempt is stored before, or it is
    refused. Raises ``django.core.exceptions.ValidationError`` for what is no number.
    """
    with transaction.atomic():
        lock_gate()
        is_new = call_services.suppress(e164, source=source, proof=proof)
        return OptOut(is_new, cancel_queued(e164, at=at or timezone.now()))


def cancel_queued(e164: str, *, at: datetime) -> int:
    """Be done with a suppressed number in every campaign in which it waits."""
    waiting = CampaignContact.objects.filter(
        contact__e164=e164, state__in=(MembershipState.WAITING, MembershipState.CLAIMED)
    )
    ids = list(waiting.values_list("pk", flat=True))
    members = CampaignContact.objects.filter(pk__in=ids, state__in=(MembershipState.WAITING, MembershipState.CLAIMED))
    return members.update(**finished(FinishReason.OPTED_OUT, at))


def mark_wrong_number(session_id: UUID, *, at: datetime) -> int:
    """Have no campaign call a contact any more at whose number somebody else answered. Gives how many let it go.

    Of a call that no campaign made nothing follows. An operator may make the contact active again.
    """
    called = CampaignContact.objects.filter(campaign_attempts__attempt__streams__session_id=session_id)
    contact_id = called.values_list("contact_id", flat=True).first()
    if contact_id is None:
        return 0
    Contact.objects.filter(pk=contact_id, status=ContactStatus.ACTIVE).update(status=ContactStatus.WRONG_NUMBER)
    waiting = CampaignContact.objects.filter(
        contact_id=contact_id, state__in=(MembershipState.WAITING, MembershipState.CLAIMED)
    )
    return waiting.update(**finished(FinishReason.WRONG_NUMBER, at))
