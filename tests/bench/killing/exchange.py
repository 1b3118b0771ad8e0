"""The telephone network of a kill test: gives each call that is placed a person, and remembers all of them."""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from tests.bench.killing.callee import Callee
from tests.simulators.twilio import Reply, SimulatedCall

_MOST_WEBHOOKS = 64
"""How many may wait for an answer at once; the loop's own pool has six threads on two cores."""


def over_http(url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
    """Post a webhook; it waits as long as Twilio does."""
    answer = httpx.post(url, data=dict(form), headers=dict(headers), timeout=15)
    return Reply(answer.status_code, answer.text)


@dataclass
class Exchange:
    """``people`` makes who takes a call, from the call and the count of calls before it."""

    loop: asyncio.AbstractEventLoop
    people: Callable[[SimulatedCall, int], Callee]
    linger_seconds: float = 0.0
    """How long the carrier takes over an order: somebody may be killed in the midst of it."""
    callees: list[Callee] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loop.set_default_executor(ThreadPoolExecutor(_MOST_WEBHOOKS))

    def take(self, call: SimulatedCall) -> None:
        """Take a call; the simulator's threads call this."""
        self.loop.call_soon_threadsafe(self._begin, call, time.monotonic())
        time.sleep(self.linger_seconds)

    def _begin(self, call: SimulatedCall, placed_at: float) -> None:
        callee = self.people(call, len(self.callees))
        callee.placed_at = placed_at
        self.callees.append(callee)
        self.tasks.append(self.loop.create_task(callee.live()))

    @property
    def is_quiet(self) -> bool:
        """Whether nobody talks."""
        return all(task.done() for task in self.tasks)
