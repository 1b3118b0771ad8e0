"""What people keep for their work in the admin: filters they named, and jobs over many rows."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from uuid_utils.compat import uuid7

from calls.models.choices import choices
from campaigns.enums import JobKind, JobStatus

OPEN = (JobStatus.WAITING, JobStatus.RUNNING)


class Work(models.Model):
    """What a worker does in the background, under a lease: one that does not come back is followed by another."""

    OPEN_STATES: ClassVar[tuple[str, ...]] = OPEN

    lease_until = models.DateTimeField(null=True, blank=True)
    lease_key = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    if TYPE_CHECKING:
        status: str
        created_by_id: int | None

    class Meta:
        """The newest first."""

        abstract = True
        ordering = ("-created_at", "-id")

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.status in self.OPEN_STATES


_W = TypeVar("_W", bound=Work)


class WorkQuerySet(QuerySet[_W]):
    """Work by where it is."""

    def due(self, now: datetime) -> Self:
        """What nobody works on: new rows, and those whose worker did not come back."""
        return self.filter(status__in=self.model.OPEN_STATES).exclude(lease_until__gt=now)


class SavedFilterQuerySet(QuerySet["SavedFilter"]):
    """Filters by who sees them."""

    def seen_by(self, user_id: int, page: str) -> "SavedFilterQuerySet":
        """One's own of a list, and those that others share."""
        return self.filter(Q(user_id=user_id) | Q(is_shared=True), page=page)


class SavedFilter(models.Model):
    """A list as somebody wants to see it again: the page and its query, under a name of their own."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters")
    page = models.CharField(max_length=100, help_text="The list, such as campaigns.contact.")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, help_text="What follows the question mark in the list's address.")
    is_shared = models.BooleanField("shared", default=False, help_text="Everybody who may open the list sees it.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SavedFilterQuerySet.as_manager()

    if TYPE_CHECKING:
        user_id: int

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


class BulkJob(Work):
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

    objects = WorkQuerySet["BulkJob"].as_manager()

    class Meta(Work.Meta):
        """Over is over."""

        verbose_name = "bulk job"
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
    def percent(self) -> int:
        """The share that is done with."""
        if not self.is_open and self.status == JobStatus.DONE:
            return 100
        return min(100, self.seen * 100 // self.total) if self.total else 0
