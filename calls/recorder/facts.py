"""What is known about a call, in the order in which it became known: one line of the journal each."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection, transaction

from calls import services
from calls.enums import Door, EndReason
from calls.services import EventFact, TurnFact

_STATEMENT_TIMEOUT_MS = 10_000


class CallOpened(msgspec.Struct, frozen=True, tag="opened"):
    """The call began."""

    session_id: UUID
    door: Door
    user_id: int | None
    instance: str
    started_at: datetime


class AgentAttached(msgspec.Struct, frozen=True, tag="attached"):
    """It is known who answers, and with what."""

    session_id: UUID
    agent_id: UUID | None
    version_id: UUID | None
    language: str
    variables: dict[str, Any]
    campaign_id: str


class RecordingClosed(msgspec.Struct, frozen=True, tag="recording"):
    """The sound is on the disk; ``path`` is relative to ``settings.RECORDINGS_DIR``."""

    session_id: UUID
    path: str
    rate: int
    duration_ms: int
    missing_ms: int
    complete: bool


class CallEnded(msgspec.Struct, frozen=True, tag="ended"):
    """The call is over."""

    session_id: UUID
    reason: EndReason
    ended_at: datetime
    duration_ms: int
    totals: dict[str, Any]


Fact = CallOpened | AgentAttached | TurnFact | EventFact | RecordingClosed | CallEnded

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)


def encode(fact: Fact) -> bytes:
    """Give one line with its end."""
    return _encoder.encode(fact) + b"\n"


def decode(line: bytes) -> Fact | None:
    """Read one line; None for a torn one, which a process leaves that dies while it writes or finds the disk full."""
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def store(facts: Sequence[Fact]) -> None:
    """Bring facts of any number of calls to the database in one transaction, those stored already once only.

    Raises ``django.db.Error``: nothing of them is stored then.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # Ends with the transaction, so a pooled connection goes back as it came.
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(_STATEMENT_TIMEOUT_MS)])
        _each(facts, CallOpened, services.open_session)
        _each(facts, AgentAttached, services.attach_agent)
        services.record_turns([fact for fact in facts if isinstance(fact, TurnFact)])
        services.record_events([fact for fact in facts if isinstance(fact, EventFact)])
        _each(facts, RecordingClosed, services.store_recording)
        _each(facts, CallEnded, services.finish_call)


def _each(facts: Sequence[Fact], kind: type[msgspec.Struct], write: Callable[..., object]) -> None:
    for fact in facts:
        if isinstance(fact, kind):
            write(**msgspec.structs.asdict(fact))


def now_utc() -> datetime:
    """Give the wall clock's time."""
    return datetime.now(UTC)
