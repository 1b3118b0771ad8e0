from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError
from uuid_utils.compat import uuid7

from calls import tasks
from calls.models import CallSession
from calls.recorder.facts import CallOpened, encode
from calls.signals import call_finished
from tests.calls import phones, rows
from tests.simulators.twilio import SimulatedCall, TwilioSimulator


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would have gone to the broker."""
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.measure_call, "apply_async", lambda **message: messages.append(message))
    return messages


@pytest.mark.django_db
def test_measuring_takes_an_id_as_text_and_an_unknown_one_is_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    session = rows.ended_call()
    tasks.measure_call(session_id=str(session.pk))
    session.refresh_from_db()
    assert session.measured_at
    tasks.measure_call(session_id=str(uuid7()))
    assert "cannot be measured" in caplog.text


@pytest.mark.django_db
def test_a_finished_call_wakes_a_worker(sent: list[dict[str, Any]]) -> None:
    session_id = rows.ended_call().pk
    call_finished.send(sender=CallSession, session_id=session_id)
    assert sent == [{"kwargs": {"session_id": str(session_id)}, "retry": False}]


@pytest.mark.django_db
def test_the_sweep_replays_the_dead_closes_the_lost_and_measures_what_nobody_measured(
    settings: Any, tmp_path: Any
) -> None:
    settings.JOURNAL_DIR, settings.RECORDINGS_DIR = tmp_path / "journal", tmp_path / "recordings"
    folder = settings.JOURNAL_DIR / "dead"
    folder.mkdir(parents=True)
    dead = uuid7()
    opened = CallOpened(dead, "console", None, "dead", rows.BEGAN)  # type: ignore[arg-type]  # (as text, as in the file)
    (folder / f"{dead}.jsonl").write_bytes(encode(opened))
    lost, missed = rows.live_call(instance="elsewhere"), rows.ended_call().pk
    recent = rows.ended_call(began=timezone.now() - timedelta(seconds=1), seconds=0).pk
    tasks.sweep_lost_calls()
    measured = set(CallSession.objects.filter(measured_at__isnull=False).values_list("pk", flat=True))
    assert measured == {dead, lost, missed}
    assert set(CallSession.objects.unmeasured().values_list("pk", flat=True)) == {recent}
    reasons = dict(CallSession.objects.values_list("pk", "end_reason"))
    assert (reasons[dead], reasons[lost]) == ("instance_lost", "instance_lost")


def test_a_broker_that_is_away_is_tried_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Any] = []

    def fail(**message: Any) -> None:
        tried.append(message)
        raise OperationalError

    monkeypatch.setattr(tasks.measure_call, "apply_async", fail)
    wake_ups, session_id = tasks.WakeUps(), UUID(int=1)
    assert [wake_ups.send(session_id, now) for now in (100.0, 101.0, 129.0, 131.0)] == [False] * 4
    assert len(tried) == 2


def test_the_sweep_is_scheduled(settings: Any) -> None:
    (entry,) = [
        entry for entry in settings.CELERY_BEAT_SCHEDULE.values() if entry["task"] == tasks.sweep_lost_calls.name
    ]
    assert entry["schedule"] == 20


@pytest.mark.django_db
def test_the_sweep_of_attempts_is_scheduled_and_asks_about_those_that_were_left(
    twilio: TwilioSimulator, settings: Any
) -> None:
    attempt = phones.attempt()
    twilio.calls.append(SimulatedCall(twilio, {"To": phones.SOMEBODY, "From": phones.OUR_NUMBER}, created=rows.BEGAN))
    tasks.sweep_attempts()
    attempt.refresh_from_db()
    assert (attempt.status, attempt.carrier_sid) == ("queued", twilio.call.sid)
    entry = settings.CELERY_BEAT_SCHEDULE["sweep-attempts"]
    assert (entry["task"], entry["schedule"]) == (tasks.sweep_attempts.name, 20)
