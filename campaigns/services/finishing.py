"""When a campaign has nothing left to do."""

from datetime import datetime
from uuid import UUID

from campaigns.enums import CampaignStatus, MembershipState
from campaigns.gate import STUCK
from campaigns.models import Campaign, CampaignContact
from campaigns.services.lifecycle import close_members, move_campaign


def finish_if_done(campaign_id: UUID, *, at: datetime, is_over: bool = False) -> bool:
    """Finish a running campaign that nobody waits in whom waiting could help. True: this did it.

    ``is_over``: its end has passed; those who wait are closed then, and calls on the line go on. Contacts that only
    people could free (no consent, a missing variable) do not keep a campaign from its end.
    """
    members = CampaignContact.objects.filter(campaign_id=campaign_id)
    if not is_over:
        if not Campaign.objects.filter(pk=campaign_id, enrolled_at__isnull=False).exists():
            return False
        if members.busy().exists():
            return False
        waiting = members.filter(state=MembershipState.WAITING)
        if waiting.exclude(held_because__in=STUCK).exists():
            return False
    done = move_campaign(
        campaign_id,
        [CampaignStatus.RUNNING],
        "finished",
        at=at,
        by=None,
        detail={},
        status=CampaignStatus.FINISHED,
        finished_at=at,
    )
    if done:
        close_members(campaign_id, at=at)
    return done
