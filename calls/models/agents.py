"""An agent as it is edited, and its published versions as they are called."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from uuid_utils.compat import uuid7

from calls.engine.agent import AgentSpec, BargeIn, Endpointing, Silence, Telephone, VoiceActivity
from calls.engine.toolspec import TransferLines
from calls.enums import OpeningWaits, VoicemailPolicy
from calls.models.choices import choices

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

_ENDPOINTING, _BARGE_IN, _SILENCE, _VAD = Endpointing(), BargeIn(), Silence(), VoiceActivity()
_TELEPHONE = Telephone()
_TRANSFER = TransferLines()
_SPEC = AgentSpec(name="", prompt="")


def default_tools() -> list[str]:
    """Give what a new agent may do."""
    return list(_SPEC.tools)


def default_reprompts() -> list[str]:
    """Give what a new agent says into silence."""
    return list(_SILENCE.reprompts)


class AgentQuerySet(QuerySet["Agent"]):
    """Agents by what may be done with them."""

    def callable(self) -> "AgentQuerySet":
        """Those that have a published version."""
        return self.filter(published__isnull=False)


class Agent(models.Model):
    """The editable draft of an agent.

    Calls use ``published``, a frozen copy: an edit changes no call until it is published.

    The columns are the fields of ``calls.engine.agent.AgentSpec``, which says what each means and in which unit;
    ``calls.services.agents`` maps the one to the other.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100, unique=True)
    is_default = models.BooleanField("default agent", default=False, help_text="Answers calls that name no agent.")
    language = models.CharField(max_length=20, default=_SPEC.language, help_text="Such as en-US.")
    prompt = models.TextField(help_text="May hold {{name}} and {{name|default}}.")
    opening = models.TextField(blank=True, help_text="Spoken first; empty: the agent waits for the caller.")
    fallback_answer = models.TextField(
        default=_SPEC.fallback_answer, help_text="What the scripted agent says to words that fit no intent."
    )
    goodbye = models.TextField(
        default=_SPEC.goodbye, blank=True, help_text="Said when the call is ended without other last words."
    )
    voice = models.CharField(max_length=200, blank=True, help_text="Empty: the provider's default.")
    model = models.CharField(max_length=200, blank=True, help_text="Language model; empty: the provider's default.")
    temperature = models.FloatField(default=_SPEC.temperature)
    max_reply_tokens = models.PositiveIntegerField(default=_SPEC.max_reply_tokens)
    context_tokens = models.PositiveIntegerField(default=_SPEC.context_tokens)

    stt_provider = models.CharField("speech to text", max_length=200, blank=True)
    llm_provider = models.CharField("language model provider", max_length=200, blank=True)
    tts_provider = models.CharField("text to speech", max_length=200, blank=True)
    llm_fallback = models.CharField("language model fallback", max_length=200, blank=True)
    tts_fallback = models.CharField("text to speech fallback", max_length=200, blank=True)

    patience_ms = models.PositiveIntegerField(default=_ENDPOINTING.patience_ms)
    unfinished_patience_ms = models.PositiveIntegerField(default=_ENDPOINTING.unfinished_patience_ms)
    eager_ms = models.PositiveIntegerField(default=_ENDPOINTING.eager_ms)
    max_speculations = models.PositiveIntegerField(default=_ENDPOINTING.max_speculations)
    recogniser_wait_ms = models.PositiveIntegerField(default=_ENDPOINTING.recogniser_wait_ms)

    interrupt_after_ms = models.PositiveIntegerField(default=_BARGE_IN.interrupt_after_ms)
    false_interruption_ms = models.PositiveIntegerField(default=_BARGE_IN.false_interruption_ms)
    wordless_limit_ms = models.PositiveIntegerField(default=_BARGE_IN.wordless_limit_ms)

    reprompt_after_seconds = models.FloatField(default=_SILENCE.reprompt_after_seconds)
    max_reprompts = models.PositiveIntegerField(default=_SILENCE.max_reprompts)
    reprompts = models.JSONField(default=default_reprompts, blank=True)
    silence_goodbye = models.TextField(default=_SILENCE.goodbye)

    vad_threshold = models.FloatField(default=_VAD.threshold)
    vad_release = models.FloatField(default=_VAD.release)
    vad_onset_windows = models.PositiveIntegerField(default=_VAD.onset_windows)
    vad_hangover_ms = models.PositiveIntegerField(default=_VAD.hangover_ms)
    vad_min_level_dbfs = models.FloatField(default=_VAD.min_level_dbfs)
    vad_noise_margin_db = models.FloatField(default=_VAD.noise_margin_db)

    notice = models.TextField(
        blank=True,
        default=_TELEPHONE.notice,
        help_text="Spoken first on the telephone, and never interrupted: the agent's name, that it is an AI, that the "
        "call is recorded. Without variables: its audio is made before anybody answers.",
    )
    telephone_opening = models.TextField(
        blank=True, default=_TELEPHONE.opening, help_text="Spoken after the notice; empty: the opening."
    )
    opening_waits = models.CharField(
        "opening waits for", max_length=20, choices=choices(OpeningWaits), default=_TELEPHONE.opening_waits
    )
    voicemail = models.CharField(max_length=20, choices=choices(VoicemailPolicy), default=_TELEPHONE.voicemail)
    voicemail_message = models.TextField(
        blank=True, default=_TELEPHONE.voicemail_message, help_text="Spoken after the beep; empty: the agent hangs up."
    )
    screening_answer = models.TextField(
        blank=True,
        default=_TELEPHONE.screening_answer,
        help_text="Who is calling and why, for an assistant that asks first; empty: notice and opening.",
    )
    ivr_digits = models.CharField(
        "keys in a menu",
        max_length=20,
        blank=True,
        default=_TELEPHONE.ivr_digits,
        help_text="Pressed when a menu answers; empty: the agent hangs up.",
    )
    opt_out_goodbye = models.TextField(
        default=_TELEPHONE.opt_out_goodbye, help_text="Said to who wants no more calls; then the call ends."
    )
    objection_line = models.TextField(
        default=_TELEPHONE.objection_line,
        help_text="Said to who does not want to be recorded; the recording has stopped by then, the call goes on.",
    )
    carrier_recording = models.BooleanField(
        default=_TELEPHONE.carrier_recording,
        help_text="Have the carrier record too, once the notice was spoken to its end; without a notice it never does.",
    )

    max_duration_seconds = models.PositiveIntegerField(default=_SPEC.max_duration_seconds)
    max_duration_goodbye = models.TextField(default=_SPEC.max_duration_goodbye)
    tools = models.JSONField(default=default_tools, blank=True)
    http_tools = models.JSONField("HTTP tools", default=list, blank=True)
    destinations = models.JSONField(default=list, blank=True)
    transfer_connecting = models.TextField(default=_TRANSFER.connecting, help_text="Said before another phone rings.")
    transfer_calling = models.TextField(
        default=_TRANSFER.calling, help_text="Said while a colleague of a warm destination is called."
    )
    transfer_returned = models.TextField(
        default=_TRANSFER.returned, help_text="Said to a caller whom nobody took, and who is with the agent again."
    )
    key_terms = models.JSONField(default=list, blank=True)
    pronunciations = models.JSONField(default=dict, blank=True)
    intents = models.JSONField(default=list, blank=True)

    published = models.ForeignKey(
        "AgentVersion", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AgentQuerySet.as_manager()

    if TYPE_CHECKING:
        published_id: UUID | None
        versions: RelatedManager["AgentVersion"]

    class Meta:
        """Names sort; at most one default."""

        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(is_default=True),
                name="agent_one_default",
                violation_error_message="Another agent is the default already; take the mark from it first.",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="agent_has_a_name"),
        )

    def __str__(self) -> str:
        """Give the name."""
        return self.name


class AgentVersion(models.Model):
    """One published, frozen definition. ``content`` is a ``calls.engine.agent.AgentSpec`` as JSON."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    content = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    if TYPE_CHECKING:
        agent_id: UUID
        created_by_id: int | None

    class Meta:
        """Numbers count from 1 within an agent, the newest first."""

        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=["agent", "number"], name="agentversion_number"),
            models.CheckConstraint(condition=Q(number__gte=1), name="agentversion_number_from_1"),
        )

    def __str__(self) -> str:
        """Give name and number."""
        return f"{self.content.get('name', self.agent_id)} v{self.number}"
