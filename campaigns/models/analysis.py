"""What each call came to, as it was judged, and what people corrected in it."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q, QuerySet
from uuid_utils.compat import uuid7

from calls.models import CallSession
from calls.models.choices import choices
from campaigns.enums import AnalysisMethod, AnalysisStatus, Disposition, Sentiment
from campaigns.models.campaigns import Campaign

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

CORRECTABLE = ("disposition", "summary", "sentiment", "interest", "topics", "action_items", "fields", "quality_score")
_PERCENT = [MaxValueValidator(100)]


class CallAnalysisQuerySet(QuerySet["CallAnalysis"]):
    """Judgements by where they are."""

    def due(self, now: datetime) -> "CallAnalysisQuerySet":
        """Those to be made now, and those whose judge did not come back."""
        waiting = Q(status=AnalysisStatus.WAITING, next_try_at__lte=now)
        return self.filter(waiting | Q(status=AnalysisStatus.RUNNING, lease_until__lt=now))

    def done(self) -> "CallAnalysisQuerySet":
        """Those that are made."""
        return self.filter(status=AnalysisStatus.DONE)


class CallAnalysis(models.Model):
    """The judgement of one call: a row from the call's end on, filled when somebody has judged it.

    The columns are the fields of ``campaigns.findings.Findings``, which says what each means.
    """

    session = models.OneToOneField(CallSession, on_delete=models.CASCADE, primary_key=True, related_name="analysis")
    # As its attempt says, which is three tables away: the campaign page counts by it.
    campaign = models.ForeignKey(
        Campaign, null=True, editable=False, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    status = models.CharField(max_length=10, choices=choices(AnalysisStatus), default=AnalysisStatus.WAITING)
    method = models.CharField(max_length=10, choices=choices(AnalysisMethod), blank=True)
    judged_by = models.CharField(max_length=200, blank=True, help_text="The language model's name; empty: rules.")
    disposition = models.CharField(max_length=20, choices=choices(Disposition), blank=True)
    summary = models.TextField(blank=True)
    sentiment = models.CharField(max_length=10, choices=choices(Sentiment), blank=True)
    interest = models.PositiveSmallIntegerField(null=True, blank=True, validators=_PERCENT, help_text="0 to 100.")
    topics = models.JSONField(default=list, blank=True)
    action_items = models.JSONField(default=list, blank=True)
    fields = models.JSONField(default=dict, blank=True, help_text="What the campaign asks for.")
    quality_score = models.PositiveSmallIntegerField(null=True, blank=True, validators=_PERCENT, help_text="0 to 100.")
    quality_reasons = models.JSONField(default=list, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True, help_text="Why the latest try did not succeed.")
    next_try_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    analysed_at = models.DateTimeField(null=True, blank=True)

    objects = CallAnalysisQuerySet.as_manager()

    if TYPE_CHECKING:
        session_id: UUID
        campaign_id: UUID | None
        corrections: RelatedManager["CallCorrection"]

    class Meta:
        """The newest first."""

        verbose_name = "call analysis"
        verbose_name_plural = "call analyses"
        ordering = ("-analysed_at", "-session_id")
        indexes = (
            # The sweep's question; what waits is little.
            models.Index(
                fields=["status", "next_try_at"],
                name="analysis_due",
                condition=Q(status__in=(AnalysisStatus.WAITING, AnalysisStatus.RUNNING)),
            ),
            # The admin's list and its filter.
            models.Index(fields=["-analysed_at", "-session_id"], name="analysis_newest"),
            models.Index(fields=["disposition", "-analysed_at"], name="analysis_disposition"),
            # The campaign page's counts.
            models.Index(fields=["campaign", "status", "disposition"], name="analysis_counts"),
        )
        constraints = (
            models.CheckConstraint(
                condition=~Q(status=AnalysisStatus.DONE) | (Q(analysed_at__isnull=False) & ~Q(disposition="")),
                name="analysis_done_says_something",
            ),
            models.CheckConstraint(
                condition=~Q(status=AnalysisStatus.WAITING) | Q(next_try_at__isnull=False),
                name="analysis_waiting_has_a_time",
            ),
        )

    def __str__(self) -> str:
        """Give the disposition."""
        return self.get_disposition_display() or str(self.get_status_display())

    def corrected(self) -> dict[str, Any]:
        """Give every field as it counts: the latest correction of a person, else what the judge said."""
        values = {name: getattr(self, name) for name in CORRECTABLE}
        for correction in reversed(self.corrections.all()):
            values[correction.field] = correction.value
        return values


class CallCorrection(models.Model):
    """What a person says instead of the judge, of one field. Append-only; the judgement itself stays as it was."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    analysis = models.ForeignKey(CallAnalysis, on_delete=models.CASCADE, related_name="corrections")
    field = models.CharField(max_length=30, choices=[(name, name.replace("_", " ")) for name in CORRECTABLE])
    value = models.JSONField(null=True)
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    if TYPE_CHECKING:
        analysis_id: UUID

    class Meta:
        """The newest first."""

        verbose_name = "correction"
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        """Give the field."""
        return self.get_field_display()
