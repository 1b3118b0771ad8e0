from dataclasses import dataclass

import pytest
from prometheus_client import REGISTRY
from uuid_utils.compat import uuid7

from calls.engine.events import Latency
from calls.enums import Speaker
from calls.recorder.counting import count, count_totals
from calls.runner.ports import CallTotals
from calls.services import EventFact, TurnFact
from tests.calls import rows

ID = uuid7()


@dataclass
class Change:
    """One sample of the registry, and by how much a test has moved it."""

    name: str
    labels: dict[str, str]

    def __post_init__(self) -> None:
        self.before = self.value

    @property
    def value(self) -> float:
        return REGISTRY.get_sample_value(self.name, self.labels) or 0.0

    @property
    def by(self) -> float:
        return round(self.value - self.before, 6)


def test_a_turn_is_counted_with_each_part_of_its_latency_in_seconds() -> None:
    turns = Change("vantum_turns_total", {"speaker": "agent"})
    parts = {
        part: Change("vantum_turn_latency_seconds_sum", {"part": part})
        for part in ("endpointing", "stt", "llm", "tts", "total")
    }
    latency = Latency(endpointing=500, stt=20, llm=300, tts=90, total=910)
    count(TurnFact(ID, rows.spoken(0, speaker=Speaker.AGENT, latency=latency)))
    count(TurnFact(ID, rows.spoken(1, speaker=Speaker.AGENT)))
    assert turns.by == 2
    assert {part: change.by for part, change in parts.items()} == {
        "endpointing": 0.5, "stt": 0.02, "llm": 0.3, "tts": 0.09, "total": 0.91
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "detail", "name", "labels"),
    [
        ("barge_in", {"reply": 1, "reason": "barge_in"}, "vantum_interruptions_total", {"reason": "barge_in"}),
        (
            "provider_failed",
            {"role": "llm", "provider": "openai", "error": "ProviderTimeoutError"},
            "vantum_provider_failures_total",
            {"role": "llm", "provider": "openai", "error": "ProviderTimeoutError"},
        ),
    ],
)
def test_an_event_is_counted_under_its_labels(
    kind: str, detail: dict[str, object], name: str, labels: dict[str, str]
) -> None:
    change = Change(name, labels)
    count(EventFact(ID, 0, kind, 10, detail))
    count(EventFact(ID, 1, "backchannel", 20, {"utterance": 1}))
    assert change.by == 1


def test_what_the_audio_of_a_call_suffered_is_counted_at_its_end() -> None:
    dropped = Change("vantum_audio_dropped_seconds_total", {})
    unconverted = Change("vantum_audio_conversion_errors_total", {})
    count_totals(CallTotals(dropped_input_ms=1500, conversion_errors=3))
    assert (dropped.by, unconverted.by) == (1.5, 3)
