"""Calls: a list that stays quick as it grows, and a page that reads like the conversation."""

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timezone import localtime

from calls import erasing, services
from calls.admin import conversation, panels
from calls.errors import CallError
from calls.models import Agent, CallSession, Recording, Turn
from vantum.admin_bases import ModelAdmin, RangeDateFilter

_MOST_FOUND = 1_000
"""Calls that a search for words shows."""
_MOST_HEARD = 5_000
"""Calls whose words are looked through: no index finds a part of a word on every database."""


def _named(words: str) -> Q:
    """Give the calls of agents and users of that name; both are few."""
    agents = Agent.objects.filter(name__icontains=words).values_list("pk", flat=True)
    users = get_user_model().objects.filter(username__icontains=words).values_list("pk", flat=True)
    return Q(agent__in=list(agents)) | Q(user__in=list(users))


def _said_in(sessions: QuerySet[CallSession], words: str) -> list[UUID]:
    """Give, newest first, those of the newest calls in which words were said, or that a campaign of that name made."""
    newest = sessions.order_by("-started_at", "-pk")[:_MOST_HEARD].values("pk")
    said = Turn.objects.filter(session__in=newest, text__icontains=words).order_by()
    of_campaign = CallSession.objects.filter(pk__in=newest, campaign_id__icontains=words).order_by()
    ids = said.values_list("session").union(of_campaign.values_list("pk")).order_by("-session")[:_MOST_FOUND]
    return [pk for (pk,) in ids]


@admin.register(CallSession)
class CallSessionAdmin(ModelAdmin[CallSession]):
    """Read-only: the recorder writes, people read."""

    list_display = ("started", "state", "agent", "door", "duration", "turn_count", "latency", "end_reason", "user")
    list_display_links = ("started",)
    list_filter = (("started_at", RangeDateFilter), "status", "door", "end_reason", "is_held", "agent")
    list_select_related = ()
    list_prefetch = ("agent", "user")
    list_defer = ("variables", "totals")
    sortable_by = ("started",)
    search_fields = ("agent__name",)  # Switches the box on; what is searched is below.
    search_help_text = (
        "Agent, user, or the id of a call. Words that were said, and campaigns, are looked for in the newest "
        f"{_MOST_HEARD:,} calls that the filters leave."
    )
    actions = ("hold", "lift_hold")

    class Media:
        """The mark of a live call."""

        css: ClassVar = {"all": ("admin_calls/calls.css",)}

    def complete(self, rows: Iterable[CallSession]) -> None:
        """Count the turns of the rows that are shown, and of no others."""
        turns = Turn.objects.filter(session__in=[session.pk for session in rows]).order_by()
        counts = dict(turns.values_list("session").annotate(Count("pk")))
        for session in rows:
            session.turn_total = counts.get(session.pk, 0)  # type: ignore[attr-defined]  # (of this page alone)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CallSession], search_term: str
    ) -> tuple[QuerySet[CallSession], bool]:
        """Find a call by its id, by agent or user, or among the newest of the list by words that were said in it."""
        del request
        words = search_term.strip()
        if not words:
            return queryset, False
        try:
            return queryset.filter(pk=UUID(words)), False
        except ValueError:
            return queryset.filter(_named(words) | Q(pk__in=_said_in(queryset, words))), False

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
