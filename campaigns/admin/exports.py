"""Ordering a file, and fetching it."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from calls.admin.attempts import CallAttemptAdmin
from calls.models import CallAttempt
from calls.models.choices import choices
from campaigns import services
from campaigns.admin.parts import ReadOnly, badge
from campaigns.enums import ExportFormat, ExportKind, JobStatus
from campaigns.models import Campaign, ContactList, Export
from vantum.admin_bases import ModelAdmin
from vantum.downloads import attachment

if TYPE_CHECKING:
    _Base = ModelAdmin[Export]
else:

    class _Base(ReadOnly, ModelAdmin):
        """Exports are ordered and fetched, not edited."""


class ExportForm(forms.Form):
    """What is wanted."""

    kind = forms.ChoiceField(label="What", choices=choices(ExportKind))
    format = forms.ChoiceField(label="As", choices=choices(ExportFormat))
    campaign = forms.ModelChoiceField(
        Campaign.objects.all(), required=False, help_text="For members and calls; calls: empty means all."
    )
    list = forms.ModelChoiceField(ContactList.objects.all(), required=False, help_text="For contacts; empty: all.")


if TYPE_CHECKING:
    _Rows = ModelAdmin[Any]
else:
    _Rows = object

MOST_CHOSEN = 10_000
"""Rows of a list that an export names one by one; larger ones are ordered by their campaign or list."""


class ExportsRows(_Rows):
    """A list whose chosen rows, or all that it shows, can be written into a file."""

    export_kind: ExportKind

    @admin.action(description="Export as CSV", permissions=["export"])
    def export_csv(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        """Order the file."""
        return self._export(request, rows, ExportFormat.CSV)

    @admin.action(description="Export as Excel workbook", permissions=["export"])
    def export_xlsx(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        """Order the file."""
        return self._export(request, rows, ExportFormat.XLSX)

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Files with people's data are for whom they are allowed."""
        return request.user.has_perm("campaigns.add_export")

    def _export(self, request: HttpRequest, rows: QuerySet[Any], file_format: ExportFormat) -> HttpResponse | None:
        ids = list(rows.order_by().values_list("pk", flat=True)[: MOST_CHOSEN + 1])
        if len(ids) > MOST_CHOSEN:
            words = f"These are more than {MOST_CHOSEN:,} rows. Narrow the list, or order a list or campaign here."
            self.message_user(request, words, messages.WARNING)
            return HttpResponseRedirect(reverse("admin:campaigns_export_add"))
        who: Any = request.user
        services.start_export(
            self.export_kind, file_format=file_format, selection={"ids": ids}, by=who, at=timezone.now()
        )
        self.message_user(request, "The file is being written; look again in a moment.")
        return HttpResponseRedirect(reverse("admin:campaigns_export_changelist"))


admin.site.unregister(CallAttempt)


@admin.register(CallAttempt)
class ExportedCallAdmin(ExportsRows, CallAttemptAdmin):
    """Telephone calls, which know of no exports themselves."""

    export_kind = ExportKind.CALLS
    actions: Any = (*CallAttemptAdmin.actions, "export_csv", "export_xlsx")


@admin.register(Export)
class ExportAdmin(_Base):
    """The files of an installation."""

    list_display = ("created_at", "kind", "format", "state", "written", "created_by", "download")
    list_filter = ("status", "kind")
    list_select_related = ("created_by",)
    fields = readonly_fields = ("kind", "format", "state", "written", "total", "error", "created_by", "download")

    @admin.display(description="status", ordering="status")
    def state(self, row: Export) -> str:
        """Show the status in its colour."""
        return badge(row.get_status_display(), row.status)

    @admin.display
    def download(self, row: Export) -> str:
        """Lead to the file once it is whole."""
        if row.files_deleted_at is not None:
            return "deleted"
        if row.status != JobStatus.DONE:
            return f"{row.percent} %"
        return format_html('<a href="{}">Download</a>', reverse("admin:campaigns_export_file", args=[row.pk]))

    def has_add_permission(self, request: HttpRequest, *_rest: Any) -> bool:
        """Files with people's data are for whom they are allowed."""
        return request.user.has_perm("campaigns.add_export")

    def get_urls(self) -> list[URLPattern]:
        """Add the file."""
        own = path("<uuid:export_id>/file/", self.admin_site.admin_view(self._file), name="campaigns_export_file")
        return [own, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Order a file."""
        del form_url, extra_context
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ExportForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            chosen = given["list"] if given["kind"] == ExportKind.CONTACTS else given["campaign"]
            name = "list" if given["kind"] == ExportKind.CONTACTS else "campaign"
            who: Any = request.user
            try:
                services.start_export(
                    ExportKind(given["kind"]), file_format=ExportFormat(given["format"]), by=who, at=timezone.now(),
                    selection={name: chosen.pk if chosen else ""},
                )  # fmt: skip
            except ValidationError as error:
                form.add_error(None, error)
            else:
                self.message_user(request, "The file is being written; look again in a moment.")
                return HttpResponseRedirect(reverse("admin:campaigns_export_changelist"))
        context = {**self.admin_site.each_context(request), "title": "Export", "form": form}
        return TemplateResponse(request, "admin/campaigns/export.html", context)

    def _file(self, request: HttpRequest, export_id: UUID) -> StreamingHttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        row = get_object_or_404(Export, pk=export_id, status=JobStatus.DONE)
        if not default_storage.exists(row.path):
            raise Http404
        name = f"{row.kind}-{row.created_at:%Y-%m-%d}.{row.format}"
        return attachment(request, default_storage.open(row.path), filename=name)
