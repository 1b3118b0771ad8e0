"""Sounds made by code: something that voice activity models take for speech, and things that they should not."""

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]

# Centres of the first three formants of five vowels, Hz (after Peterson and Barney, 1952).
_VOWELS = np.array([[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240], [530, 1840, 2480], [570, 840, 2410]])
_FORMANTS = ((1.0, 90.0), (0.6, 110.0), (0.3, 150.0))
_SYLLABLES_PER_SECOND = 5


def voice(rate: int, duration_ms: float, *, seed: int = 0, level_dbfs: float = -20.0) -> Sound:
    """Speech-like sound: harmonics of a wandering pitch, shaped by the formants of changing vowels, in syllables."""
    rng = np.random.default_rng(seed)
    at = np.arange(round(rate * duration_ms / 1000)) / rate
    pitch = 120 + 25 * np.sin(2 * np.pi * 2.3 * at) + 10 * np.sin(2 * np.pi * 5 * at + 1)
    phase = np.cumsum(pitch) / rate
    count = int(duration_ms / 1000 * _SYLLABLES_PER_SECOND) + 1
    vowels = _VOWELS[rng.integers(0, len(_VOWELS), count)]
    middles = (np.arange(count) + 0.5) / _SYLLABLES_PER_SECOND
    centres = [np.interp(at, middles, vowels[:, formant]) for formant in range(3)]
    sound = np.zeros(len(at))
    for harmonic in range(1, 33):
        hz = harmonic * pitch
        strength = sum(
            gain / (1 + ((hz - centre) / width) ** 2) for centre, (gain, width) in zip(centres, _FORMANTS, strict=True)
        )
        sound += strength / harmonic**0.3 * np.sin(2 * np.pi * harmonic * phase) * (hz < 0.47 * rate)
    sound *= 0.35 + 0.65 * np.abs(np.sin(np.pi * _SYLLABLES_PER_SECOND * at))
    return at_level(sound, level_dbfs)


def hiss(rate: int, duration_ms: float, *, seed: int = 0, level_dbfs: float = -70.0) -> Sound:
    """White noise."""
    return at_level(np.random.default_rng(seed).normal(size=round(rate * duration_ms / 1000)), level_dbfs)


def clicks(rate: int, duration_ms: float, *, seed: int = 0, per_second: int = 4) -> Sound:
    """Loud clicks of 2 ms at random places, such as a keyboard or a bad line makes."""
    rng = np.random.default_rng(seed)
    sound = np.zeros(round(rate * duration_ms / 1000))
    length = rate // 500
    for start in rng.integers(0, len(sound) - length, int(per_second * duration_ms / 1000)):
        sound[start : start + length] += rng.normal(0, 8_000, length)
    return sound


def tone(rate: int, hz: float, samples: int, *, amplitude: float = 16_000.0) -> Sound:
    """A sine."""
    return amplitude * np.sin(2 * np.pi * hz * np.arange(samples) / rate)


def at_level(sound: Sound, level_dbfs: float) -> Sound:
    """Scale to this mean level."""
    scaled: Sound = sound * (32_768 * 10 ** (level_dbfs / 20) / np.sqrt(np.mean(sound**2)))
    return scaled


def to_pcm(*sounds: Sound) -> bytes:
    """Give PCM16 of sounds, one after the other."""
    return np.clip(np.rint(np.concatenate(sounds)), -32_768, 32_767).astype("<i2").tobytes()
