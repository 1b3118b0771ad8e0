"""Jobs over many contacts: how far they are, and a button that stops them."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from campaigns import services
from campaigns.admin.parts import ReadOnly, badge
from campaigns.models import BulkJob
from vantum.admin_bases import ModelAdmin

if TYPE_CHECKING:
    _Base = ModelAdmin[BulkJob]
else:

    class _Base(ReadOnly, ModelAdmin):
        """Jobs are begun from the list of contacts."""


@admin.register(BulkJob)
class BulkJobAdmin(_Base):
    """Watch and cancel."""

    list_display = ("created_at", "kind", "state", "progress", "changed", "created_by", "finished_at")
    list_select_related = ("created_by",)

    @admin.display(description="status", ordering="status")
    def state(self, job: BulkJob) -> str:
        """Show the status in its colour."""
        return badge(job.get_status_display(), job.status)

    @admin.display
    def progress(self, job: BulkJob) -> str:
        """Say how far it is."""
        return f"{job.percent} % of {job.total:,}"

    def get_urls(self) -> list[URLPattern]:
        """Add the part that refreshes itself, and the cancelling."""
        view = self.admin_site.admin_view
        own = [
            path("<uuid:job_id>/progress/", view(self._progress), name="campaigns_bulkjob_progress"),
            path("<uuid:job_id>/cancel/", view(self._cancel), name="campaigns_bulkjob_cancel"),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one job."""
        del form_url, extra_context
        job = self.get_object(request, object_id)
        if job is None:
            return HttpResponseRedirect(reverse("admin:campaigns_bulkjob_changelist"))
        return self._show(request, job, "admin/campaigns/job.html")

    def _progress(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        return self._show(request, get_object_or_404(BulkJob, pk=job_id), "admin/campaigns/job_progress.html")

    def _show(self, request: HttpRequest, job: BulkJob, template: str) -> HttpResponse:
        if not self.has_view_permission(request, job):
            raise PermissionDenied
        context = {
            **(self.admin_site.each_context(request) if template.endswith("job.html") else {}),
            "title": str(job.get_kind_display()),
            "job": job,
            "state": badge(job.get_status_display(), job.status),
            "may_cancel": job.is_open and _may_cancel(request),
        }
        return TemplateResponse(request, template, context)

    def _cancel(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not _may_cancel(request):
            raise PermissionDenied
        if services.cancel_job(job_id, at=timezone.now()):
            self.message_user(request, "It stops. What was done stays done.", messages.SUCCESS)
        else:
            self.message_user(request, "It was over already.", messages.WARNING)
        return HttpResponseRedirect(reverse("admin:campaigns_bulkjob_change", args=[job_id]))


def _may_cancel(request: HttpRequest) -> bool:
    return request.user.has_perm("campaigns.change_contact")
