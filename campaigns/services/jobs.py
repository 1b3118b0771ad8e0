"""Jobs over many contacts: begun by a person, done by a worker a batch at a time, gone on with after a crash."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, Q

from calls.enums import SuppressionSource
from calls.models import Suppression
from calls.services.cleaning import clean_text
from campaigns.enums import ContactStatus, FinishReason, JobKind, JobStatus, MembershipState
from campaigns.models import BulkJob, CampaignContact, Contact
from campaigns.models.contacts import ContactQuerySet
from campaigns.models.work import OPEN
from campaigns.services.admission import lock_gate
from campaigns.services.webhooks import tell_opt_out

logger = logging.getLogger(__name__)

BATCH = 500
LEASE = timedelta(minutes=2)
"""Far longer than a batch takes; renewed with each."""


def start_job(
    kind: JobKind,
    *,
    selection: Mapping[str, Any],
    parameters: Mapping[str, Any] | None = None,
    by: AbstractBaseUser | None,
    at: datetime,
) -> BulkJob:
    """Store a job; a worker takes it within seconds.

    ``selection`` is ``{"ids": [...]}`` or ``{"filters": {...}}`` as ``Contact.objects.matching`` takes them.
    Parameters: ``list`` for ADD_TO_LIST, ``campaign`` for REMOVE_FROM_CAMPAIGN, ``proof`` for SUPPRESS.
    """
    return BulkJob.objects.create(
        kind=kind,
        selection=dict(selection),
        parameters=dict(parameters or {}),
        total=selected(selection).count(),
        created_by_id=by.pk if by else None,
        created_at=at,
    )


def cancel_job(job_id: UUID, *, at: datetime) -> bool:
    """Stop a job before its next batch; what is done stays done. False: it was over."""
    return BulkJob.objects.filter(pk=job_id, status__in=OPEN).update(status=JobStatus.CANCELLED, finished_at=at) == 1


def selected(selection: Mapping[str, Any]) -> ContactQuerySet:
    """Give the contacts that a selection means now."""
    if "ids" in selection:
        return Contact.objects.filter(pk__in=selection["ids"])
    return Contact.objects.all().matching(selection.get("filters", {}))


def claim_job(job_id: UUID, *, now: datetime) -> UUID | None:
    """Take a job that nobody works on; gives the key that renews the lease, or None where another was faster."""
    key = uuid4()
    taken = BulkJob.objects.due(now).filter(pk=job_id)
    done = taken.update(status=JobStatus.RUNNING, lease_until=now + LEASE, lease_key=key)
    return key if done == 1 else None


def run_batch(job_id: UUID, key: UUID, *, now: datetime) -> bool:
    """Do the next batch of a claimed job. False: it is over, or somebody else's by now."""
    try:
        with transaction.atomic():
            return _run_batch(job_id, key, now)
    except Exception as error:  # a job that cannot be done must say so, and not be tried for ever
        logger.exception("job %s failed", job_id)
        text = clean_text(f"{type(error).__name__}: {error}")[:300]
        mine = BulkJob.objects.filter(pk=job_id, lease_key=key, status=JobStatus.RUNNING)
        mine.update(status=JobStatus.FAILED, finished_at=now, error=text)
        return False


def _run_batch(job_id: UUID, key: UUID, now: datetime) -> bool:
    mine = BulkJob.objects.filter(pk=job_id, lease_key=key, status=JobStatus.RUNNING)
    job = mine.first()
    if job is None:
        return False
    rows = selected(job.selection).order_by("pk")
    if job.cursor is not None:
        rows = rows.filter(pk__gt=job.cursor)
    ids = list(rows.values_list("pk", flat=True)[:BATCH])
    changed = _DEEDS[JobKind(job.kind)](ids, job, now) if ids else 0
    is_last = len(ids) < BATCH
    progress: dict[str, Any] = {"seen": F("seen") + len(ids), "changed": F("changed") + changed}
    if ids:
        progress["cursor"] = ids[-1]
    if is_last:
        progress |= {"status": JobStatus.DONE, "finished_at": now, "lease_until": None}
    else:
        progress["lease_until"] = now + LEASE
    if mine.update(**progress) != 1:
        transaction.set_rollback(True)  # cancelled or taken over meanwhile: this batch is the other's
        return False
    return not is_last


def release_job(job_id: UUID, key: UUID) -> None:
    """Leave a job to the next worker that looks."""
    BulkJob.objects.filter(pk=job_id, lease_key=key, status=JobStatus.RUNNING).update(lease_until=None)


def _add_to_list(ids: list[UUID], job: BulkJob, _now: datetime) -> int:
    listed = Contact.lists.through
    list_id = UUID(job.parameters["list"])
    there = set(listed.objects.filter(contactlist_id=list_id, contact_id__in=ids).values_list("contact_id", flat=True))
    rows = [listed(contact_id=contact_id, contactlist_id=list_id) for contact_id in ids if contact_id not in there]
    listed.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _suppress(ids: list[UUID], job: BulkJob, now: datetime) -> int:
    lock_gate()
    numbers = set(Contact.objects.filter(pk__in=ids).values_list("e164", flat=True))
    known = set(Suppression.objects.filter(e164__in=numbers).values_list("e164", flat=True))
    proof = clean_text(job.parameters["proof"])
    rows = [Suppression(e164=e164, source=SuppressionSource.OPERATOR, proof=proof) for e164 in sorted(numbers - known)]
    Suppression.objects.bulk_create(rows, ignore_conflicts=True)
    for row in rows:  # what is stored in bulk sends no signal
        tell_opt_out(row)
    _finish(Q(contact_id__in=ids), FinishReason.OPTED_OUT, now)
    return len(rows)


def _set_status(earlier: ContactStatus, later: ContactStatus) -> Callable[[list[UUID], BulkJob, datetime], int]:
    def deed(ids: list[UUID], _job: BulkJob, now: datetime) -> int:
        return Contact.objects.filter(pk__in=ids, status=earlier).update(status=later, updated_at=now)

    return deed


def _remove(ids: list[UUID], job: BulkJob, now: datetime) -> int:
    here = Q(contact_id__in=ids, campaign_id=UUID(job.parameters["campaign"]))
    return _finish(here, FinishReason.REMOVED, now)


def _finish(which: Q, reason: FinishReason, now: datetime) -> int:
    """Finish memberships that wait. Who is on the line is not cut off: the end of the call settles that."""
    waiting = CampaignContact.objects.filter(which, state=MembershipState.WAITING)
    return waiting.update(
        state=MembershipState.FINISHED, finish_reason=reason, finished_at=now, next_attempt_at=None, held_because=""
    )


_DEEDS: dict[JobKind, Callable[[list[UUID], BulkJob, datetime], int]] = {
    JobKind.ADD_TO_LIST: _add_to_list,
    JobKind.SUPPRESS: _suppress,
    JobKind.ARCHIVE: _set_status(ContactStatus.ACTIVE, ContactStatus.ARCHIVED),
    JobKind.RESTORE: _set_status(ContactStatus.ARCHIVED, ContactStatus.ACTIVE),
    JobKind.REMOVE_FROM_CAMPAIGN: _remove,
}
