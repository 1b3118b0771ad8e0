"""What a dead process left in its journals, brought to the database."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings

from calls import services
from calls.enums import EndReason
from calls.models import CallSession
from calls.recorder.facts import CallEnded, CallOpened, Fact, RecordingClosed
from calls.recorder.journal import ENDING, dead_instances, has_died, living_instances, read_journal, set_aside
from calls.recorder.sink import recording_path
from calls.recorder.wav import recorded_ms
from calls.recorder.writer import Store, store_all
from calls.services import EventFact, Journalled, TurnFact

logger = logging.getLogger(__name__)

_GRACE = timedelta(minutes=5)
"""Heartbeats come every 20 seconds; a database that was away for a while must not make the living look dead."""
_TOLERATED_MS = 500
"""A recording ends with its last sound, which may be a little before the call's end."""


def replay_dead_instances(root: Path, store: Store) -> int:
    """Store what dead processes of this machine left, and end their calls; gives the number of calls.

    Doing it twice, or in two processes at once, stores everything once. Raises ``django.db.Error`` when the database is
    away; what was not stored stays for the next time.
    """
    calls = 0
    for instance in dead_instances(root):
        for path in instance.journals():
            try:
                _replay(path, store)
            except OSError:
                # One file that cannot be read or removed must not hold up the others.
                logger.exception("journal %s is left", path)
            else:
                calls += 1
    if calls:
        logger.info("%d calls of dead processes were closed", calls)
    return calls


def close_lost_calls(root: Path, store: Store, now: datetime) -> list[UUID]:
    """Replay this machine's dead processes, then end the calls of processes that were silent too long; gives those.

    A process on another machine is known by what it says in the database only, one on this machine by its lock too: it
    holds its calls even while the database hears nothing of it.
    """
    replay_dead_instances(root, store)
    return services.close_lost_calls(now=now, grace=_GRACE, held=living_instances(root))


def journalled(session_id: UUID) -> Journalled:
    """Give what is in a call's journal on this machine, of a dead process or of one that lives.

    Nothing is stored or removed: that is for the process whose journal it is, or for a replay, whose word on the end of
    a dead process's call is given here already. A call of which there is no journal is in the database, or was held on
    another machine.
    """
    facts: list[Fact] = []
    end_reason = None
    for path in settings.JOURNAL_DIR.glob(f"*/{session_id}{ENDING}"):
        is_dead = has_died(path.parent.name)
        try:
            facts += read_journal(path)
        except OSError:  # settled a moment ago
            continue
        if is_dead:
            end_reason = EndReason.INSTANCE_LOST
    for fact in facts:
        if isinstance(fact, CallEnded):
            end_reason = fact.reason
    return Journalled(
        turns=[fact.turn for fact in facts if isinstance(fact, TurnFact)],
        events=[fact for fact in facts if isinstance(fact, EventFact)],
        end_reason=end_reason,
    )


def _replay(path: Path, store: Store) -> None:
    facts = read_journal(path)
    refused = False
    if facts:
        refused = bool(store_all(store, [*facts, *_closing_facts(facts, path)]))
    if refused:
        set_aside(path)
    else:
        path.unlink(missing_ok=True)


def _closing_facts(facts: Sequence[Fact], path: Path) -> list[Fact]:
    """What the process did not get to say: how much was recorded, and that the call is over."""
    session_id = facts[0].session_id
    ended = next((fact for fact in facts if isinstance(fact, CallEnded)), None)
    recorded = recorded_ms(settings.RECORDINGS_DIR / recording_path(session_id))
    duration_ms = ended.duration_ms if ended else max(_last_ms(facts), recorded[0] if recorded else 0)
    closing: list[Fact] = []
    if recorded and recorded[0] and not any(isinstance(fact, RecordingClosed) for fact in facts):
        missing_ms = max(duration_ms - recorded[0], 0)
        closing.append(
            RecordingClosed(
                session_id=session_id,
                path=recording_path(session_id),
                rate=recorded[1],
                duration_ms=recorded[0],
                missing_ms=missing_ms,
                complete=ended is not None and missing_ms <= _TOLERATED_MS,
            )
        )
    if ended is None:
        ended_at = _started_at(facts, session_id, path) + timedelta(milliseconds=duration_ms)
        closing.append(
            CallEnded(
                session_id=session_id,
                reason=EndReason.INSTANCE_LOST,
                ended_at=ended_at,
                duration_ms=duration_ms,
                totals={},
            )
        )
    return closing


def _last_ms(facts: Sequence[Fact]) -> int:
    """When the call was last heard of, in milliseconds since it began."""
    turns = [fact.turn.ended_ms for fact in facts if isinstance(fact, TurnFact)]
    events = [fact.at_ms for fact in facts if isinstance(fact, EventFact)]
    return max([*turns, *events, 0])


def _started_at(facts: Sequence[Fact], session_id: UUID, path: Path) -> datetime:
    for fact in facts:
        if isinstance(fact, CallOpened):
            return fact.started_at
    stored = CallSession.objects.filter(pk=session_id).values_list("started_at", flat=True).first()
    return stored or datetime.fromtimestamp(path.stat().st_mtime, UTC)
