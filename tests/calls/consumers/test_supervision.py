"""The watch over a runner: how a call is counted and what becomes of a bug in it."""

import asyncio
import logging
from types import SimpleNamespace

import pytest
from prometheus_client import REGISTRY
from pytest_django import Settings

from calls.consumers.supervision import RunnerParts, supervise
from calls.enums import Door, EndReason
from calls.runner.options import CallOptions
from calls.runner.simulation import CollectingDoor, CollectingSink
from calls.wire.audio import AudioFormat
from tests.calls.consumers.driver import FakeRunner
from tests.calls.runner.fakes import agent


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_call_is_live_from_its_start_to_its_end_and_counted_by_its_reason() -> None:
    before = counted("vantum_calls_started_total", door="phone"), counted("vantum_calls_ended_total", reason="silence")
    runner = FakeRunner()
    holding = asyncio.create_task(supervise(runner, Door.PHONE))
    await asyncio.sleep(0)
    assert counted("vantum_calls_live", door="phone") == 1
    runner.shut_down(EndReason.SILENCE)
    assert await holding is EndReason.SILENCE
    assert counted("vantum_calls_live", door="phone") == 0
    after = counted("vantum_calls_started_total", door="phone"), counted("vantum_calls_ended_total", reason="silence")
    assert [now - then for then, now in zip(before, after, strict=True)] == [1, 1]


async def test_a_bug_is_logged_and_ends_the_call_as_our_error(caplog: pytest.LogCaptureFixture) -> None:
    runner = FakeRunner()
    runner.fail(ValueError("a bug"))
    with caplog.at_level(logging.ERROR):
        assert await supervise(runner, Door.PHONE) is EndReason.INTERNAL_ERROR
    assert [record.message for record in caplog.records] == ["a call failed"]
    assert counted("vantum_calls_live", door="phone") == 0


async def test_a_cancelled_call_counts_as_shut_down_and_stays_cancelled() -> None:
    before = counted("vantum_calls_ended_total", reason="shutdown")
    holding = asyncio.create_task(supervise(FakeRunner(), Door.PHONE))
    await asyncio.sleep(0)
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert counted("vantum_calls_ended_total", reason="shutdown") - before == 1
    assert counted("vantum_calls_live", door="phone") == 0


async def test_a_runner_gets_the_installations_limits(settings: Settings) -> None:
    settings.FALLBACK_LINES = ("a", "b", "c")
    settings.TURN_BUDGET_SECONDS = 2.5
    made = RunnerParts(make_runner=FakeRunner).fit_runner(
        spec=agent(),
        options=CallOptions(input=AudioFormat(), output=AudioFormat()),
        door=CollectingDoor(),
        sink=CollectingSink(),
        providers=SimpleNamespace(),  # type: ignore[arg-type]  # (handed on, never looked at)
    )
    assert isinstance(made, FakeRunner)
    limits = made.arguments["limits"]
    assert (limits.fallback_lines, limits.turn_budget_seconds) == (("a", "b", "c"), 2.5)
