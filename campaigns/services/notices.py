"""Telling the supervisors by e-mail that a campaign was paused by the system."""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import send_mail
from django.db.models import Q
from django.urls import reverse

from campaigns.models import CampaignEvent

logger = logging.getLogger(__name__)

TOLD = "supervisors_told"
_LOOK_BACK = timedelta(days=1)
_SUPERVISORS = ("Supervisor", "Administrator")


def tell_supervisors(now: datetime) -> int:
    """Mail each pause by the system of which nobody was told yet; gives how many.

    The event that says so is written after the mail: a process that dies between the two tells twice, and never not
    at all. A mail server that is away is tried again at the next look, for a day.
    """
    told = 0
    recent = CampaignEvent.objects.filter(at__gt=now - _LOOK_BACK)
    done = {event.detail.get("pause") for event in recent.filter(kind=TOLD)}
    pauses = recent.filter(kind="paused", actor__isnull=True).select_related("campaign").order_by("at")
    for pause in pauses:
        if str(pause.pk) in done or "api_key" in pause.detail:  # another system did it, and knows
            continue
        people = addresses()
        try:
            if people:
                send_mail(_subject(pause), _text(pause), None, people)
        except (SMTPException, OSError) as error:
            logger.warning("the supervisors could not be told of a pause: %s", error)
            continue
        CampaignEvent.objects.create(
            campaign_id=pause.campaign_id,
            at=now,
            kind=TOLD,
            detail={"pause": str(pause.pk), "by_email": len(people)},
        )
        told += 1
    return told


def addresses() -> list[str]:
    """Give the addresses of the active people who may decide about campaigns."""
    users = get_user_model()._default_manager.filter(is_active=True).exclude(email="")  # noqa: SLF001 (Django's public name for it)
    deciding = users.filter(Q(groups__name__in=_SUPERVISORS) | Q(is_superuser=True))
    return sorted(set(deciding.values_list("email", flat=True)))


def _subject(pause: CampaignEvent) -> str:
    return f"Campaign paused: {pause.campaign.name}".replace("\n", " ")


def _text(pause: CampaignEvent) -> str:
    evidence = pause.detail.get("evidence") or {}
    lines = [
        f"Vantum has paused the campaign “{pause.campaign.name}”.",
        "",
        str(pause.detail.get("reason") or pause.campaign.paused_because),
        *(f"- {name.replace('_', ' ')}: {value}" for name, value in evidence.items()),
        "",
        "Nobody else is dialled until somebody resumes it:",
        settings.PUBLIC_URL + reverse("admin:campaigns_campaign_page", args=[pause.campaign_id]),
    ]
    return "\n".join(lines)
