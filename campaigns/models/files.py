"""Files that come in with contacts and go out with results: each a job that a worker does piece by piece."""

from datetime import datetime
from typing import TYPE_CHECKING, Self, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from calls.models.choices import choices
from campaigns.enums import DuplicatePolicy, ExportFormat, ExportKind, ImportStatus, JobStatus
from campaigns.models.contacts import ContactList
from campaigns.models.work import OPEN, Work, WorkQuerySet

IMPORT_OPEN = (ImportStatus.WAITING, ImportStatus.RUNNING)


def _folder(kind: str, row_id: UUID, ending: str) -> str:
    """Name a stored file by its row alone: what people call their files is no path."""
    return f"{kind}/{row_id}.{ending}"


def import_path(row: "ContactImport", _name: str) -> str:
    """Give where an uploaded file lies."""
    return _folder("imports", row.pk, "upload")


_F = TypeVar("_F", bound=Work)


class FileWorkQuerySet(WorkQuerySet[_F]):
    """Work on files by where it is."""

    def expired(self, before: datetime) -> Self:
        """What is older, over, and still has files."""
        old = self.filter(created_at__lt=before, files_deleted_at__isnull=True)
        return old.exclude(status__in=self.model.OPEN_STATES)


class ContactImport(Work):
    """One uploaded list on its way into contacts.

    ``rows_done`` is the number of the last row whose batch is stored; each batch and its counts are one transaction,
    so a killed worker's import goes on where it was. Bad rows are appended to a file, of which ``bad_bytes`` count.
    """

    OPEN_STATES = IMPORT_OPEN

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    file = models.FileField(upload_to=import_path)
    file_name = models.CharField(max_length=200, help_text="As it was called where it came from.")
    status = models.CharField(max_length=10, choices=choices(ImportStatus), default=ImportStatus.UPLOADED)
    region = models.CharField(
        max_length=2, blank=True, default="US", help_text="Where numbers without a country's code belong; ISO 3166."
    )
    policy = models.CharField(
        "known numbers", max_length=10, choices=choices(DuplicatePolicy), default=DuplicatePolicy.KEEP
    )
    target_list = models.ForeignKey(
        ContactList, null=True, blank=True, on_delete=models.SET_NULL, related_name="imports"
    )
    shape = models.JSONField(default=dict, help_text="How the file is read: kind, encoding, delimiter.")
    columns = models.JSONField(default=list)
    has_header = models.BooleanField(default=True)
    mapping = models.JSONField(default=dict, help_text="What each column is.")
    row_total = models.PositiveIntegerField(default=0, help_text="About how many rows the file has.")
    rows_done = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0, help_text="New contacts.")
    updated = models.PositiveIntegerField(default=0, help_text="Known contacts that the file changed.")
    known = models.PositiveIntegerField(default=0, help_text="Known contacts that stayed as they were.")
    repeated = models.PositiveIntegerField(default=0, help_text="Rows whose number stands further up in the file.")
    suppressed = models.PositiveIntegerField(default=0, help_text="Contacts among them that nobody may call.")
    bad = models.PositiveIntegerField(default=0, help_text="Rows returned with the reason.")
    bad_bytes = models.PositiveBigIntegerField(default=0, editable=False)
    error = models.CharField(max_length=500, blank=True)
    files_deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = FileWorkQuerySet["ContactImport"].as_manager()

    if TYPE_CHECKING:
        target_list_id: UUID | None

    class Meta(Work.Meta):
        """The newest first."""

        verbose_name = "contact import"
        indexes = (
            # The worker's question; open imports are few.
            models.Index(fields=["lease_until"], name="import_open", condition=Q(status__in=IMPORT_OPEN)),
        )

    def __str__(self) -> str:
        """Give the file's name."""
        return self.file_name

    @property
    def percent(self) -> int:
        """The share of the rows that is done."""
        if self.status == ImportStatus.DONE:
            return 100
        return min(99, self.rows_done * 100 // self.row_total) if self.row_total else 0


class Export(Work):
    """One file that is written in the background. A worker that dies is followed by one that begins anew."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=10, choices=choices(ExportKind))
    format = models.CharField(max_length=4, choices=choices(ExportFormat), default=ExportFormat.CSV)
    selection = models.JSONField(default=dict, help_text="Which rows: ids, or the values of filters.")
    status = models.CharField(max_length=10, choices=choices(JobStatus), default=JobStatus.WAITING)
    total = models.PositiveIntegerField(default=0)
    written = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    files_deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = FileWorkQuerySet["Export"].as_manager()

    class Meta(Work.Meta):
        """The newest first."""

        indexes = (models.Index(fields=["lease_until"], name="export_open", condition=Q(status__in=OPEN)),)

    def __str__(self) -> str:
        """Give what is in it."""
        return f"{self.get_kind_display()} of {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def path(self) -> str:
        """Where the file lies within the storage."""
        return _folder("exports", self.pk, self.format)

    @property
    def percent(self) -> int:
        """The share that is written."""
        if self.status == JobStatus.DONE:
            return 100
        return min(99, self.written * 100 // self.total) if self.total else 0
