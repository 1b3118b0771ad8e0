from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from calls.engine.events import Latency, Usage
from calls.enums import Door, EndReason
from calls.models import CallEvent, CallSession, Recording, Turn
from calls.recorder.facts import (
    AgentAttached,
    CallEnded,
    CallOpened,
    Fact,
    RecordingClosed,
    decode,
    encode,
    now_utc,
    store,
)
from calls.services import EventFact
from tests.calls import rows


def whole_call() -> list[Fact]:
    session_id = uuid7()
    return [
        CallOpened(session_id, Door.CONSOLE, None, "here", rows.BEGAN),
        AgentAttached(session_id, None, None, "en-US", {"name": "Ada"}, "spring"),
        rows.turn_fact(session_id, 0, latency=Latency(1, 2, 3, 4, 5), usage=Usage(6, 7), confidence=0.5),
        EventFact(session_id, 0, "barge_in", 20, {"reply": 1, "deep": [None, {"a": 1.5}]}),
        RecordingClosed(session_id, "ab/x.wav", 16_000, 5000, 0, complete=True),
        CallEnded(session_id, EndReason.SILENCE, rows.BEGAN + timedelta(seconds=5), 5000, {"reconnects": 0}),
    ]


def test_every_fact_survives_its_line() -> None:
    facts = whole_call()
    assert [decode(encode(fact)[:-1]) for fact in facts] == facts


@pytest.mark.django_db
def test_a_whole_call_in_one_batch_becomes_its_rows_however_often_it_comes() -> None:
    facts = whole_call()
    for _ in range(3):
        store(facts)
    session = CallSession.objects.get()
    assert (session.door, session.campaign_id, session.end_reason) == ("console", "spring", "silence")
    assert (session.variables, session.duration_ms) == ({"name": "Ada"}, 5000)
    assert list(Turn.objects.values_list("text", "total_ms", "prompt_tokens")) == [("hello", 5, 6)]
    event = CallEvent.objects.get()
    assert (event.kind, event.detail) == ("barge_in", {"reply": 1, "deep": [None, {"a": 1.5}]})
    assert list(Recording.objects.values_list("path", "complete")) == [("ab/x.wav", True)]


def test_the_clock_knows_its_zone() -> None:
    assert now_utc().utcoffset() == timedelta(0)
