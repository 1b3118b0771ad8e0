"""Callers handed to a colleague: what is wanted, and how far it has come."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models
from django.db.models import Q, QuerySet
from uuid_utils.compat import uuid7

from calls.enums import TransferKind, TransferStatus
from calls.models.attempts import E164, CallAttempt
from calls.models.choices import choices

OPEN = tuple(status for status in TransferStatus if status.is_open)


class TransferQuerySet(QuerySet["Transfer"]):
    """Transfers by where they are."""

    def open(self) -> "TransferQuerySet":
        """Those that are still to be decided."""
        return self.filter(status__in=OPEN)


class Transfer(models.Model):
    """One try to hand a caller on. What the carrier is told next is read from here, by whichever process it asks."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    attempt = models.ForeignKey(CallAttempt, on_delete=models.CASCADE, related_name="transfers")
    leg = models.OneToOneField(
        CallAttempt,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="briefing",
        help_text="Warm: the call to the colleague.",
    )
    kind = models.CharField(max_length=10, choices=choices(TransferKind))
    destination = models.CharField(max_length=40)
    to_e164 = models.CharField("to", max_length=16, validators=[E164])
    summary = models.TextField(blank=True, help_text="What the colleague is told.")
    status = models.CharField(max_length=10, choices=choices(TransferStatus), default=TransferStatus.PENDING)
    outcome = models.CharField(max_length=30, blank=True, help_text="Why nobody took the caller.")
    created_at = models.DateTimeField()
    connected_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = TransferQuerySet.as_manager()

    if TYPE_CHECKING:
        attempt_id: UUID
        leg_id: UUID | None

    class Meta:
        """The newest first."""

        ordering = ("-created_at", "-id")
        constraints = (
            # However often a model asks, and whoever resumes the call: a caller goes to one place at a time.
            models.UniqueConstraint(fields=["attempt"], condition=Q(status__in=OPEN), name="transfer_one_open_a_call"),
            models.CheckConstraint(
                condition=Q(status__in=OPEN, ended_at__isnull=True) | (~Q(status__in=OPEN) & Q(ended_at__isnull=False)),
                name="transfer_over_has_an_end",
            ),
        )

    def __str__(self) -> str:
        """Give destination and standing."""
        return f"{self.destination}: {self.status}"
