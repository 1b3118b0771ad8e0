import pytest

from calls import services as call_services
from calls.services import EventFact
from campaigns.analytics.evidence import Line, gather
from tests.calls import rows

pytestmark = pytest.mark.django_db


def test_a_finished_call_is_read_with_its_turns_and_events() -> None:
    session = rows.ended_call(with_agent=rows.agent(), seconds=7)
    call_services.record_turns([rows.turn_fact(session.pk, 1, "bye"), rows.turn_fact(session.pk, 0, "hello")])
    call_services.record_events([EventFact(session.pk, 0, "dtmf", 5, {"digit": "1"})])
    evidence = gather(session.pk)
    assert evidence is not None
    assert evidence.lines == (Line("caller", "hello"), Line("caller", "bye"))  # type: ignore[arg-type]  # (a StrEnum)
    assert (evidence.duration_ms, evidence.events, evidence.rubric) == (7000, frozenset({"dtmf"}), "")


def test_a_call_that_is_not_over_is_not_read() -> None:
    assert gather(rows.live_call()) is None
