from typing import Any

import numpy as np
import pytest
from msgspec.structs import asdict

from calls.engine.agent import VoiceActivity
from calls.wire.vad import VoiceGate, VoiceReport, block_levels, tonal_probabilities
from tests.calls.sounds import Sound, clicks, hiss, tone, voice

ROOM, SOFT, LOUD = -70.0, -35.0, -20.0


def gate(**settings: Any) -> VoiceGate:
    return VoiceGate(**asdict(VoiceActivity(**settings)))


def window(level: float) -> list[float]:
    return [level] * 8


def follow(judge: VoiceGate, *windows: tuple[float, float]) -> list[VoiceReport]:
    """Judge windows given as probability and level."""
    return [judge.judge(probability, window(level)) for probability, level in windows]


def as_windows(sound: Sound, rate: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    size = rate * 32 // 1000
    count = len(sound) // size
    return (sound[: count * size].reshape(count, size) / 32_768).astype(np.float32)


def test_silence_is_no_speech() -> None:
    assert follow(gate(), (0.01, ROOM), (0.02, ROOM)) == [
        VoiceReport(until_ms=32, voiced_until_ms=0, voiced_ms=0, is_speech=False),
        VoiceReport(until_ms=64, voiced_until_ms=0, voiced_ms=0, is_speech=False),
    ]


def test_speech_counts_from_the_first_window_of_its_onset() -> None:
    assert follow(gate(), (0.01, ROOM), (0.9, LOUD), (0.9, LOUD), (0.9, LOUD))[1:] == [
        VoiceReport(until_ms=64, voiced_until_ms=0, voiced_ms=0, is_speech=False),
        VoiceReport(until_ms=96, voiced_until_ms=96, voiced_ms=64, is_speech=True),
        VoiceReport(until_ms=128, voiced_until_ms=128, voiced_ms=96, is_speech=True),
    ]


@pytest.mark.parametrize("needed", [1, 3])
def test_the_number_of_onset_windows_is_the_callers_to_choose(needed: int) -> None:
    reports = follow(gate(onset_windows=needed), (0.0, ROOM), *[(0.9, LOUD)] * 4)
    assert [report.is_speech for report in reports].index(True) == needed


def test_one_window_is_not_believed_however_sure_the_model_is() -> None:
    reports = follow(gate(), (0.0, ROOM), (0.99, LOUD), (0.1, LOUD), (0.99, LOUD), (0.1, LOUD))
    assert [report.is_speech for report in reports] == [False] * 5


def test_an_onset_that_the_model_believes_late_counts_from_where_the_sound_rose() -> None:
    judge = gate()
    follow(judge, (0.0, ROOM), (0.0, ROOM), (0.2, LOUD), (0.4, LOUD), (0.9, LOUD))
    assert judge.judge(0.9, window(LOUD)) == VoiceReport(
        until_ms=192, voiced_until_ms=192, voiced_ms=128, is_speech=True
    )


def test_an_onset_is_looked_for_no_further_back_than_128_ms() -> None:
    judge = gate()
    follow(judge, (0.0, ROOM), *[(0.2, LOUD)] * 20, (0.9, LOUD))
    assert judge.judge(0.9, window(LOUD)).voiced_ms == 64 + 128


def test_sound_far_below_the_speech_that_follows_is_not_its_onset() -> None:
    judge = gate()
    follow(judge, (0.0, ROOM), (0.2, -45.0), (0.2, -45.0), (0.9, LOUD))
    assert judge.judge(0.9, window(LOUD)).voiced_ms == 64


def test_an_onset_inside_a_window_counts_from_its_block() -> None:
    judge = gate()
    judge.judge(0.0, window(ROOM))
    judge.judge(0.8, [ROOM] * 3 + [LOUD] * 5)
    assert judge.judge(0.9, window(LOUD)) == VoiceReport(until_ms=96, voiced_until_ms=96, voiced_ms=52, is_speech=True)


def test_speech_ends_at_its_last_loud_block_though_the_model_trails() -> None:
    judge = gate()
    follow(judge, (0.0, ROOM), (0.9, LOUD), (0.9, LOUD))
    assert judge.judge(0.9, [LOUD] * 2 + [ROOM] * 6).voiced_until_ms == 96 + 8
    assert judge.judge(0.8, window(ROOM)) == VoiceReport(
        until_ms=160, voiced_until_ms=104, voiced_ms=72, is_speech=True
    )


def test_a_gap_within_the_hangover_is_bridged_and_a_longer_one_ends_the_run() -> None:
    judge = gate(hangover_ms=100)
    follow(judge, (0.0, ROOM), (0.9, LOUD), (0.9, LOUD))
    gap = follow(judge, *[(0.0, ROOM)] * 3)
    assert [report.is_speech for report in gap] == [True] * 3
    assert follow(judge, (0.9, LOUD))[0].voiced_ms == 192
    gap = follow(judge, *[(0.0, ROOM)] * 4)
    assert [(report.is_speech, report.voiced_ms) for report in gap] == [(True, 192)] * 3 + [(False, 0)]
    assert gap[-1].voiced_until_ms == 224


def test_between_release_and_threshold_speech_goes_on_but_does_not_begin() -> None:
    doubtful = [(0.42, LOUD)] * 6
    assert [report.is_speech for report in follow(gate(), *doubtful)] == [False] * 6
    judge = gate()
    follow(judge, (0.9, LOUD), (0.9, LOUD))
    assert follow(judge, *doubtful)[-1] == VoiceReport(until_ms=256, voiced_until_ms=256, voiced_ms=256, is_speech=True)


def test_a_doubtful_window_inside_a_word_is_smoothed_over() -> None:
    judge = gate(hangover_ms=0)
    follow(judge, (0.9, LOUD), (0.9, LOUD))
    assert follow(judge, (0.05, LOUD), (0.9, LOUD))[-1].voiced_ms == 128


def test_below_the_least_level_nothing_is_speech() -> None:
    assert [report.is_speech for report in follow(gate(min_level_dbfs=-40), *[(0.99, -41)] * 5)] == [False] * 5
    assert follow(gate(min_level_dbfs=-40), *[(0.99, -39)] * 5)[-1].is_speech


def test_speech_must_stand_out_of_a_noise_that_has_been_there() -> None:
    judge = gate(noise_margin_db=6)
    follow(judge, *[(0.1, -30.0)] * 200)
    assert judge.noise_floor_dbfs == pytest.approx(-30, abs=0.1)
    assert [report.is_speech for report in follow(judge, *[(0.8, -26.0)] * 5)] == [False] * 5
    assert follow(judge, *[(0.8, -22.0)] * 5)[-1].is_speech


def test_the_noise_floor_falls_at_once_when_the_noise_stops() -> None:
    judge = gate()
    follow(judge, *[(0.1, -30.0)] * 200)
    follow(judge, *[(0.0, ROOM)] * 8)
    assert judge.noise_floor_dbfs < -65


def test_long_speech_with_its_pauses_does_not_raise_the_floor_to_itself() -> None:
    judge = gate()
    for _ in range(100):
        follow(judge, *[(0.95, LOUD)] * 5, (0.6, -60.0))
    assert judge.noise_floor_dbfs < -55
    assert judge.is_speech


def test_babble_without_a_pause_becomes_the_floor_though_the_model_believes_it() -> None:
    judge = gate()
    reports = follow(judge, *[(0.95, -40.0)] * 600)
    assert (reports[10].is_speech, reports[-1].is_speech) == (True, False)


def test_voices_in_the_background_are_told_from_the_caller_by_their_level() -> None:
    judge = gate()
    follow(judge, *[(0.1, -50.0)] * 100, *[(0.95, -15.0)] * 40, *[(0.1, -50.0)] * 10)
    assert [report.is_speech for report in follow(judge, *[(0.95, -34.0)] * 10)] == [False] * 10
    assert follow(judge, *[(0.95, -18.0)] * 3)[-1].is_speech


def test_in_a_quiet_room_a_caller_may_grow_quiet() -> None:
    judge = gate()
    follow(judge, *[(0.0, ROOM)] * 50, *[(0.95, -10.0)] * 40, *[(0.0, ROOM)] * 10)
    assert follow(judge, *[(0.95, SOFT)] * 3)[-1].is_speech


def test_who_turned_away_from_the_microphone_is_believed_again() -> None:
    judge = gate()
    follow(judge, *[(0.1, -50.0)] * 100, *[(0.95, -15.0)] * 40, *[(0.1, -50.0)] * 10)
    words = follow(judge, *([*[(0.95, -32.0)] * 12, *[(0.1, -50.0)] * 6] * 20))
    assert not words[20].is_speech
    assert any(report.is_speech for report in words)


def test_a_window_that_is_not_full_is_anticipated_while_speech_is_young() -> None:
    judge = gate()
    follow(judge, (0.0, ROOM), (0.9, LOUD), (0.9, LOUD))
    assert judge.anticipate([LOUD] * 3 + [ROOM]) == VoiceReport(
        until_ms=112, voiced_until_ms=108, voiced_ms=76, is_speech=True
    )
    assert judge.anticipate([ROOM] * 2) == VoiceReport(until_ms=104, voiced_until_ms=96, voiced_ms=64, is_speech=True)
    assert judge.judge(0.9, window(LOUD)).voiced_ms == 96
    follow(judge, *[(0.9, LOUD)] * 40)
    assert judge.anticipate([LOUD] * 3) is None


def test_nothing_is_anticipated_before_speech_began() -> None:
    judge = gate()
    follow(judge, (0.0, ROOM), (0.9, LOUD))
    assert judge.anticipate([LOUD] * 5) is None


def test_reports_never_go_back_and_never_count_more_than_was_heard() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        judge = gate(onset_windows=int(rng.integers(1, 5)), hangover_ms=int(rng.integers(0, 300)))
        reports = [judge.judge(float(rng.random()), rng.uniform(-90, 0, 8).tolist()) for _ in range(200)]
        assert [report.until_ms for report in reports] == [32.0 * (index + 1) for index in range(200)]
        ends = [report.voiced_until_ms for report in reports]
        assert ends == sorted(ends)
        assert all(0 <= r.voiced_ms <= r.voiced_until_ms <= r.until_ms for r in reports)
        assert all(r.is_speech or r.voiced_ms == 0 for r in reports)


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_levels_are_those_of_4_ms_blocks(rate: int) -> None:
    half = rate * 16 // 1000
    sound = np.concatenate([np.zeros(half), tone(rate, 1000, half, amplitude=32_768)])
    assert block_levels(as_windows(sound, rate), rate) == [
        pytest.approx([-100] * 4 + [20 * np.log10(np.sqrt(0.5))] * 4, abs=0.05)
    ]


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_by_its_spectrum_alone_a_voice_is_told_from_noise_and_clicks(rate: int) -> None:
    spoken = tonal_probabilities(as_windows(voice(rate, 2000), rate), rate)
    noise = tonal_probabilities(as_windows(hiss(rate, 2000, level_dbfs=-30), rate), rate)
    clicking = tonal_probabilities(as_windows(clicks(rate, 2000) + hiss(rate, 2000), rate), rate)
    assert np.mean(np.array(spoken) > 0.5) > 0.9
    assert np.mean(np.array(noise) < 0.5) > 0.95
    assert np.mean(np.array(clicking) < 0.5) > 0.9
