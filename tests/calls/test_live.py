import asyncio

from calls.enums import EndReason
from calls.live import LiveCalls
from calls.runner.simulation import run_virtually


class FakeCall:
    def __init__(self, calls: LiveCalls, *, obeys: bool = True, moves: bool = False) -> None:
        self.calls = calls
        self.obeys = obeys
        self.reasons: list[EndReason] = []
        calls.add(self, move=self.move if moves else None)

    def move(self) -> None:
        self.calls.discard(self)

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


def test_calls_that_can_move_do_as_soon_as_another_process_takes_them_and_the_rest_ends() -> None:
    async def scenario() -> tuple[float, list[EndReason], list[EndReason], float]:
        calls, loop = LiveCalls(), asyncio.get_running_loop()
        moving, staying = FakeCall(calls, moves=True), FakeCall(calls)
        found = []

        async def another() -> None:
            await asyncio.sleep(2)
            found.append(loop.time())

        await calls.drain(5, wait_for_another=another)
        return found[0], moving.reasons, staying.reasons, loop.time()

    assert run_virtually(scenario()) == (2.0, [], [EndReason.SHUTDOWN], 5.0)


def test_without_another_process_calls_get_the_time_that_they_have() -> None:
    async def scenario() -> tuple[list[EndReason], float]:
        calls = LiveCalls()
        call = FakeCall(calls, moves=True)
        await calls.drain(5, wait_for_another=asyncio.Event().wait)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return call.reasons, asyncio.get_running_loop().time()

    assert run_virtually(scenario()) == ([EndReason.SHUTDOWN], 5.0)


def test_nobody_is_asked_where_no_call_could_move() -> None:
    async def never() -> None:
        raise AssertionError

    async def scenario() -> float:
        await LiveCalls().drain(5, wait_for_another=never)
        return asyncio.get_running_loop().time()

    assert run_virtually(scenario()) == 0.0
