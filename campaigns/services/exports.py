"""Exports: ordered by a person or another system, written by a worker."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError

from calls.services.cleaning import clean_text
from campaigns.enums import ExportFormat, ExportKind, JobStatus
from campaigns.models import Campaign, Export
from campaigns.models.work import OPEN

LEASE = timedelta(minutes=2)
"""Far longer than a page takes; renewed with each."""


def start_export(
    kind: ExportKind,
    *,
    file_format: ExportFormat,
    selection: Mapping[str, Any],
    by: AbstractBaseUser | None,
    at: datetime,
) -> Export:
    """Order a file.

    ``selection``: ``ids`` of chosen rows, or what ``matching`` of the kind's rows takes; CALLS know ``campaign`` too.
    Raises ``ValidationError`` by field: a ``campaign`` whose results are asked for must be there.
    """
    chosen: dict[str, Any] = {name: str(value) for name, value in selection.items() if value and name != "ids"}
    if "ids" in selection:
        chosen["ids"] = [str(pk) for pk in selection["ids"]]
    asks_for_one = kind == ExportKind.MEMBERS and "campaign" in selection
    if asks_for_one and not ("campaign" in chosen and Campaign.objects.filter(pk=chosen["campaign"]).exists()):
        raise ValidationError({"campaign": "Choose the campaign whose results are wanted."})
    return Export.objects.create(
        kind=kind, format=file_format, selection=chosen, created_at=at, created_by_id=by.pk if by else None
    )


def cancel_export(export_id: UUID, *, at: datetime) -> bool:
    """Stop writing; there is no file then. False: it was over."""
    alive = Export.objects.filter(pk=export_id, status__in=OPEN)
    return alive.update(status=JobStatus.CANCELLED, finished_at=at, lease_until=None) == 1


def claim_export(export_id: UUID, *, now: datetime) -> UUID | None:
    """Take an export that nobody works on; gives the key that renews the lease, or None where another was faster."""
    key = uuid4()
    taken = Export.objects.due(now).filter(pk=export_id)
    done = taken.update(status=JobStatus.RUNNING, lease_until=now + LEASE, lease_key=key)
    return key if done == 1 else None


def note_export(export_id: UUID, key: UUID, *, written: int, total: int, at: datetime) -> bool:
    """Store how far it is. False: it is no longer ours."""
    mine = Export.objects.filter(pk=export_id, lease_key=key, status=JobStatus.RUNNING)
    return mine.update(written=written, total=total, lease_until=at + LEASE) == 1


def finish_export(export_id: UUID, key: UUID, *, at: datetime, error: str = "") -> bool:
    """End it, well or not. False: it is no longer ours."""
    mine = Export.objects.filter(pk=export_id, lease_key=key, status=JobStatus.RUNNING)
    status = JobStatus.FAILED if error else JobStatus.DONE
    return mine.update(status=status, error=clean_text(error)[:300], finished_at=at, lease_until=None) == 1
