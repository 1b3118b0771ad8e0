from datetime import date

import msgspec
import pytest

from calls.engine.agent import AgentSpec
from calls.engine.toolspec import Destination
from campaigns.models import PriceRow
from campaigns.services.costs import Tariff, tariff

DAY = date(2026, 11, 24)


@pytest.mark.django_db
def test_prices_are_those_of_the_day_for_the_carrier_and_what_the_agent_uses() -> None:
    rows = [
        ("twilio.minute", 13_000, "2026-01-01"),
        ("twilio.minute", 14_000, "2026-06-01"),
        ("twilio.minute", 99_000, "2026-12-01"),
        ("deepgram.minute", 7_700, "2026-01-01"),
        ("cartesia.minute", 30_000, "2026-01-01"),
        ("openai.minute", 5_000, "2026-01-01"),
    ]
    for item, micros, day in rows:
        PriceRow.objects.create(item=item, micros=micros, effective_from=day)
    spec = msgspec.convert(
        {"name": "Ada", "prompt": "x", "providers": {"stt": "deepgram", "llm": "scripted", "tts": "cartesia"}},
        AgentSpec,
    )
    assert tariff("twilio", spec, day=DAY) == Tariff(carrier_micros=14_000, service_micros=37_700)
    assert tariff("twilio", spec, day=date(2026, 5, 1)).carrier_micros == 13_000


@pytest.mark.django_db
def test_what_somebody_bills_and_has_no_price_is_named_and_what_runs_here_is_not() -> None:
    PriceRow.objects.create(item="deepgram.minute", micros=1, effective_from="2027-01-01")
    providers = {"stt": "deepgram", "llm": "scripted", "tts": "cartesia"}
    spec = msgspec.convert({"name": "Ada", "prompt": "x", "providers": providers}, AgentSpec)
    assert tariff("twilio", spec, day=DAY).unpriced == ("cartesia.minute", "deepgram.minute", "twilio.minute")
    assert tariff("sandbox", AgentSpec(name="Ada", prompt="x"), day=DAY).unpriced == ()


def test_a_carrier_bills_begun_minutes_and_services_the_second() -> None:
    found = Tariff(carrier_micros=10, service_micros=60)
    spec = AgentSpec(name="Ada", prompt="x", max_duration_seconds=540)
    assert [found.cost(seconds, spec) for seconds in (0, -1, 1, 60, 61)] == [0, 0, 11, 70, 81]
    assert found.worst(spec) == 700


def test_who_may_be_put_through_may_be_on_the_line_for_hours_and_the_agent_is_not() -> None:
    desk = Destination(name="Desk", e164="+12125550123")
    spec = AgentSpec(name="Ada", prompt="x", max_duration_seconds=540, destinations=(desk,))
    found = Tariff(carrier_micros=10, service_micros=60)
    assert (found.cost(1200, spec), found.worst(spec)) == (20 * 10 + 10 * 60, 240 * 10 + 10 * 60)
