"""What people keep for their work in the admin: filters they named, and jobs over many rows."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from uuid_utils.compat import uuid7

from calls.models.choices import choices
from campaigns.enums import JobKind, JobStatus

OPEN = (JobStatus.WAITING, JobStatus.RUNNING)


class SavedFilter(models.Model):
    """A list as somebody wants to see it again: the page and its query, under a name of their own."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters")
    page = models.CharField(max_length=100, help_text="The list, such as campaigns.contact.")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, help_text="What follows the question mark in the list's address.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """By name."""

        verbose_name = "saved filter"
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=["user", "page", "name"], name="savedfilter_once"),
            models.CheckConstraint(condition=~Q(name=""), name="savedfilter_has_a_name"),
        )

    def __str__(self) -> str:
        """Give the name."""
        return self.name


class BulkJobQuerySet(QuerySet["BulkJob"]):
    """Jobs by where they are."""

    def due(self, now: datetime) -> "BulkJobQuerySet":
        """Those that nobody works on: new ones, and those whose worker did not come back."""
        return self.filter(status__in=OPEN).exclude(lease_until__gt=now)


class BulkJob(models.Model):
    """Something done to many rows, a batch at a time. ``cursor`` is the last row that is done with, in order of ids.

    Each batch and its new cursor are one transaction, so a killed worker's job goes on where it was.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=30, choices=choices(JobKind))
    selection = models.JSONField(help_text="Which rows: ids, or the values of filters.")
    parameters = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=10, choices=choices(JobStatus), default=JobStatus.WAITING)
    total = models.PositiveIntegerField(default=0)
    seen = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    cursor = models.UUIDField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_key = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = BulkJobQuerySet.as_manager()

    if TYPE_CHECKING:
        created_by_id: int | None

    class Meta:
        """The newest first."""

        verbose_name = "bulk job"
        ordering = ("-created_at", "-id")
        indexes = (
            # The worker's question; open jobs are few.
            models.Index(fields=["lease_until"], name="bulkjob_open", condition=Q(status__in=OPEN)),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=OPEN, finished_at__isnull=True)
                | (~Q(status__in=OPEN) & Q(finished_at__isnull=False)),
                name="bulkjob_over_has_an_end",
            ),
        )

    def __str__(self) -> str:
        """Give the kind."""
        return str(self.get_kind_display())

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.status in OPEN

    @property
    def percent(self) -> int:
        """The share that is done with."""
        if not self.is_open and self.status == JobStatus.DONE:
            return 100
        return min(100, self.seen * 100 // self.total) if self.total else 0
