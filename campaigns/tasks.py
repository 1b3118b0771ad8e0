"""Wake-ups for work that lies in tables: a lost one is found by the sweep, one that comes twice changes nothing."""

import logging
from datetime import timedelta
from threading import Lock
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from calls.models import CallSession
from campaigns import analytics, exports, hooks, services
from campaigns.models import BulkJob, CallAnalysis, ContactImport, Export, WebhookMessage

logger = logging.getLogger(__name__)

_MOST_A_SWEEP = 100
_FORGOTTEN_FOR = timedelta(minutes=1)
_LOOK_BACK = timedelta(days=2)
_EXPIRES_SECONDS = 300
_MOST_JOBS = 10
_ticking = Lock()
"""A tick that takes longer than the next one's time, such as one that enrols 100,000 contacts, is not doubled here."""
_JOB_TURN = timedelta(seconds=20)
_IMPORT_TURN = timedelta(seconds=60)


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def analyse_call(*, session_id: str) -> None:
    """Judge one finished call."""
    analytics.analyse_call(UUID(session_id), now=timezone.now())


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def sweep_analyses() -> None:
    """Have judged what is due, and what nobody asked for because a process died."""
    now = timezone.now()
    ended = CallSession.objects.ended().filter(started_at__gt=now - _LOOK_BACK, ended_at__lt=now - _FORGOTTEN_FOR)
    unasked = ended.filter(analysis__isnull=True, agent_version__isnull=False)
    services.await_analysis(unasked.values_list("pk", flat=True)[:_MOST_A_SWEEP], at=now)
    for session_id in CallAnalysis.objects.due(now).values_list("pk", flat=True)[:_MOST_A_SWEEP]:
        analyse_call.apply_async(kwargs={"session_id": str(session_id)}, expires=_EXPIRES_SECONDS)


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def sweep_jobs() -> None:
    """Go on with the jobs over many rows, for some seconds each."""
    for job_id in BulkJob.objects.due(timezone.now()).order_by("created_at").values_list("pk", flat=True)[:_MOST_JOBS]:
        if (key := services.claim_job(job_id, now=timezone.now())) is None:
            continue
        stop_at = timezone.now() + _JOB_TURN
        while services.run_batch(job_id, key, now=timezone.now()) and timezone.now() < stop_at:
            pass
        services.release_job(job_id, key)


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def tell_supervisors() -> None:
    """Mail what the supervisors have to know of."""
    services.tell_supervisors(timezone.now())


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def dial_due() -> None:
    """Claim whoever is due, and send a wake-up per claim. A lost one is given back when its lease ends."""
    if not _ticking.acquire(blocking=False):
        return
    try:
        for claim in services.claim_due(at=timezone.now()):
            names = {"member_id": str(claim.member_id), "lease_key": str(claim.lease_key)}
            dial_member.apply_async(kwargs=names, expires=services.LEASE.total_seconds(), retry=False)
    finally:
        _ticking.release()


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def dial_member(*, member_id: str, lease_key: str) -> None:
    """Dial one claimed contact."""
    services.dial_claimed(UUID(member_id), lease_key=UUID(lease_key))


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def sweep_campaigns() -> None:
    """Find what a lost message or a dead worker left."""
    services.sweep_campaigns(at=timezone.now())


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def sweep_imports() -> None:
    """Go on with the next import that nobody works on; a large one takes several turns."""
    for import_id in ContactImport.objects.due(timezone.now()).order_by("created_at").values_list("pk", flat=True)[:1]:
        if key := services.claim_import(import_id, now=timezone.now()):
            services.run_import(import_id, key, clock=timezone.now, turn=_IMPORT_TURN)


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def deliver_message(*, message_id: str) -> None:
    """Send one message to another system."""
    hooks.deliver(UUID(message_id), now=timezone.now())


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def sweep_messages() -> None:
    """Have sent what other systems are to be told by now."""
    due = WebhookMessage.objects.due(timezone.now()).order_by("next_try_at").values_list("pk", flat=True)
    for message_id in due[:_MOST_A_SWEEP]:
        deliver_message.apply_async(kwargs={"message_id": str(message_id)}, expires=_EXPIRES_SECONDS)


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def expire_files() -> None:
    """Delete the lists and exports that are too old."""
    services.expire_files(timezone.now())


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def sweep_exports() -> None:
    """Write the next file that nobody works on."""
    for export_id in Export.objects.due(timezone.now()).order_by("created_at").values_list("pk", flat=True)[:1]:
        exports.run_export(export_id, clock=timezone.now)
