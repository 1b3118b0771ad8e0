from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db.models import ProtectedError
from uuid_utils.compat import uuid7

from calls import erasing, services, tasks
from calls.enums import AttemptStatus, Door, EndReason, Speaker, SuppressionSource
from calls.errors import ErasureRefusedError, TelephonyError
from calls.models import CallAttempt, CallEvent, CallSession, CallStream, Recording, Suppression, Turn
from calls.recorder.sink import recording_path
from calls.services import EventFact
from tests.calls import phones, rows
from tests.simulators.twilio import Trouble, TwilioSimulator

pytestmark = pytest.mark.django_db

NOW = rows.BEGAN + timedelta(days=30, hours=1)


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path) -> None:
    settings.JOURNAL_DIR, settings.RECORDINGS_DIR = tmp_path / "journal", tmp_path / "recordings"


def files(settings: Any, session_id: UUID) -> list[Path]:
    """Leave what a recorder leaves of a call: its sound, a journal, and one that was set aside."""
    sound = settings.RECORDINGS_DIR / recording_path(session_id)
    journal = settings.JOURNAL_DIR / "dead" / f"{session_id}.jsonl"
    left = [sound, journal, journal.with_suffix(".rejected")]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    services.store_recording(
        session_id, path=recording_path(session_id), rate=8000, duration_ms=1, missing_ms=0, complete=True
    )
    return left


def spoken_call(twilio: TwilioSimulator | None = None, streams: int = 2) -> tuple[CallAttempt, list[UUID]]:
    """Store a telephone call that is over, with a conversation on each of its streams."""
    attempt = phones.attempt(variables={"name": "Ada"})
    sessions = []
    for number in range(1, streams + 1):
        session_id = rows.live_call(door=Door.PHONE)
        services.ask_for_stream(attempt.pk, number, at=rows.BEGAN)
        grant = services.StreamGrant(attempt.pk, number)
        services.open_stream(grant, session_id, at=rows.BEGAN, not_before=rows.BEGAN)
        services.record_turns([rows.turn_fact(session_id, number, "my secret", speaker=Speaker.CALLER)])
        services.record_events([EventFact(session_id, 0, "dtmf", 1, {"digit": "4"})])
        services.finish_call(session_id, reason=EndReason.CALLER_ENDED, ended_at=rows.BEGAN, duration_ms=1, totals={})
        sessions.append(session_id)
    if twilio is not None:
        twilio.recordings["RE1"] = attempt.carrier_sid
        services.note_carrier_recording(attempt.pk, "RE1", url="https://api.example.com/RE1", seconds=5)
    services.advance_attempt(attempt.pk, AttemptStatus.COMPLETED, at=rows.BEGAN)
    attempt.refresh_from_db()
    return attempt, sessions


def test_a_deleted_call_leaves_no_word_no_sound_and_no_journal_but_its_number_stays_suppressed(
    twilio: TwilioSimulator, settings: Any
) -> None:
    attempt, sessions = spoken_call(twilio)
    other = rows.ended_call()
    left = [path for session_id in sessions for path in files(settings, session_id)]
    kept = files(settings, other.pk)
    services.suppress(attempt.to_e164, source=SuppressionSource.SPOKEN, proof="said in turn 1: never call me again")
    before = list(Suppression.objects.values())
    assert erasing.erase_call(sessions[1]) == 2
    assert [path.exists() for path in left] == [False] * 6
    assert [path.exists() for path in kept] == [True] * 3
    assert [model.objects.count() for model in (Turn, CallEvent, CallAttempt, CallStream)] == [0] * 4
    assert list(CallSession.objects.values_list("pk", flat=True)) == [other.pk]
    assert list(Recording.objects.values_list("pk", flat=True)) == [other.pk]
    assert twilio.recordings == {}
    assert list(Suppression.objects.values()) == before
    assert not services.suppress(attempt.to_e164, source=SuppressionSource.OPERATOR, proof="again")


def test_a_console_call_is_deleted_by_itself(settings: Any) -> None:
    one, other = rows.ended_call(), rows.ended_call()
    files(settings, one.pk)
    assert erasing.erase_call(one.pk) == 1
    assert list(CallSession.objects.all()) == [other]


def test_an_attempt_that_others_count_keeps_its_number_and_nothing_else_of_the_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempt, sessions = spoken_call()

    def protected(_attempt: CallAttempt) -> None:
        message = "a campaign counts it"
        raise ProtectedError(message, set())

    monkeypatch.setattr(CallAttempt, "delete", protected)
    erasing.erase_call(sessions[0])
    attempt.refresh_from_db()
    assert (attempt.to_e164, attempt.variables, attempt.session_id) == (phones.SOMEBODY, {}, None)
    assert set(CallStream.objects.values_list("session_id", flat=True)) == {None}
    assert not CallSession.objects.exists()


def test_a_call_under_legal_hold_or_on_the_line_is_not_deleted(settings: Any) -> None:
    attempt, sessions = spoken_call()
    left = files(settings, sessions[0])
    assert services.hold_call(sessions[1], is_held=True) == 2
    with pytest.raises(ErasureRefusedError, match="legal hold"):
        erasing.erase_call(sessions[0])
    services.hold_call(sessions[0], is_held=False)
    CallAttempt.objects.filter(pk=attempt.pk).update(status="in-progress", ended_at=None)
    with pytest.raises(ErasureRefusedError, match="on the line"):
        erasing.erase_call(sessions[0])
    with pytest.raises(ErasureRefusedError, match="on the line"):
        erasing.erase_call(rows.live_call())
    assert left[0].exists()
    assert CallSession.objects.filter(pk__in=sessions).count() == 2


def test_a_carrier_that_keeps_its_recording_keeps_the_call_to_be_deleted(
    twilio: TwilioSimulator, settings: Any
) -> None:
    _, sessions = spoken_call(twilio)
    left = files(settings, sessions[0])
    twilio.troubles.append(Trouble(status=503))
    with pytest.raises(TelephonyError):
        erasing.erase_call(sessions[0])
    assert left[0].exists()
    erasing.erase_call(sessions[0])
    assert not CallSession.objects.exists()


def test_recordings_are_kept_as_long_as_the_installation_says_and_held_ones_longer(
    twilio: TwilioSimulator, settings: Any
) -> None:
    settings.RECORDING_RETENTION_DAYS = 30
    attempt, (first, second) = spoken_call(twilio)
    held, young = rows.ended_call(), rows.ended_call(began=NOW - timedelta(days=30), seconds=60)
    services.hold_call(held.pk, is_held=True)
    sound = {session_id: files(settings, session_id)[0] for session_id in (first, second, held.pk, young.pk)}
    assert erasing.expire_recordings(NOW) == 3
    assert [path.exists() for path in sound.values()] == [False, False, True, True]
    assert set(Recording.objects.values_list("pk", flat=True)) == {held.pk, young.pk}
    attempt.refresh_from_db()
    assert (attempt.recording_sid, attempt.recording_url, attempt.recording_seconds) == ("", "", None)
    assert twilio.recordings == {}
    assert Turn.objects.count() == 2
    assert erasing.expire_recordings(NOW) == 0


def test_a_carriers_recording_of_a_held_call_stays(twilio: TwilioSimulator, settings: Any) -> None:
    settings.RECORDING_RETENTION_DAYS = 30
    _, sessions = spoken_call(twilio)
    services.hold_call(sessions[0], is_held=True)
    assert erasing.expire_recordings(NOW) == 0
    assert set(twilio.recordings) == {"RE1"}


def test_a_recording_that_cannot_be_deleted_keeps_its_row_and_holds_up_no_other(settings: Any) -> None:
    settings.RECORDING_RETENTION_DAYS = 30
    stuck, fine = rows.ended_call(), rows.ended_call()
    path = files(settings, stuck.pk)[0]
    path.unlink()
    path.mkdir()
    files(settings, fine.pk)
    assert erasing.expire_recordings(NOW) == 1
    assert list(Recording.objects.values_list("pk", flat=True)) == [stuck.pk]


def test_without_a_limit_everything_is_kept(settings: Any) -> None:
    settings.RECORDING_RETENTION_DAYS = 0
    files(settings, rows.ended_call().pk)
    tasks.expire_recordings()
    assert Recording.objects.count() == 1


def test_the_deletion_is_scheduled_daily(settings: Any) -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["expire-recordings"]
    assert (entry["task"], entry["schedule"]) == (tasks.expire_recordings.name, 86_400)


def test_a_call_of_nobody_we_know_has_one_conversation() -> None:
    session_id = uuid7()
    assert services.sessions_of_call(session_id) == [session_id]
