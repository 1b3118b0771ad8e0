"""Campaigns: made, started, paused, watched."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from msgspec import to_builtins
from ninja import Router, Status

from campaigns import services
from campaigns.api.keys import Opens, key_of
from campaigns.api.paging import Limit, page_of
from campaigns.api.problems import ApiError
from campaigns.api.shapes import CampaignIn, CampaignOut, CampaignPage, EventPage, Reason
from campaigns.enums import Scope
from campaigns.models import Campaign, CampaignEvent

router = Router(tags=["campaigns"])
READ, WRITE = Opens(Scope.CAMPAIGNS_READ), Opens(Scope.CAMPAIGNS_WRITE)


@router.get("/campaigns", response=CampaignPage, auth=READ)
def list_campaigns(
    request: HttpRequest, after: UUID | None = None, limit: Limit = 100, status: str = ""
) -> dict[str, Any]:
    """Campaigns, the newest first."""
    del request
    rows = Campaign.objects.filter(status=status) if status else Campaign.objects.all()
    items, following = page_of(rows, after=after, limit=limit)
    return {"items": items, "next": following}


@router.post("/campaigns", response={201: CampaignOut}, auth=WRITE)
def create_campaign(request: HttpRequest, given: CampaignIn) -> Status[Campaign]:
    """Make a draft."""
    del request
    columns = given.model_dump(exclude={"lists", "caller_ids"})
    return Status(201, services.draft_campaign(columns, lists=given.lists, caller_ids=given.caller_ids))


@router.get("/campaigns/{uuid:campaign_id}", response=CampaignOut, auth=READ)
def show_campaign(request: HttpRequest, campaign_id: UUID) -> Campaign:
    """One campaign."""
    del request
    return get_object_or_404(Campaign, pk=campaign_id)


@router.get("/campaigns/{uuid:campaign_id}/numbers", response=dict[str, Any], auth=READ)
def show_numbers(request: HttpRequest, campaign_id: UUID) -> dict[str, Any]:
    """Where a campaign is, in figures."""
    del request
    get_object_or_404(Campaign, pk=campaign_id)
    told: dict[str, Any] = to_builtins(services.campaign_numbers(campaign_id, at=timezone.now()))
    return told


@router.get("/campaigns/{uuid:campaign_id}/events", response=EventPage, auth=READ)
def list_events(
    request: HttpRequest, campaign_id: UUID, after: UUID | None = None, limit: Limit = 100
) -> dict[str, Any]:
    """What happened to a campaign, the newest first."""
    del request
    get_object_or_404(Campaign, pk=campaign_id)
    items, following = page_of(CampaignEvent.objects.filter(campaign_id=campaign_id), after=after, limit=limit)
    return {"items": items, "next": following}


@router.post("/campaigns/{uuid:campaign_id}/start", response=CampaignOut, auth=WRITE)
def start(request: HttpRequest, campaign_id: UUID) -> Campaign:
    """Have a draft dial."""
    by = key_of(request)
    return _moved(campaign_id, lambda: services.start_campaign(campaign_id, by=by, at=timezone.now()))


@router.post("/campaigns/{uuid:campaign_id}/pause", response=CampaignOut, auth=WRITE)
def pause(request: HttpRequest, campaign_id: UUID, given: Reason) -> Campaign:
    """Have a campaign dial nobody else; calls on the line go on."""
    by = key_of(request)
    reason = given.reason or f"Paused by the API key {by.name}."
    return _moved(campaign_id, lambda: services.pause_campaign(campaign_id, by=by, at=timezone.now(), reason=reason))


@router.post("/campaigns/{uuid:campaign_id}/resume", response=CampaignOut, auth=WRITE)
def resume(request: HttpRequest, campaign_id: UUID) -> Campaign:
    """Have a paused campaign dial again."""
    by = key_of(request)
    return _moved(campaign_id, lambda: services.resume_campaign(campaign_id, by=by, at=timezone.now()))


@router.post("/campaigns/{uuid:campaign_id}/abort", response=CampaignOut, auth=WRITE)
def abort(request: HttpRequest, campaign_id: UUID) -> Campaign:
    """End a campaign for good; calls on the line are hung up."""
    by = key_of(request)
    return _moved(campaign_id, lambda: services.abort_campaign(campaign_id, by=by, at=timezone.now()))


def _moved(campaign_id: UUID, act: Callable[[], bool]) -> Campaign:
    campaign = get_object_or_404(Campaign, pk=campaign_id)
    if not act():
        detail = f"The campaign is {campaign.status}; this cannot be done with it now."
        raise ApiError(HTTPStatus.CONFLICT, detail, [("status", campaign.status)])
    campaign.refresh_from_db()
    return campaign
