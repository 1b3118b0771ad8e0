import pytest

from calls.engine.events import Latency
from calls.engine.timing import Timing


def test_the_latency_has_its_parts() -> None:
    timing = Timing(
        speech_ended_at=1.0, waited_ms=50.0, decided_at=1.6, generate_at=1.3, first_delta_at=1.7, first_speak_at=1.8,
        first_audio_at=2.0,
    )  # fmt: skip
    latency = timing.latency()
    assert latency is not None
    assert latency.stt == 50.0
    parts = (latency.endpointing, latency.llm, latency.tts, latency.total)
    assert parts == pytest.approx((600.0, 400.0, 200.0, 1000.0))


def test_a_fixed_line_has_no_latency() -> None:
    assert Timing(first_audio_at=2.0).latency() is None
    assert Timing(speech_ended_at=2.0).latency() is None
    assert Timing(speech_ended_at=1.0, first_audio_at=1.5).latency() == Latency(total=500.0)
