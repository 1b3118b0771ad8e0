"""What calls came to: the list, the page on which people correct a judge, and the panel beside a call."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from calls.admin import panels
from calls.models import CallSession
from campaigns import services
from campaigns.admin.corrections import CorrectionForm
from campaigns.models import CallAnalysis
from vantum.admin_bases import ModelAdmin


@admin.register(CallAnalysis)
class CallAnalysisAdmin(ModelAdmin[CallAnalysis]):
    """Judges write, people correct beside it."""

    list_display = ("call", "verdict", "sentiment", "interest", "quality_score", "method", "state", "analysed")
    list_display_links = ("call",)
    list_filter = ("disposition", "sentiment", "method", "status", "session__agent")
    list_select_related = ("session",)
    list_prefetch = ("session__agent",)
    list_defer = ("session__variables", "session__totals", "quality_reasons")
    sortable_by = ("analysed",)
    search_fields = ("summary",)
    search_help_text = "Words of the summary."
    actions = ("judge_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CallAnalysis]:
        """Read the corrections of the rows that are shown along with them."""
        rows: QuerySet[CallAnalysis] = super().get_queryset(request)
        return rows.prefetch_related("corrections")

    @admin.display(ordering="session__started_at")
    def call(self, analysis: CallAnalysis) -> str:
        """Say which call: when, and with whom."""
        began = f"{localtime(analysis.session.started_at):%Y-%m-%d %H:%M:%S}"
        return f"{began}, {analysis.session.agent}" if analysis.session.agent else began

    @admin.display(description="disposition", ordering="disposition")
    def verdict(self, analysis: CallAnalysis) -> str:
        """Say what counts: a person's word before the judge's."""
        counts = str(analysis.corrected()["disposition"]).replace("_", " ").capitalize()
        if counts and counts != analysis.get_disposition_display():
            return format_html("{} <small>(corrected)</small>", counts)
        return counts or "–"

    @admin.display(description="status", ordering="status")
    def state(self, analysis: CallAnalysis) -> str:
        """Say where the judging is, and what is wrong with it."""
        return f"{analysis.get_status_display()}: {analysis.error}" if analysis.error else analysis.get_status_display()

    @admin.display(description="judged", ordering="analysed_at")
    def analysed(self, analysis: CallAnalysis) -> str:
        """Say when it was judged."""
        return f"{localtime(analysis.analysed_at):%Y-%m-%d %H:%M}" if analysis.analysed_at else "–"

    @admin.action(description="Judge again", permissions=["change"])
    def judge_again(self, request: HttpRequest, queryset: QuerySet[CallAnalysis]) -> None:
        """Have the chosen calls judged anew."""
        count = services.ask_again(queryset.values_list("pk", flat=True), at=timezone.now())
        self.message_user(request, f"{count} calls will be judged again within a minute.", messages.SUCCESS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Each call asks for its own."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: CallAnalysis | None = None) -> bool:
        """Nobody edits a judgement: who may correct may, and may have it made anew."""
        del obj
        return request.user.has_perm("campaigns.add_callcorrection")

    def has_delete_permission(self, request: HttpRequest, obj: CallAnalysis | None = None) -> bool:
        """They go with their call."""
        del request, obj
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one judgement, and take corrections of it."""
        del form_url
        analysis = self._analysis(object_id)
        if not self.has_view_permission(request, analysis):
            raise PermissionDenied
        may_correct = self.has_change_permission(request, analysis) and analysis.analysed_at is not None
        if request.method == "POST":
            if not may_correct:
                raise PermissionDenied
            form = CorrectionForm(request.POST, analysis=analysis)
            if form.is_valid() and self._store(request, analysis, form):
                return HttpResponseRedirect(request.get_full_path())
        else:
            form = CorrectionForm(analysis=analysis)
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "opts": self.opts,
            "title": f"Analysis: {self.call(analysis)}",
            "analysis": analysis,
            "form": form if may_correct else None,
            "values": analysis.corrected(),
            "corrections": analysis.corrections.select_related("by"),
            "call_url": reverse("admin:calls_callsession_change", args=[analysis.pk]),
        }
        return TemplateResponse(request, "admin/campaigns/callanalysis/analysis.html", context)

    def _analysis(self, object_id: str) -> CallAnalysis:
        try:
            session_id = UUID(unquote(object_id))
            return CallAnalysis.objects.select_related("session__agent").get(pk=session_id)
        except (ValueError, CallAnalysis.DoesNotExist):
            message = "There is no such analysis."
            raise Http404(message) from None

    def _store(self, request: HttpRequest, analysis: CallAnalysis, form: CorrectionForm) -> bool:
        changes = form.changes()
        by = request.user
        if not isinstance(by, AbstractBaseUser):
            raise PermissionDenied
        for field, value in changes.items():
            try:
                services.correct(analysis.pk, field, value, by=by, at=timezone.now(), note=form.cleaned_data["note"])
            except ValidationError as error:
                form.add_error(field, error.messages[0])
                return False
        said = f"{len(changes)} corrected." if changes else "Nothing was changed, so nothing is corrected."
        self.message_user(request, said, messages.SUCCESS if changes else messages.INFO)
        return True


@panels.register
def analysis_panel(request: HttpRequest, session: CallSession) -> SafeString:
    """Show beside a call what it came to."""
    if not request.user.has_perm("campaigns.view_callanalysis"):
        return SafeString("")
    analysis = CallAnalysis.objects.prefetch_related("corrections").filter(session=session).first()
    if analysis is None:
        return SafeString("")
    context = {
        "analysis": analysis,
        "values": (values := analysis.corrected()),
        "disposition": str(values["disposition"]).replace("_", " ").capitalize(),
        "url": reverse("admin:campaigns_callanalysis_change", args=[analysis.pk]),
    }
    return render_to_string("admin/campaigns/callanalysis/panel.html", context)
