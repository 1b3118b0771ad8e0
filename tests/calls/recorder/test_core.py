import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from prometheus_client import REGISTRY
from uuid_utils.compat import uuid7

from calls.enums import Door, EndReason, Speaker
from calls.models import CallSession, Recording, Turn
from calls.recorder import Recorder
from calls.recorder.facts import store
from calls.recorder.wav import recorded_ms
from calls.runner.ports import CallTotals
from tests.calls import rows
from tests.calls.recorder.test_tape import level
from tests.calls.recorder.test_wav import read

pytestmark = pytest.mark.django_db(transaction=True)

VICTIM = Path(__file__).with_name("victim.py")


def open_files() -> int:
    """Count what this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def wait_for(condition: Callable[[], bool]) -> None:
    """Return as soon as it is so; fail after ten seconds."""
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


def test_a_turn_is_in_the_database_a_moment_after_it_was_said() -> None:
    recorder = Recorder()
    sink = recorder.open_call(uuid7(), Door.CONSOLE, None)
    sink.record_turn(rows.spoken(0))
    said = time.monotonic()
    wait_for(Turn.objects.exists)
    assert time.monotonic() - said < 1
    sink.finish(EndReason.SILENCE, CallTotals())
    assert recorder.stop(10)


def test_an_operator_sees_how_long_facts_have_been_waiting() -> None:
    def away(_: object) -> None:
        raise OperationalError

    recorder = Recorder(store=away)
    sink = recorder.open_call(uuid7(), Door.CONSOLE, None)
    wait_for(lambda: (REGISTRY.get_sample_value("vantum_recorder_lag_seconds") or 0) > 0.1)
    sink.finish(EndReason.SILENCE, CallTotals())
    assert not recorder.stop(0.1)


def test_starting_and_stopping_twice_is_starting_and_stopping_once(settings: Any) -> None:
    recorder = Recorder()
    recorder.start()
    recorder.start()
    assert recorder.stop(10)
    assert recorder.stop(10)
    recorder.start()
    sink = recorder.open_call(uuid7(), Door.CONSOLE, None)
    sink.finish(EndReason.SILENCE, CallTotals())
    assert recorder.stop(10)
    assert CallSession.objects.ended().count() == 1
    assert list(settings.JOURNAL_DIR.iterdir()) == []


def test_a_call_on_the_line_when_the_process_stops_is_closed_at_the_next_start() -> None:
    first = Recorder()
    sink = first.open_call(uuid7(), Door.CONSOLE, None)
    sink.record_turn(rows.spoken(0))
    assert first.stop(10)
    assert CallSession.objects.live().count() == 1
    second = Recorder()
    second.start()
    wait_for(lambda: CallSession.objects.ended().exists())
    assert second.stop(10)
    assert CallSession.objects.get().end_reason == "instance_lost"
    sink._journal.close()


def test_a_process_killed_in_the_middle_of_a_call_loses_no_finished_turn(settings: Any) -> None:
    database = Path(settings.DATABASES["default"]["NAME"])
    environment = {
        **os.environ,
        "VICTIM_DATABASE": str(database),
        "VICTIM_FOLDER": str(settings.JOURNAL_DIR.parent),
    }
    victim = subprocess.Popen([sys.executable, str(VICTIM)], env=environment, stdout=subprocess.PIPE, text=True)
    assert victim.stdout
    try:
        said = int(victim.stdout.readline())
    finally:
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        victim.stdout.close()
    recorder = Recorder()
    recorder.start()
    wait_for(lambda: CallSession.objects.ended().exists())
    assert recorder.stop(10)
    session = CallSession.objects.get()
    assert session.end_reason == "instance_lost"
    assert list(session.turns.values_list("index", flat=True))[:said] == list(range(said))
    recording = Recording.objects.get()
    assert not recording.complete
    assert session.duration_ms
    assert 0 < recording.missing_ms <= 2000
    sound = read(settings.RECORDINGS_DIR / recording.path)
    assert len(sound) * 1000 // recording.rate == recording.duration_ms
    assert set(sound[:, 0].tolist()) == {5}


def test_a_thousand_calls_leave_neither_files_nor_threads_nor_descriptors(settings: Any) -> None:
    recorder = Recorder()
    recorder.start()
    try:
        _hold_a_thousand_calls(recorder, settings)
    finally:
        assert recorder.stop(10)
    assert (Turn.objects.count(), Recording.objects.count()) == (1000, 100)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("recorder-")]
    assert list(settings.JOURNAL_DIR.iterdir()) == []


def _hold_a_thousand_calls(recorder: Recorder, settings: Any) -> None:
    recorder.open_call(uuid7(), Door.CONSOLE, None).finish(EndReason.SILENCE, CallTotals())
    wait_for(CallSession.objects.ended().exists)
    gc.collect()
    descriptors, threads = open_files(), threading.active_count()
    for number in range(1000):
        sink = recorder.open_call(uuid7(), Door.CONSOLE, None)
        sink.record_turn(rows.spoken(0))
        if number % 10 == 0:
            sink.record_audio(Speaker.CALLER, 0, level(5, 20), 16_000)
        sink.finish(EndReason.SILENCE, CallTotals())
    wait_for(lambda: CallSession.objects.ended().count() == 1001)
    wait_for(lambda: not list(settings.JOURNAL_DIR.glob("*/*.jsonl")))
    assert threading.active_count() <= threads
    # A pool or a connection may be opened for the first time meanwhile; a leak would be hundreds.
    wait_for(lambda: open_files() <= descriptors + 5)


def test_a_database_that_goes_away_during_a_call_costs_neither_the_call_nor_a_word() -> None:
    is_away = threading.Event()
    refused: list[int] = []

    def store_when_there(facts: Any) -> None:
        if is_away.is_set():
            refused.append(len(facts))
            raise OperationalError
        store(facts)

    recorder = Recorder(store=store_when_there)
    sink = recorder.open_call(uuid7(), Door.CONSOLE, None)
    wait_for(CallSession.objects.exists)
    is_away.set()
    for index in range(100):
        sink.record_turn(rows.spoken(index))
    wait_for(lambda: len(refused) >= 2)
    assert Turn.objects.count() == 0
    is_away.clear()
    wait_for(lambda: Turn.objects.count() == 100)
    sink.finish(EndReason.SILENCE, CallTotals())
    assert recorder.stop(10)
    assert CallSession.objects.ended().count() == 1


def test_a_playable_recording_of_a_live_call_is_on_the_disk(settings: Any) -> None:
    recorder = Recorder()
    sink = recorder.open_call(uuid7(), Door.CONSOLE, None)
    for second in range(20):
        sink.record_audio(Speaker.CALLER, second * 1000, level(5, 1000), 16_000)
    wait_for(lambda: bool(list(settings.RECORDINGS_DIR.glob("*/*.wav"))))
    (path,) = settings.RECORDINGS_DIR.glob("*/*.wav")
    wait_for(lambda: recorded_ms(path) not in {None, (0, 16_000)})
    sink.finish(EndReason.SILENCE, CallTotals())
    assert recorder.stop(10)
    assert Recording.objects.get().duration_ms == 20_000
