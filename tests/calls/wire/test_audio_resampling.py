from itertools import accumulate, pairwise

import numpy as np
import pytest

from calls.errors import AudioError
from calls.wire.audio import Resampler, resample_whole
from tests.calls.sounds import Sound, to_pcm, tone

# Whole ratios, the sound cards' rates, and pairs whose cycle is longer than any table.
PAIRS = [
    (8_000, 16_000),
    (16_000, 8_000),
    (8_000, 48_000),
    (48_000, 8_000),
    (48_000, 16_000),
    (24_000, 16_000),
    (22_050, 16_000),
    (22_050, 48_000),
    (44_100, 16_000),
    (48_000, 44_100),
    (11_025, 8_000),
    (11_025, 32_000),
    (8_001, 48_000),
    (47_999, 8_000),
]


def noise(rate: int, seconds: float, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).integers(-32_768, 32_768, int(rate * seconds)).astype("<i2").tobytes()


def whole(pcm: bytes, source_hz: int, target_hz: int) -> bytes:
    resampler = Resampler(source_hz, target_hz)
    return resampler.feed(pcm) + resampler.flush()


def in_pieces(pcm: bytes, sizes: list[int], source_hz: int, target_hz: int) -> bytes:
    resampler = Resampler(source_hz, target_hz)
    borders = [0, *accumulate(sizes), len(pcm)]
    return b"".join(resampler.feed(pcm[start:end]) for start, end in pairwise(borders)) + resampler.flush()


def samples(pcm: bytes) -> Sound:
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def distance_db(made: Sound, wanted: Sound) -> float:
    return float(10 * np.log10(np.mean((made - wanted) ** 2) / np.mean(wanted**2)))


@pytest.mark.parametrize(("source_hz", "target_hz"), PAIRS)
def test_pieces_give_the_whole_to_the_last_bit(source_hz: int, target_hz: int) -> None:
    pcm = noise(source_hz, 1.0)
    wanted = whole(pcm, source_hz, target_hz)
    frames = [source_hz // 50 * 2] * 40
    random = [int(size) * 2 for size in np.random.default_rng(1).integers(0, 700, 20)]
    for sizes in (frames, random, [2, 0, 4, 2, 66, 2], [len(pcm) - 2]):
        assert in_pieces(pcm, sizes, source_hz, target_hz) == wanted


@pytest.mark.parametrize(("source_hz", "target_hz"), PAIRS)
def test_less_than_two_and_a_half_ms_are_held_back_and_the_flush_gives_them(source_hz: int, target_hz: int) -> None:
    resampler = Resampler(source_hz, target_hz)
    frame = source_hz // 50
    heard = made = 0
    for _ in range(50):
        made += len(resampler.feed(noise(frame, 1))) // 2
        heard += frame
        assert heard / source_hz - made / target_hz < 0.0025
    made += len(resampler.flush()) // 2
    assert made == -(-heard * target_hz // source_hz)


@pytest.mark.parametrize(("source_hz", "target_hz"), [(44_100, 16_000), (11_025, 8_000), (8_001, 48_000)])
def test_ten_minutes_do_not_drift(source_hz: int, target_hz: int) -> None:
    resampler = Resampler(source_hz, target_hz)
    second = bytes(2 * source_hz)
    made = sum(len(resampler.feed(second)) for _ in range(599))
    click = np.zeros(source_hz)
    click[source_hz // 2] = 30_000
    last = samples(resampler.feed(to_pcm(click)) + resampler.flush())
    assert (made // 2 + len(last)) == 600 * target_hz
    at = made // 2 + int(np.argmax(np.abs(last)))
    assert at == pytest.approx(599 * target_hz + source_hz // 2 * target_hz / source_hz, abs=1)


@pytest.mark.parametrize(("source_hz", "target_hz"), PAIRS)
@pytest.mark.parametrize("share", [0.03, 0.25, 0.5, 0.75])
def test_a_tone_stays_that_tone(source_hz: int, target_hz: int, share: float) -> None:
    hz = share * min(source_hz, target_hz) / 2
    made = samples(whole(to_pcm(tone(source_hz, hz, source_hz)), source_hz, target_hz))
    wanted = tone(target_hz, hz, target_hz)
    inside = slice(target_hz // 20, -target_hz // 20)
    assert distance_db(made[inside], wanted[inside]) < -60


@pytest.mark.parametrize(
    ("source_hz", "target_hz"), [(16_000, 8_000), (48_000, 16_000), (44_100, 8_000), (22_050, 16_000)]
)
def test_what_the_lower_rate_cannot_hold_disappears(source_hz: int, target_hz: int) -> None:
    pcm = to_pcm(tone(source_hz, 1.125 * target_hz / 2, source_hz))
    made = samples(whole(pcm, source_hz, target_hz))[target_hz // 20 : -target_hz // 20]
    assert 20 * np.log10(np.sqrt(np.mean(made**2)) / np.sqrt(np.mean(samples(pcm) ** 2))) < -77


@pytest.mark.parametrize(("source_hz", "target_hz"), PAIRS)
def test_a_constant_has_no_ripple(source_hz: int, target_hz: int) -> None:
    made = samples(whole(to_pcm(np.full(source_hz // 4, 12_345.0)), source_hz, target_hz))
    assert set(made[target_hz // 50 : -target_hz // 50]) == {12_345.0}


def test_the_overshoot_of_a_full_step_is_clipped_and_never_wraps() -> None:
    made = samples(whole(to_pcm(np.repeat([-32_768.0, 32_767.0], 400)), 8_000, 48_000))
    assert (made.min(), made.max()) == (-32_768, 32_767)
    assert (made[200:2390].max() < -25_000, made[2410:-200].min() > 25_000) == (True, True)


def test_half_a_sample_is_refused_and_changes_nothing() -> None:
    pcm = noise(16_000, 0.1)
    resampler = Resampler(16_000, 8_000)
    made = resampler.feed(pcm[:1600])
    with pytest.raises(AudioError, match="not 321"):
        resampler.feed(pcm[1600:1921])
    assert made + resampler.feed(pcm[1600:]) + resampler.flush() == whole(pcm, 16_000, 8_000)


def test_a_flushed_resampler_begins_anew() -> None:
    resampler = Resampler(24_000, 16_000)
    pcm = noise(24_000, 0.1)
    assert [resampler.feed(pcm) + resampler.flush() for _ in range(2)] == [whole(pcm, 24_000, 16_000)] * 2


def test_nothing_comes_of_nothing() -> None:
    resampler = Resampler(8_000, 16_000)
    assert (resampler.feed(b""), resampler.flush()) == (b"", b"")


def test_equal_rates_pass() -> None:
    resampler = Resampler(11_025, 11_025)
    assert (resampler.feed(b"abcd"), resampler.flush()) == (b"abcd", b"")
    with pytest.raises(AudioError, match="even number of bytes"):
        resampler.feed(b"abc")


@pytest.mark.parametrize(("source_hz", "target_hz"), [(7_999, 16_000), (16_000, 48_001), (0, 8_000), (-8_000, 8_000)])
def test_a_rate_out_of_range_is_refused(source_hz: int, target_hz: int) -> None:
    with pytest.raises(AudioError, match=f"8000 to 48000 Hz, not from {source_hz} to {target_hz}"):
        Resampler(source_hz, target_hz)


def test_a_whole_piece_keeps_its_tone_and_its_length() -> None:
    made = samples(resample_whole(to_pcm(tone(22_050, 440, 22_050)), 22_050, 8_000))
    assert len(made) == 8_000
    assert distance_db(made[400:-400], tone(8_000, 440, 8_000)[400:-400]) < -60


def test_a_whole_piece_of_the_same_rate_or_of_nothing_passes() -> None:
    assert (resample_whole(b"abcd", 8_000, 8_000), resample_whole(b"", 8_000, 16_000)) == (b"abcd", b"")


def test_a_whole_piece_with_half_a_sample_is_refused() -> None:
    with pytest.raises(AudioError, match="even number of bytes"):
        resample_whole(b"abc", 8_000, 16_000)
