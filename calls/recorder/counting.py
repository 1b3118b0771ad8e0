"""What an operator watches of the calls' facts, counted as each is recorded. A replay counts nothing a second time."""

from calls.recorder.facts import Fact
from calls.runner.ports import CallTotals
from calls.services import EventFact, TurnFact
from vantum.metrics import (
    AUDIO_DROPPED,
    CONVERSION_ERRORS,
    INTERRUPTIONS,
    PROVIDER_FAILURES,
    TURN_LATENCY,
    TURNS,
)


def count(fact: Fact) -> None:
    """Count a turn with its latency, an interruption or a provider's failure."""
    match fact:
        case TurnFact(turn=turn):
            TURNS.labels(speaker=turn.speaker).inc()
            if (latency := turn.latency) is not None:
                for part in latency.__struct_fields__:
                    TURN_LATENCY.labels(part=part).observe(getattr(latency, part) / 1000)
        case EventFact(kind="barge_in", detail=detail):
            INTERRUPTIONS.labels(reason=detail.get("reason")).inc()
        case EventFact(kind="provider_failed", detail=detail):
            PROVIDER_FAILURES.labels(*map(detail.get, ("role", "provider", "error"))).inc()


def count_totals(totals: CallTotals) -> None:
    """Count what a call's audio has suffered."""
    AUDIO_DROPPED.inc(totals.dropped_input_ms / 1000)
    CONVERSION_ERRORS.inc(totals.conversion_errors)
