from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.db import DataError, InterfaceError, OperationalError
from uuid_utils.compat import uuid7

from calls.enums import EndReason
from calls.recorder.facts import CallEnded, Fact
from calls.recorder.journal import Journal, read_journal
from calls.recorder.writer import Writer, store_all
from calls.services import TurnFact
from tests.calls import rows
from tests.calls.recorder.test_journal import full_disk


class Database:
    """Keeps turns by their key, as the real one does; may be away, and may refuse one text for good."""

    def __init__(self) -> None:
        self.turns: dict[tuple[UUID, int], str] = {}
        self.ended: list[UUID] = []
        self.batches: list[int] = []
        self.is_away = False
        self.refused_text = ""

    def store(self, facts: Sequence[Fact]) -> None:
        if self.is_away:
            raise OperationalError
        if any(isinstance(fact, TurnFact) and fact.turn.text == self.refused_text for fact in facts):
            raise DataError
        self.batches.append(len(facts))
        for fact in facts:
            if isinstance(fact, TurnFact):
                self.turns.setdefault((fact.session_id, fact.turn.index), fact.turn.text)
            elif isinstance(fact, CallEnded) and fact.session_id not in self.ended:
                self.ended.append(fact.session_id)


class Call:
    """A call's journal and its facts, as a sink handles them."""

    def __init__(self, folder: Path, writer: Writer) -> None:
        self.id = uuid7()
        self.journal = Journal(folder, self.id)
        self.writer = writer

    def say(self, index: int, text: str = "hello") -> None:
        self.put(rows.turn_fact(self.id, index, text))

    def end(self) -> None:
        ended = CallEnded(self.id, EndReason.SILENCE, rows.BEGAN + timedelta(seconds=5), 5000, {})
        self.journal.append(ended)
        self.journal.is_complete = True
        self.writer.put(self.journal, ended)

    def put(self, fact: Fact) -> None:
        self.journal.append(fact)
        self.writer.put(self.journal, fact)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def beats() -> list[None]:
    return []


@pytest.fixture
def writer(database: Database, beats: list[None]) -> Writer:
    return Writer(database.store, heartbeat=lambda: beats.append(None), bound=10)


def run(writer: Writer, now: float, until: float) -> list[float]:
    """Let the thread's loop run by a clock of ours; gives the pauses that it made."""
    pauses = []
    while now < until:
        pause = writer.step(now)
        pauses.append(pause)
        if pause == 0 and writer.is_idle:
            break
        now += pause
    return pauses


def test_facts_of_all_calls_go_in_one_batch_and_a_finished_call_leaves_no_file(
    tmp_path: Path, writer: Writer, database: Database
) -> None:
    one, two = Call(tmp_path, writer), Call(tmp_path, writer)
    one.say(0)
    two.say(0)
    one.say(1)
    one.end()
    writer.step(0)
    assert database.batches == [4]
    assert list(database.turns) == [(one.id, 0), (two.id, 0), (one.id, 1)]
    assert [path.stem for path in tmp_path.iterdir()] == [str(two.id)]
    two.journal.close()


def test_no_word_is_lost_while_the_database_is_away_for_30_seconds(
    tmp_path: Path, writer: Writer, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    call = Call(tmp_path, writer)
    database.is_away = True
    now, index, pauses = 0.0, 0, []
    while now < 30:
        call.say(index, f"word {index}")
        index += 1
        pause = writer.step(now)
        pauses.append(pause)
        now += min(pause, 0.25)
    assert (database.turns, max(pauses)) == ({}, 5.0)
    assert len(writer._queue) == 10
    database.is_away = False
    call.say(index, f"word {index}")
    call.end()
    run(writer, now, now + 6)
    expected = {(call.id, number): f"word {number}" for number in range(index + 1)}
    assert database.turns == expected
    assert database.ended == [call.id]
    assert list(tmp_path.iterdir()) == []
    assert [record.message for record in caplog.records if record.name == "calls.recorder.writer"] == [
        "the database takes no facts (OperationalError); they wait",
        *[m for m in ["the database takes facts again"] if m in caplog.text],
    ]


def test_past_the_bound_memory_stops_growing_and_the_journal_keeps_the_order(
    tmp_path: Path, writer: Writer, database: Database
) -> None:
    call = Call(tmp_path, writer)
    for index in range(1000):
        call.say(index)
    assert len(writer._queue) == 10
    call.end()
    run(writer, 0, 1)
    assert [index for _, index in database.turns] == list(range(1000))
    assert database.ended == [call.id]


def test_a_call_without_a_whole_journal_stays_in_memory_past_the_bound(
    tmp_path: Path, writer: Writer, database: Database
) -> None:
    call = Call(tmp_path / "full disk", writer)
    for index in range(50):
        call.say(index)
    assert len(writer._queue) == 50
    run(writer, 0, 1)
    assert len(database.turns) == 50


def test_a_disk_that_fills_up_while_the_database_is_away_costs_no_word(
    tmp_path: Path, writer: Writer, database: Database
) -> None:
    loud, call = Call(tmp_path, writer), Call(tmp_path, writer)
    for index in range(10):
        loud.say(index)
    call.say(0)
    with full_disk(call.journal.path.stat().st_size):
        call.say(1)
        call.end()
    run(writer, 0, 1)
    assert sorted(index for session, index in database.turns if session == call.id) == [0, 1]
    assert (database.ended, call.journal.path.exists()) == ([call.id], False)
    loud.journal.close()


def test_a_journal_that_cannot_be_removed_does_not_end_the_thread(
    tmp_path: Path, writer: Writer, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    call, next_call = Call(tmp_path, writer), Call(tmp_path, writer)
    call.journal.path = tmp_path / "a folder"
    call.journal.path.mkdir()
    call.end()
    next_call.end()
    writer.step(0)
    assert database.ended == [call.id, next_call.id]
    assert "journal a folder stays" in caplog.text


def test_the_lag_is_the_age_of_the_oldest_fact_that_waits(tmp_path: Path, database: Database) -> None:
    times = iter([100.0, 103.0, 104.0, 109.0])
    writer = Writer(database.store, heartbeat=lambda: None, bound=1, clock=lambda: next(times))
    call = Call(tmp_path, writer)
    assert writer.lag_seconds == 0
    call.say(0)  # at 100, in memory
    call.say(1)  # at 103, in the journal only
    assert writer.lag_seconds == 4
    writer.step(0)
    assert writer.lag_seconds == 6
    writer.step(0)
    assert writer.lag_seconds == 0
    call.journal.close()


def test_what_is_said_while_a_call_is_read_again_is_stored_after_it(
    tmp_path: Path, writer: Writer, database: Database
) -> None:
    call = Call(tmp_path, writer)
    for index in range(20):
        call.say(index)
    writer.step(0)
    assert len(database.turns) == 10
    database.is_away = True
    assert writer.step(0) == 0.1
    call.say(20)
    database.is_away = False
    writer.step(0.1)
    call.say(21)
    run(writer, 0.1, 1)
    assert [index for _, index in database.turns] == list(range(22))
    call.journal.close()


def test_the_end_of_a_call_waits_for_its_recording_even_when_it_is_read_again(
    tmp_path: Path, writer: Writer, database: Database
) -> None:
    call = Call(tmp_path, writer)
    for index in range(20):
        call.say(index)
    call.journal.append(CallEnded(call.id, EndReason.SILENCE, rows.BEGAN, 5000, {}))
    run(writer, 0, 1)
    assert (len(database.turns), database.ended, call.journal.path.exists()) == (20, [], True)
    call.end()
    run(writer, 1, 2)
    assert (database.ended, call.journal.path.exists()) == ([call.id], False)


def test_one_fact_that_is_refused_keeps_no_other_from_being_stored(
    tmp_path: Path, writer: Writer, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = Call(tmp_path, writer), Call(tmp_path, writer)
    database.refused_text = "a secret that does not fit"
    bad.say(0)
    bad.say(1, database.refused_text)
    good.say(0)
    bad.end()
    good.end()
    writer.step(0)
    assert sorted(database.turns) == sorted([(bad.id, 0), (good.id, 0)])
    assert database.ended == [bad.id, good.id]
    assert [path.name for path in tmp_path.iterdir()] == [f"{bad.id}.rejected"]
    assert f"call {bad.id}: TurnFact was refused" in caplog.text
    assert database.refused_text not in caplog.text
    assert len(read_journal(tmp_path / f"{bad.id}.rejected")) == 3


def test_a_database_that_goes_away_in_the_middle_of_a_batch_is_not_a_refusal() -> None:
    seen = []

    def store(facts: Sequence[Fact]) -> None:
        seen.append(len(facts))
        if len(facts) > 1:
            raise DataError
        raise InterfaceError

    with pytest.raises(InterfaceError):
        store_all(store, [rows.turn_fact(uuid7(), 0), rows.turn_fact(uuid7(), 0)])
    assert seen == [2, 1]


def test_retries_come_ever_later_and_none_before_its_time(tmp_path: Path, writer: Writer, database: Database) -> None:
    call = Call(tmp_path, writer)
    call.say(0)
    database.is_away = True
    now, pauses = 0.0, []
    for _ in range(8):
        pauses.append(writer.step(now))
        assert writer.step(now) == pytest.approx(pauses[-1])
        now += pauses[-1] + 0.001
    assert [round(pause, 3) for pause in pauses] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    call.journal.close()


def test_a_living_process_says_so_every_20_seconds(writer: Writer, beats: list[None]) -> None:
    now = 100.0
    counts = []
    for _ in range(3):
        now += writer.step(now)
        counts.append((now, len(beats)))
    assert counts == [(120.0, 1), (140.0, 2), (160.0, 3)]


def test_other_work_waits_for_the_facts_and_is_repeated_until_the_database_takes_it(
    tmp_path: Path, writer: Writer, database: Database
) -> None:
    done: list[int] = []

    def work() -> None:
        if database.is_away:
            raise OperationalError
        done.append(len(database.turns))

    call = Call(tmp_path, writer)
    writer.do(work)
    call.say(0)
    writer.step(0)
    database.is_away = True
    assert writer.step(0) == 0.1
    database.is_away = False
    writer.step(0.1)
    assert done == [1]
    call.journal.close()


def test_other_work_with_a_bug_is_logged_and_dropped(writer: Writer, caplog: pytest.LogCaptureFixture) -> None:
    writer.do(lambda: int("not a number"))
    assert writer.step(0) == 0
    assert "work of the recorder failed" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_the_thread_stores_what_waits_before_it_stops(tmp_path: Path, writer: Writer, database: Database) -> None:
    call = Call(tmp_path, writer)
    writer.start()
    for index in range(100):
        call.say(index)
    call.end()
    assert writer.stop(5)
    assert (len(database.turns), list(tmp_path.iterdir())) == (100, [])


@pytest.mark.django_db(transaction=True)
def test_the_thread_stops_in_time_and_leaves_the_journals_while_the_database_is_away(
    tmp_path: Path, writer: Writer, database: Database
) -> None:
    call = Call(tmp_path, writer)
    database.is_away = True
    writer.start()
    call.say(0)
    assert not writer.stop(0.2)
    assert len(read_journal(call.journal.path)) == 1
    call.journal.close()
