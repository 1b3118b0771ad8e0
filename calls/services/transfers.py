"""Transfers: a status moves forward by compare-and-swap; who moves it does what follows, once."""

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from calls.engine.toolspec import Destination
from calls.enums import TransferStatus
from calls.errors import ToolRefusedError
from calls.models import CallAttempt, Transfer
from calls.services.cleaning import clean_text

logger = logging.getLogger(__name__)


def open_transfer(attempt_id: UUID, destination: Destination, *, summary: str = "", at: datetime) -> Transfer:
    """Store what is wanted. Raises ``ToolRefusedError`` where the call has an open transfer already, or is over."""
    if not CallAttempt.objects.live().filter(pk=attempt_id).exists():
        message = "the call is over"
        raise ToolRefusedError(message)
    transfer = Transfer(
        attempt_id=attempt_id,
        kind=destination.kind,
        destination=destination.name,
        to_e164=destination.e164,
        summary=clean_text(summary),
        created_at=at,
    )
    try:
        with transaction.atomic():
            transfer.save(force_insert=True)
    except IntegrityError:
        message = "a colleague is being called already; wait for the outcome"
        raise ToolRefusedError(message) from None
    return transfer


def transfers_of(attempt_id: UUID) -> int:
    """Count the tries to hand a caller on."""
    return Transfer.objects.filter(attempt=attempt_id).count()


def name_leg(transfer_id: UUID, leg_id: UUID) -> bool:
    """Store which call reaches the colleague. False: it is decided already, and nobody is to be called."""
    waiting = Transfer.objects.filter(pk=transfer_id, leg__isnull=True, status=TransferStatus.PENDING)
    return waiting.update(leg_id=leg_id) == 1


def advance_transfer(transfer_id: UUID, status: TransferStatus, *, at: datetime, outcome: str = "") -> bool:
    """Move a transfer forward. True: this did it; False: it is there or further, or gone."""
    columns: dict[str, Any] = {"status": status, "ended_at": None if status.is_open else at}
    if status is TransferStatus.CONNECTED:
        columns["connected_at"] = at
    if outcome:
        columns["outcome"] = clean_text(outcome)[:30]
    moved = Transfer.objects.filter(pk=transfer_id, status__in=status.earlier).update(**columns) == 1
    if moved:
        logger.info("transfer %s is %s", transfer_id, status)
    return moved
