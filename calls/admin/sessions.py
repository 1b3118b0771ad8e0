"""Calls: a list that stays quick as it grows, and a page that reads like the conversation."""

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.timezone import localtime

from calls import erasing, services
from calls.admin import conversation, panels
from calls.errors import CallError
from calls.models import CallSession, Recording, Turn
from vantum.admin_bases import ModelAdmin, RangeDateFilter

if TYPE_CHECKING:
    _Pages = Paginator[CallSession]
else:
    _Pages = Paginator

_MOST_COUNTED = 10_000


class BoundedPaginator(_Pages):
    """Counts no further than it must: counting a million rows takes longer than anyone pages through."""

    @cached_property
    def count(self) -> int:
        """Give the number of rows, at most the bound."""
        rows = self.object_list
        return rows.order_by()[:_MOST_COUNTED].count() if isinstance(rows, QuerySet) else len(rows)


@admin.register(CallSession)
class CallSessionAdmin(ModelAdmin[CallSession]):
    """Read-only: the recorder writes, people read."""

    list_display = ("started", "state", "agent", "door", "duration", "turn_count", "latency", "end_reason", "user")
    list_display_links = ("started",)
    list_filter = (("started_at", RangeDateFilter), "status", "door", "end_reason", "is_held", "agent")
    list_select_related = ("agent", "user")
    list_per_page = 50
    search_fields = ("agent__name",)  # Switches the box on; what is searched is below.
    search_help_text = "Agent, campaign, user, words that were said, or the id of a call."
    paginator = BoundedPaginator
    show_full_result_count = False
    actions = ("hold", "lift_hold")

    class Media:
        """The mark of a live call."""

        css: ClassVar = {"all": ("admin_calls/calls.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[CallSession]:
        """Count the turns of the rows that are shown, and of no others."""
        turns = Turn.objects.filter(session=OuterRef("pk")).order_by().values("session").annotate(n=Count("pk"))
        rows: QuerySet[CallSession] = super().get_queryset(request)
        return rows.annotate(turn_total=Coalesce(Subquery(turns.values("n")), 0))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CallSession], search_term: str
    ) -> tuple[QuerySet[CallSession], bool]:
        """Find a call by its id, or by its names and by words that were said in it."""
        del request
        words = search_term.strip()
        if not words:
            return queryset, False
        try:
            return queryset.filter(pk=UUID(words)), False
        except ValueError:
            said = Turn.objects.filter(session=OuterRef("pk"), text__icontains=words)
            named = (
                Q(agent__name__icontains=words) | Q(campaign_id__icontains=words) | Q(user__username__icontains=words)
            )
            return queryset.filter(named | Exists(said)), False

    @admin.display(ordering="started_at")
    def started(self, session: CallSession) -> str:
        """Say when, to the second."""
        return f"{localtime(session.started_at):%Y-%m-%d %H:%M:%S}"

    @admin.display(ordering="status")
    def state(self, session: CallSession) -> str:
        """Mark a call that is on the line."""
        return format_html('<strong class="call-live">{}</strong>', "● live") if session.is_live else "ended"

    @admin.display(ordering="duration_ms")
    def duration(self, session: CallSession) -> str:
        """Say how long it lasted."""
        return "" if session.duration_ms is None else conversation.clock(session.duration_ms)

    @admin.display(description="turns")
    def turn_count(self, session: CallSession) -> int:
        """Say how much was said."""
        return int(getattr(session, "turn_total", 0))

    @admin.display(description="median latency", ordering="latency_median_ms")
    def latency(self, session: CallSession) -> str:
        """Say how quickly the agent answered."""
        return "" if session.latency_median_ms is None else f"{session.latency_median_ms} ms"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Calls come by telephone and console."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: CallSession | None = None) -> bool:
        """What was said was said."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CallSession | None = None) -> bool:
        """A call that is over may be deleted by whom that is allowed, unless it is under legal hold."""
        if obj is not None and (obj.is_live or obj.is_held):
            return False
        return bool(super().has_delete_permission(request, obj))

    def delete_model(self, request: HttpRequest, obj: CallSession) -> None:
        """Delete the whole call, with its files."""
        self._erase(request, [obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[CallSession]) -> None:
        """Delete the whole of each call, with its files."""
        self._erase(request, list(queryset))

    def _erase(self, request: HttpRequest, sessions: list[CallSession]) -> None:
        for session in sessions:
            try:
                erasing.erase_call(session.pk)
            except (CallError, OSError) as error:
                self.message_user(request, f"{session} was not deleted: {error}", messages.ERROR)

    @admin.action(description="Put under legal hold", permissions=["delete"])
    def hold(self, request: HttpRequest, queryset: QuerySet[CallSession]) -> None:
        """Keep calls and their recordings from being deleted."""
        held = sum(services.hold_call(session.pk, is_held=True) for session in queryset)
        self.message_user(request, f"{held} conversations are under legal hold.")

    @admin.action(description="Lift the legal hold", permissions=["delete"])
    def lift_hold(self, request: HttpRequest, queryset: QuerySet[CallSession]) -> None:
        """Let calls and their recordings be deleted again."""
        lifted = sum(services.hold_call(session.pk, is_held=False) for session in queryset)
        self.message_user(request, f"{lifted} conversations are under legal hold no more.")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one call as a conversation."""
        del form_url
        session = self._session(object_id)
        if session is None:
            message = "There is no such call."
            raise Http404(message)
        if not self.has_view_permission(request, session):
            raise PermissionDenied
        sessions, events = services.sessions_of_call(session.pk), list(session.events.all())
        said = sorted(Turn.objects.filter(session_id__in=sessions), key=lambda turn: sessions.index(turn.session_id))
        turns = [turn for turn in said if turn.session_id == session.pk]
        recording = Recording.objects.filter(session=session).first()
        may_hear = recording is not None and request.user.has_perm("calls.view_recording")
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "opts": self.opts,
            "title": conversation.title(session),
            "session": session,
            "facts": conversation.facts(session),
            "bubbles": conversation.bubbles(said, sessions, session.pk),
            "bar_units": conversation.BAR_UNITS,
            "timeline": conversation.timeline(events),
            "panels": panels.panels_of(request, session),
            "recording_note": conversation.recording_note(session, recording, events),
            "recording_url": reverse("recording", args=[session.pk]) if may_hear else "",
            "delete_url": reverse("admin:calls_callsession_delete", args=[session.pk])
            if self.has_delete_permission(request, session)
            else "",
            "waveform": conversation.waveform(recording, turns),
        }
        return TemplateResponse(request, "admin/calls/callsession/call.html", context)

    def _session(self, object_id: str) -> CallSession | None:
        try:
            session_id = UUID(unquote(object_id))
        except ValueError:
            return None
        return CallSession.objects.select_related("agent", "agent_version", "user").filter(pk=session_id).first()
