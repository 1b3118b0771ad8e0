import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from uuid_utils.compat import uuid7

from calls import analytics, services
from calls.engine.events import Latency, SpokenTurn, Usage
from calls.enums import Speaker
from calls.models import CallSession, Recording, Turn
from tests.calls import rows


@pytest.fixture
def recorded(settings: Any, tmp_path: Path) -> Callable[[np.ndarray], Path]:
    """Writes a recording of stereo frames."""
    settings.RECORDINGS_DIR = tmp_path

    def write(frames: np.ndarray) -> Path:
        path = tmp_path / "call.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((2, 2, 8000, 0, "NONE", ""))
            file.writeframes(frames.astype("<i2").tobytes())
        return path

    return write


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([7], 0.5, 7),
        ([7], 0.95, 7),
        ([4, 1, 3, 2], 0.5, 2),
        (list(range(1, 101)), 0.95, 95),
        ([1, 2], 0, 1),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(values: list[int], share: float, expected: int | None) -> None:
    assert analytics.percentile(values, share) == expected


def test_figures_of_a_conversation() -> None:
    turns = [
        Turn(speaker="agent", started_ms=0, ended_ms=3000, interrupted=True, prompt_tokens=10, completion_tokens=5),
        Turn(speaker="caller", started_ms=2500, ended_ms=3500),
    ]
    assert analytics.speech_figures(turns) == {
        "turns": 2,
        "interruptions": 1,
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "caller_ms": 1000,
        "agent_ms": 3000,
        "caller_share": 0.25,
        "agent_share": 0.75,
    }
    assert analytics.speech_figures([])["agent_share"] == 0


def test_peaks_are_the_loudest_samples_of_each_slice(recorded: Callable[[np.ndarray], Path]) -> None:
    frames = np.zeros((1000, 2), np.int16)
    frames[150, 0] = 16_384
    frames[999, 1] = -32_768
    peaks = analytics.waveform_peaks(recorded(frames), slices=10)
    assert peaks == [[0, 0], [50, 0], *[[0, 0]] * 7, [0, 100]]


def test_a_long_recording_is_read_in_blocks(
    recorded: Callable[[np.ndarray], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = np.random.default_rng(1).integers(-32_768, 32_767, (10_007, 2), np.int16)
    path = recorded(frames)
    whole = analytics.waveform_peaks(path, slices=50)
    monkeypatch.setattr(analytics, "_BLOCK_FRAMES", 1000)
    assert (analytics.waveform_peaks(path, slices=50), len(whole)) == (whole, 50)


@pytest.mark.parametrize("content", [None, b"", b"rubbish"])
def test_without_a_recording_there_are_no_peaks(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "call.wav"
    if content is not None:
        path.write_bytes(content)
    assert analytics.waveform_peaks(path) == []


def test_an_empty_recording_has_no_peaks(recorded: Callable[[np.ndarray], Path]) -> None:
    assert analytics.waveform_peaks(recorded(np.zeros((0, 2), np.int16))) == []


@pytest.mark.django_db
def test_a_finished_call_is_measured_and_measuring_it_again_changes_nothing(
    recorded: Callable[[np.ndarray], Path],
) -> None:
    session = rows.ended_call()
    answers = [
        SpokenTurn(index, Speaker.AGENT, "hi", 0, 100, latency=Latency(total=total), usage=Usage(3, 2))
        for index, total in enumerate((900, 500, 700))
    ]
    services.record_turns([services.TurnFact(session.pk, turn) for turn in answers])
    recorded(np.full((800, 2), 3277, np.int16))
    services.store_recording(session.pk, path="call.wav", rate=8000, duration_ms=100, missing_ms=0, complete=True)
    seen = []
    for _ in range(2):
        assert analytics.measure_call(session.pk)
        session.refresh_from_db()
        seen.append((session.latency_median_ms, session.latency_p95_ms, session.totals, Recording.objects.get().peaks))
    assert seen[0] == seen[1]
    assert seen[0][:2] == (700, 900)
    assert seen[0][2]["completion_tokens"] == 6
    assert seen[0][3] == [[10, 10]] * 400
    assert session.measured_at


@pytest.mark.django_db
def test_a_call_on_the_line_or_an_unknown_one_is_not_measured() -> None:
    live = rows.live_call()
    assert not analytics.measure_call(live)
    assert not analytics.measure_call(uuid7())
    assert CallSession.objects.get(pk=live).measured_at is None
