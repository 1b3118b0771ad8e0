"""The one thread of a process that writes facts of all its calls to the database, in batches."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from django.db import DataError, Error, IntegrityError, connection

from calls.recorder.facts import CallEnded, Fact
from calls.recorder.journal import Journal, read_journal

logger = logging.getLogger(__name__)

_BATCH = 500
_GATHER_SECONDS = 0.05
_HEARTBEAT_SECONDS = 20.0
_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS = 0.1, 5.0

Store = Callable[[Sequence[Fact]], None]
Work = Callable[[], object]


class _Entry(NamedTuple):
    journal: Journal
    fact: Fact
    since: float


class Writer:
    """A queue and the thread that empties it.

    ``put`` never blocks. While the database is away everything waits: up to ``bound`` facts in memory, beyond that in
    the journals, which are read again afterwards. Only a call whose journal is not whole stays in memory past it.
    ``step`` does the work and takes the time as an argument, so that a test needs neither thread nor sleep.
    """

    def __init__(
        self, store: Store, *, heartbeat: Work, bound: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._store = store
        self._heartbeat = heartbeat
        self._bound = bound
        self._queue: deque[_Entry] = deque()
        self._behind: dict[Journal, float] = {}
        """Calls of which some facts are in their journal only, and since when; the next to be read first."""
        self._work: deque[Work] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ends_at: float | None = None
        self._thread: threading.Thread | None = None
        self._retry_at = 0.0
        self._retry_seconds = 0.0
        self._beat_at = 0.0

    # --- from the event loop and the audio thread -----------------------------------------------------------------

    def put(self, journal: Journal, fact: Fact) -> None:
        """Have a fact stored that is in the journal already, or could not be written there."""
        with self._lock:
            if journal in self._behind and journal.is_whole:
                return
            if len(self._queue) >= self._bound and journal.is_whole:
                self._behind[journal] = self._clock()
                return
            self._queue.append(_Entry(journal, fact, self._clock()))
        if not self._wake.is_set():
            self._wake.set()

    def do(self, work: Work) -> None:
        """Have ``work`` done on the thread when no fact waits; repeated until the database takes it."""
        self._work.append(work)
        self._wake.set()

    def start(self) -> None:
        """Begin."""
        self._ends_at = None
        self._thread = threading.Thread(target=self._run, name="recorder-writer", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Write what waits, for at most ``timeout`` seconds. False: some of it is left, in the journals."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ends_at = time.monotonic() + timeout
            self._wake.set()
            thread.join(timeout + _GATHER_SECONDS)
        return self.is_idle

    @property
    def is_idle(self) -> bool:
        """Whether no fact waits."""
        return not self._queue and not self._behind

    @property
    def lag_seconds(self) -> float:
        """How long the oldest of the waiting facts has been waiting; 0 when none does."""
        with self._lock:
            oldest = list(islice(self._queue, 1))  # in one go: the thread takes from this end without the lock
            waiting = [*(entry.since for entry in oldest), *self._behind.values()]
        return self._clock() - min(waiting) if waiting else 0.0

    # --- on the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._goes_on():
                pause = self.step(time.monotonic())
                if self._ends_at is not None:
                    pause = min(pause, self._ends_at - time.monotonic())
                if pause > 0 and self._goes_on() and self._wake.wait(pause):
                    self._wake.clear()
                    # What comes together is written together.
                    time.sleep(_GATHER_SECONDS)
        finally:
            connection.close()

    def _goes_on(self) -> bool:
        return self._ends_at is None or (not self.is_idle and time.monotonic() < self._ends_at)

    def step(self, now: float) -> float:
        """Do one piece of work; gives the seconds after which there may be more, 0 for at once."""
        if now < self._retry_at:
            return self._retry_at - now
        try:
            is_more = self._one_piece(now)
        except Error as error:
            return self._back_off(error, now)
        if self._retry_seconds:
            logger.info("the database takes facts again")
            self._retry_seconds = 0.0
        return 0.0 if is_more else max(self._beat_at - now, 0.0)

    def _one_piece(self, now: float) -> bool:
        if self._queue:
            self._write_batch()
        elif self._behind:
            self._catch_up()
        elif self._work:
            self._do_work()
        elif now >= self._beat_at:
            self._heartbeat()
            self._beat_at = now + _HEARTBEAT_SECONDS
        return bool(self._queue or self._behind or self._work)

    def _write_batch(self) -> None:
        entries = list(islice(self._queue, _BATCH))
        refused = store_all(self._store, [entry.fact for entry in entries])
        for entry in entries:
            self._queue.popleft()
            entry.journal.is_refused |= entry.fact.session_id in refused
            # What of the call is only in its journal is read first; that ends it too.
            if isinstance(entry.fact, CallEnded) and entry.journal not in self._behind:
                entry.journal.settle()

    def _catch_up(self) -> None:
        with self._lock:
            journal, since = next(iter(self._behind.items()))
            del self._behind[journal]
        # From here on its new facts are queued again; those in the file by now are read with it, and stored once.
        is_complete = journal.is_complete
        try:
            facts = read_journal(journal.path)
            if not is_complete:
                # The end closes the journal, and comes by the queue.
                facts = [fact for fact in facts if not isinstance(fact, CallEnded)]
            journal.is_refused |= bool(store_all(self._store, facts))
        except Error:
            with self._lock:
                self._behind[journal] = since
            raise
        except OSError:
            logger.exception("journal %s is lost", journal.path.name)
        if is_complete:
            journal.settle()

    def _do_work(self) -> None:
        try:
            self._work[0]()
        except Error:
            raise
        except Exception:
            logger.exception("work of the recorder failed")
        self._work.popleft()

    def _back_off(self, error: Error, now: float) -> float:
        if not self._retry_seconds:
            logger.error("the database takes no facts (%s); they wait", type(error).__name__)
        self._retry_seconds = min(max(self._retry_seconds * 2, _FIRST_RETRY_SECONDS), _LAST_RETRY_SECONDS)
        self._retry_at = now + self._retry_seconds
        connection.close()
        return self._retry_seconds


def store_all(store: Store, facts: Sequence[Fact]) -> set[UUID]:
    """Store facts in batches; gives the calls of which the database refused a fact for good.

    A refused fact (a value out of range, say) is left out and logged, and keeps no other from being stored. Raises
    ``django.db.Error`` when the database is away: the same facts may then be given again.
    """
    refused: set[UUID] = set()
    for batch in _batches(facts):
        try:
            _store_or_refuse(store, batch)
        except RefusedError:
            for fact in batch:
                try:
                    _store_or_refuse(store, [fact])
                except RefusedError as error:
                    refused.add(fact.session_id)
                    kind = type(fact).__name__
                    logger.exception("call %s: %s was refused", fact.session_id, kind, exc_info=error.__cause__)
    return refused


class RefusedError(Exception):
    """Storing failed in a way that repeating does not change; the cause says why."""


def _store_or_refuse(store: Store, facts: Sequence[Fact]) -> None:
    try:
        store(facts)
    except (DataError, IntegrityError) as error:
        raise RefusedError from error
    except Error:
        raise
    except Exception as error:
        raise RefusedError from error


def _batches(facts: Sequence[Fact]) -> Iterator[Sequence[Fact]]:
    for start in range(0, len(facts), _BATCH):
        yield facts[start : start + _BATCH]
