"""Wake-ups for work that lies in tables: a lost one is found by the sweep, one that comes twice changes nothing."""

import logging
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.dispatch import receiver
from django.utils import timezone
from kombu.exceptions import KombuError

from calls import analytics, erasing, telephony
from calls.models import CallSession
from calls.recorder import replay
from calls.recorder.facts import store
from calls.recorder.journal import living_instances
from calls.signals import call_finished

logger = logging.getLogger(__name__)

_UNMEASURED_AFTER = timedelta(minutes=1)
_MOST_A_SWEEP = 500
_BROKER_PAUSE_SECONDS = 30.0


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def measure_call(*, session_id: str) -> None:
    """Compute the figures of one finished call."""
    if not analytics.measure_call(UUID(session_id)):
        logger.info("call %s cannot be measured: it is not over, or gone", session_id)


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def sweep_lost_calls() -> None:
    """Close the calls of dead processes, and measure what nobody measured."""
    now = timezone.now()
    replay.close_lost_calls(settings.JOURNAL_DIR, store, now)
    unmeasured = CallSession.objects.unmeasured().filter(ended_at__lt=now - _UNMEASURED_AFTER).order_by("ended_at")
    for session_id in unmeasured.values_list("pk", flat=True)[:_MOST_A_SWEEP]:
        analytics.measure_call(session_id)


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def sweep_attempts() -> None:
    """Find out about telephone calls of which nobody tells, and about those that have lost our end of the line."""
    now = timezone.now()
    telephony.sweep_attempts(now)
    telephony.sweep_transfers(now)
    telephony.rescue_calls(now, held=living_instances(settings.JOURNAL_DIR))


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]  # (Celery ships no types)
def expire_recordings() -> None:
    """Delete recordings that are older than they are kept."""
    erasing.expire_recordings(timezone.now())


class WakeUps:
    """Sends a message per finished call. A broker that is away costs one attempt in a while, not one per call."""

    def __init__(self) -> None:
        self._silent_until = 0.0

    def send(self, session_id: UUID, now: float) -> bool:
        """Wake a worker up. False: the broker is away, or was a moment ago."""
        if now < self._silent_until:
            return False
        try:
            measure_call.apply_async(kwargs={"session_id": str(session_id)}, retry=False)
        except (KombuError, OSError) as error:
            self._silent_until = now + _BROKER_PAUSE_SECONDS
            logger.warning("the broker takes no message (%s); the sweep will find what waits", type(error).__name__)
            return False
        return True


_wake_ups = WakeUps()


@receiver(call_finished, dispatch_uid="measure_call")
def wake_measurement(*, session_id: UUID, **_sender: Any) -> None:
    """Have a finished call measured soon."""
    _wake_ups.send(session_id, time.monotonic())
