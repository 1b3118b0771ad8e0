import resource
import threading
from pathlib import Path

import pytest

from calls.enums import Speaker
from calls.recorder.audio import AudioThread, AudioTrack, Sound, Taped
from tests.calls.recorder.test_tape import AGENT, CALLER, RATE, level, runs
from tests.calls.recorder.test_wav import read


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "call.wav"


@pytest.fixture
def track(path: Path, clock: Clock) -> AudioTrack:
    return AudioTrack(path, RATE, clock)


def frame(side: Speaker, number: int, value: int = 5) -> Sound:
    return Sound(side, number * 20, level(value, 20), RATE)


def test_less_than_two_seconds_are_missing_at_any_moment(track: AudioTrack, path: Path, clock: Clock) -> None:
    missing = []
    for number in range(500):
        clock.now = 50 + number * 0.02
        track.give(frame(CALLER, number))
        if number % 45 == 44:
            missing.append(number * 20 + 20 - (len(read(path)) * 1000 / RATE if path.exists() else 0))
            track.work()
    assert max(missing) < 2000
    assert track.finish() == Taped(10_000, 0, "")
    assert runs(read(path)[:, 0]) == [(5, 0, 10_000)]


def test_the_agents_unheard_words_are_taken_back_in_the_order_of_things(track: AudioTrack, path: Path) -> None:
    for number in range(50):
        track.give(frame(AGENT, number, 7))
    track.cut_agent(400)
    for number in range(30, 40):
        track.give(frame(AGENT, number, 8))
    track.finish()
    assert runs(read(path)[:, 1]) == [(7, 0, 400), (8, 600, 800)]


def test_a_call_without_sound_leaves_no_file(track: AudioTrack, path: Path) -> None:
    track.cut_agent(5)
    track.work()
    assert track.finish() == Taped(None, 0, "")
    assert not path.exists()


def test_sound_that_is_not_taken_up_is_dropped_and_counted(track: AudioTrack) -> None:
    for number in range(2000):
        track.give(frame(CALLER, number))
    taped = track.finish()
    assert taped.missing_ms == 2000 * 20 - (taped.duration_ms or 0)
    assert taped.missing_ms > 5000
    assert taped.failure == ""


def test_a_full_disk_stops_the_recording_and_not_the_call(track: AudioTrack, path: Path, clock: Clock) -> None:
    failures: list[str] = []
    track.on_failure = failures.append
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        for number in range(500):
            clock.now = 50 + number * 0.02
            track.give(frame(CALLER, number))
            if number % 25 == 0:
                track.work()
        taped = track.finish()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert failures == ["File too large"]
    assert taped.failure == "File too large"
    assert taped.duration_ms
    assert 1000 < taped.duration_ms < 1563
    assert taped.duration_ms + taped.missing_ms == 10_000
    assert runs(read(path)[:, 0]) == [(5, 0, taped.duration_ms)]


def test_a_folder_that_cannot_be_made_is_a_failure_like_a_full_disk(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").touch()
    track = AudioTrack(tmp_path / "file" / "call.wav", RATE, clock)
    track.give(frame(CALLER, 0))
    assert track.finish() == Taped(None, 20, "File exists")


def test_the_thread_closes_every_track_and_ends(tmp_path: Path, clock: Clock) -> None:
    thread = AudioThread()
    thread.start()
    runner = thread._thread
    assert runner
    closed: dict[int, Taped] = {}
    done = threading.Event()

    def note(number: int, taped: Taped) -> None:
        closed[number] = taped
        if len(closed) == 50:
            done.set()

    for number in range(50):
        track = AudioTrack(tmp_path / f"{number}.wav", RATE, clock)
        track.on_closed = lambda taped, number=number: note(number, taped)
        thread.add(track)
        track.give(frame(CALLER, 0))
        thread.close(track)
    assert done.wait(5)
    thread.stop(5)
    assert closed == dict.fromkeys(range(50), Taped(20, 0, ""))
    assert not runner.is_alive()


def test_a_track_that_is_closed_while_the_thread_stops_is_closed_all_the_same(tmp_path: Path, clock: Clock) -> None:
    thread = AudioThread()
    track = AudioTrack(tmp_path / "call.wav", RATE, clock)
    closed: list[Taped] = []
    track.on_closed = closed.append
    thread.add(track)
    track.give(frame(CALLER, 0))
    thread.close(track)
    thread.start()
    thread.stop(5)
    assert closed == [Taped(20, 0, "")]


def test_a_bug_in_one_recording_ends_neither_the_thread_nor_the_call(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    thread = AudioThread()
    closed: list[Taped] = []
    track = AudioTrack(tmp_path / "call.wav", RATE, clock)
    track.on_closed = closed.append
    track.give(Sound(CALLER, 0, level(5, 20), -1))
    thread.add(track)
    thread.close(track)
    thread.start()
    thread.stop(5)
    assert closed == [Taped(None, 0, "internal error")]
    assert "a recording failed" in caplog.text
