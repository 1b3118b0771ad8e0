import wave
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError
from uuid_utils.compat import uuid7

from calls.enums import Door, EndReason
from calls.models import CallSession, Recording, Turn
from calls.recorder.facts import CallEnded, CallOpened, Fact, RecordingClosed, encode, store
from calls.recorder.journal import Instance
from calls.recorder.replay import close_lost_calls, journalled, replay_dead_instances
from calls.recorder.sink import recording_path
from calls.services import EventFact, Journalled
from tests.calls import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(settings: Any) -> Path:
    folder: Path = settings.JOURNAL_DIR
    return folder


def die_with(root: Path, *facts: Fact, torn: bytes = b"") -> Path:
    """Leave a journal as a process does that is killed."""
    folder = root / "dead"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lock").touch()
    path = folder / f"{facts[0].session_id}.jsonl"
    path.write_bytes(b"".join(map(encode, facts)) + torn)
    return path


def opening(session_id: UUID) -> CallOpened:
    return CallOpened(session_id, Door.CONSOLE, None, "dead", rows.BEGAN)


def record(settings: Any, session_id: UUID, ms: int) -> None:
    path = settings.RECORDINGS_DIR / recording_path(session_id)
    path.parent.mkdir(parents=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(4 * 8 * ms))


def test_a_journal_that_cannot_be_read_holds_up_no_other(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    session_id = uuid7()
    path = die_with(root, opening(session_id))
    (path.parent / "00000000-unreadable.jsonl").mkdir()
    assert replay_dead_instances(root, store) == 1
    assert CallSession.objects.get().end_reason == "instance_lost"
    assert "00000000-unreadable.jsonl is left" in caplog.text


def test_a_call_cut_off_in_the_middle_keeps_every_finished_turn_and_is_closed(root: Path, settings: Any) -> None:
    session_id = uuid7()
    facts: list[Fact] = [opening(session_id), *(rows.turn_fact(session_id, index) for index in range(3))]
    die_with(root, *facts, EventFact(session_id, 0, "late", 4000, {}), torn=encode(facts[1])[:-9])
    record(settings, session_id, 3500)
    assert replay_dead_instances(root, store) == 1
    session = CallSession.objects.get()
    assert (session.status, session.end_reason, session.duration_ms) == ("ended", "instance_lost", 4000)
    assert session.ended_at == rows.BEGAN + timedelta(seconds=4)
    assert list(Turn.objects.values_list("index", flat=True)) == [0, 1, 2]
    recording = Recording.objects.get()
    assert (recording.duration_ms, recording.missing_ms, recording.rate) == (3500, 500, 8000)
    assert not recording.complete
    assert list(root.iterdir()) == []


def test_doing_it_twice_changes_nothing(root: Path) -> None:
    session_id = uuid7()
    facts: list[Fact] = [opening(session_id), rows.turn_fact(session_id, 0)]
    for _ in range(2):
        die_with(root, *facts)
        assert replay_dead_instances(root, store) == 1
    assert replay_dead_instances(root, store) == 0
    assert (CallSession.objects.count(), Turn.objects.count()) == (1, 1)


def test_a_call_that_had_ended_keeps_its_own_reason(root: Path, settings: Any) -> None:
    session_id = uuid7()
    ended = CallEnded(session_id, EndReason.SILENCE, rows.BEGAN + timedelta(seconds=3), 3000, {})
    die_with(root, opening(session_id), ended)
    record(settings, session_id, 2900)
    replay_dead_instances(root, store)
    assert CallSession.objects.get().end_reason == "silence"
    assert Recording.objects.get().complete


def test_a_recording_that_was_closed_is_not_judged_again(root: Path, settings: Any) -> None:
    session_id = uuid7()
    closed = RecordingClosed(session_id, recording_path(session_id), 8000, 2000, 700, complete=False)
    die_with(root, opening(session_id), closed)
    record(settings, session_id, 2000)
    replay_dead_instances(root, store)
    assert (Recording.objects.get().missing_ms, CallSession.objects.get().duration_ms) == (700, 2000)


def test_a_journal_without_its_beginning_still_closes_the_stored_call(root: Path) -> None:
    session_id = rows.live_call(instance="dead")
    die_with(root, rows.turn_fact(session_id, 0))
    replay_dead_instances(root, store)
    session = CallSession.objects.get()
    assert (session.end_reason, session.ended_at) == ("instance_lost", rows.BEGAN + timedelta(milliseconds=900))
    assert Turn.objects.count() == 1


def test_an_empty_journal_and_one_of_an_unknown_call_are_put_away(root: Path) -> None:
    die_with(root, rows.turn_fact(uuid7(), 0))
    (root / "dead" / "empty.jsonl").touch()
    assert replay_dead_instances(root, store) == 2
    assert (list(root.iterdir()), Turn.objects.count()) == ([], 0)


def test_what_the_database_refuses_is_set_aside_and_the_rest_is_stored(root: Path) -> None:
    session_id = uuid7()

    def store_but_one(facts: Any) -> None:
        if any(getattr(getattr(fact, "turn", None), "index", None) == 1 for fact in facts):
            raise OverflowError
        store(facts)

    path = die_with(root, opening(session_id), *(rows.turn_fact(session_id, index) for index in range(3)))
    replay_dead_instances(root, store_but_one)
    assert list(Turn.objects.values_list("index", flat=True)) == [0, 2]
    assert path.with_suffix(".rejected").exists()
    assert CallSession.objects.ended().count() == 1


def test_while_the_database_is_away_everything_stays(root: Path) -> None:
    session_id = uuid7()
    path = die_with(root, opening(session_id))

    def away(_facts: Any) -> None:
        raise OperationalError

    with pytest.raises(OperationalError):
        replay_dead_instances(root, away)
    assert path.exists()
    assert replay_dead_instances(root, store) == 1


def test_the_living_are_left_alone_even_when_the_database_has_not_heard_of_them(root: Path) -> None:
    instance = Instance.begin(root)
    held, lost = rows.live_call(instance=instance.name), rows.live_call(instance="on another machine")
    (instance.folder / f"{held}.jsonl").write_bytes(encode(rows.turn_fact(held, 0)))
    assert close_lost_calls(root, store, rows.BEGAN + timedelta(minutes=4)) == []
    assert close_lost_calls(root, store, rows.BEGAN + timedelta(minutes=6)) == [lost]
    assert [call.pk for call in CallSession.objects.live()] == [held]
    instance.release()


def test_the_end_of_a_call_is_known_before_the_database_has_it(root: Path) -> None:
    session_id = uuid7()
    die_with(root, opening(session_id), CallEnded(session_id, EndReason.SILENCE, rows.BEGAN, 4000, {}))
    assert journalled(session_id) == Journalled([], [], end_reason=EndReason.SILENCE)
    assert not CallSession.objects.filter(pk=session_id).exists()


def test_a_call_without_an_end_whose_process_is_gone_was_lost(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session_id, ended = uuid7(), uuid7()
    die_with(root, opening(session_id))
    die_with(root, CallEnded(ended, EndReason.SILENCE, rows.BEGAN, 4000, {}))
    assert journalled(session_id).end_reason is None
    monkeypatch.setattr("calls.recorder.replay.has_died", "dead".__eq__)
    assert journalled(session_id).end_reason is EndReason.INSTANCE_LOST
    assert journalled(ended).end_reason is EndReason.SILENCE


def test_the_turns_of_a_call_are_read_where_they_lie_and_stay_there(root: Path) -> None:
    session_id, other = uuid7(), uuid7()
    facts: list[Fact] = [opening(session_id), *(rows.turn_fact(session_id, index) for index in range(3))]
    path = die_with(root, *facts, EventFact(session_id, 0, "late", 4000, {}), torn=encode(facts[3])[:-9])
    die_with(root, rows.turn_fact(other, 0))
    late = EventFact(session_id, 0, "late", 4000, {})
    assert journalled(session_id) == Journalled([rows.spoken(index) for index in range(3)], [late])
    assert journalled(uuid7()) == Journalled([], [])
    assert path.exists()
    assert not Turn.objects.exists()
    path.unlink()
    path.mkdir()  # what cannot be read has been settled, or is for the replay to complain of
    assert journalled(session_id) == Journalled([], [])
