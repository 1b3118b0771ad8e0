"""Campaigns: the list, the form, and the pages on which one is started, watched and stopped."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from campaigns.admin import campaign_acts, campaign_page
from campaigns.admin.campaign_form import EDITABLE_WHILE_RUNNING, CampaignForm, is_locked
from campaigns.admin.manual import ManualCalls
from campaigns.admin.parts import badge, micros
from campaigns.admin.saved import KeepsFilters
from campaigns.models import Campaign, CampaignAttempt
from vantum.admin_bases import ModelAdmin

if TYPE_CHECKING:
    _Base = ModelAdmin[Campaign]
else:

    class _Base(KeepsFilters, ModelAdmin):
        """A list with filters under names."""


_FIELDSETS: tuple[tuple[str | None, Any], ...] = (
    (None, {"fields": ("name", "kind", "agent", "lists", "seller")}),
    ("When", {"fields": ("starts_at", "ends_at", ("window_start", "window_end"), "weekdays")}),
    ("How fast", {"fields": (("calls_per_minute", "max_concurrent"), "max_attempts", "retry_policy")}),
    ("From which numbers", {"fields": ("carrier", "caller_ids", "opt_out_number", "voicemail")}),
    ("Money", {"fields": ("budget_micros",)}),
    ("What each call shall yield", {"classes": ("collapse",), "fields": ("result_schema", "rubric")}),
)


@admin.register(Campaign)
class CampaignAdmin(_Base):
    """Edit a draft, start it, watch it."""

    form = CampaignForm
    fieldsets = _FIELDSETS
    autocomplete_fields = ("lists", "caller_ids", "agent")
    list_display = ("title", "state", "agent", "kind", "on_the_line", "spent", "started_at", "finished_at")
    list_display_links = None
    list_select_related = ()
    list_prefetch = ("agent",)
    list_filter = ("status", "kind")
    search_fields = ("name",)

    def complete(self, rows: Iterable[Campaign]) -> None:
        """Count the live calls of the campaigns that are shown; there are few, and they have an index."""
        live = CampaignAttempt.objects.unsettled().filter(campaign__in=[row.pk for row in rows]).order_by()
        counts = dict(live.values_list("campaign").annotate(Count("pk")))
        for row in rows:
            row.live_total = counts.get(row.pk, 0)  # type: ignore[attr-defined]  # (of this page alone)

    @admin.display(description="name", ordering="name")
    def title(self, campaign: Campaign) -> str:
        """Lead to the page that shows it at work."""
        return format_html('<a href="{}">{}</a>', campaign_page.address(campaign.pk), campaign.name)

    @admin.display(description="status", ordering="status")
    def state(self, campaign: Campaign) -> str:
        """Show the status in its colour."""
        return badge(campaign.get_status_display(), campaign.status)

    @admin.display(description="on the line")
    def on_the_line(self, campaign: Campaign) -> int:
        """Count its live calls."""
        return int(getattr(campaign, "live_total", 0))

    @admin.display(ordering="spent_micros")
    def spent(self, campaign: Campaign) -> str:
        """Show what it cost so far, and its limit."""
        budget = micros(campaign.budget_micros)
        return micros(campaign.spent_micros) + (f" of {budget}" if budget else "")

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[str]:
        """Fix who calls, and in whose name, once it was started."""
        del request
        if not is_locked(obj):
            return []
        named = [field for _, options in _FIELDSETS for field in _flat(options["fields"])]
        return [name for name in named if name not in EDITABLE_WHILE_RUNNING]

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """Drafts only: what was started is a record."""
        return obj is not None and not is_locked(obj) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: Any) -> None:
        """Keep who made it; write the form's fields only, for services move the others meanwhile."""
        if change:
            columns = {field.name for field in self.opts.concrete_fields}
            obj.save(update_fields=[name for name in form.changed_data if name in columns])
            return
        obj.created_by = request.user if request.user.is_authenticated else None
        super().save_model(request, obj, form, change)

    def response_post_save_add(self, request: HttpRequest, obj: Campaign) -> HttpResponseRedirect:
        """Go on to its page."""
        return _to_page(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: Campaign) -> HttpResponseRedirect:
        """Go on to its page."""
        return _to_page(request, obj)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of a campaign at work, and the manual call."""
        view, name = self.admin_site.admin_view, "campaigns_campaign"
        own = [
            path("call/", view(ManualCalls(self).page), name="campaigns_call_once"),
            path("<uuid:campaign_id>/", view(self._page), name=f"{name}_page"),
            path("<uuid:campaign_id>/numbers/", view(self._numbers), name=f"{name}_numbers"),
            path("<uuid:campaign_id>/dry-run/", view(self._dry_run), name=f"{name}_dry_run"),
            path("<uuid:campaign_id>/<slug:act>/", view(self._act), name=f"{name}_act"),
        ]
        standard = super().get_urls()
        # "<id>/change/" and its like are Django's; an act of ours has a name of its own.
        return [*own[:4], *standard[:-1], own[4], standard[-1]]

    def _page(self, request: HttpRequest, campaign_id: UUID) -> HttpResponse:
        campaign = self._visible(request, campaign_id)
        live = campaign_page.live(campaign, at=timezone.now())
        context = {
            **self._context(request, campaign.name),
            **live,
            "chart_json": json.dumps(live["chart"]),
            "chart_options": json.dumps(campaign_page.chart_options()),
            **campaign_page.around(campaign),
            "acts": campaign_acts.acts_for(campaign, request.user),
            "may_edit": self.has_change_permission(request, campaign),
        }
        return TemplateResponse(request, "admin/campaigns/campaign.html", context)

    def _numbers(self, request: HttpRequest, campaign_id: UUID) -> HttpResponse:
        campaign = self._visible(request, campaign_id)
        context = campaign_page.live(campaign, at=timezone.now())
        return TemplateResponse(request, "admin/campaigns/campaign_live.html", context)

    def _dry_run(self, request: HttpRequest, campaign_id: UUID) -> HttpResponse:
        campaign = self._visible(request, campaign_id)
        context = {
            **self._context(request, f"Dry run: {campaign.name}"),
            **campaign_page.dry_run(campaign, at=timezone.now()),
        }
        return TemplateResponse(request, "admin/campaigns/dry_run.html", context)

    def _act(self, request: HttpRequest, campaign_id: UUID, act: str) -> HttpResponse:
        campaign = self._visible(request, campaign_id)
        return campaign_acts.confirm(self, request, campaign, act)

    def _visible(self, request: HttpRequest, campaign_id: UUID) -> Campaign:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(Campaign.objects.select_related("agent", "agent_version"), pk=campaign_id)

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title, "subtitle": None}


def _flat(fields: Any) -> list[str]:
    return [name for field in fields for name in (field if isinstance(field, tuple) else (field,))]


def _to_page(request: HttpRequest, campaign: Campaign) -> HttpResponseRedirect:
    del request
    return HttpResponseRedirect(reverse("admin:campaigns_campaign_page", args=[campaign.pk]))
