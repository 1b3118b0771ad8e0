"""Which media streams get a call: tokens, takeovers, and sockets that are no stream of ours."""

import asyncio
import json
from typing import Any

import pytest
from pytest_django import Settings

from calls.engine.history import Earlier
from calls.enums import Direction, EndReason
from calls.live import live_calls
from calls.runner.options import CallOptions
from calls.runner.simulation import run_virtually
from calls.wire.twilio import LINE_FORMAT
from tests.calls.consumers.phone_driver import ATTEMPT_ID, TOKEN, Exchange, hold, settle
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


# --- who may open a stream --------------------------------------------------------------------------------------------


def test_a_valid_token_begins_the_call_of_its_attempt(settings: Settings) -> None:
    settings.PHONE_LEAD_MS = 320
    exchange = Exchange()
    exchange.variables = {"name": "Ada"}

    async def scenario(_: AsgiLine) -> None:
        assert live_calls.count == 1

    hold(exchange, scenario)
    assert (exchange.asked_for, exchange.loaded) == ([TOKEN], [ATTEMPT_ID])
    assert exchange.runner.arguments["options"] == CallOptions(
        input=LINE_FORMAT,
        output=LINE_FORMAT,
        language="en-US",
        variables={"name": "Ada"},
        lead_ms=320,
        first_chunk_ms=40,
        chunk_ms=100,
        cancel_gap_ms=0,
        earlier=Earlier((), settings.RESUME_LINE),
        telephone=Direction.INBOUND,
    )


@pytest.mark.parametrize("token", ["", "guessed", "token-1x"])
def test_a_guessed_address_is_refused_and_leaves_no_record(token: str) -> None:
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        assert await line.ended() == 1008
        assert now() == 0.0

    hold(exchange, scenario, token)
    assert (exchange.loaded, exchange.sinks, exchange.runners) == ([], [], [])


def test_a_socket_that_the_carrier_did_not_sign_is_refused_at_the_handshake() -> None:
    exchange = Exchange()

    async def play() -> AsgiLine:
        line = AsgiLine(exchange.application(), Leg({"token": TOKEN}), headers=[(b"x-signed", b"no")])
        assert await line.ended() == 403
        return line

    line = run_virtually(play())
    assert [message["type"] for message in line.sent][:1] == ["websocket.http.response.start"]
    assert exchange.asked_for == []


def test_a_token_opens_one_stream() -> None:
    exchange = Exchange()

    async def scenario(first: AsgiLine) -> None:
        second = exchange.line()
        assert await second.ended() == 1008
        assert not first.serving.done()
        assert len(exchange.runners) == 1

    hold(exchange, scenario)


def test_a_second_stream_with_a_token_of_its_own_takes_the_call_over() -> None:
    exchange = Exchange()

    async def scenario(first: AsgiLine) -> None:
        second = exchange.line(exchange.issue("token-2"))
        assert await first.ended() == 1000
        await settle()
        assert exchange.sinks[0].events == [("stream_taken_over", 0, {})]
        assert await exchange.runners[0].run() is EndReason.CALLER_DISCONNECTED
        assert (len(exchange.runners), live_calls.count) == (2, 1)
        second.leg.hang_up()
        await second.ended()

    hold(exchange, scenario)


def test_a_stream_takes_over_one_whose_call_is_still_being_loaded() -> None:
    exchange = Exchange()
    exchange.delay = 0.5

    async def scenario(first: AsgiLine) -> None:
        await asyncio.sleep(0.7)
        second = exchange.line(exchange.issue("token-2"))
        exchange.delay = 0.1
        assert await first.ended() == 1000
        await asyncio.sleep(1)
        assert len(exchange.runners) == 1
        second.leg.hang_up()
        await second.ended()

    hold(exchange, scenario)


def test_the_newer_stream_is_loaded_only_when_what_the_older_heard_is_recorded() -> None:
    exchange = Exchange()

    async def scenario(first: AsgiLine) -> None:
        runner = exchange.runner
        end = runner.shut_down
        runner.shut_down = lambda reason: loop.call_later(0.3, end, reason)  # type: ignore[assignment,method-assign]
        loop = asyncio.get_running_loop()
        second = exchange.line(exchange.issue("token-2"))
        await asyncio.sleep(0.29)
        assert (len(exchange.asked_for), len(exchange.loaded)) == (2, 1)
        await asyncio.sleep(0.02)
        assert len(exchange.loaded) == 2
        await first.ended()
        second.leg.hang_up()
        await second.ended()

    hold(exchange, scenario)


def test_an_older_stream_that_does_not_end_keeps_nobody_waiting_for_more_than_two_seconds() -> None:
    exchange = Exchange()

    async def scenario(first: AsgiLine) -> None:
        runner = exchange.runner
        ended = runner.shut_down
        runner.shut_down = lambda reason: None  # type: ignore[method-assign]  # noqa: ARG005 (a Protocol's name)
        second = exchange.line(exchange.issue("token-2"))
        await asyncio.sleep(2.1)
        assert len(exchange.loaded) == 2
        ended(EndReason.CALLER_DISCONNECTED)
        await first.ended()
        assert not second.serving.done()
        second.leg.hang_up()
        await second.ended()

    hold(exchange, scenario)


def test_a_socket_without_a_start_is_left_after_five_seconds() -> None:
    exchange = Exchange()

    async def play() -> None:
        leg = Leg()
        leg.is_open = False  # run() sends nothing then
        line = AsgiLine(exchange.application(), leg)
        leg._send = lambda *_, **__: None  # type: ignore[method-assign]
        assert await line.ended() == 1008
        assert now() == 5.0

    run_virtually(play())
    assert exchange.asked_for == []


def test_a_socket_that_speaks_another_protocol_is_left_at_once() -> None:
    exchange = Exchange()

    async def play() -> None:
        leg = Leg()
        leg.is_open = False
        line = AsgiLine(exchange.application(), leg)
        for _ in range(20):
            inject(line, "hello")
        assert await line.ended() == 1008
        assert now() == 0.0

    run_virtually(play())


def test_a_process_that_stops_takes_no_stream_and_leaves_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_calls, "is_draining", True)
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        assert await line.ended() == 503

    hold(exchange, scenario)
    assert (exchange.asked_for, list(exchange.tokens)) == ([], [TOKEN])
