"""Jobs over many contacts: how far they are, and a button that stops them."""

from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from campaigns import services
from campaigns.admin.parts import badge
from campaigns.admin.progress import ShowsProgress
from campaigns.models import BulkJob


@admin.register(BulkJob)
class BulkJobAdmin(ShowsProgress):
    """Watch and cancel; jobs are begun from the list of contacts."""

    progress_template = "admin/campaigns/job_progress.html"
    back_to = "campaigns_contact"
    list_display = ("created_at", "kind", "state", "progress", "changed", "created_by", "finished_at")

    @admin.display(description="status", ordering="status")
    def state(self, job: BulkJob) -> str:
        """Show the status in its colour."""
        return badge(job.get_status_display(), job.status)

    @admin.display
    def progress(self, job: BulkJob) -> str:
        """Say how far it is."""
        return f"{job.percent} % of {job.total:,}"

    def may_cancel(self, request: HttpRequest) -> bool:
        """Who may begin one may stop it."""
        return request.user.has_perm("campaigns.change_contact")

    def cancel(self, work_id: UUID) -> bool:
        """Stop it before its next batch."""
        return services.cancel_job(work_id, at=timezone.now())
