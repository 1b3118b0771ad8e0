from datetime import timedelta
from uuid import uuid4

import pytest

from calls import services
from calls.enums import AttemptStatus, Door, EndReason, Speaker
from calls.models import CallAttempt
from calls.services import StreamGrant
from calls.services.watching import describe_call, in_words, masked, stored_turns
from tests.calls import phones, rows

pytestmark = pytest.mark.django_db


def test_a_number_is_shown_so_that_nobody_can_dial_it() -> None:
    numbers = ("+15005550101", "+442079460000", "")
    assert [masked(number) for number in numbers] == ["+1 ••• ••• ••01", "+4 ••• ••• ••00", "withheld"]


def test_a_call_is_described_from_its_beginning_to_its_stored_end() -> None:
    attempt = phones.attempt()
    assert describe_call(uuid4()) is None
    assert describe_call(attempt.pk) == {
        "status": "dialing",
        "status_words": "Dialing",
        "is_over": False,
        "is_stored": True,
        "answered_by": "",
        "end_reason": "",
        "error": "",
        "answered_at": "",
        "ended_at": "",
        "session": "",
    }
    session_id = rows.live_call(door=Door.PHONE)
    services.advance_attempt(attempt.pk, AttemptStatus.IN_PROGRESS, at=rows.BEGAN)
    services.note_machine_detection(attempt.pk, "machine_end_beep")
    CallAttempt.objects.update(session_id=uuid4())
    assert stored(attempt) == ("In progress", "machine end beep", False, "", "")
    CallAttempt.objects.update(session_id=session_id)
    assert stored(attempt) == ("In progress", "machine end beep", False, "", str(session_id))
    ended_at = rows.BEGAN + timedelta(seconds=9)
    services.finish_call(
        session_id, reason=EndReason.AGENT_SAID_GOODBYE, ended_at=ended_at, duration_ms=9000, totals={}
    )
    services.advance_attempt(attempt.pk, AttemptStatus.COMPLETED, at=ended_at)
    assert stored(attempt) == ("Completed", "machine end beep", True, "Agent said goodbye", str(session_id))
    assert in_words(CallAttempt.objects.get()) == "Completed"


def stored(attempt: CallAttempt) -> tuple[object, ...]:
    facts = describe_call(attempt.pk) or {}
    return tuple(facts[name] for name in ("status_words", "answered_by", "is_stored", "end_reason", "session"))


def test_what_was_said_on_all_streams_comes_in_order() -> None:
    attempt = phones.attempt()
    first, second = rows.live_call(), rows.live_call(began=rows.BEGAN + timedelta(seconds=30))
    for number, session_id in ((1, first), (2, second)):
        services.ask_for_stream(attempt.pk, number, at=rows.BEGAN)
        services.open_stream(StreamGrant(attempt.pk, number), session_id, at=rows.BEGAN, not_before=rows.BEGAN)
    services.record_turns(
        [
            rows.turn_fact(second, 0, "back again"),
            rows.turn_fact(first, 1, "hello"),
            rows.turn_fact(first, 0, "good day", speaker=Speaker.AGENT, interrupted=True),
        ]
    )
    assert [(turn["speaker"], turn["text"], turn["is_interrupted"]) for turn in stored_turns(attempt.pk)] == [
        ("agent", "good day", True),
        ("caller", "hello", False),
        ("caller", "back again", False),
    ]
    assert len({turn["key"] for turn in stored_turns(attempt.pk)}) == 3
    assert stored_turns(uuid4()) == []
