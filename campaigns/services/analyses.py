"""Judgements of calls: asked for, claimed, stored, corrected. A status changes by compare-and-swap."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet

from calls.models import CallSession
from calls.services.cleaning import clean_json, clean_text
from campaigns.enums import AnalysisMethod, AnalysisStatus, Disposition
from campaigns.findings import Findings
from campaigns.models import CallAnalysis, CallCorrection, CampaignAttempt
from campaigns.models.analysis import CORRECTABLE
from campaigns.services.lifecycle import By, note_event
from campaigns.services.optouts import mark_wrong_number
from campaigns.services.webhooks import tell_analysis

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
"""Longer than a judge takes, its time-outs included."""
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
"""Between the tries; after the last one the call is judged without whatever failed."""
_ROWS_A_STATEMENT = 500


def await_analysis(session_ids: Iterable[UUID], *, at: datetime) -> None:
    """Have calls judged from a moment on; those that are asked for already stay as they are."""
    rows = [CallAnalysis(session_id=session_id, next_try_at=at) for session_id in session_ids]
    CallAnalysis.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_ROWS_A_STATEMENT)


def claim_analysis(session_id: UUID, *, now: datetime) -> bool:
    """Take a judgement that is due. True: this process makes it, until its lease runs out."""
    due = CallAnalysis.objects.due(now).filter(pk=session_id)
    return due.update(status=AnalysisStatus.RUNNING, lease_until=now + LEASE, tries=F("tries") + 1) == 1


@transaction.atomic
def store_analysis(
    session_id: UUID, findings: Findings, *, method: AnalysisMethod, judged_by: str, error: str, at: datetime
) -> bool:
    """Store what a judge found. ``error`` says why it was not a better judge. False: it is not this one's to make."""
    found = {name: clean_json(value) for name, value in msgspec.to_builtins(findings).items()}
    running = CallAnalysis.objects.filter(pk=session_id, status=AnalysisStatus.RUNNING)
    is_stored = (
        running.update(
            **found,
            campaign_id=_campaign_of(session_id),
            status=AnalysisStatus.DONE,
            method=method,
            judged_by=clean_text(judged_by)[:200],
            error=clean_text(error)[:300],
            next_try_at=None,
            lease_until=None,
            analysed_at=at,
        )
        == 1
    )
    if is_stored:
        if findings.disposition is Disposition.WRONG_NUMBER:
            mark_wrong_number(session_id, at=at)
        tell_analysis(session_id, at=at)
    return is_stored


def _campaign_of(session_id: UUID) -> UUID | None:
    attempts = CampaignAttempt.objects.filter(attempt__session_id=session_id)
    return attempts.values_list("campaign_id", flat=True).first()


def postpone_analysis(session_id: UUID, *, until: datetime, error: str = "", is_try: bool = True) -> None:
    """Give a claim back, to be taken again later. ``is_try`` is false where nothing was tried."""
    running = CallAnalysis.objects.filter(pk=session_id, status=AnalysisStatus.RUNNING)
    running.update(
        status=AnalysisStatus.WAITING,
        next_try_at=until,
        lease_until=None,
        error=clean_text(error)[:300],
        tries=F("tries") if is_try else F("tries") - 1,
    )


def drop_analysis(session_id: UUID) -> None:
    """Forget a judgement that cannot be made: the call had no agent, or went on in another session."""
    CallAnalysis.objects.filter(pk=session_id, status=AnalysisStatus.RUNNING).delete()


def ask_again(session_ids: Iterable[UUID], *, at: datetime) -> int:
    """Have calls judged anew, old ones too; gives how many. People's corrections stay, and count over the new ones."""
    ids = list(session_ids)
    await_analysis(ids, at=at)
    return _judge_anew(CallAnalysis.objects.filter(pk__in=ids), at)


def _judge_anew(rows: QuerySet[CallAnalysis], at: datetime) -> int:
    idle = rows.exclude(status=AnalysisStatus.RUNNING)
    return idle.update(status=AnalysisStatus.WAITING, next_try_at=at, tries=0, error="")


@transaction.atomic
def judge_campaign_again(campaign_id: UUID, *, by: By, at: datetime) -> int:
    """Have all finished calls of a campaign judged anew, by its rubric and fields as they are now; gives how many."""
    calls = CallSession.objects.ended().filter(
        agent_version__isnull=False, attempts__campaign_attempt__campaign_id=campaign_id
    )
    await_analysis(calls.filter(analysis__isnull=True).values_list("pk", flat=True), at=at)
    asked = _judge_anew(CallAnalysis.objects.filter(pk__in=calls.values("pk")), at)
    if asked:
        note_event(campaign_id, "calls_judged_again", at=at, by=by, detail={"calls": asked})
    return asked


@transaction.atomic
def correct(
    session_id: UUID, field: str, value: Any, *, by: AbstractBaseUser, at: datetime, note: str = ""
) -> CallCorrection:
    """Store what a person says instead of the judge. Raises ``ValidationError`` for a value the field cannot have."""
    if field not in CORRECTABLE:
        raise ValidationError({"field": f"{field} cannot be corrected."})
    try:
        checked = msgspec.convert(value, _type_of(field))
    except msgspec.ValidationError as error:
        raise ValidationError({field: str(error)}) from None
    correction = CallCorrection.objects.create(
        analysis_id=session_id,
        field=field,
        value=clean_json(msgspec.to_builtins(checked)),
        by_id=by.pk,
        at=at,
        note=clean_text(note)[:500],
    )
    tell_analysis(session_id, at=at)
    return correction


def _type_of(field: str) -> Any:
    return next(known.type for known in msgspec.structs.fields(Findings) if known.name == field)
