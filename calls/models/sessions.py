"""A call and what belongs to it: turns, events, the recording. Written by the recorder only, never edited."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q, QuerySet
from uuid_utils.compat import uuid7

from calls.enums import Door, EndReason, SessionStatus, Speaker
from calls.models.agents import Agent, AgentVersion
from calls.models.choices import choices

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class CallSessionQuerySet(QuerySet["CallSession"]):
    """Sessions by where they are in their life."""

    def live(self) -> "CallSessionQuerySet":
        """Those on the line, as far as the database knows."""
        return self.filter(status=SessionStatus.LIVE)

    def ended(self) -> "CallSessionQuerySet":
        """Those that are over."""
        return self.filter(status=SessionStatus.ENDED)

    def unmeasured(self) -> "CallSessionQuerySet":
        """Those that are over and whose analytics have not been computed."""
        return self.ended().filter(measured_at__isnull=True)

    def silent_since(self, moment: datetime) -> "CallSessionQuerySet":
        """Live ones whose process has not been heard of since ``moment``."""
        return self.live().filter(alive_at__lt=moment)


class CallSession(models.Model):
    """One phone or console conversation, from answer to end."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    door = models.CharField(max_length=20, choices=choices(Door))
    agent = models.ForeignKey(Agent, null=True, blank=True, on_delete=models.PROTECT, related_name="sessions")
    agent_version = models.ForeignKey(
        AgentVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="sessions"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="call_sessions"
    )
    campaign_id = models.TextField(blank=True, help_text="The caller's own word; stored, not read.")
    language = models.CharField(max_length=20, blank=True)
    variables = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=20, choices=choices(SessionStatus), default=SessionStatus.LIVE)
    end_reason = models.CharField(max_length=30, choices=choices(EndReason), blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.PositiveBigIntegerField(null=True, blank=True)
    instance = models.CharField(max_length=100, help_text="The process that holds the call.")
    alive_at = models.DateTimeField(help_text="When that process last said that it lives.")
    totals = models.JSONField(default=dict, blank=True, help_text="The runner's counters and the analytics' figures.")
    latency_median_ms = models.PositiveIntegerField(null=True, blank=True)
    latency_p95_ms = models.PositiveIntegerField(null=True, blank=True)
    measured_at = models.DateTimeField(null=True, blank=True)
    is_held = models.BooleanField(
        "legal hold", default=False, help_text="Neither the call nor its recording is deleted, by nobody."
    )

    objects = CallSessionQuerySet.as_manager()

    if TYPE_CHECKING:
        agent_id: UUID | None
        agent_version_id: UUID | None
        user_id: int | None
        turns: RelatedManager["Turn"]
        events: RelatedManager["CallEvent"]
        recording: "Recording"

    class Meta:
        """The newest first."""

        verbose_name = "conversation"
        ordering = ("-started_at", "-id")
        indexes = (
            # The admin's list and its date hierarchy.
            models.Index(fields=["-started_at", "-id"], name="session_newest"),
            # The sweep's questions: what is live and silent, what is over and not measured. Both sets are small.
            models.Index(fields=["alive_at"], name="session_live", condition=Q(status=SessionStatus.LIVE)),
            models.Index(
                fields=["ended_at"],
                name="session_unmeasured",
                condition=Q(status=SessionStatus.ENDED, measured_at__isnull=True),
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(status=SessionStatus.LIVE, ended_at__isnull=True, end_reason="")
                | (Q(status=SessionStatus.ENDED, ended_at__isnull=False) & ~Q(end_reason="")),
                name="session_ended_with_a_reason",
            ),
        )

    def __str__(self) -> str:
        """Give the moment and the id."""
        return f"Call of {self.started_at:%Y-%m-%d %H:%M:%S} ({self.id})"

    @property
    def is_live(self) -> bool:
        """Whether the call is on the line, as far as the database knows."""
        return self.status == SessionStatus.LIVE


class Turn(models.Model):
    """One speaker's finished contribution, as heard. Times are wall milliseconds since the call began.

    The latency parts are those of ``calls.engine.events.Latency``; only agent turns that answer a caller have them.
    """

    session = models.ForeignKey(CallSession, on_delete=models.CASCADE, related_name="turns")
    index = models.PositiveIntegerField()
    speaker = models.CharField(max_length=10, choices=choices(Speaker))
    text = models.TextField()
    interrupted = models.BooleanField(default=False)
    confidence = models.FloatField(null=True, blank=True)
    started_ms = models.PositiveBigIntegerField()
    ended_ms = models.PositiveBigIntegerField()
    endpointing_ms = models.PositiveIntegerField(null=True, blank=True)
    stt_ms = models.PositiveIntegerField(null=True, blank=True)
    llm_ms = models.PositiveIntegerField(null=True, blank=True)
    tts_ms = models.PositiveIntegerField(null=True, blank=True)
    total_ms = models.PositiveIntegerField(null=True, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(null=True, blank=True)

    if TYPE_CHECKING:
        session_id: UUID

    class Meta:
        """In the order in which they were said."""

        ordering = ("index",)
        constraints = (
            # The idempotency key of the recorder: writing a turn twice stores it once.
            models.UniqueConstraint(fields=["session", "index"], name="turn_once"),
            models.CheckConstraint(condition=Q(ended_ms__gte=F("started_ms")), name="turn_ends_after_its_start"),
            models.CheckConstraint(
                condition=Q(confidence__isnull=True) | Q(confidence__gte=0, confidence__lte=1),
                name="turn_confidence_is_a_share",
            ),
        )

    def __str__(self) -> str:
        """Give place and speaker, never the words."""
        return f"Turn {self.index} ({self.speaker})"


class CallEvent(models.Model):
    """A fact about a call. Append-only; ``at_ms`` counts wall milliseconds since the call began."""

    session = models.ForeignKey(CallSession, on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=100)
    at_ms = models.PositiveBigIntegerField()
    detail = models.JSONField(default=dict, blank=True)

    if TYPE_CHECKING:
        session_id: UUID

    class Meta:
        """In the order in which they happened."""

        ordering = ("seq",)
        constraints = (models.UniqueConstraint(fields=["session", "seq"], name="event_once"),)

    def __str__(self) -> str:
        """Give the kind."""
        return self.kind


class RecordingQuerySet(QuerySet["Recording"]):
    """Recordings by their age."""

    def expired(self, before: datetime) -> "RecordingQuerySet":
        """Those of calls that ended before then, but for those under legal hold."""
        return self.filter(session__ended_at__lt=before, session__is_held=False)


class Recording(models.Model):
    """The stereo wav of a call: caller left, agent right. ``path`` is relative to ``settings.RECORDINGS_DIR``."""

    session = models.OneToOneField(CallSession, on_delete=models.CASCADE, primary_key=True, related_name="recording")
    path = models.CharField(max_length=200)
    rate = models.PositiveIntegerField(help_text="Samples a second and channel.")
    duration_ms = models.PositiveBigIntegerField()
    missing_ms = models.PositiveBigIntegerField(default=0, help_text="Sound that was not stored.")
    complete = models.BooleanField(help_text="Whether the recorder closed the file and stored all it was given.")
    peaks = models.JSONField(
        default=list, blank=True, help_text="Loudest sample of each slice in percent: [[caller, agent], ...]."
    )

    objects = RecordingQuerySet.as_manager()

    if TYPE_CHECKING:
        session_id: UUID

    class Meta:
        """A rate of 0 would make the file unplayable."""

        constraints = (models.CheckConstraint(condition=Q(rate__gt=0), name="recording_has_a_rate"),)

    def __str__(self) -> str:
        """Give the file."""
        return self.path
