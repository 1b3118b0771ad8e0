from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from calls.enums import Speaker
from calls.recorder.tape import Tape
from tests.calls.recorder.test_wav import read

RATE = 16_000
CALLER, AGENT = Speaker.CALLER, Speaker.AGENT


def level(value: int, ms: float, rate: int = RATE) -> bytes:
    return np.full(round(ms * rate / 1000), value, np.int16).tobytes()


def runs(channel: np.ndarray) -> list[tuple[int, float, float]]:
    """Give (level, from ms, to ms) of each stretch of one level, silence left out."""
    borders = [0, *(np.flatnonzero(np.diff(channel)) + 1).tolist(), len(channel)]
    pairs = pairwise(borders)
    return [(int(channel[a]), a * 1000 / RATE, b * 1000 / RATE) for a, b in pairs if channel[a]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "call.wav"


def test_each_side_has_its_channel_and_each_sound_its_time(path: Path) -> None:
    tape = Tape(path, RATE)
    tape.lay(CALLER, 100, level(5, 200), RATE)
    tape.lay(AGENT, 250, level(7, 100), RATE)
    tape.lay(CALLER, 900, level(6, 100), RATE)
    tape.close()
    heard = read(path)
    assert runs(heard[:, 0]) == [(5, 100, 300), (6, 900, 1000)]
    assert runs(heard[:, 1]) == [(7, 250, 350)]
    assert tape.duration_ms == 1000


def test_chunks_that_come_a_little_late_or_early_join_without_a_gap(path: Path) -> None:
    tape = Tape(path, RATE)
    for at_ms in (0, 130, 170, 310):
        tape.lay(CALLER, at_ms, level(5, 100), RATE)
    tape.close()
    assert runs(read(path)[:, 0]) == [(5, 0, 400)]


def test_flushing_in_between_changes_nothing(path: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    pieces = [rng.integers(-9000, 9000, 800, np.int16).tobytes() for _ in range(60)]
    whole, parts = Tape(tmp_path / "whole.wav", RATE), Tape(path, RATE)
    for number, piece in enumerate(pieces):
        for tape in (whole, parts):
            tape.lay(CALLER, number * 50, piece, RATE)
            tape.lay(AGENT, number * 60, piece, RATE)
        parts.flush(number * 50 - 100)
    whole.close()
    parts.close()
    assert read(path).tolist() == read(tmp_path / "whole.wav").tolist()


@pytest.mark.parametrize("rate", [8000, 22_050, 24_000, 48_000])
def test_other_rates_are_resampled_in_time_and_to_the_last_sample(path: Path, rate: int) -> None:
    tape = Tape(path, RATE)
    seconds = np.arange(rate) / rate
    tone = (np.sin(seconds * 2 * np.pi * 440) * 9000).astype("<i2")
    for start in range(0, rate, rate // 10):
        tape.lay(AGENT, 500 + start * 1000 / rate, tone[start : start + rate // 10].tobytes(), rate)
    tape.close()
    heard = read(path)[:, 1].astype(float)
    expected = np.sin((np.arange(RATE) / RATE) * 2 * np.pi * 440) * 9000
    assert len(heard) == RATE * 1.5
    assert np.abs(heard[8000:] - expected)[800:-800].max() < 20


@pytest.mark.parametrize("flushed_ms", [0, 300, 1000])
def test_what_was_never_played_is_taken_back_even_from_the_disk(path: Path, flushed_ms: float) -> None:
    tape = Tape(path, RATE)
    tape.lay(CALLER, 0, level(3, 1000), RATE)
    tape.lay(AGENT, 0, level(7, 1000), RATE)
    tape.flush(flushed_ms)
    tape.cut_agent(400)
    tape.lay(AGENT, 600, level(8, 100), RATE)
    tape.close()
    heard = read(path)
    assert runs(heard[:, 0]) == [(3, 0, 1000)]
    assert runs(heard[:, 1]) == [(7, 0, 400), (8, 600, 700)]


def test_taking_back_behind_the_last_word_changes_nothing(path: Path) -> None:
    tape = Tape(path, RATE)
    tape.lay(AGENT, 0, level(7, 100), RATE)
    tape.cut_agent(400)
    tape.close()
    assert runs(read(path)[:, 1]) == [(7, 0, 100)]


def test_unheard_sound_at_the_end_makes_the_recording_no_longer(path: Path) -> None:
    tape = Tape(path, RATE)
    tape.lay(CALLER, 0, level(3, 500), RATE)
    tape.lay(AGENT, 400, level(7, 2000), RATE)
    tape.cut_agent(450)
    tape.close()
    assert tape.duration_ms == 500


def test_a_sender_ahead_of_its_time_does_not_fill_the_memory(path: Path) -> None:
    tape = Tape(path, RATE)
    for second in range(90):
        tape.lay(CALLER, second * 1000, level(3, 1000), RATE)
        tape.flush(0)
    assert tape.duration_ms == 60_000
    tape.close()
    assert runs(read(path)[:, 0]) == [(3, 0, 90_000)]


def test_a_changed_rate_goes_on_where_the_sound_was(path: Path) -> None:
    tape = Tape(path, RATE)
    tape.lay(CALLER, 0, level(3, 500), RATE)
    tape.lay(CALLER, 500, level(3, 500, 8000), 8000)
    tape.close()
    assert tape.duration_ms == 1000


def test_half_a_sample_is_left_out(path: Path) -> None:
    tape = Tape(path, RATE)
    tape.lay(CALLER, 0, level(3, 100) + b"\x01", RATE)
    tape.close()
    assert tape.duration_ms == 100
