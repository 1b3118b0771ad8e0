"""The first page: is everything up, what runs, what happened today, and what to do next. Every part is cheap."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime
from msgspec import Struct

from calls.enums import Direction
from calls.models import Agent, CallAttempt, CallSession
from campaigns.admin.campaign_page import address
from campaigns.admin.parts import badge, micros
from campaigns.demo import DEMO_CAMPAIGN
from campaigns.enums import CampaignStatus
from campaigns.models import Campaign, CampaignAttempt, Contact

_SHOWN = 8
_MOST = 10_000


class Step(Struct, frozen=True):
    """Something to do next."""

    title: str
    text: str
    url: str


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the first page shows to what the theme gives it."""
    now = timezone.now()
    may_see_campaigns = request.user.has_perm("campaigns.view_campaign")
    may_see_calls = request.user.has_perm("calls.view_callsession")
    return {
        **context,
        "campaigns": _campaigns(now) if may_see_campaigns else [],
        "sees_campaigns": may_see_campaigns,
        "today": _today(now) if may_see_calls else [],
        "live_calls": list(CallSession.objects.live().select_related("agent")[:_SHOWN]) if may_see_calls else [],
        "sees_calls": may_see_calls,
        "steps": _steps(request),
        "demo": _demo(request),
    }


def _campaigns(now: datetime) -> list[dict[str, Any]]:
    """Give those at work, and those that ended within a day."""
    at_work = Q(status__in=(CampaignStatus.RUNNING, CampaignStatus.PAUSED))
    shown = Campaign.objects.filter(at_work | Q(finished_at__gt=now - timedelta(days=1))).select_related("agent")
    going = list(shown.order_by(F("finished_at").desc(nulls_first=True), "-started_at")[:_SHOWN])
    live = CampaignAttempt.objects.unsettled().filter(campaign__in=[campaign.pk for campaign in going])
    counts = dict(live.order_by().values_list("campaign").annotate(Count("pk")))
    return [
        {
            "campaign": campaign,
            "url": address(campaign.pk),
            "state": badge(str(campaign.get_status_display()), campaign.status),
            "live": counts.get(campaign.pk, 0),
            "spent": micros(campaign.spent_micros),
        }
        for campaign in going
    ]


def _today(now: datetime) -> list[tuple[str, str, str]]:
    """Give name, figure and page. What is more than the bound is not counted further."""
    midnight = localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    sessions = CallSession.objects.filter(started_at__gte=midnight).order_by()
    attempts = CallAttempt.objects.filter(created_at__gte=midnight, direction=Direction.OUTBOUND).order_by()
    answered = attempts.filter(answered_at__isnull=False)
    session_list = reverse("admin:calls_callsession_changelist")
    attempt_list = reverse("admin:calls_callattempt_changelist")
    return [
        ("On the line now", _count(CallSession.objects.live().order_by()), f"{session_list}?status__exact=live"),
        ("Calls placed today", _count(attempts), attempt_list),
        ("of them answered", _count(answered), attempt_list),
        ("Conversations today", _count(sessions), session_list),
    ]


def _count(rows: Any) -> str:
    found = rows[: _MOST + 1].count()
    return f"more than {_MOST:,}" if found > _MOST else f"{found:,}"


def _demo(request: HttpRequest) -> dict[str, Any] | None:
    """Give the demo while it can be started with one click."""
    if not request.user.has_perm("campaigns.run_campaign"):
        return None
    campaign = Campaign.objects.filter(name=DEMO_CAMPAIGN, status=CampaignStatus.DRAFT).first()
    if campaign is None:
        return None
    return {
        "start_url": reverse("admin:campaigns_campaign_act", args=[campaign.pk, "start"]),
        "url": address(campaign.pk),
    }


def _steps(request: HttpRequest) -> list[Step]:
    """Give what is still missing on the way to the first campaign, in order."""
    user, steps = request.user, []
    if user.has_perm("calls.change_agent") and not Agent.objects.callable().exists():
        steps.append(
            Step("Publish an agent", "Calls use published agents only.", reverse("admin:calls_agent_changelist"))
        )
    own_contacts = Contact.objects.exclude(region__startswith="ZZ-")
    if user.has_perm("campaigns.add_contact") and not own_contacts.exists():
        steps.append(
            Step(
                "Bring your contacts",
                "A CSV or Excel file, checked row by row before anything is stored.",
                reverse("admin:campaigns_contactimport_changelist"),
            )
        )
    own_campaigns = Campaign.objects.exclude(name=DEMO_CAMPAIGN)
    if user.has_perm("campaigns.add_campaign") and not own_campaigns.exists():
        steps.append(
            Step(
                "Plan a campaign",
                "Whom, with which agent, when and how fast. Nothing is dialled before you start it.",
                reverse("admin:campaigns_campaign_add"),
            )
        )
    if user.has_perm("campaigns.view_campaign"):
        paused = Campaign.objects.filter(status=CampaignStatus.PAUSED).exclude(paused_because="").first()
        if paused is not None:
            steps.insert(0, Step(f"Look at “{paused.name}”", paused.paused_because, address(paused.pk)))
    return steps
