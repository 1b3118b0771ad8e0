"""Telephone calls as the carrier has them, to read, and the numbers that nobody may dial."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timezone import localtime

from calls import telephony
from calls.errors import CallError
from calls.models import CallAttempt, CallStream, Suppression, Transfer
from calls.models.attempts import CallAttemptQuerySet
from vantum.admin_bases import ModelAdmin, RangeDateFilter, SimpleListFilter, TabularInline

_LONGEST_REASON = 300
_MOST_ORDERS = 20
"""Calls that one action is done to: the carrier is asked about each."""


class CallStreamInline(TabularInline[CallStream, CallAttempt]):
    """The media streams of a call."""

    model = CallStream
    fields = readonly_fields = ("number", "issued_at", "opened_at", "started_at", "stopped_at", "error")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: CallAttempt | None = None) -> bool:
        """The carrier opens streams."""
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: CallAttempt | None = None) -> bool:
        """What happened has happened."""
        del request, obj
        return False


class TransferInline(TabularInline[Transfer, CallAttempt]):
    """To whom a caller was handed, and what came of it."""

    model = Transfer
    fk_name = "attempt"
    fields = readonly_fields = ("created_at", "kind", "destination", "to_e164", "status", "outcome", "ended_at", "leg")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: CallAttempt | None = None) -> bool:
        """Agents transfer."""
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: CallAttempt | None = None) -> bool:
        """What happened has happened."""
        del request, obj
        return False


class CarrierFilter(SimpleListFilter):
    """By carrier. The choices are the installation's: asking all calls for theirs reads all calls."""

    title, parameter_name = "carrier", "carrier"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Give the carriers that are set up."""
        del request, model_admin
        return [(name, name.capitalize()) for name in settings.CARRIERS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CallAttempt]) -> QuerySet[CallAttempt]:
        """Narrow the list."""
        del request
        return queryset.filter(carrier=self.value()) if self.value() else queryset


@admin.register(CallAttempt)
class CallAttemptAdmin(ModelAdmin[CallAttempt]):
    """Read-only: the carrier's word counts."""

    list_display = ("created", "direction", "to_e164", "from_e164", "status", "agent_version", "who_answered", "lasted")
    list_display_links = ("created",)
    list_filter = (("created_at", RangeDateFilter), "status", "direction", CarrierFilter, "answered_kind")
    list_select_related = ()
    list_prefetch = ("agent_version",)
    list_defer = ("variables",)
    sortable_by = ("created", "to_e164")
    search_fields = ("to_e164",)  # Switches the box on; what is searched is below.
    search_help_text = "The beginning of a number, or a carrier's id."
    inlines = (CallStreamInline, TransferInline)
    actions = ("leave_message", "end_call")
    fields = (
        *("direction", "to_e164", "from_e164", "status", "release", "conversation", "agent_version", "variables"),
        *("kind", "parent", "order"),
        *("answered_by", "answered_kind"),
        *("created_at", "ringing_at", "answered_at", "ended_at", "duration_seconds"),
        *("error", "error_code", "is_refused", "missed_at", "heard_at", "carrier", "carrier_sid"),
    )
    readonly_fields = ("conversation", "release")

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which the number of a call is released that nobody can be asked about."""
        page = self.admin_site.admin_view(self._release)
        return [path("<uuid:attempt_id>/release/", page, name="calls_callattempt_release"), *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CallAttempt], search_term: str
    ) -> tuple[QuerySet[CallAttempt], bool]:
        """Find calls by number or by the carrier's id, both of which have an index."""
        del request
        assert isinstance(queryset, CallAttemptQuerySet)  # noqa: S101 (the model's own)
        return queryset.matching({"words": search_term.strip()}), False

    @admin.display(ordering="created_at")
    def created(self, attempt: CallAttempt) -> str:
        """Say when, to the second."""
        return f"{localtime(attempt.created_at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description="who answered", ordering="answered_kind")
    def who_answered(self, attempt: CallAttempt) -> str:
        """Say what our own ears decided, else the carrier's word."""
        return attempt.get_answered_kind_display() or attempt.answered_by.replace("_", " ").capitalize()

    @admin.display(ordering="duration_seconds")
    def lasted(self, attempt: CallAttempt) -> str:
        """Say how long, as it is billed."""
        return "" if attempt.duration_seconds is None else f"{attempt.duration_seconds} s"

    @admin.display
    def conversation(self, attempt: CallAttempt) -> str:
        """Lead to what was said."""
        if attempt.session_id is None:
            return "-"
        address = reverse("admin:calls_callsession_change", args=[attempt.session_id])
        return format_html('<a href="{}">What was said</a>', address)

    @admin.display(description="number")
    def release(self, attempt: CallAttempt) -> str:
        """Lead to where its number is released, where its carrier cannot be asked any more."""
        if attempt.is_over or attempt.carrier in settings.CARRIERS:
            return "-"
        address = reverse("admin:calls_callattempt_release", args=[attempt.pk])
        words = f"The carrier {attempt.carrier} is not set up any more; until this is closed its number is blocked."
        return format_html('{} <a href="{}">Close it</a>', words, address)

    def _release(self, request: HttpRequest, attempt_id: UUID) -> HttpResponse:
        """Ask for the reason, close the call and write down who did it and why."""
        if not self.has_operate_permission(request):
            raise PermissionDenied
        attempt = get_object_or_404(CallAttempt, pk=attempt_id)
        reason = request.POST.get("reason", "").strip()[:_LONGEST_REASON]
        if request.method == "POST" and reason:
            return self._close(request, attempt, reason)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Close the call: {attempt}",
            "attempt": attempt,
            "is_missing": request.method == "POST",
            "page_url": reverse("admin:calls_callattempt_change", args=[attempt.pk]),
        }
        return TemplateResponse(request, "admin/calls/callattempt/release.html", context)

    def _close(self, request: HttpRequest, attempt: CallAttempt, reason: str) -> HttpResponse:
        before = attempt.status
        try:
            telephony.release_number(attempt.pk, reason, now=timezone.now())
        except CallError as error:
            self.message_user(request, f"{attempt}: {error}.", messages.ERROR)
        else:
            attempt.refresh_from_db()
            values = {"status": [before, attempt.status], "reason": ["", reason]}
            self.log_change(request, attempt, [{"changed": {"fields": ["status"], "values": values}}])
            self.message_user(request, f"{attempt} is closed; its number can be called again.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:calls_callattempt_change", args=[attempt.pk]))

    @admin.action(description="Leave the voicemail message and hang up", permissions=["operate"])
    def leave_message(self, request: HttpRequest, attempts: QuerySet[CallAttempt]) -> None:
        """Have the agent say its message on the chosen calls, which are on the line."""
        self._order(request, attempts, telephony.leave_message, "The message is being left on {}.")

    @admin.action(description="Hang up", permissions=["operate"])
    def end_call(self, request: HttpRequest, attempts: QuerySet[CallAttempt]) -> None:
        """End the chosen calls."""
        self._order(request, attempts, telephony.end_call, "{} is being ended.")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Who may change calls may also end them."""
        return request.user.has_perm("calls.change_callattempt")

    def _order(
        self, request: HttpRequest, attempts: QuerySet[CallAttempt], order: Callable[[UUID], None], done: str
    ) -> None:
        """Do one thing to each of a few calls, and report each."""
        chosen = list(attempts[: _MOST_ORDERS + 1])
        if len(chosen) > _MOST_ORDERS:
            self.message_user(request, f"Choose at most {_MOST_ORDERS} calls at a time.", messages.ERROR)
            return
        for attempt in chosen:
            try:
                order(attempt.pk)
            except (CallError, KeyError) as error:
                self.message_user(request, f"{attempt}: {error}.", messages.ERROR)
            else:
                self.message_user(request, done.format(attempt), messages.SUCCESS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Calls are placed, not written."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: CallAttempt | None = None) -> bool:
        """What happened has happened."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CallAttempt | None = None) -> bool:
        """Records stay."""
        del request, obj
        return False


@admin.register(Suppression)
class SuppressionAdmin(ModelAdmin[Suppression]):
    """Numbers are added with a proof, and not edited; one that was mistyped can be deleted by whom that is allowed."""

    list_display = ("e164", "source", "created_at", "short_proof")
    list_filter = ("source",)
    sortable_by = ("e164", "created_at")
    search_fields = ("e164",)
    search_help_text = "A number, or a part of one."
    fields = ("e164", "proof", "source", "created_at")
    readonly_fields = ("source", "created_at")

    @admin.display(description="proof")
    def short_proof(self, suppression: Suppression) -> str:
        """Give the proof's beginning."""
        return suppression.proof[:100]

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        """A proof is not edited."""
        del request, obj
        return False
