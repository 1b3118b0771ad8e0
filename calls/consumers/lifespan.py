"""The start and the stop of a web process, as its server announces them (Uvicorn does, Daphne does not).

Nothing relies on the announcement: the recorder and the providers also start when a first call needs them.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from channels.db import database_sync_to_async
from django.db import DatabaseError

from calls.consumers.housekeeping import keep_house
from calls.consumers.lean import Receive, Send
from calls.consumers.phone.preparing import preparing
from calls.engine.agent import AgentSpec
from calls.errors import AgentError
from calls.live import live_calls
from calls.models import Agent
from calls.providers import registry
from calls.recorder import recorder
from calls.services import load_expected_call
from calls.services.agents import spec_of

log = logging.getLogger(__name__)

_STORE_SECONDS = 5.0


async def lifespan(_scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """Start the recorder and warm the published agents' providers up; at the end finish calls and store the rest."""
    await receive()
    live_calls.is_draining = False
    _start_recorder()
    preparing.begin(database_sync_to_async(load_expected_call, thread_sensitive=False))
    warming = asyncio.create_task(_make_ready())
    await send({"type": "lifespan.startup.complete"})
    try:
        await receive()
    finally:
        warming.cancel()
        await asyncio.gather(warming, return_exceptions=True)
        await live_calls.drain(0)
        await preparing.aclose()
        await registry.aclose_all()
        await asyncio.to_thread(recorder.stop, _STORE_SECONDS)
    await send({"type": "lifespan.shutdown.complete"})


def _start_recorder() -> None:
    try:
        recorder.start()
    except OSError as error:
        log.error("calls cannot be recorded, so none can be held: %s", error)  # noqa: TRY400 (the reason says it all)


async def _make_ready() -> None:
    """Load what calls need, then keep the garbage collector out of them."""
    await warm_up()
    await keep_house(live_calls)


async def warm_up() -> None:
    """Import and connect what the published agents speak to, so that no call pays for it. Failures are only logged."""
    try:
        specs = await database_sync_to_async(_published_specs, thread_sensitive=False)()
    except DatabaseError as error:
        log.warning("providers are not warmed up, the database does not answer: %s", type(error).__name__)
        return
    for spec in specs:
        try:
            await registry.warm(spec)
        except AgentError as error:
            log.warning("agent '%s' cannot be called: %s", spec.name, error)


def _published_specs() -> list[AgentSpec]:
    """Give one definition for each choice of providers, the default agent's first."""
    specs: dict[Any, AgentSpec] = {}
    for agent in Agent.objects.callable().select_related("published").order_by("-is_default"):
        if agent.published is not None:
            try:
                spec = spec_of(agent.published.content)
            except AgentError as error:
                log.warning("agent '%s' cannot be called: %s", agent.name, error)
            else:
                specs.setdefault(spec.providers, spec)
    return list(specs.values())
