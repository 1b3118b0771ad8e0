"""What became of a contact: campaigns, telephone calls, decisions. Each part is one query, and bounded."""

from typing import Any

from django.contrib.auth.models import AnonymousUser, User

from calls.models import CallAttempt, Suppression
from campaigns.admin.parts import badge
from campaigns.admin.words import remedy
from campaigns.models import CampaignContact, Contact, DialDecision

SHOWN = 50


def history(contact: Contact, user: User | AnonymousUser) -> dict[str, Any]:
    """Give what the page shows below the form; what the user may not see is left out."""
    may_see_calls = user.has_perm("calls.view_callattempt")
    members = CampaignContact.objects.filter(contact=contact).select_related("campaign").order_by("-created_at")
    decisions = DialDecision.objects.filter(member__contact=contact).select_related("member__campaign")
    attempts = CallAttempt.objects.filter(to_e164=contact.e164).select_related(
        "session", "campaign_attempt__member__campaign"
    )
    return {
        "suppression": Suppression.objects.filter(e164=contact.e164).first(),
        "memberships": [
            {"member": member, "state": badge(member.get_state_display(), member.state), "why": _why(member)}
            for member in members[:SHOWN]
        ],
        "attempts": list(attempts[:SHOWN]) if may_see_calls else [],
        "decisions": [(decision, decision.get_reason_display()) for decision in decisions[:SHOWN]],
        "shown": SHOWN,
    }


def _why(member: CampaignContact) -> str:
    if member.finish_reason:
        return str(member.get_finish_reason_display())
    return f"{member.get_held_because_display()}. {remedy(member.held_because)}" if member.held_because else ""
