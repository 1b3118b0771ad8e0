"""What the doors share: the parts of a call's runner, and the watch over it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol
from uuid import UUID

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError
from msgspec import Struct

from calls import services
from calls.engine.agent import AgentSpec
from calls.engine.events import Event
from calls.enums import Door, EndReason
from calls.providers import registry
from calls.providers.registry import CallProviders
from calls.recorder import CallSink, recorder
from calls.runner import ports
from calls.runner.call import CallLimits, CallRunner
from calls.runner.options import CallOptions
from calls.runner.tools import NoTelephone, ToolAccess
from calls.wire.audio import AudioFormat
from vantum.metrics import CALLS_ENDED, CALLS_LIVE, CALLS_STARTED

log = logging.getLogger(__name__)


class Runner(Protocol):
    """What the doors need of ``CallRunner``."""

    async def run(self) -> EndReason:
        """Hold the conversation to its end."""

    def hear(self, audio: bytes) -> None:
        """Take caller audio."""

    def receive(self, event: Event) -> None:
        """Tell the engine."""

    def change_input(self, audio: AudioFormat) -> None:
        """Expect another format."""

    def shut_down(self, reason: EndReason) -> None:
        """End the call now."""


async def _find_secret(name: str) -> str | None:
    """Give a secret by its name; None also where the database cannot be asked."""
    try:
        found: str | None = await database_sync_to_async(services.find_secret, thread_sensitive=False)(name)
    except DatabaseError as error:
        log.warning("a secret could not be read: %s", type(error).__name__)
        return None
    return found


class RunnerParts(Struct, frozen=True, kw_only=True):
    """What a runner is made of; tests put other parts in."""

    make_runner: Callable[..., Runner] = CallRunner
    resolve: Callable[[AgentSpec], CallProviders] = registry.resolve
    open_sink: Callable[[UUID, Door, int | None], CallSink] = recorder.open_call
    find_secret: Callable[[str], Awaitable[str | None]] = _find_secret

    def fit_runner(
        self,
        *,
        spec: AgentSpec,
        options: CallOptions,
        door: ports.Door,
        sink: ports.Sink,
        providers: CallProviders,
        line: ports.Line | None = None,
    ) -> Runner:
        """Put a runner together, within this installation's limits. Without a ``line`` it is no telephone call."""
        return self.make_runner(
            spec=spec,
            options=options,
            door=door,
            sink=sink,
            providers=providers,
            limits=CallLimits(fallback_lines=settings.FALLBACK_LINES, turn_budget_seconds=settings.TURN_BUDGET_SECONDS),
            access=ToolAccess(
                line=line or NoTelephone(),
                find_secret=self.find_secret,
                allow_loopback=settings.HTTP_TOOLS_ALLOW_LOOPBACK,
                time_zone=settings.TIME_ZONE,
            ),
        )


async def supervise(runner: Runner, door: Door) -> EndReason:
    """Hold a call to its end and count it. A bug in it is logged: it is ours to tell, not the caller's to guess."""
    CALLS_STARTED.labels(door=door).inc()
    CALLS_LIVE.labels(door=door).inc()
    reason = EndReason.INTERNAL_ERROR
    try:
        reason = await runner.run()
    except Exception:
        log.exception("a call failed")
    except asyncio.CancelledError:
        reason = EndReason.SHUTDOWN
        raise
    finally:
        CALLS_LIVE.labels(door=door).dec()
        CALLS_ENDED.labels(reason=reason).inc()
        log.info("call ended: %s", reason.value)
    return reason
