"""Agents: the draft as a form, publishing, and what was published."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from calls import services
from calls.admin.fields import IndentedJSONField, LinesField, PairsField
from calls.enums import AgentStatus, Role, label
from calls.models import Agent, AgentVersion, CallSession
from vantum.admin_bases import ModelAdmin

if TYPE_CHECKING:
    _Form = forms.ModelForm[Agent]
else:
    _Form = forms.ModelForm

_SHOWN_VERSIONS = 20
_PROVIDER_FIELDS = {
    "stt_provider": Role.STT,
    "llm_provider": Role.LLM,
    "tts_provider": Role.TTS,
    "llm_fallback": Role.LLM,
    "tts_fallback": Role.TTS,
}

_SHORT_TEXTS = {
    *("opening", "goodbye", "fallback_answer", "silence_goodbye", "max_duration_goodbye"),
    *("notice", "telephone_opening", "voicemail_message", "screening_answer", "opt_out_goodbye", "objection_line"),
    *("transfer_connecting", "transfer_calling", "transfer_returned"),
}


class AgentForm(_Form):
    """Checks a draft as a call would, and puts each complaint at its field."""

    tools = LinesField(
        help_text="One a line. end_call: the agent may say goodbye and hang up. transfer_call: hand the caller to a "
        "destination. send_digits: press keys. schedule_callback: note when to call again. do_not_call: suppress the "
        "number at once."
    )
    http_tools = IndentedJSONField(
        label="HTTP tools",
        help_text='Your own: [{"name": "find_order", "description": "Find an order.", "url": "https://…", '
        '"parameters": {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]}}]. '
        "Further keys: method (POST, GET, PUT), timeout_ms, secret_header, secret (the name of a stored secret), "
        "filler, max_result_characters.",
    )
    destinations = IndentedJSONField(
        help_text='Where transfer_call may lead: [{"name": "sales", "e164": "+442079460000", "kind": "cold"}]. warm: a '
        "person is called and told first, and takes the caller with key 1; one call at a time. Also: description."
    )
    key_terms = LinesField(help_text="Names and words that the recogniser should expect, one a line.")
    pronunciations = PairsField(help_text="How the synthesiser shall read a word, one a line: SQL = sequel")
    reprompts = LinesField(help_text="Said into silence, one a line, in this order.")
    intents = IndentedJSONField(
        help_text='For the scripted agent: [{"name": "hours", "examples": ["when are you open"], "answer": "…"}]. '
        "Further keys: ends_call, after."
    )

    class Meta:
        """Who is the default is an action: it takes the mark from another agent."""

        model = Agent
        exclude = ("is_default",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in _SHORT_TEXTS & set(self.fields):
            self.fields[name].widget.attrs["rows"] = 2
        for name, role in _PROVIDER_FIELDS.items():
            if name in self.fields:
                names = ", ".join(settings.PROVIDERS[role])
                default = "none" if name.endswith("fallback") else settings.DEFAULT_PROVIDERS[role]
                self.fields[name].help_text = f"{names}, or a dotted path. Empty: {default}."

    def clean(self) -> dict[str, Any]:
        """Refuse a provider that this installation does not know."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, role in _PROVIDER_FIELDS.items():
            given = cleaned.get(name)
            if given and given not in settings.PROVIDERS[role] and "." not in given:
                self.add_error(name, f"There is no provider '{given}'; use {', '.join(settings.PROVIDERS[role])}.")
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # (Django's hook for checks of the finished instance)
        for problem in services.problems_of(services.content_of(self.instance)):
            if problem.column not in self.errors:
                field = problem.column if problem.column in self.fields else None
                self.add_error(field, f"{problem.path}: {problem.reason}")


_FIELDSETS: tuple[tuple[str | None, Any], ...] = (
    (None, {"fields": ("name", "language", "prompt", "opening", "goodbye", "tools")}),
    (
        "Telephone",
        {
            "classes": ("collapse",),
            "fields": (
                *("notice", "telephone_opening", "opening_waits"),
                *("voicemail", "voicemail_message", "screening_answer", "ivr_digits"),
                *("opt_out_goodbye", "objection_line", "carrier_recording"),
            ),
        },
    ),
    (
        "Voice and model",
        {
            "fields": (
                "voice",
                "model",
                "temperature",
                "max_reply_tokens",
                "context_tokens",
                "key_terms",
                "pronunciations",
            )
        },
    ),
    ("Providers", {"fields": tuple(_PROVIDER_FIELDS), "description": "Fallbacks are asked when the first one fails."}),
    (
        "Endpointing: when the caller has finished",
        {
            "classes": ("collapse",),
            "fields": ("patience_ms", "unfinished_patience_ms", "eager_ms", "max_speculations", "recogniser_wait_ms"),
        },
    ),
    (
        "Barge-in: when the caller stops the agent",
        {"classes": ("collapse",), "fields": ("interrupt_after_ms", "false_interruption_ms", "wordless_limit_ms")},
    ),
    (
        "Silence and duration",
        {
            "classes": ("collapse",),
            "fields": (
                *("reprompt_after_seconds", "max_reprompts", "reprompts", "silence_goodbye"),
                *("max_duration_seconds", "max_duration_goodbye"),
            ),
        },
    ),
    (
        "Tools and transfers",
        {
            "classes": ("collapse",),
            "fields": (
                *("http_tools", "destinations"),
                *("transfer_connecting", "transfer_calling", "transfer_returned"),
            ),
        },
    ),
    (
        "Voice activity",
        {
            "classes": ("collapse",),
            "fields": (
                *("vad_threshold", "vad_release", "vad_onset_windows"),
                *("vad_hangover_ms", "vad_min_level_dbfs", "vad_noise_margin_db"),
            ),
        },
    ),
    (
        "Script, for the agent without a language model",
        {"classes": ("collapse",), "fields": ("intents", "fallback_answer")},
    ),
)


@admin.register(Agent)
class AgentAdmin(ModelAdmin[Agent]):
    """Edit, publish, talk."""

    form = AgentForm
    fieldsets = _FIELDSETS
    change_form_template = "admin/calls/agent/change_form.html"
    list_display = ("name", "standing", "default_mark", "language", "call_count", "updated_at", "talk_link")
    list_select_related = ("published",)
    list_filter = ("is_default", "language")
    search_fields = ("name", "prompt")
    actions = ("publish", "make_default")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        """Count the calls along."""
        return super().get_queryset(request).annotate(calls=_calls("agent"))

    @admin.display(description="published")
    def standing(self, agent: Agent) -> str:
        """Say which version calls use, and whether the draft is ahead of it."""
        version = agent.published
        if version is None:
            return "never"
        return f"v{version.number}, draft differs" if services.is_ahead(agent) else f"v{version.number}"

    @admin.display(boolean=True, description="default", ordering="is_default")
    def default_mark(self, agent: Agent) -> bool:
        """Say whether it answers calls that name no agent."""
        return agent.is_default

    @admin.display(description="calls", ordering="calls")
    def call_count(self, agent: Agent) -> int:
        """Say how many calls it had."""
        return int(getattr(agent, "calls", 0))

    @admin.display(description="")
    def talk_link(self, agent: Agent) -> str:
        """Lead to the console, with this agent chosen."""
        return format_html('<a href="{}">Talk to it</a>', talk_url(agent)) if agent.published_id else ""

    @admin.action(description="Publish the drafts", permissions=["change"])
    def publish(self, request: HttpRequest, agents: QuerySet[Agent]) -> None:
        """Freeze the drafts of the chosen agents."""
        for agent in agents:
            self._publish(request, agent)

    @admin.action(description="Make the default agent", permissions=["change"])
    def make_default(self, request: HttpRequest, agents: QuerySet[Agent]) -> None:
        """Have the one chosen agent answer calls that name none."""
        chosen = list(agents[:2])
        if len(chosen) != 1:
            self.message_user(request, "Choose one agent: there is one default.", messages.ERROR)
            return
        services.make_default(chosen[0])
        self.message_user(request, f"{chosen[0]} answers calls that name no agent.", messages.SUCCESS)

    def save_model(self, request: HttpRequest, obj: Agent, form: Any, change: Any) -> None:
        """Save the draft, and freeze it where that was asked for."""
        super().save_model(request, obj, form, change)
        if "_publish" in request.POST:
            self._publish(request, obj)

    def response_add(self, request: HttpRequest, obj: Agent, post_url_continue: str | None = None) -> HttpResponse:
        """Stay on the page after publishing."""
        return super().response_add(_continuing(request), obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Agent) -> HttpResponse:
        """Stay on the page after publishing."""
        return super().response_change(_continuing(request), obj)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the versions below the draft."""
        agent = self.get_object(request, object_id) if object_id else None
        context: dict[str, Any] = {**(extra_context or {})}
        if agent is not None:
            versions = (
                agent.versions.select_related("created_by").annotate(calls=_calls("agent_version")).order_by("-number")
            )
            context["versions"] = [
                {"version": version, "status": label(_status(agent, version))} for version in versions[:_SHOWN_VERSIONS]
            ]
            context["standing"] = self.standing(agent)
            context["talk_url"] = talk_url(agent) if agent.published_id else ""
        return super().changeform_view(request, object_id, form_url, context)

    def _publish(self, request: HttpRequest, agent: Agent) -> None:
        try:
            version = services.publish_agent(agent, by=request.user if request.user.is_authenticated else None)
        except services.AgentFieldError as error:
            self.message_user(request, f"{agent} was not published: {error}", messages.ERROR)
        else:
            self.message_user(request, f"Calls to {agent} now use version {version.number}.", messages.SUCCESS)


def _calls(of: str) -> Coalesce:
    """Count the calls of each row from an index: a join would group them all beside the row's long texts."""
    calls = CallSession.objects.filter(**{of: OuterRef("pk")}).order_by()
    return Coalesce(Subquery(calls.values(of).annotate(n=Count("*")).values("n")), 0)


def talk_url(agent: Agent) -> str:
    """Give the console's address with the agent chosen."""
    return f"/console/?agent={agent.pk}"


def _status(agent: Agent, version: AgentVersion) -> AgentStatus:
    return AgentStatus.PUBLISHED if version.pk == agent.published_id else AgentStatus.ARCHIVED


def _continuing(request: HttpRequest) -> HttpRequest:
    if "_publish" in request.POST:
        post = request.POST.copy()
        post["_continue"] = "1"
        request.POST = post  # type: ignore[assignment]  # (Django's own way to change it)
    return request


@admin.register(AgentVersion)
class AgentVersionAdmin(ModelAdmin[AgentVersion]):
    """A frozen definition, to read."""

    fields = ("agent", "number", "created_at", "created_by", "definition")
    readonly_fields = fields
    list_display = ("__str__", "created_at", "created_by")
    list_select_related = ("agent", "created_by")

    @admin.display
    def definition(self, version: AgentVersion) -> str:
        """Show the content as it is stored."""
        return format_html("<pre>{}</pre>", json.dumps(version.content, indent=2, ensure_ascii=False))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Stay out of the index: versions are reached from their agent."""
        del request
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Publishing adds them."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: AgentVersion | None = None) -> bool:
        """Frozen."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AgentVersion | None = None) -> bool:
        """Only along with an agent that never had a call."""
        is_own_page = request.path.startswith(reverse("admin:calls_agentversion_changelist"))
        return not is_own_page and super().has_delete_permission(request, obj)
