"""Ordering a file, and fetching it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar
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
from unfold.widgets import UnfoldAdminSelectWidget

from calls.models.choices import choices
from campaigns import services
from campaigns.admin.filters import UnknownFilterError, filters_of
from campaigns.admin.parts import badge
from campaigns.admin.progress import ShowsProgress
from campaigns.enums import ExportFormat, ExportKind, JobStatus
from campaigns.models import Campaign, ContactList, Export
from vantum.admin_bases import ModelAdmin
from vantum.downloads import attachment


class ExportForm(forms.Form):
    """What is wanted."""

    kind = forms.ChoiceField(label="What", choices=choices(ExportKind), widget=UnfoldAdminSelectWidget())
    format = forms.ChoiceField(
        label="As", choices=[("csv", "CSV"), ("xlsx", "Excel workbook")], widget=UnfoldAdminSelectWidget()
    )
    campaign = forms.ModelChoiceField(
        Campaign.objects.all(), required=False, widget=UnfoldAdminSelectWidget(),
        help_text="For members and calls; calls: empty means all.",
    )  # fmt: skip
    list = forms.ModelChoiceField(
        ContactList.objects.all(),
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="For contacts; empty: all.",
    )  # fmt: skip


if TYPE_CHECKING:
    _Rows = ModelAdmin[Any]
else:
    _Rows = object


class ExportsRows(_Rows):
    """A list whose chosen rows, or all that it shows, can be written into a file."""

    export_kind: ExportKind
    list_parameters: ClassVar[Mapping[str, str]]
    """What may narrow the list: names in its address to those of ``matching``."""

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
        selection: dict[str, Any]
        if request.POST.get("select_across") == "1":
            try:
                selection = dict(filters_of(request, self.list_parameters))
            except UnknownFilterError as error:
                self.message_user(request, str(error), messages.ERROR)
                return None
        else:
            selection = {"ids": list(rows.order_by().values_list("pk", flat=True))}
        who: Any = request.user
        row = services.start_export(
            self.export_kind, file_format=file_format, selection=selection, by=who, at=timezone.now()
        )
        return _to_progress(self, request, row)


def _to_progress(model_admin: ModelAdmin[Any], request: HttpRequest, row: Export) -> HttpResponse:
    model_admin.message_user(request, "The file is being written; this page shows how far it is.", messages.SUCCESS)
    return HttpResponseRedirect(reverse("admin:campaigns_export_change", args=[row.pk]))


@admin.register(Export)
class ExportAdmin(ShowsProgress):
    """The files of an installation."""

    progress_template = "admin/campaigns/export_progress.html"
    back_to = "campaigns_export"
    list_display = ("created_at", "kind", "format", "state", "written", "created_by", "download")
    list_filter = ("status", "kind")

    def may_cancel(self, request: HttpRequest) -> bool:
        """Who may order files may stop them."""
        return self.has_add_permission(request)

    def cancel(self, work_id: UUID) -> bool:
        """Stop writing."""
        return services.cancel_export(work_id, at=timezone.now())

    def heading(self, work: Export) -> str:
        """Name what is in it."""
        return f"Export: {work.get_kind_display()}"

    def also(self, request: HttpRequest, work: Export) -> dict[str, Any]:
        """Offer the file once it is whole."""
        is_there = work.status == JobStatus.DONE and work.files_deleted_at is None
        address = reverse("admin:campaigns_export_file", args=[work.pk])
        return {"file_url": address if is_there and self.has_add_permission(request) else ""}

    @admin.display(description="status", ordering="status")
    def state(self, row: Export) -> str:
        """Show the status in its colour."""
        return badge(row.get_status_display(), row.status)

    @admin.display
    def download(self, row: Export) -> str:
        """Lead to the file once it is whole."""
        if row.files_deleted_at is not None:
            return "deleted"
        if row.is_open:
            return f"{row.percent} %"
        if row.status != JobStatus.DONE:
            return ""
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
                row = services.start_export(
                    ExportKind(given["kind"]), file_format=ExportFormat(given["format"]), by=who, at=timezone.now(),
                    selection={name: chosen.pk if chosen else ""},
                )  # fmt: skip
            except ValidationError as error:
                form.add_error(None, error)
            else:
                return _to_progress(self, request, row)
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
