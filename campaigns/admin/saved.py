"""A list's filters under names of one's own."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from campaigns import services
from campaigns.models import SavedFilter
from vantum.admin_bases import ModelAdmin

if TYPE_CHECKING:
    _Base = ModelAdmin[Model]
else:
    _Base = ModelAdmin


class KeepsFilters(_Base):
    """Shows a person's named filters above the list, and keeps new ones."""

    list_before_template = "admin/campaigns/saved_filters.html"

    @property
    def _page(self) -> str:
        return self.opts.label_lower

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses that write."""
        view = self.admin_site.admin_view
        prefix = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path("filters/save/", view(self._save), name=f"{prefix}_save_filter"),
            path("filters/<uuid:filter_id>/change/", view(self._change), name=f"{prefix}_change_filter"),
            path("filters/<uuid:filter_id>/delete/", view(self._delete), name=f"{prefix}_delete_filter"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the filters along."""
        prefix = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        person = _person(request)
        seen = SavedFilter.objects.seen_by(person.pk, self._page).select_related("user")
        here = request.GET.copy()
        here.pop("p", None)
        saved = [
            {
                "row": kept,
                "is_here": kept.query == here.urlencode(),
                "is_mine": kept.user_id == person.pk,
                "change": reverse(f"{prefix}_change_filter", args=[kept.pk]),
                "delete": reverse(f"{prefix}_delete_filter", args=[kept.pk]),
            }
            for kept in seen
        ]
        context = {
            "saved_filters": saved,
            "save_filter_url": reverse(f"{prefix}_save_filter"),
            "current_query": here.urlencode(),
        }
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def _save(self, request: HttpRequest) -> HttpResponse:
        self._see_may_write(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        query = request.POST.get("query", "")
        try:
            saved = services.save_filter(
                self._page, name=request.POST.get("name", ""), query=query, by=_person(request)
            )
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return self._list(query)
        self.message_user(request, f"The filter is kept as “{saved.name}”.", messages.SUCCESS)
        return self._list(saved.query)

    def _change(self, request: HttpRequest, filter_id: UUID) -> HttpResponse:
        self._see_may_write(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        given = request.POST
        try:
            is_done = services.change_filter(
                filter_id, name=given.get("name", ""), is_shared="is_shared" in given, by=_person(request)
            )
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        else:
            if is_done:
                self.message_user(request, "The filter is changed.", messages.SUCCESS)
        return self._list(given.get("query", ""))

    def _delete(self, request: HttpRequest, filter_id: UUID) -> HttpResponse:
        self._see_may_write(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if services.delete_filter(filter_id, by=_person(request)):
            self.message_user(request, "The filter is deleted.", messages.SUCCESS)
        return self._list("")

    def _see_may_write(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _list(self, query: str) -> HttpResponseRedirect:
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return HttpResponseRedirect(f"{address}?{query}" if query else address)


def _person(request: HttpRequest) -> Any:
    return request.user
