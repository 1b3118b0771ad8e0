"""Start, pause, resume, abort: each with a page that says what will happen and asks once more."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from msgspec import Struct

from campaigns import services
from campaigns.admin.campaign_page import address, preflight
from campaigns.enums import CampaignStatus
from campaigns.errors import CampaignError
from campaigns.models import Campaign

if TYPE_CHECKING:
    from campaigns.admin.campaigns import CampaignAdmin

Person = User | AnonymousUser


class Act(Struct, frozen=True):
    """Something that is done to a campaign as a whole."""

    name: str
    title: str
    sentence: str
    done: str
    permission: str
    earlier: tuple[CampaignStatus, ...]
    button: str = "v-button-main"


ACTS = {
    act.name: act
    for act in (
        Act(
            "start",
            "Start",
            "It calls its contacts from now on, within its hours and the law's.",
            "The campaign runs.",
            "campaigns.run_campaign",
            (CampaignStatus.DRAFT,),
        ),
        Act(
            "pause",
            "Pause",
            "It dials nobody else. Calls on the line go on to their end, and nothing is lost.",
            "The campaign is paused.",
            "campaigns.run_campaign",
            (CampaignStatus.RUNNING,),
            "",
        ),
        Act(
            "resume",
            "Resume",
            "It goes on where it was.",
            "The campaign runs again.",
            "campaigns.run_campaign",
            (CampaignStatus.PAUSED,),
        ),
        Act(
            "abort",
            "Abort",
            "It ends for good: calls on the line are hung up, and nobody else is called. It cannot be started again.",
            "The campaign is over.",
            "campaigns.abort_campaign",
            (CampaignStatus.DRAFT, CampaignStatus.RUNNING, CampaignStatus.PAUSED),
            "v-button-bad",
        ),
        Act(
            "judge",
            "Judge again",
            "All finished calls are judged anew, by the rubric and fields as they are now. Corrections stay and count.",
            "The calls wait to be judged; the workers take them a hundred at a time.",
            "campaigns.add_callcorrection",
            (CampaignStatus.RUNNING, CampaignStatus.PAUSED, CampaignStatus.FINISHED, CampaignStatus.ABORTED),
            "",
        ),
    )
}


def acts_for(campaign: Campaign, user: Person) -> list[Act]:
    """Give what this person may do with a campaign where it stands."""
    return [act for act in ACTS.values() if campaign.status in act.earlier and _may(user, act)]


def confirm(model_admin: "CampaignAdmin", request: HttpRequest, campaign: Campaign, name: str) -> HttpResponse:
    """Show what will happen; on the form's return do it."""
    act = ACTS.get(name)
    if act is None:
        raise Http404
    if not _may(request.user, act):
        raise PermissionDenied
    if request.method == "POST":
        _perform(model_admin, request, campaign, act)
        return HttpResponseRedirect(address(campaign.pk))
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "title": f"{act.title}: {campaign.name}",
        "campaign": campaign,
        "act": act,
        "is_possible": campaign.status in act.earlier,
        "page_url": address(campaign.pk),
    }
    if act.name == "start" and context["is_possible"]:
        context |= preflight(campaign, at=timezone.now())
        context["is_possible"] = not context["problems"]
    return TemplateResponse(request, "admin/campaigns/confirm.html", context)


def _perform(model_admin: "CampaignAdmin", request: HttpRequest, campaign: Campaign, act: Act) -> None:
    try:
        is_done = _DEEDS[act.name](campaign, request)
    except CampaignError as error:
        for problem in error.problems:
            model_admin.message_user(request, problem, messages.ERROR)
        return
    if is_done:
        model_admin.message_user(request, act.done, messages.SUCCESS)
    else:
        words = f"Nothing was done: the campaign is {campaign.get_status_display().lower()}."
        model_admin.message_user(request, words, messages.WARNING)


def _pause(campaign: Campaign, request: HttpRequest) -> bool:
    reason = request.POST.get("reason", "").strip() or f"Paused by {request.user.get_username()}."
    return services.pause_campaign(campaign.pk, by=_by(request), at=timezone.now(), reason=reason)


_DEEDS: dict[str, Callable[[Campaign, HttpRequest], bool]] = {
    "start": lambda campaign, request: services.start_campaign(campaign.pk, by=_by(request), at=timezone.now()),
    "pause": _pause,
    "resume": lambda campaign, request: services.resume_campaign(campaign.pk, by=_by(request), at=timezone.now()),
    "abort": lambda campaign, request: services.abort_campaign(campaign.pk, by=_by(request), at=timezone.now()),
    "judge": lambda campaign, request: (
        services.judge_campaign_again(campaign.pk, by=_by(request), at=timezone.now()) > 0
    ),
}


def _by(request: HttpRequest) -> Any:
    return request.user


def _may(user: Person, act: Act) -> bool:
    return bool(user.is_active and user.has_perm(act.permission))
