import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from calls.consumers.phone.carrier_recording import CarrierRecording
from calls.engine.agent import Telephone
from calls.enums import RecordingOrder
from calls.errors import TelephonyError
from calls.runner.simulation import run_virtually
from tests.calls.consumers.phone_driver import ATTEMPT_ID, Exchange, hold, scripted
from tests.calls.runner.fakes import agent
from tests.simulators.media_stream import AsgiLine

NOTICE: tuple[str, Mapping[str, Any]] = ("notice_played", {"began_ms": 0, "ended_ms": 900})
OBJECTION: tuple[str, Mapping[str, Any]] = ("recording_stopped", {"reason": "objection"})


@pytest.mark.parametrize("records", [True, False])
def test_the_carrier_records_from_the_notice_to_the_objection_where_the_agent_says_so(*, records: bool) -> None:
    exchange = Exchange(agent(telephone=Telephone(notice="You are recorded.", carrier_recording=records)))

    async def scenario(_: AsgiLine) -> None:
        heed = exchange.sink.on_event
        heed("barge_in", {})
        await asyncio.sleep(1)
        assert exchange.recording == []
        heed(*NOTICE)
        heed(*OBJECTION)  # at once: it does not overtake
        await asyncio.sleep(1)

    hold(exchange, scenario)
    assert exchange.recording == (["start", "stop"] if records else [])


def test_a_disk_that_fails_stops_our_recording_only() -> None:
    exchange = Exchange(agent(telephone=Telephone(notice="You are recorded.", carrier_recording=True)))

    async def scenario(_: AsgiLine) -> None:
        exchange.sink.on_event("recording_stopped", {"reason": "No space left on device"})

    hold(exchange, scenario)
    assert exchange.recording == []


def test_a_carrier_that_refuses_costs_nothing_but_the_recording(caplog: pytest.LogCaptureFixture) -> None:
    async def refuse_or_hang(_attempt_id: UUID, order: RecordingOrder) -> None:
        if order is RecordingOrder.START:
            message = "the account may not record"
            raise TelephonyError(message, permanent=True)
        await asyncio.sleep(1000)

    async def play() -> float:
        async with asyncio.TaskGroup() as tasks:
            recording = CarrierRecording(ATTEMPT_ID, order=refuse_or_hang, tasks=tasks)
            recording.heed(*NOTICE)
            recording.heed(*OBJECTION)
        return asyncio.get_running_loop().time()

    assert run_virtually(play()) == 10.0
    assert "the account may not record" in caplog.text


@pytest.mark.parametrize("has_objected", [True, False])
def test_an_objection_on_an_earlier_stream_holds_on_this_one(*, has_objected: bool) -> None:
    exchange = Exchange()
    exchange.has_objected = has_objected

    async def scenario(_: AsgiLine) -> None:
        pass

    hold(exchange, scenario)
    assert exchange.sink.is_recording is not has_objected


def test_who_objects_over_the_notice_is_not_recorded_once_its_rest_was_played() -> None:
    exchange = Exchange(agent(telephone=Telephone(notice="You are recorded.", carrier_recording=True)))

    async def scenario(_: AsgiLine) -> None:
        exchange.sink.on_event(*OBJECTION)
        exchange.sink.on_event(*NOTICE)
        await asyncio.sleep(1)

    hold(exchange, scenario)
    assert exchange.recording == ["stop"]


def test_the_carrier_pauses_the_recording_of_a_caller_who_is_handed_on() -> None:
    exchange = Exchange(agent(telephone=Telephone(notice="You are recorded.", carrier_recording=True)))

    async def scenario(_: AsgiLine) -> None:
        exchange.sink.on_event(*NOTICE)
        exchange.sink.on_event("recording_ended", {"reason": "transfer"})
        await asyncio.sleep(1)

    hold(exchange, scenario)
    assert exchange.recording == ["start", "pause"]


@pytest.mark.parametrize("has_objected", [True, False])
def test_the_recording_goes_on_with_a_caller_whom_nobody_took_but_for_one_who_objected(*, has_objected: bool) -> None:
    exchange = Exchange(agent(telephone=Telephone(notice="You are recorded.", carrier_recording=True)))
    exchange.planned = {"resumes_recording": True}
    exchange.has_objected = has_objected

    async def scenario(_: AsgiLine) -> None:
        await asyncio.sleep(1)

    hold(exchange, scenario)
    assert exchange.recording == (["stop"] if has_objected else ["resume"])
    assert [kind for kind, *_ in exchange.sink.events if kind == "recording_resumed"] == [
        *([] if has_objected else ["recording_resumed"])
    ]


def test_an_earlier_objection_holds_over_a_notice_that_is_spoken_again() -> None:
    exchange = Exchange(agent(telephone=Telephone(notice="You are recorded.", carrier_recording=True)))
    exchange.has_objected = True

    async def scenario(_: AsgiLine) -> None:
        exchange.sink.on_event(*NOTICE)
        await asyncio.sleep(1)

    hold(exchange, scenario)
    assert exchange.recording == ["stop"]


def test_the_notice_that_the_engine_speaks_is_what_begins_the_carriers_recording(tmp_path: Path) -> None:
    telephone = Telephone(notice="This call is recorded.", carrier_recording=True)
    exchange = Exchange(agent(opening="Hello.", telephone=telephone), providers=scripted(tmp_path))

    async def scenario(line: AsgiLine) -> None:
        await line.leg.until_heard(200)
        assert exchange.recording == []
        await asyncio.sleep(10)
        assert exchange.recording == ["start"]

    hold(exchange, scenario)
