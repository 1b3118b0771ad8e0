"""Work in the background: a page that shows how far it is, refreshes itself, and stops the work."""

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from campaigns.admin.parts import ReadOnly, badge
from vantum.admin_bases import ModelAdmin

if TYPE_CHECKING:
    _Base = ModelAdmin[Any]
else:

    class _Base(ReadOnly, ModelAdmin):
        """Work is begun elsewhere."""


class ShowsProgress(_Base):
    """The page of one piece of work."""

    progress_template: ClassVar[str]
    """The part that refreshes itself."""
    back_to: ClassVar[str]
    """The list that a button leads to."""
    list_select_related: ClassVar[Any] = ("created_by",)

    def may_cancel(self, request: HttpRequest) -> bool:
        """Whether this person may stop such work."""
        raise NotImplementedError

    def cancel(self, work_id: UUID) -> bool:
        """Stop it. False: it was over."""
        raise NotImplementedError

    def heading(self, work: Any) -> str:
        """Name what is done."""
        return str(work.get_kind_display())

    def get_urls(self) -> list[URLPattern]:
        """Add the part that refreshes itself, and the cancelling."""
        view, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path("<uuid:work_id>/progress/", view(self._progress), name=f"{name}_progress"),
            path("<uuid:work_id>/cancel/", view(self._cancel), name=f"{name}_cancel"),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one."""
        del form_url, extra_context
        work = self.get_object(request, object_id)
        if work is None:
            return HttpResponseRedirect(self._address("changelist"))
        context = {**self.admin_site.each_context(request), "back_url": reverse(f"admin:{self.back_to}_changelist")}
        return self._show(request, work, "admin/campaigns/job.html", context)

    def _progress(self, request: HttpRequest, work_id: UUID) -> HttpResponse:
        return self._show(request, get_object_or_404(self.model, pk=work_id), self.progress_template, {})

    def _show(self, request: HttpRequest, work: Any, template: str, context: dict[str, Any]) -> HttpResponse:
        if not self.has_view_permission(request, work):
            raise PermissionDenied
        own = {
            "title": self.heading(work),
            "work": work,
            "state": badge(work.get_status_display(), work.status),
            "progress_template": self.progress_template,
            "progress_url": self._address("progress", work.pk),
            "cancel_url": self._address("cancel", work.pk) if work.is_open and self.may_cancel(request) else "",
        }
        return TemplateResponse(request, template, context | own | self.also(request, work))

    def also(self, request: HttpRequest, work: Any) -> dict[str, Any]:
        """Give what the part shows besides."""
        del request, work
        return {}

    def _cancel(self, request: HttpRequest, work_id: UUID) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.may_cancel(request):
            raise PermissionDenied
        if self.cancel(work_id):
            self.message_user(request, "It stops. What was done stays done.", messages.SUCCESS)
        else:
            self.message_user(request, "It was over already.", messages.WARNING)
        return HttpResponseRedirect(self._address("change", work_id))

    def _address(self, page: str, *args: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=args)
