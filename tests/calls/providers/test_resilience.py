import asyncio
import time

import pytest
from prometheus_client import REGISTRY

from calls.enums import Role
from calls.errors import ProviderError, ProviderRejectedError, ProviderTimeoutError, ProviderUnavailableError
from calls.providers.resilience import Circuit, CircuitBreaker, Guard, let_go


def guard() -> Guard:
    return Guard("acme", Role.LLM, CircuitBreaker(failures=3, window_seconds=30, rest_seconds=5))


# --- the breaker ------------------------------------------------------------------------------------------------------


def test_failures_within_the_window_open_the_circuit_and_rest_lets_one_probe_through() -> None:
    breaker = CircuitBreaker(failures=3, window_seconds=30, rest_seconds=5)
    for now in (0, 1, 2):
        assert breaker.admit(now)
        breaker.failed(now)
    assert breaker.state(2) is Circuit.OPEN
    assert not breaker.admit(6.9)
    assert breaker.state(7) is Circuit.HALF_OPEN
    assert breaker.admit(7)
    assert not breaker.admit(7)


def test_a_probe_that_succeeds_closes_the_circuit() -> None:
    breaker = CircuitBreaker(failures=1, rest_seconds=5)
    breaker.failed(0)
    assert breaker.admit(5)
    breaker.succeeded()
    assert breaker.state(5) is Circuit.CLOSED


def test_a_probe_that_fails_opens_it_again_for_a_whole_rest() -> None:
    breaker = CircuitBreaker(failures=3, rest_seconds=5)
    for now in (0, 1, 2):
        breaker.failed(now)
    assert breaker.admit(7)
    breaker.failed(8)
    assert (breaker.state(12.9), breaker.state(13)) == (Circuit.OPEN, Circuit.HALF_OPEN)


def test_a_probe_that_was_given_up_makes_room_for_the_next() -> None:
    breaker = CircuitBreaker(failures=1, rest_seconds=5)
    breaker.failed(0)
    assert breaker.admit(5)
    breaker.abandoned()
    assert breaker.admit(5)


def test_failures_far_apart_do_not_open_it() -> None:
    breaker = CircuitBreaker(failures=3, window_seconds=30)
    for now in (0, 20, 40, 60):
        breaker.failed(now)
    assert breaker.state(60) is Circuit.CLOSED


def test_a_success_forgets_the_failures_before_it() -> None:
    breaker = CircuitBreaker(failures=2)
    breaker.failed(0)
    breaker.succeeded()
    breaker.failed(1)
    assert breaker.state(1) is Circuit.CLOSED


def test_a_provider_that_opens_and_then_hangs_again_and_again_rests() -> None:
    breaker = CircuitBreaker(failures=3, window_seconds=30, rest_seconds=5)
    for now in (0, 4, 8):
        assert breaker.admit(now)
        breaker.succeeded()
        assert breaker.state(now) is Circuit.CLOSED
        breaker.broke_off(now + 3)
    assert (breaker.state(11), breaker.state(16)) == (Circuit.OPEN, Circuit.HALF_OPEN)


def test_a_few_that_hang_among_many_that_do_not_or_far_apart_are_no_reason_to_rest() -> None:
    busy, slow = CircuitBreaker(failures=3, window_seconds=30), CircuitBreaker(failures=3, window_seconds=30)
    for now in (0, 4, 8):
        for _ in range(4):
            busy.succeeded()
        busy.broke_off(now)
        slow.succeeded()
        slow.broke_off(now * 10)
    assert (busy.state(8), slow.state(80)) == (Circuit.CLOSED, Circuit.CLOSED)


# --- an opening -------------------------------------------------------------------------------------------------------


class Attempts:
    """An opening that fails as planned, then answers."""

    def __init__(self, *outcomes: ProviderError | str) -> None:
        self.outcomes = list(outcomes)
        self.made = 0

    async def __call__(self) -> str:
        self.made += 1
        outcome = self.outcomes.pop(0)
        if outcome == "hang":
            await asyncio.Event().wait()
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome


async def test_an_opening_is_repeated_once() -> None:
    attempts = Attempts(guard().unavailable("busy"), "answer")
    assert await guard().open(attempts, budget_seconds=2) == "answer"


async def test_an_opening_is_not_repeated_twice() -> None:
    attempts = Attempts(guard().unavailable("busy"), guard().unavailable("still busy"), "answer")
    with pytest.raises(ProviderUnavailableError, match="still busy"):
        await guard().open(attempts, budget_seconds=2)
    assert attempts.made == 2


async def test_a_rejection_is_not_repeated_and_does_not_open_the_circuit() -> None:
    opener = guard()
    for _ in range(5):
        attempts = Attempts(opener.rejected("no such model"))
        with pytest.raises(ProviderRejectedError):
            await opener.open(attempts, budget_seconds=2)
        assert attempts.made == 1
    assert await opener.open(Attempts("answer"), budget_seconds=2) == "answer"


async def test_both_attempts_stay_within_the_budget() -> None:
    attempts = Attempts("hang", "hang")
    started = time.monotonic()
    with pytest.raises(ProviderTimeoutError):
        await guard().open(attempts, budget_seconds=0.5)
    assert time.monotonic() - started < 0.6
    assert attempts.made == 2


async def test_a_repeat_that_no_longer_fits_is_not_made() -> None:
    attempts = Attempts("hang", "answer")
    with pytest.raises(ProviderTimeoutError):
        await guard().open(attempts, budget_seconds=0.2)
    assert attempts.made == 1


async def test_an_open_circuit_answers_at_once() -> None:
    opener = guard()
    for _ in range(3):
        opener.failed(opener.unavailable("gone"))
    attempts = Attempts("answer")
    with pytest.raises(ProviderUnavailableError, match="acme: resting"):
        await opener.open(attempts, budget_seconds=2)
    assert attempts.made == 0


async def test_an_operator_sees_which_provider_is_left_alone() -> None:
    def is_open() -> float | None:
        return REGISTRY.get_sample_value("vantum_provider_circuit_open", {"role": "tts", "provider": "seen"})

    opener = Guard("seen", Role.TTS, CircuitBreaker(failures=2, rest_seconds=0))
    with pytest.raises(ProviderUnavailableError):
        await opener.open(Attempts(opener.unavailable("busy"), opener.unavailable("busy")), budget_seconds=2)
    seen = [is_open()]
    await opener.open(Attempts("answer"), budget_seconds=2)
    seen.append(is_open())
    for _ in range(2):
        opener.failed(opener.unavailable("gone"))
    assert [*seen, is_open()] == [1, 0, 1]


async def test_a_cancelled_probe_is_not_held_against_anybody() -> None:
    opener = Guard("acme", Role.LLM, CircuitBreaker(failures=1, rest_seconds=0))
    opener.failed(opener.unavailable("gone"))
    probe = asyncio.create_task(opener.open(Attempts("hang"), budget_seconds=2))
    await asyncio.sleep(0)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert await opener.open(Attempts("answer"), budget_seconds=2) == "answer"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ProviderRejectedError),
        (401, ProviderRejectedError),
        (403, ProviderRejectedError),
        (404, ProviderRejectedError),
        (408, ProviderUnavailableError),
        (429, ProviderUnavailableError),
        (500, ProviderUnavailableError),
        (529, ProviderUnavailableError),
    ],
)
def test_a_status_says_whether_repeating_may_help(status: int, error: type[ProviderError]) -> None:
    assert type(guard().for_status(status)) is error


# --- letting go -------------------------------------------------------------------------------------------------------


async def test_a_cancelled_wait_returns_at_once_and_what_comes_late_is_closed() -> None:
    closed = asyncio.Event()

    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0.1)
        return "late"

    async def close(result: str) -> None:
        assert result == "late"
        closed.set()

    waiting = asyncio.create_task(let_go(stubborn(), late=close))
    await asyncio.sleep(0.01)
    started = time.monotonic()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert time.monotonic() - started < 0.05
    async with asyncio.timeout(1):
        await closed.wait()


async def test_a_failure_that_comes_late_is_nobodys_concern() -> None:
    async def failing() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError

    async def close(_: None) -> None:
        raise AssertionError

    waiting = asyncio.create_task(let_go(failing(), late=close))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0.01)
