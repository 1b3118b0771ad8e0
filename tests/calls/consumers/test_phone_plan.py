from typing import Any

import pytest
from pytest_django import Settings

from calls.consumers.phone.plan import options_of
from calls.engine.events import SpokenTurn
from calls.engine.history import Earlier
from calls.enums import Direction, Speaker
from calls.runner.options import CallOptions
from calls.wire.twilio import LINE_FORMAT
from tests.calls.consumers.phone_driver import Planned
from tests.calls.runner.fakes import agent


def plan(**fields: Any) -> Planned:
    return Planned(agent(opening="Hello."), {"name": "Bo"}, **fields)


def test_a_first_stream_begins_with_the_opening_in_the_agents_language(settings: Settings) -> None:
    settings.PHONE_LEAD_MS, settings.RESUME_LINE = 300, "Sorry."
    assert options_of(plan()) == CallOptions(
        input=LINE_FORMAT,
        output=LINE_FORMAT,
        variables={"name": "Bo"},
        lead_ms=300,
        first_chunk_ms=40,
        chunk_ms=100,
        cancel_gap_ms=0,
        earlier=Earlier((), "Sorry."),
        telephone=Direction.INBOUND,
    )


def test_a_later_stream_knows_what_was_said_and_whether_the_notice_was_heard(settings: Settings) -> None:
    settings.RESUME_LINE = "Sorry."
    said = (SpokenTurn(0, Speaker.CALLER, "Hi.", 0, 900),)
    known = options_of(plan(history=said, earlier_seconds=9.0, is_noticed=False)).earlier
    assert known == Earlier(said, "Sorry.", 9.0, is_noticed=False)
    assert options_of(plan(resume_line="Nobody took it.")).earlier.resume_line == "Nobody took it."


@pytest.mark.parametrize("is_briefing", [True, False])
def test_a_colleague_hears_the_briefing_to_its_end(*, is_briefing: bool) -> None:
    assert options_of(plan(is_briefing=is_briefing)).protects_opening is is_briefing


def test_an_operators_last_line_stands_alone() -> None:
    assert not options_of(plan(last_line="Goodbye.")).opening
