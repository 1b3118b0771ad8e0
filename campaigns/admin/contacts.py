"""Contacts and their lists: found quickly among a million, changed many at a time, each with its history."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, JSONField, OuterRef, QuerySet, Subquery, TextField
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from campaigns import services
from campaigns.admin.contact_page import history
from campaigns.admin.exports import ExportsRows
from campaigns.admin.filters import (
    CampaignFilter,
    ConsentFilter,
    ListFilter,
    RegionFilter,
    StatusFilter,
    SuppressedFilter,
    UnknownFilterError,
    filters_of,
)
from campaigns.admin.parts import badge
from campaigns.admin.saved import KeepsFilters
from campaigns.enums import ExportKind, JobKind
from campaigns.models import Campaign, Consent, Contact, ContactList
from campaigns.models.contacts import ContactQuerySet
from vantum.admin_bases import ModelAdmin, StackedInline

if TYPE_CHECKING:
    _ContactBase = ModelAdmin[Contact]
else:

    class _ContactBase(ExportsRows, KeepsFilters, ModelAdmin):
        """A list with filters under names."""


_FILTERS = (StatusFilter, ListFilter, CampaignFilter, RegionFilter, ConsentFilter, SuppressedFilter)


class ConsentInline(StackedInline[Consent, Contact]):
    """What the person agreed to: added with its proof, taken back by a date, never deleted."""

    model = Consent
    fields = (("kind", "seller"), "source", "text", "given_at", "revoked_at")
    formfield_overrides: ClassVar = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 2})}}
    extra = 0
    can_delete = False


class BulkForm(forms.Form):
    """What a job over many contacts needs to know, besides whom."""

    list = forms.ModelChoiceField(ContactList.objects.all(), widget=UnfoldAdminSelectWidget())
    campaign = forms.ModelChoiceField(Campaign.objects.all(), widget=UnfoldAdminSelectWidget())
    proof = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="How they said that they want no calls: where, when, in which words. It is kept with each number.",
    )

    def __init__(self, kind: JobKind, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        needed = _NEEDS.get(kind)
        for name in [name for name in self.fields if name != needed]:
            del self.fields[name]

    def parameters(self) -> dict[str, str]:
        """Give the values as a job stores them."""
        return {
            name: str(value.pk) if isinstance(value, ContactList | Campaign) else value
            for name, value in self.cleaned_data.items()
        }


_NEEDS = {JobKind.ADD_TO_LIST: "list", JobKind.REMOVE_FROM_CAMPAIGN: "campaign", JobKind.SUPPRESS: "proof"}
_SENTENCES = {
    JobKind.ADD_TO_LIST: "They are put on a list. Campaigns that are to call it take them in at their next start.",
    JobKind.SUPPRESS: "Nobody calls these numbers any more, in no campaign and by no manual call.",
    JobKind.ARCHIVE: "No campaign calls an archived contact. Its history stays, and it can be brought back.",
    JobKind.RESTORE: "Archived contacts may be called again.",
    JobKind.REMOVE_FROM_CAMPAIGN: "Who still waits in this campaign is not called by it. Calls on the line go on.",
}


@admin.register(Contact)
class ContactAdmin(_ContactBase):
    """Find, look into, change many at once."""

    list_display = ("e164", "name", "state", "region", "time_zone", "list_names", "created_at")
    list_filter = _FILTERS
    list_defer = ("fields",)
    sortable_by = ("e164", "name", "created_at")
    search_fields = ("e164",)  # Switches the box on; what is searched is below.
    search_help_text = "The beginning of a number, with or without +1, or of a name."
    fields = ("e164", "name", ("region", "time_zone"), "status", "fields", "lists")
    formfield_overrides: ClassVar = {JSONField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 4})}}
    autocomplete_fields = ("lists",)
    inlines = (ConsentInline,)
    change_form_outer_after_template = "admin/campaigns/contact_history.html"
    export_kind = ExportKind.CONTACTS
    list_parameters: ClassVar = {
        "status": "status", "list": "list", "campaign": "campaign", "region": "region", "consent": "consent",
        "suppressed": "suppressed", "q": "words",
    }  # fmt: skip
    actions = ("add_to_list", "remove_from_campaign", "suppress", "archive", "restore", "export_csv", "export_xlsx")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        """Bring the lists along."""
        return super().get_queryset(request).prefetch_related("lists")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Contact], search_term: str
    ) -> tuple[QuerySet[Contact], bool]:
        """Find contacts by the beginning of a number or name; both have an index."""
        del request
        assert isinstance(queryset, ContactQuerySet)  # noqa: S101 (the model's own)
        return queryset.matching({"words": search_term.strip()}), False

    @admin.display(description="status", ordering="status")
    def state(self, contact: Contact) -> str:
        """Show the status in its colour."""
        return badge(contact.get_status_display(), "good" if contact.status == "active" else "")

    @admin.display(description="lists")
    def list_names(self, contact: Contact) -> str:
        """Name the lists."""
        return ", ".join(group.name for group in contact.lists.all())

    @admin.action(description="Put on a list …", permissions=["change"])
    def add_to_list(self, request: HttpRequest, contacts: QuerySet[Contact]) -> HttpResponse | None:
        """Ask which list, then do it in the background."""
        return self._begin(request, contacts, JobKind.ADD_TO_LIST)

    @admin.action(description="Take out of a campaign …", permissions=["change"])
    def remove_from_campaign(self, request: HttpRequest, contacts: QuerySet[Contact]) -> HttpResponse | None:
        """Ask which campaign, then do it in the background."""
        return self._begin(request, contacts, JobKind.REMOVE_FROM_CAMPAIGN)

    @admin.action(description="Never call again …", permissions=["suppress"])
    def suppress(self, request: HttpRequest, contacts: QuerySet[Contact]) -> HttpResponse | None:
        """Ask for the proof, then do it in the background."""
        return self._begin(request, contacts, JobKind.SUPPRESS)

    @admin.action(description="Archive …", permissions=["change"])
    def archive(self, request: HttpRequest, contacts: QuerySet[Contact]) -> HttpResponse | None:
        """Ask whether, then do it in the background."""
        return self._begin(request, contacts, JobKind.ARCHIVE)

    @admin.action(description="Bring back from the archive …", permissions=["change"])
    def restore(self, request: HttpRequest, contacts: QuerySet[Contact]) -> HttpResponse | None:
        """Ask whether, then do it in the background."""
        return self._begin(request, contacts, JobKind.RESTORE)

    def has_suppress_permission(self, request: HttpRequest) -> bool:
        """Whether numbers may be suppressed."""
        return request.user.has_perm("calls.add_suppression")

    def _begin(self, request: HttpRequest, contacts: QuerySet[Contact], kind: JobKind) -> HttpResponse | None:
        chosen, is_all = request.POST.getlist(ACTION_CHECKBOX_NAME), request.POST.get("select_across") == "1"
        selection: dict[str, Any] = {"ids": chosen}
        if is_all:
            try:
                selection = {"filters": filters_of(request, self.list_parameters)}
            except UnknownFilterError as error:
                self.message_user(request, str(error), messages.ERROR)
                return None
        form = BulkForm(kind, request.POST if "apply" in request.POST else None)
        if form.is_valid() and "apply" in request.POST:
            user = request.user if request.user.is_authenticated else None
            job = services.start_job(
                kind, selection=selection, parameters=form.parameters(), by=user, at=timezone.now()
            )
            self.message_user(request, "It is being done; this page shows how far it is.", messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:campaigns_bulkjob_change", args=[job.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": _title(kind),
            "sentence": _SENTENCES[kind],
            "form": form,
            "action": request.POST["action"],
            "chosen": chosen,
            "select_across": "1" if is_all else "0",
            "count": services.selected(selection).count() if is_all else contacts.count(),
        }
        return TemplateResponse(request, "admin/campaigns/bulk.html", context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show below the form what became of the contact."""
        contact = self.get_object(request, object_id) if object_id and request.method == "GET" else None
        context = {**(extra_context or {}), **(history(contact, request.user) if contact else {})}
        return super().changeform_view(request, object_id, form_url, context)

    def has_delete_permission(self, request: HttpRequest, obj: Contact | None = None) -> bool:
        """Contacts are archived: their consents and calls are proof."""
        del request, obj
        return False


def _title(kind: JobKind) -> str:
    return kind.value.replace("_", " ").capitalize()


def _counted(through: QuerySet[Any]) -> QuerySet[Any]:
    counted: QuerySet[Any] = through.values("contactlist_id").annotate(n=Count("*")).values("n")
    return counted


@admin.register(ContactList)
class ContactListAdmin(ModelAdmin[ContactList]):
    """Named sets of contacts."""

    list_display = ("name", "contact_count", "campaign_count", "created_at", "created_by")
    list_select_related = ("created_by",)
    search_fields = ("name",)
    fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContactList]:
        """Count the contacts of the lists that are shown, and of no others."""
        listed = Contact.lists.through.objects.filter(contactlist_id=OuterRef("pk")).order_by()
        called = Campaign.lists.through.objects.filter(contactlist_id=OuterRef("pk")).order_by()
        rows: QuerySet[ContactList] = super().get_queryset(request)
        return rows.annotate(
            contact_total=Coalesce(Subquery(_counted(listed)), 0),
            campaign_total=Coalesce(Subquery(_counted(called)), 0),
        )

    @admin.display(description="contacts")
    def contact_count(self, group: ContactList) -> str:
        """Lead to the contacts, by their number."""
        address = reverse("admin:campaigns_contact_changelist")
        return format_html('<a href="{}?list={}">{}</a>', address, group.pk, f"{getattr(group, 'contact_total', 0):,}")

    @admin.display(description="campaigns")
    def campaign_count(self, group: ContactList) -> int:
        """Say how many campaigns call it."""
        return int(getattr(group, "campaign_total", 0))

    def save_model(self, request: HttpRequest, obj: ContactList, form: Any, change: Any) -> None:
        """Keep who made it."""
        if not change and request.user.is_authenticated:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)
