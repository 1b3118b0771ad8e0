"""The course of a media stream, with a runner that keeps what it is told: faults, keys and ends."""

import asyncio
import json
import logging
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError

from calls.enums import CancelReason, EndReason
from calls.errors import AgentError, CallError
from calls.live import live_calls
from calls.runner.simulation import VirtualClockLoop, run_virtually
from tests.calls.consumers.phone_driver import ATTEMPT_ID, Exchange, hold, hum, settle
from tests.simulators.media_stream import SILENCE, AsgiLine, Leg

FRAME = SILENCE * 160


def now() -> float:
    return asyncio.get_running_loop().time()


def inject(line: AsgiLine, text: str) -> None:
    line.leg.outgoing.put_nowait(text)


def media(**fields: Any) -> str:
    return json.dumps(
        {"event": "media", "streamSid": Leg().stream_sid, "media": {"track": "inbound", "payload": "AAAA"} | fields}
    )


# --- what cannot be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "failure"),
    [
        ("redeem_failure", OperationalError("down")),
        ("load_failure", OperationalError("down")),
        ("load_failure", AgentError("no agent")),
        ("sink_failure", OSError("disk full")),
    ],
)
def test_a_call_that_cannot_be_held_is_given_back_to_the_carrier(place: str, failure: Exception) -> None:
    """The socket closes, so the carrier asks what is next."""
    exchange = Exchange()
    setattr(exchange, place, failure)

    async def scenario(line: AsgiLine) -> None:
        assert await line.ended() == 1011

    hold(exchange, scenario)
    assert exchange.runners == []


def test_a_database_that_does_not_answer_is_waited_for_five_seconds() -> None:
    exchange = Exchange()
    exchange.delay = 100

    async def scenario(line: AsgiLine) -> None:
        assert await line.ended() == 1011
        assert now() == pytest.approx(5.0)

    hold(exchange, scenario)


def test_a_bug_in_the_call_closes_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        exchange.runner.fail(ValueError("a bug"))
        assert await line.ended() == 1011

    with caplog.at_level(logging.ERROR):
        hold(exchange, scenario)
    assert [record.message for record in caplog.records] == ["a call failed"]


def test_a_bug_in_dealing_with_a_message_ends_the_call_as_ours(caplog: pytest.LogCaptureFixture) -> None:
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        def fail(audio: bytes) -> None:
            message = f"a bug at {len(audio)} bytes"
            raise ValueError(message)

        exchange.runner.hear = fail  # type: ignore[method-assign]
        assert await line.ended() == 1011
        assert await exchange.runner.run() is EndReason.INTERNAL_ERROR

    with caplog.at_level(logging.ERROR):
        hold(exchange, scenario)
    assert {record.message for record in caplog.records} == {"a message could not be dealt with"}


def test_a_runner_that_cannot_be_made_ends_the_opened_record() -> None:
    exchange = Exchange()

    def refuse(**_: Any) -> Any:
        message = "variable 'name' has no value"
        raise AgentError(message)

    exchange._make_runner = refuse  # type: ignore[method-assign]

    async def scenario(line: AsgiLine) -> None:
        assert await line.ended() == 1011

    hold(exchange, scenario)
    assert exchange.sink.reason is EndReason.INTERNAL_ERROR


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        '{"event": "hello"}',
        media(track="outbound"),
        media(payload="AAA"),
        media(payload=""),
        media(payload="A" * 2**20),
        media().replace(Leg().stream_sid, "MZ02"),
        '{"event": "connected", "x": ' + "[" * 20_000 + "]" * 20_000 + "}",
    ],
)
def test_a_message_that_breaks_the_protocol_is_left_out_and_the_call_goes_on(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        for _ in range(100):
            inject(line, text)
        await asyncio.sleep(1)
        assert not line.serving.done()

    with caplog.at_level(logging.WARNING):
        hold(exchange, scenario)
    assert set(exchange.runner.heard) == {FRAME}
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_binary_message_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        line.leg.outgoing.put_nowait(FRAME)
        await asyncio.sleep(1)
        assert not line.serving.done()

    hold(exchange, scenario)
    assert "a binary message; expected a text" in caplog.text


def test_audio_before_the_start_is_left_out() -> None:
    exchange = Exchange()

    async def play() -> AsgiLine:
        line = exchange.line()
        inject(line, media())
        await asyncio.sleep(0.5)
        line.leg.hang_up()
        await line.ended()
        return line

    run_virtually(play())
    assert set(exchange.runner.heard) == {FRAME}


# --- the course of a call ---------------------------------------------------------------------------------------------


def test_frames_go_to_the_runner_as_they_are() -> None:
    exchange = Exchange()
    spoken = hum(400)

    async def scenario(line: AsgiLine) -> None:
        line.leg.say(spoken)
        await line.leg.spoken.wait()

    hold(exchange, scenario)
    assert {len(frame) for frame in exchange.runner.heard} == {160}
    assert b"".join(exchange.runner.heard).strip(SILENCE) == spoken.strip(SILENCE)


def test_a_call_that_loads_slowly_hears_the_last_three_seconds() -> None:
    exchange = Exchange()
    exchange.delay = 2.2

    async def scenario(line: AsgiLine) -> None:
        line.leg.say(hum(5000))
        await asyncio.sleep(4.39)
        assert exchange.runners == []
        await asyncio.sleep(0.02)
        assert len(exchange.runner.heard) in {150, 151}

    hold(exchange, scenario)


def test_keys_pressed_while_the_call_loads_are_kept() -> None:
    exchange = Exchange()
    exchange.delay = 1

    async def scenario(line: AsgiLine) -> None:
        line.leg.press("9")
        await asyncio.sleep(3)
        line.leg.press("0")
        await settle()

    hold(exchange, scenario)
    assert exchange.sink.events == [("dtmf", 0, {"digit": "9"}), ("dtmf", 1000, {"digit": "0"})]


def test_the_callers_hanging_up_ends_the_call() -> None:
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        line.leg.hang_up()
        assert await line.ended() is None
        assert await exchange.runner.run() is EndReason.CALLER_DISCONNECTED

    hold(exchange, scenario)


def test_a_connection_that_breaks_ends_the_call() -> None:
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        line.drop()
        assert await line.ended() is None
        assert await exchange.runner.run() is EndReason.CALLER_DISCONNECTED

    hold(exchange, scenario)


def test_a_connection_that_breaks_while_the_call_loads_leaves_nothing() -> None:
    exchange = Exchange()
    exchange.delay = 1

    async def scenario(line: AsgiLine) -> None:
        await asyncio.sleep(0.5)
        line.drop()
        await line.ended()

    hold(exchange, scenario)
    assert exchange.runners == []


def test_a_stop_of_this_process_ends_the_call_as_shut_down(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        await live_calls.drain(0)
        assert await line.ended() == 1001
        assert await exchange.runner.run() is EndReason.SHUTDOWN
        monkeypatch.setattr(live_calls, "is_draining", False)

    hold(exchange, scenario)


def test_a_half_open_connection_is_found_after_five_seconds_and_its_leg_ended() -> None:
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        await asyncio.sleep(3)
        line.leg.go_dark()
        await line.ended()
        assert 7.9 < now() <= 8.0
        assert await exchange.runner.run() is EndReason.CALLER_DISCONNECTED

    hold(exchange, scenario)
    assert [(kind, detail) for kind, _, detail in exchange.sink.events] == [("stream_lost", {"silent_ms": 5000})]
    assert exchange.ended_legs == [ATTEMPT_ID]


def test_a_process_that_stood_still_does_not_take_its_lines_for_dead() -> None:
    exchange = Exchange()

    async def scenario(_: AsgiLine) -> None:
        await asyncio.sleep(3.01)  # between two frames
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualClockLoop)
        loop._jumping.now += 20
        await asyncio.sleep(10)

    hold(exchange, scenario)
    assert (exchange.sink.events, exchange.ended_legs) == ([], [])


def test_a_carrier_that_refuses_does_not_keep_a_lost_call_open() -> None:
    exchange = Exchange()

    async def refuse(attempt_id: UUID) -> None:
        message = f"no call {attempt_id}"
        raise CallError(message)

    exchange._end_leg = refuse  # type: ignore[method-assign]

    async def scenario(line: AsgiLine) -> None:
        line.leg.go_dark()
        assert await line.ended() == 1000

    hold(exchange, scenario)


def test_a_carrier_that_does_not_answer_does_not_keep_a_lost_call_open() -> None:
    exchange = Exchange()

    async def never(attempt_id: UUID) -> None:
        exchange.ended_legs.append(attempt_id)
        await asyncio.sleep(1000)

    exchange._end_leg = never  # type: ignore[method-assign]

    async def scenario(line: AsgiLine) -> None:
        line.leg.go_dark()
        await line.ended()
        assert now() < 11

    hold(exchange, scenario)


def test_the_agents_last_words_are_played_before_the_socket_closes() -> None:
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        door = exchange.runner.arguments["door"]
        await door.send_audio(1, FRAME * 20)
        await asyncio.sleep(0.1)
        exchange.runner.shut_down(EndReason.AGENT_SAID_GOODBYE)
        assert await line.ended() == 1000
        assert (len(line.leg.heard), line.leg.queued_ms) == (160 * 20, 0)
        assert now() == pytest.approx(0.4, abs=0.03)

    hold(exchange, scenario)


def test_last_words_whose_mark_never_comes_are_waited_for_a_second() -> None:
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        line.leg.plays_from = 1000
        door = exchange.runner.arguments["door"]
        await door.send_audio(1, FRAME)
        await settle()
        exchange.runner.shut_down(EndReason.AGENT_SAID_GOODBYE)
        assert await line.ended() == 1000
        assert now() == 1.0

    hold(exchange, scenario)


def test_a_clear_overtakes_the_audio_that_waits() -> None:
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        door = exchange.runner.arguments["door"]
        sending = [asyncio.create_task(door.send_audio(1, FRAME * 5)) for _ in range(6)]
        door.cancel_reply(1, CancelReason.BARGE_IN, "")
        await asyncio.gather(*sending)
        await settle()
        assert [message["event"] for _, message in line.leg.taken] == ["clear"]
        await door.send_audio(2, FRAME)
        await settle()
        assert [message["event"] for _, message in line.leg.taken] == ["clear", "media", "mark"]

    hold(exchange, scenario)
