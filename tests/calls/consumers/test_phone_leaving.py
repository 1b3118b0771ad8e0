"""How a stream of ours ends so that the call does, or goes on elsewhere."""

import asyncio
from functools import partial

import pytest

from calls.enums import SAID_GOODBYE, ConversationState, EndReason
from calls.live import live_calls
from tests.calls.consumers.phone_driver import ATTEMPT_ID, Exchange, hold
from tests.simulators.media_stream import AsgiLine


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("reason", list(EndReason))
def test_the_leg_is_ended_with_every_goodbye_and_with_nothing_else(reason: EndReason) -> None:
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        exchange.runner.shut_down(reason)
        await line.ended()
        assert now() < 0.1

    hold(exchange, scenario)
    assert exchange.ended_legs == ([ATTEMPT_ID] if reason in SAID_GOODBYE else [])


def test_a_call_moves_when_the_agent_has_finished_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        door, loop = exchange.runner.arguments["door"], asyncio.get_running_loop()
        door.show_state(ConversationState.THINKING, ConversationState.RESPONDING)
        loop.call_later(3, door.show_state, ConversationState.RESPONDING, ConversationState.LISTENING)
        await live_calls.drain(30, wait_for_another=partial(asyncio.sleep, 1))
        assert now() == pytest.approx(3, abs=0.1)
        assert await line.ended() == 1001
        assert await exchange.runner.run() is EndReason.SHUTDOWN
        monkeypatch.setattr(live_calls, "is_draining", False)

    hold(exchange, scenario)
    assert [kind for kind, _, _ in exchange.sink.events] == ["stream_moved"]
    assert exchange.ended_legs == []


def test_a_call_does_not_wait_for_the_end_of_a_monologue_to_move(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange()

    async def scenario(line: AsgiLine) -> None:
        exchange.runner.arguments["door"].show_state(ConversationState.THINKING, ConversationState.RESPONDING)
        await live_calls.drain(30, wait_for_another=partial(asyncio.sleep, 0))
        assert now() == pytest.approx(8, abs=0.1)
        await line.ended()
        monkeypatch.setattr(live_calls, "is_draining", False)

    hold(exchange, scenario)
