"""How a call meets a provider that fails: a circuit breaker, one repeat of an opening, and a limit on every wait.

Only the opening of a connection or request is ever repeated, once, and only inside the budget: after a first token or
a first byte of audio a repeat would be heard twice.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from enum import Enum
from typing import Any, TypeVar

from calls.enums import Role
from calls.errors import ProviderError, ProviderRejectedError, ProviderTimeoutError, ProviderUnavailableError
from vantum.metrics import CIRCUIT_OPEN

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_SHARE = 0.6
"""Share of the budget that the first attempt may use: a pooled connection may be dead without knowing it."""
PAUSE_SECONDS = 0.1
_MOST_OPENINGS = 2
"""With more openings for each that broke off, most of them went well."""


class Circuit(Enum):
    """``CLOSED`` lets everything through, ``OPEN`` nothing, ``HALF_OPEN`` one attempt that decides."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Stops asking a provider that has just failed several times. Pure: ``now`` is in seconds of one monotonic clock.

    ``failures`` within ``window_seconds`` open it; after ``rest_seconds`` one attempt may try.
    """

    def __init__(self, *, failures: int = 5, window_seconds: float = 30.0, rest_seconds: float = 5.0) -> None:
        self._limit = failures
        self._window_seconds = window_seconds
        self._rest_seconds = rest_seconds
        self._failed_at: deque[float] = deque(maxlen=failures)
        self._broken: deque[tuple[float, int]] = deque(maxlen=failures)
        """When what had opened broke off, and how many openings there had been by then."""
        self._openings = 0
        self._opened_at: float | None = None
        self._is_probing = False

    def state(self, now: float) -> Circuit:
        """Say where the breaker stands."""
        if self._opened_at is None:
            return Circuit.CLOSED
        return Circuit.HALF_OPEN if now >= self._opened_at + self._rest_seconds else Circuit.OPEN

    def admit(self, now: float) -> bool:
        """Whether an attempt may be made now. Who is admitted reports ``succeeded``, ``failed`` or ``abandoned``."""
        state = self.state(now)
        if state is Circuit.CLOSED:
            return True
        if state is Circuit.OPEN or self._is_probing:
            return False
        self._is_probing = True
        return True

    def succeeded(self) -> None:
        """The provider answered. What broke off after earlier openings is not forgotten for that."""
        self._openings += 1
        self._failed_at.clear()
        self._opened_at = None
        self._is_probing = False

    def failed(self, now: float) -> None:
        """The provider did not answer."""
        self._failed_at.append(now)
        oldest = self._failed_at[0]
        is_full = len(self._failed_at) == self._limit and now - oldest <= self._window_seconds
        if self._is_probing or (is_full and self._opened_at is None):
            self._opened_at = now
        self._is_probing = False

    def broke_off(self, now: float) -> None:
        """What had opened failed or hung. Where most of what opens does so, the provider is as good as gone."""
        self._broken.append((now, self._openings))
        oldest, openings = self._broken[0]
        is_often = self._openings - openings < _MOST_OPENINGS * self._limit
        if len(self._broken) == self._limit and now - oldest <= self._window_seconds and is_often:
            self._broken.clear()
            self._opened_at = now

    def abandoned(self) -> None:
        """The attempt was given up from our side; it says nothing about the provider."""
        self._is_probing = False


class Guard:
    """The breaker and the errors of one provider: what stands around each of its openings."""

    def __init__(self, provider: str, role: Role, breaker: CircuitBreaker | None = None) -> None:
        self.provider = provider
        self.role = role
        self.breaker = breaker or CircuitBreaker()

    def unavailable(self, message: str) -> ProviderUnavailableError:
        """Make the error for a provider that is gone or overloaded."""
        return ProviderUnavailableError(message, provider=self.provider, role=self.role)

    def timed_out(self, message: str) -> ProviderTimeoutError:
        """Make the error for an answer that did not come."""
        return ProviderTimeoutError(message, provider=self.provider, role=self.role)

    def rejected(self, message: str) -> ProviderRejectedError:
        """Make the error for a request that is refused whoever repeats it."""
        return ProviderRejectedError(message, provider=self.provider, role=self.role)

    def for_status(self, status: int, message: str = "") -> ProviderError:
        """Translate an HTTP status: 408, 409, 425, 429 and 5xx may pass, everything else will not."""
        text = f"status {status}{': ' if message else ''}{message}"
        if status in {408, 409, 425, 429} or status >= 500:  # noqa: PLR2004 (the HTTP classes)
            return self.unavailable(text)
        return self.rejected(text)

    def failed(self, error: ProviderError) -> ProviderError:
        """Count a failure that came after the opening, and give it back to be raised."""
        if error.retryable:
            self.breaker.broke_off(_now())
            self._show()
        return error

    async def open(self, attempt: Callable[[], Awaitable[T]], *, budget_seconds: float) -> T:
        """Run an opening; repeat it once if that may help and the budget allows.

        ``attempt`` raises ``ProviderError``; a repeat has what is left of the budget. An open circuit tries nothing.
        """
        deadline = _now() + budget_seconds
        try:
            return await self._try(attempt, budget_seconds * FIRST_SHARE)
        except ProviderError as error:
            if not error.retryable or deadline - _now() <= PAUSE_SECONDS:
                raise
            log.info("%s: opening failed, trying once more: %s", self.provider, error)
        await asyncio.sleep(PAUSE_SECONDS)
        return await self._try(attempt, deadline - _now())

    async def _try(self, attempt: Callable[[], Awaitable[T]], seconds: float) -> T:
        if not self.breaker.admit(_now()):
            message = "resting after repeated failures"
            raise self.unavailable(message)
        try:
            return await self._admitted(attempt, seconds)
        finally:
            self._show()

    async def _admitted(self, attempt: Callable[[], Awaitable[T]], seconds: float) -> T:
        try:
            async with asyncio.timeout(seconds):
                result = await attempt()
        except TimeoutError:
            self.breaker.failed(_now())
            message = f"no answer within {seconds:.1f} s"
            raise self.timed_out(message) from None
        except ProviderError as error:
            if error.retryable:
                self.breaker.failed(_now())
            else:
                self.breaker.succeeded()  # it answers; what it says is not a matter of health
            raise
        except BaseException:
            self.breaker.abandoned()
            raise
        self.breaker.succeeded()
        return result

    def _show(self) -> None:
        is_open = self.breaker.state(_now()) is not Circuit.CLOSED
        CIRCUIT_OPEN.labels(role=self.role, provider=self.provider).set(is_open)


def _now() -> float:
    return asyncio.get_running_loop().time()


_abandoned: set[asyncio.Task[Any]] = set()


async def let_go(work: Coroutine[Any, Any, T], *, late: Callable[[T], Awaitable[None]]) -> T:
    """Await ``work``, but return at once when cancelled: clean-ups inside the vendors' SDKs may take ten seconds.

    Its result, should it come all the same, is given to ``late`` to be closed.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        abandon(task, late=late)
        raise


def abandon(task: asyncio.Task[T], *, late: Callable[[T], Awaitable[None]]) -> None:
    """Cancel a task and wait for nothing. Should its result come all the same, ``late`` is given it."""
    task.cancel()
    sweeping = asyncio.create_task(_sweep(task, late))
    _abandoned.add(sweeping)
    sweeping.add_done_callback(_abandoned.discard)


async def _sweep(task: asyncio.Task[T], late: Callable[[T], Awaitable[None]]) -> None:
    await asyncio.wait({task})
    if not task.cancelled() and task.exception() is None:
        await late(task.result())
