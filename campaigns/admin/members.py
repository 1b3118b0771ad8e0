"""The contacts of campaigns: where each is, how its latest attempt ended, why it is not called."""

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from campaigns.admin.exports import ExportsRows
from campaigns.admin.filters import HeldFilter, MemberCampaignFilter, MemberStateFilter, OutcomeFilter
from campaigns.admin.parts import ReadOnly, badge
from campaigns.admin.saved import KeepsFilters
from campaigns.admin.words import explain
from campaigns.enums import ExportKind
from campaigns.models import CampaignContact, CampaignEvent
from campaigns.models.campaigns import CampaignContactQuerySet
from vantum.admin_bases import ModelAdmin

if TYPE_CHECKING:
    _MemberBase = ModelAdmin[CampaignContact]
    _EventBase = ModelAdmin[CampaignEvent]
else:

    class _MemberBase(ExportsRows, ReadOnly, KeepsFilters, ModelAdmin):
        """The dialler writes them."""

    class _EventBase(ReadOnly, ModelAdmin):
        """Services write them."""


@admin.register(CampaignContact)
class CampaignContactAdmin(_MemberBase):
    """Contacts within campaigns, to read."""

    list_display = ("person", "campaign", "where", "attempts", "last_outcome", "why", "next_attempt_at")
    list_display_links = None
    export_kind = ExportKind.MEMBERS
    list_parameters: ClassVar = {
        "campaign": "campaign", "state": "state", "outcome": "outcome", "held": "held", "q": "words"
    }  # fmt: skip
    actions = ("export_csv", "export_xlsx")
    list_filter = (MemberCampaignFilter, MemberStateFilter, OutcomeFilter, HeldFilter)
    list_select_related = ("contact",)
    list_prefetch = ("campaign",)
    list_defer = ("contact__fields",)
    sortable_by = ()
    ordering = ("-pk",)
    search_fields = ("contact__e164",)  # Switches the box on; what is searched is below.
    search_help_text = "The beginning of a number."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CampaignContact], search_term: str
    ) -> tuple[QuerySet[CampaignContact], bool]:
        """Find by the beginning of the number."""
        del request
        assert isinstance(queryset, CampaignContactQuerySet)  # noqa: S101 (the model's own)
        return queryset.matching({"words": search_term.strip()}), False

    @admin.display(description="contact")
    def person(self, member: CampaignContact) -> str:
        """Lead to the contact and all that became of it."""
        address = reverse("admin:campaigns_contact_change", args=[member.contact_id])
        return format_html('<a href="{}">{}</a>', address, member.contact)

    @admin.display(description="state", ordering="state")
    def where(self, member: CampaignContact) -> str:
        """Show the state in its colour."""
        return badge(member.get_state_display(), member.state)

    @admin.display(description="why not called", ordering="held_because")
    def why(self, member: CampaignContact) -> str:
        """Say why it waits or is done with."""
        if member.finish_reason:
            return str(member.get_finish_reason_display())
        return explain(member.held_because) if member.held_because else ""


@admin.register(CampaignEvent)
class CampaignEventAdmin(_EventBase):
    """What happened to campaigns, to read."""

    list_display = ("at", "campaign", "kind", "actor", "short_detail")
    list_select_related = ()
    list_prefetch = ("campaign", "actor")
    sortable_by = ("at",)
    list_filter = (MemberCampaignFilter,)

    @admin.display(description="detail")
    def short_detail(self, event: CampaignEvent) -> str:
        """Give the detail as words."""
        return detail_words(event.detail)


_IDS = {"agent_version", "pause", "contact"}
"""Parts of a detail that tell a person nothing."""


def detail_words(detail: dict[str, object]) -> str:
    """Give an event's detail on one line; empty parts and ids are left out."""
    shown = {name: value for name, value in detail.items() if value not in ("", None, {}, []) and name not in _IDS}
    return ", ".join(f"{name.replace('_', ' ')}: {_value_words(value)}" for name, value in shown.items())[:300]


def _value_words(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name.replace('_', ' ')} {each}" for name, each in value.items())
    return str(value)
