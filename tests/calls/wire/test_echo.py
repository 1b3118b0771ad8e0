"""The agent's voice that comes back from a speakerphone, told from a caller who speaks over it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from calls.wire.echo import FRAME_MS, EchoGuard

RATE = 8000
FRAME = int(RATE * FRAME_MS / 1000)
SPEECH_RMS = 3000.0


def speech(seed: int, seconds: float) -> NDArray[np.float64]:
    """Give noise that swells and falls as syllables do."""
    random = np.random.default_rng(seed)
    count = int(seconds * 1000 / FRAME_MS)
    lengths = random.integers(4, 13, count)
    syllables = np.repeat(random.uniform(0, 1, count) ** 2, lengths)[:count]
    return np.repeat(syllables, FRAME) * random.standard_normal(count * FRAME) * SPEECH_RMS


def pcm(samples: NDArray[np.float64]) -> bytes:
    """Give 16 bit."""
    return np.rint(np.clip(samples, -32_768, 32_767)).astype("<i2").tobytes()


def late(samples: NDArray[np.float64], ms: float, db: float) -> NDArray[np.float64]:
    """Give what a room makes of it."""
    delay = int(ms * RATE / 1000)
    return np.concatenate([np.zeros(delay), samples])[: len(samples)] * 10 ** (db / 20)


def level(sound: bytes) -> float:
    """Give the loudness of all of it in dB of full scale."""
    samples = np.frombuffer(sound, "<i2").astype(np.float64)
    return float(20 * np.log10(np.sqrt((samples**2).mean()) / 32_768 + 1e-9))


def cleaned(guard: EchoGuard, heard: NDArray[np.float64], from_ms: float = 0.0) -> list[bytes]:
    """Let the guard hear frame after frame."""
    frames = [pcm(heard[at : at + FRAME]) for at in range(0, len(heard), FRAME)]
    return [guard.clean(from_ms + number * FRAME_MS, frame) for number, frame in enumerate(frames)]


@pytest.mark.parametrize(("ms", "db"), [(180, -22), (60, -30), (400, -15)])
def test_an_echo_is_found_in_the_first_words_and_made_quiet_from_then_on(ms: float, db: float) -> None:
    guard, agent = EchoGuard(), speech(1, 8)
    guard.play(0.0, pcm(agent), RATE)
    heard = late(agent, ms, db)
    frames = cleaned(guard, heard)
    assert guard.echo is not None
    assert abs(guard.echo.late_frames * FRAME_MS - ms) <= FRAME_MS
    assert abs(20 * np.log10(guard.echo.share) - db) < 2
    tail = b"".join(frames[200:])
    assert level(tail) < level(pcm(heard[200 * FRAME :])) - 25


def test_who_speaks_over_the_agent_is_heard_whole_although_the_agent_comes_back_too() -> None:
    guard, agent = EchoGuard(), speech(2, 10)
    guard.play(0.0, pcm(agent), RATE)
    heard = late(agent, 180, -22)
    caller = np.zeros(len(heard))
    caller[400 * FRAME :] = speech(3, 10)[: len(heard) - 400 * FRAME]
    frames = cleaned(guard, heard + caller)
    loud = [at for at in range(400, 500) if np.sqrt((caller[at * FRAME : (at + 1) * FRAME] ** 2).mean()) > 1000]
    assert [at for at in loud if frames[at] != pcm((heard + caller)[at * FRAME : (at + 1) * FRAME])] == []


def test_two_who_talk_at_once_are_no_echo_of_each_other() -> None:
    for seed in range(10, 30):
        guard = EchoGuard()
        guard.play(0.0, pcm(speech(seed, 12)), RATE)
        caller = speech(seed + 100, 12) * 0.2
        assert b"".join(cleaned(guard, caller)) == pcm(caller)
        assert guard.echo is None


def test_nothing_is_taken_from_a_caller_while_the_agent_is_silent() -> None:
    guard, agent = EchoGuard(), speech(4, 6)
    guard.play(0.0, pcm(agent), RATE)
    cleaned(guard, late(agent, 180, -22))
    assert guard.echo is not None
    whisper = speech(5, 3) * 0.02
    assert b"".join(cleaned(guard, whisper, from_ms=7000.0)) == pcm(whisper)


def test_what_was_cut_is_expected_back_no_more() -> None:
    guard, agent = EchoGuard(), speech(6, 6)
    guard.play(0.0, pcm(agent), RATE)
    cleaned(guard, late(agent, 180, -22))
    guard.play(6000.0, pcm(agent), RATE)
    guard.cut(6000.0)
    whisper = speech(7, 3) * 0.02
    assert b"".join(cleaned(guard, whisper, from_ms=6400.0)) == pcm(whisper)


def test_an_echo_that_has_ended_is_forgotten() -> None:
    guard, agent = EchoGuard(), speech(8, 6)
    guard.play(0.0, pcm(agent), RATE)
    cleaned(guard, late(agent, 180, -22))
    assert guard.echo is not None
    guard.play(6000.0, pcm(speech(9, 6)), RATE)
    cleaned(guard, np.zeros(6 * RATE), from_ms=6000.0)
    assert guard.echo is None


def test_a_call_of_any_length_is_followed() -> None:
    guard = EchoGuard()
    for start in (0.0, 3_600_000.0):
        guard.echo = None
        agent = speech(11, 6)
        guard.play(start, pcm(agent), RATE)
        cleaned(guard, late(agent, 180, -22), from_ms=start)
        assert guard.echo is not None
