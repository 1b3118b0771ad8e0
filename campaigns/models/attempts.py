"""What campaigns did: attempts, what the gate decided, what happened. Written by services only, never edited."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from uuid_utils.compat import uuid7

from calls.models import CallAttempt
from calls.models.choices import choices
from campaigns.enums import DialReason, Outcome
from campaigns.models.campaigns import Campaign, CampaignContact


class CampaignAttemptQuerySet(QuerySet["CampaignAttempt"]):
    """Attempts by where they are."""

    def unsettled(self) -> "CampaignAttemptQuerySet":
        """Those on the line, or just over. They have no outcome: asked so, the index of a campaign's counts answers."""
        return self.filter(outcome="")


class CampaignAttempt(models.Model):
    """One telephone call made for one contact of a campaign. ``settled_at``: when the policy has dealt with its end."""

    attempt = models.OneToOneField(
        CallAttempt, on_delete=models.PROTECT, primary_key=True, related_name="campaign_attempt"
    )
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="attempts")
    member = models.ForeignKey(CampaignContact, on_delete=models.PROTECT, related_name="campaign_attempts")
    number = models.PositiveIntegerField(help_text="Counts from 1 within the contact's membership.")
    outcome = models.CharField(max_length=20, choices=choices(Outcome), blank=True)
    is_counted = models.BooleanField("counts", default=False, help_text="Whether it used up one of the attempts.")
    cost_micros = models.PositiveBigIntegerField(default=0)
    talk_ms = models.PositiveBigIntegerField(null=True, blank=True, help_text="From the answer to the end.")
    first_audio_ms = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        help_text="From the answer, or the greeting's end, to the agent's first sound.",
    )
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = CampaignAttemptQuerySet.as_manager()

    if TYPE_CHECKING:
        attempt_id: UUID
        campaign_id: UUID
        member_id: UUID

    class Meta:
        """The newest first."""

        verbose_name = "campaign attempt"
        ordering = ("-created_at", "-attempt_id")
        indexes = (
            # The dialler's pace, the breaker's window, the newest attempts of a campaign, and its page's chart.
            models.Index(fields=["campaign", "-created_at", "outcome"], name="campaignattempt_timeline"),
            # The campaign page's counts.
            models.Index(fields=["campaign", "outcome"], name="campaignattempt_counts"),
            # The reconciler's question; live calls are few.
            models.Index(fields=["created_at"], name="campaignattempt_open", condition=Q(settled_at__isnull=True)),
        )
        constraints = (models.UniqueConstraint(fields=["member", "number"], name="campaignattempt_number"),)

    def __str__(self) -> str:
        """Give the number within the membership."""
        return f"Attempt {self.number}"


class DialDecision(models.Model):
    """What the gate said of a contact, from ``since`` until the next row. Written when it changes, not at each look."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    member = models.ForeignKey(CampaignContact, on_delete=models.CASCADE, related_name="decisions")
    allowed = models.BooleanField()
    reason = models.CharField(max_length=40, choices=choices(DialReason))
    detail = models.JSONField(default=dict, blank=True, help_text="The rules and figures that decided.")
    since = models.DateTimeField()

    if TYPE_CHECKING:
        member_id: UUID

    class Meta:
        """The newest first."""

        verbose_name = "dial decision"
        ordering = ("-since", "-id")
        indexes = (models.Index(fields=["member", "-since", "-id"], name="decision_of_member"),)

    def __str__(self) -> str:
        """Give the reason."""
        return self.reason.replace("_", " ")


class CampaignEvent(models.Model):
    """Something that happened to a campaign. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=50)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    detail = models.JSONField(default=dict, blank=True)

    if TYPE_CHECKING:
        campaign_id: UUID

    class Meta:
        """The newest first."""

        verbose_name = "campaign event"
        ordering = ("-at", "-id")
        indexes = (
            models.Index(fields=["campaign", "-at", "-id"], name="campaignevent_newest"),
            models.Index(fields=["-at", "-id"], name="campaignevent_of_all"),
        )

    def __str__(self) -> str:
        """Give the kind."""
        return self.kind.replace("_", " ")
