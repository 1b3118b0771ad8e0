"""Telephone keys as sound, and the beep of an answering machine among everything else that sounds."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from calls.enums import AudioEncoding
from calls.wire.audio import decode, encode
from calls.wire.tones import KEYS, Beep, BeepDetector, keys_pcm
from tests.calls import sounds
from tests.calls.sounds import Sound

RATES = (8000, 16_000, 22_050, 48_000)


def quiet(duration_ms: float, rate: int = 8000) -> Sound:
    return np.zeros(round(rate * duration_ms / 1000))


def tone(hz: float, duration_ms: float, rate: int = 8000, amplitude: float = 8000.0) -> Sound:
    return sounds.tone(rate, hz, round(rate * duration_ms / 1000), amplitude=amplitude)


def beeps(*parts: Sound, rate: int = 8000, step: int = 320) -> list[Beep]:
    """What is found in a sound that came over a telephone line, in pieces of ``step`` bytes."""
    pcm = decode(encode(sounds.to_pcm(*parts), AudioEncoding.MULAW), AudioEncoding.MULAW)
    detector = BeepDetector(rate)
    return [beep for at in range(0, len(pcm), step) if (beep := detector.hear(pcm[at : at + step]))]


# --- keys -------------------------------------------------------------------------------------------------------------


def power_at(samples: NDArray[np.float64], hz: float, rate: int) -> float:
    """Goertzel's question, asked directly: how much of this frequency there is, as an amplitude."""
    turns = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / rate)
    return float(abs(2 * np.mean(samples * turns)))


@pytest.mark.parametrize("rate", RATES)
def test_each_key_sounds_its_two_frequencies_for_100_ms_and_is_silent_for_100_ms(rate: int) -> None:
    assert sorted(KEYS) == sorted("0123456789*#ABCD")
    frequencies = sorted({hz for pair in KEYS.values() for hz in pair})
    assert frequencies == [697, 770, 852, 941, 1209, 1336, 1477, 1633]
    keys = "0123456789*#ABCD"
    samples = np.frombuffer(keys_pcm(keys, rate), "<i2") / 32_768
    on = round(rate * 0.1)
    assert len(samples) == 2 * on * len(keys)
    for at, key in enumerate(keys):
        sound, pause = samples[2 * on * at :][:on], samples[2 * on * at + on :][:on]
        powers = {hz: power_at(sound, hz, rate) for hz in frequencies}
        assert tuple(sorted(powers, key=lambda hz: powers[hz])[-2:]) in {KEYS[key], KEYS[key][::-1]}
        loudest = sorted(powers.values())
        assert loudest[-3] < 0.1 * loudest[-2]
        assert not pause.any()


def test_the_high_group_is_two_decibels_louder_and_nothing_clips() -> None:
    samples = np.frombuffer(keys_pcm("5", 8000), "<i2") / 32_768
    low, high = (power_at(samples[:800], hz, 8000) for hz in KEYS["5"])
    assert 20 * np.log10(high / low) == pytest.approx(2.0, abs=0.5)
    assert 0.5 < np.abs(samples).max() < 0.65


def test_a_key_begins_and_ends_without_a_click() -> None:
    samples = np.frombuffer(keys_pcm("9", 8000), "<i2").astype(float)
    assert max(abs(a) for a in (*samples[:3], *samples[797:800])) < 2500


def test_lengths_of_keys_and_pauses_can_be_chosen() -> None:
    assert len(keys_pcm("12", 8000, on_ms=50, off_ms=80)) == 2 * 8 * 2 * 130
    assert keys_pcm("", 8000) == b""
    assert keys_pcm("1", 8000, on_ms=0, off_ms=10) == bytes(160)


@pytest.mark.parametrize("digits", ["12w3", "a", "1 2", "é"])
def test_what_is_no_key_is_refused_by_name(digits: str) -> None:
    with pytest.raises(ValueError, match="no telephone has the key"):
        keys_pcm(digits, 8000)


# --- the beep ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("hz", [400, 440, 1000, 2000])
@pytest.mark.parametrize("duration_ms", [150, 157, 400, 1990])
def test_a_beep_is_found_with_its_frequency_and_its_place(rate: int, hz: int, duration_ms: int) -> None:
    (beep,) = beeps(quiet(507, rate), tone(hz, duration_ms, rate), quiet(300, rate), rate=rate)
    assert beep.hz == pytest.approx(hz, abs=5)
    assert beep.started_ms == pytest.approx(507, abs=20)
    assert beep.ended_ms == pytest.approx(507 + duration_ms, abs=20)


def test_a_beep_after_a_spoken_greeting_is_found_once_and_the_greeting_is_none() -> None:
    greeting = sounds.voice(8000, 4000, seed=3)
    (beep,) = beeps(greeting, quiet(700), tone(1400, 500), quiet(2000))
    assert (round(beep.started_ms, -2), round(beep.ended_ms, -2)) == (4700, 5200)


def test_a_beep_is_told_120_ms_after_its_end() -> None:
    pcm = sounds.to_pcm(quiet(200), tone(1000, 400), quiet(1000))
    detector = BeepDetector(8000)
    told_at = [at / 16 for at in range(0, len(pcm), 320) if detector.hear(pcm[at : at + 320])]
    assert [600 < at <= 740 for at in told_at] == [True]


def test_the_size_of_the_pieces_does_not_matter() -> None:
    parts = (quiet(300), tone(1000, 300), quiet(500), tone(800, 200), quiet(400))
    found = beeps(*parts)
    assert len(found) == 2
    for step in (2, 30, 1000):
        assert beeps(*parts, step=step) == found


@pytest.mark.parametrize("amplitude", [400, 1000, 30_000])
def test_quiet_and_loud_beeps_are_found(amplitude: float) -> None:
    assert len(beeps(quiet(200), tone(1000, 400, amplitude=amplitude), quiet(500))) == 1


@pytest.mark.parametrize("snr_db", [30, 20, 16])
def test_a_noisy_line_hides_no_beep(snr_db: float) -> None:
    sound = np.concatenate([quiet(1000), tone(1000, 400), quiet(1000)])
    noise = np.random.default_rng(1).normal(0, 8000 / np.sqrt(2) * 10 ** (-snr_db / 20), len(sound))
    assert len(beeps(sound + noise)) == 1


@pytest.mark.parametrize(
    ("hz", "duration_ms"), [(1000, 110), (1000, 2200), (1000, 6000), (300, 500), (2200, 500), (50, 500)]
)
def test_a_tone_too_short_too_long_too_low_or_too_high_is_no_beep(hz: float, duration_ms: float) -> None:
    assert beeps(quiet(300), tone(hz, duration_ms), quiet(500)) == []


def test_a_tone_that_does_not_end_in_silence_is_no_beep() -> None:
    assert beeps(tone(1000, 400), sounds.voice(8000, 1000)) == []
    assert beeps(tone(1000, 400), tone(1200, 400), tone(900, 3000)) == []
    assert beeps(tone(1000, 400), quiet(60), sounds.voice(8000, 300)) == []


def test_a_tone_that_glides_or_swells_is_no_beep() -> None:
    at = np.arange(4000) / 8000
    glide = 8000 * np.sin(2 * np.pi * (600 * at + 400 * at**2))
    swell = tone(1000, 500) * np.linspace(0.05, 1, 4000)
    assert beeps(glide, quiet(500)) == []
    assert beeps(swell[:1600], quiet(500)) == []


@pytest.mark.parametrize("pair", [(350, 440), (440, 480), (480, 620), (1000, 1100)])
@pytest.mark.parametrize("duration_ms", [300, 500, 1900])
def test_dial_ringing_and_busy_tones_of_two_frequencies_are_no_beep(
    pair: tuple[float, float], duration_ms: float
) -> None:
    assert beeps(tone(pair[0], duration_ms) + tone(pair[1], duration_ms), quiet(500)) == []


def test_keys_are_no_beep() -> None:
    keys = np.frombuffer(keys_pcm("0123456789*#ABCD", 8000, on_ms=400, off_ms=300), "<i2").astype(float)
    assert beeps(keys, quiet(500)) == []


@pytest.mark.parametrize("pitch", [1.0, 1.5, 2.0])
def test_half_a_minute_of_speech_with_pauses_holds_no_beep(pitch: float) -> None:
    """Speech at three pitches: 120, 180 and 240 Hz."""
    found = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        slow = sounds.voice(round(8000 / pitch), 15_000 * pitch, seed=seed)
        is_spoken = np.repeat(rng.random(len(slow) // 4000 + 1) > 0.4, 4000)[: len(slow)]
        found += beeps(slow * is_spoken)
    assert found == []


def test_music_with_rests_holds_no_beep() -> None:
    """Plucked notes of four harmonics, one or two at a time, from 220 to 1,660 Hz."""
    found = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        parts = []
        for step in rng.integers(0, 36, 40):
            hz, duration_ms = 220 * 2 ** (step / 12), rng.choice([120, 250, 500])
            note = plucked(hz, duration_ms)
            parts += [note if rng.random() < 0.5 else note + plucked(hz * 2 ** (1 / 3), duration_ms)]
            parts += [quiet(rng.choice([0, 50, 120, 250]))]
        found += beeps(*parts)
    assert found == []


def plucked(hz: float, duration_ms: float) -> Sound:
    at = np.arange(round(8 * duration_ms)) / 8000
    harmonics = sum(level * np.sin(2 * np.pi * hz * n * at) for n, level in ((1, 1.0), (2, 0.5), (3, 0.3), (4, 0.2)))
    return np.asarray(5000 * np.exp(-3 * at) * harmonics)


def test_noise_clicks_and_silence_hold_no_beep() -> None:
    assert beeps(sounds.hiss(8000, 10_000, level_dbfs=-25)) == []
    assert beeps(sounds.clicks(8000, 10_000)) == []
    assert beeps(quiet(10_000)) == []


def test_two_beeps_are_two() -> None:
    found = beeps(quiet(100), tone(1000, 200), quiet(300), tone(1000, 600), quiet(300))
    assert [round(beep.ended_ms - beep.started_ms, -2) for beep in found] == [200, 600]
    assert all(a.ended_ms < b.started_ms for a, b in pairwise(found))
