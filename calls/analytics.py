"""What a finished call was: latencies, who spoke how much, the picture of its sound. Done twice, it gives the same."""

import math
import wave
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import numpy as np
from django.conf import settings
from django.utils import timezone

from calls import services
from calls.enums import Speaker
from calls.models import CallSession, Recording, Turn

SLICES = 600
"""Columns of a waveform: as many as a wide page can show."""
_LOUDEST = 32_768
_BLOCK_FRAMES = 1 << 20


def measure_call(session_id: UUID) -> bool:
    """Compute and store a call's figures. False: the call is not over, or gone."""
    session = CallSession.objects.ended().filter(pk=session_id).first()
    if session is None:
        return False
    turns = list(session.turns.all())
    latencies = [turn.total_ms for turn in turns if turn.total_ms is not None]
    recording = Recording.objects.filter(session_id=session_id).first()
    return services.store_measurement(
        session_id,
        latency_median_ms=percentile(latencies, 0.5),
        latency_p95_ms=percentile(latencies, 0.95),
        totals={**session.totals, **speech_figures(turns)},
        peaks=waveform_peaks(settings.RECORDINGS_DIR / recording.path) if recording else [],
        measured_at=timezone.now(),
    )


def percentile(values: Sequence[int], share: float) -> int | None:
    """Give the smallest value that at least ``share`` of the values do not exceed (nearest rank); None of nothing."""
    if not values:
        return None
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


def speech_figures(turns: Sequence[Turn]) -> dict[str, float]:
    """Count turns, interruptions, tokens, milliseconds of speech per side, and each side's share of them (0 to 1)."""
    spoken = {
        speaker: sum(turn.ended_ms - turn.started_ms for turn in turns if turn.speaker == speaker)
        for speaker in Speaker
    }
    everything = sum(spoken.values())
    return {
        "turns": len(turns),
        "interruptions": sum(turn.interrupted for turn in turns),
        "prompt_tokens": sum(turn.prompt_tokens or 0 for turn in turns),
        "completion_tokens": sum(turn.completion_tokens or 0 for turn in turns),
        **{f"{speaker}_ms": ms for speaker, ms in spoken.items()},
        **{f"{speaker}_share": round(ms / everything, 3) if everything else 0.0 for speaker, ms in spoken.items()},
    }


def waveform_peaks(path: Path, slices: int = SLICES) -> list[list[int]]:
    """Give the loudest sample of each slice of a stereo file in percent, ``[caller, agent]``; nothing of no file."""
    try:
        with wave.open(str(path), "rb") as file:
            frames = file.getnframes()
            width = max(math.ceil(frames / slices), 1)
            # Whole slices at a time: a long call does not fit into memory.
            block = max(_BLOCK_FRAMES // width, 1) * width
            peaks: list[list[int]] = []
            while content := file.readframes(block):
                peaks += _peaks(np.frombuffer(content, "<i2").reshape(-1, 2), width)
            return peaks
    except (OSError, wave.Error, EOFError):
        return []


def _peaks(frames: np.ndarray[tuple[int, ...], np.dtype[np.int16]], width: int) -> list[list[int]]:
    borders = np.arange(0, len(frames), width)
    loudest = np.maximum.reduceat(frames, borders).astype(np.int32)
    lowest = np.minimum.reduceat(frames, borders).astype(np.int32)
    percents: list[list[int]] = (np.maximum(loudest, -lowest) * 100 // _LOUDEST).tolist()
    return percents
