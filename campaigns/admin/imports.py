"""Importing a list: upload, look at what it becomes, watch, and fetch the rows that came back."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from campaigns import imports, services
from campaigns.admin.parts import ReadOnly, badge
from campaigns.enums import DuplicatePolicy, ImportStatus
from campaigns.errors import ImportRefusedError
from campaigns.models import ContactImport, ContactList
from vantum.admin_bases import ModelAdmin
from vantum.downloads import attachment

if TYPE_CHECKING:
    _Base = ModelAdmin[ContactImport]
else:

    class _Base(ReadOnly, ModelAdmin):
        """Imports are uploaded and watched, not edited."""


class UploadForm(forms.Form):
    """The file, and where its numbers belong."""

    file = forms.FileField(
        label="List", help_text="CSV or Excel (.xlsx), with one contact a row.", allow_empty_file=True,
        # The theme's script writes the chosen file's name into the nearest text field, which this one brings along.
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )  # fmt: skip
    region = forms.CharField(
        label="Country of numbers without a country's code", initial="US", max_length=2, required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Two letters, such as US. Empty: every number begins with + and its country's code.",
    )  # fmt: skip

    def clean_region(self) -> str:
        """Take small letters too."""
        return str(self.cleaned_data["region"]).strip().upper()


@admin.register(ContactImport)
class ContactImportAdmin(_Base):
    """Upload, confirm the columns, watch."""

    list_display = ("file_name", "state", "progress", "created", "updated", "bad", "created_by", "created_at")
    list_filter = ("status",)
    list_select_related = ("created_by",)
    list_defer = ("columns", "mapping", "shape")

    @admin.display(description="status", ordering="status")
    def state(self, row: ContactImport) -> str:
        """Show the status in its colour."""
        return badge(row.get_status_display(), row.status)

    @admin.display
    def progress(self, row: ContactImport) -> str:
        """Say how far it is."""
        return f"{row.percent} % of {row.row_total:,}"

    def has_add_permission(self, request: HttpRequest, *_rest: Any) -> bool:
        """Who may add contacts may add many."""
        return request.user.has_perm("campaigns.add_contact")

    def get_urls(self) -> list[URLPattern]:
        """Add the part that refreshes itself, the returned rows and the cancelling."""
        view = self.admin_site.admin_view
        own = [
            path("<uuid:import_id>/progress/", view(self._progress), name="campaigns_contactimport_progress"),
            path("<uuid:import_id>/bad-rows/", view(self._bad_rows), name="campaigns_contactimport_bad"),
            path("<uuid:import_id>/cancel/", view(self._cancel), name="campaigns_contactimport_cancel"),
        ]
        return [*own, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Take a file in."""
        del form_url, extra_context
        self._require_add(request)
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            try:
                row = services.receive_file(
                    given["file"].file, name=given["file"].name, region=given["region"], by=_who(request),
                    at=timezone.now(),
                )  # fmt: skip
            except ImportRefusedError as error:
                form.add_error("region" if str(error).startswith("region") else "file", str(error))
            else:
                return HttpResponseRedirect(_page(row.pk))
        context = {**self.admin_site.each_context(request), "title": "Import a list", "form": form}
        return TemplateResponse(request, "admin/campaigns/import_upload.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the columns to confirm, or how far it is."""
        del form_url, extra_context
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row.status == ImportStatus.UPLOADED and self.has_add_permission(request):
            return self._confirm(request, row)
        context = {**self.admin_site.each_context(request), "title": row.file_name, **self._facts(request, row)}
        return TemplateResponse(request, "admin/campaigns/import.html", context)

    def _confirm(self, request: HttpRequest, row: ContactImport) -> HttpResponse:
        problem = ""
        if request.method == "POST":
            try:
                if self._order(request, row):
                    return HttpResponseRedirect(_page(row.pk))
            except ImportRefusedError as error:
                problem = str(error)
            row.refresh_from_db()
            if problem:
                row.mapping = _mapping_of(request, row)
        try:
            preview = services.preview_import(row, now=timezone.now())
        except (ImportRefusedError, OSError) as error:
            self.message_user(request, f"The file cannot be read any more: {error}", messages.ERROR)
            services.cancel_import(row.pk, at=timezone.now())
            return HttpResponseRedirect(reverse("admin:campaigns_contactimport_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Import {row.file_name}",
            "row": row,
            "problem": problem,
            "preview": preview,
            "columns": _columns(preview, row),
            "good": sum(line.entry is not None for line in preview.rows),
            "policies": [(policy.value, _POLICIES[policy]) for policy in DuplicatePolicy],
            "policy": request.POST.get("policy", row.policy),
            "list_name": request.POST.get("list", row.file_name.rpartition(".")[0] or row.file_name),
            "lists": ContactList.objects.values_list("name", flat=True)[:200],
        }
        return TemplateResponse(request, "admin/campaigns/import_confirm.html", context)

    def _order(self, request: HttpRequest, row: ContactImport) -> bool:
        """Do what the pressed button says. True: it is started."""
        mapping, region = _mapping_of(request, row), request.POST.get("region", "").strip().upper()
        if "start" not in request.POST:
            services.map_import(row.pk, mapping=mapping, region=region)
            return False
        policy = request.POST.get("policy", DuplicatePolicy.KEEP)
        services.start_import(
            row.pk, mapping=mapping, region=region, list_name=request.POST.get("list", ""),
            policy=DuplicatePolicy(policy) if policy in set(DuplicatePolicy) else DuplicatePolicy.KEEP,
        )  # fmt: skip
        return True

    def _progress(self, request: HttpRequest, import_id: UUID) -> HttpResponse:
        row = self._seen(request, import_id)
        return TemplateResponse(request, "admin/campaigns/import_progress.html", self._facts(request, row))

    def _bad_rows(self, request: HttpRequest, import_id: UUID) -> StreamingHttpResponse:
        row = self._seen(request, import_id)
        place = services.bad_rows_path(row.pk)
        if not row.bad or not place.exists():
            raise Http404
        name = f"{row.file_name.rpartition('.')[0] or 'list'}-returned.csv"
        return attachment(request, place.open("rb"), filename=name)

    def _cancel(self, request: HttpRequest, import_id: UUID) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._require_add(request)
        if services.cancel_import(import_id, at=timezone.now()):
            self.message_user(request, "It stops. What was taken in stays.", messages.SUCCESS)
        else:
            self.message_user(request, "It was over already.", messages.WARNING)
        return HttpResponseRedirect(_page(import_id))

    def _seen(self, request: HttpRequest, import_id: UUID) -> ContactImport:
        row = get_object_or_404(ContactImport.objects.select_related("created_by", "target_list"), pk=import_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    def _require_add(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied

    def _facts(self, request: HttpRequest, row: ContactImport) -> dict[str, Any]:
        state = badge(row.get_status_display(), row.status)
        return {"row": row, "state": state, "may_cancel": row.is_open and self.has_add_permission(request)}


_POLICIES = {
    DuplicatePolicy.KEEP: "Leave contacts that are known as they are",
    DuplicatePolicy.UPDATE: "Update contacts that are known with what the file says",
}


def _page(import_id: UUID) -> str:
    return reverse("admin:campaigns_contactimport_change", args=[import_id])


def _who(request: HttpRequest) -> Any:
    return request.user


def _mapping_of(request: HttpRequest, row: ContactImport) -> dict[str, str]:
    """Read what the form says of each column, by its place: names may hold anything."""
    mapping = {}
    for index, column in enumerate(row.columns):
        target = request.POST.get(f"column-{index}", "")
        mapping[column] = imports.FIELD + imports.field_name(column) if target == imports.FIELD else target
    return mapping


def _columns(preview: services.Preview, row: ContactImport) -> list[dict[str, Any]]:
    """Give each column with its choices and its first value."""
    shown = []
    for index, column in enumerate(preview.columns):
        target = row.mapping.get(column, "")
        field = target if target.startswith(imports.FIELD) else imports.FIELD + imports.field_name(column)
        choices = [
            (imports.IGNORE, "Ignore"),
            *imports.TARGETS.items(),
            (imports.FIELD, f"Variable {{{{{field.removeprefix(imports.FIELD)}}}}}"),
        ]
        example = next((line.row.cells[index] for line in preview.rows if line.row.cells[index : index + 1]), "")
        chosen = imports.FIELD if target.startswith(imports.FIELD) else target
        shown.append({"name": column, "choices": choices, "chosen": chosen, "example": example[:80]})
    return shown
