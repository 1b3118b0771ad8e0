import asyncio

from calls.enums import EndReason
from calls.live import LiveCalls
from calls.runner.simulation import run_virtually


class FakeCall:
    def __init__(self, calls: LiveCalls, *, obeys: bool = True) -> None:
        self.calls = calls
        self.obeys = obeys
        self.reasons: list[EndReason] = []
        calls.add(self)

    def shut_down(self, reason: EndReason) -> None:
        self.reasons.append(reason)
        if self.obeys:
            self.calls.discard(self)


def test_a_process_takes_calls_up_to_its_limit() -> None:
    calls = LiveCalls()
    assert calls.may_take(1)
    call = FakeCall(calls)
    assert (calls.count, calls.may_take(1), calls.may_take(2)) == (1, False, True)
    calls.discard(call)
    calls.discard(call)
    assert (calls.count, calls.may_take(1)) == (0, True)


def test_a_drain_waits_for_calls_to_end_by_themselves() -> None:
    async def scenario() -> tuple[list[EndReason], float]:
        calls = LiveCalls()
        call = FakeCall(calls)
        loop = asyncio.get_running_loop()
        loop.call_later(3, calls.discard, call)
        await calls.drain(30)
        assert not calls.may_take(100)
        return call.reasons, loop.time()

    assert run_virtually(scenario()) == ([], 3.0)


def test_a_drain_ends_the_calls_that_are_left_when_its_time_is_over() -> None:
    async def scenario() -> tuple[list[EndReason], list[EndReason], float]:
        calls = LiveCalls()
        obedient, stuck = FakeCall(calls), FakeCall(calls, obeys=False)
        await calls.drain(5)
        return obedient.reasons, stuck.reasons, asyncio.get_running_loop().time()

    assert run_virtually(scenario()) == ([EndReason.SHUTDOWN], [EndReason.SHUTDOWN], 8.0)
