"""What can be done for a call before its stream opens: while the telephone rings, in the process that heard of it.

Its first words are laid into the cache at the line's format, its providers are loaded and what calls share of them is
connected, and a connection to the recogniser, of which each call needs its own, is held for it. Each process does so
for the calls of which the carrier tells *it*: the stream will mostly come the same way. Where it does not, the runner
does all this itself, only later; what was held is taken by the next call of the same kind, or closed in the end.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError
from django.dispatch import receiver
from msgspec.structs import replace

from calls.consumers.phone.lines import phone_lines
from calls.consumers.phone.plan import Plan
from calls.engine.agent import AgentSpec
from calls.engine.prompt import render_spec
from calls.engine.sentences import BREAK
from calls.errors import CallError, ProviderError
from calls.live import live_calls
from calls.providers import registry
from calls.providers.base import AwaitsCalls, RecognitionOptions, SpeechOptions, SpeechToText
from calls.providers.registry import CallProviders
from calls.signals import attempt_over, call_expected
from calls.wire.twilio import LINE_FORMAT

log = logging.getLogger(__name__)

_MOST_REMEMBERED = 2000
_SECONDS = 20.0
_ANSWER_SECONDS = 10.0
"""From the last ring to the stream of an answered call, at the most."""
_AT_ONCE = 20
"""A campaign's calls ring in volleys; the words of more calls than this wait for those before them."""

Load = Callable[[UUID], Awaitable[Plan]]


def first_words(spec: AgentSpec, variables: dict[str, str]) -> dict[str, bool]:
    """Give the pieces in which a call may begin, and whether each is the same on every call of the agent.

    What holds a person's variables is nobody else's, and is kept in memory only. Raises ``CallError`` for a variable
    without a value.
    """
    said = render_spec(spec, variables)
    pairs = (
        (spec.telephone.notice, said.telephone.notice),
        (spec.telephone.opening or spec.opening, said.telephone.opening or said.opening),
        (settings.RESUME_LINE, settings.RESUME_LINE),
        *((line, line) for line in settings.FALLBACK_LINES),
    )
    return {
        piece.strip(): written == spoken for written, spoken in pairs for piece in spoken.split(BREAK) if piece.strip()
    }


class Preparing:
    """The preparations of one process. ``begin`` and ``aclose`` belong to its event loop, ``expect`` to any thread."""

    def __init__(
        self,
        *,
        load_providers: Callable[[AgentSpec], Awaitable[CallProviders]] = registry.load,
        warm: Callable[[AgentSpec], Awaitable[None]] = registry.warm,
    ) -> None:
        self._load_providers = load_providers
        self._warm = warm
        self._load: Load | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._known: OrderedDict[UUID, None] = OrderedDict()
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._ear_room = asyncio.Semaphore(0)

    def begin(self, load: Load) -> None:
        """Prepare calls in the running event loop from now on."""
        self._load, self._loop = load, asyncio.get_running_loop()
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._ear_room = asyncio.Semaphore(settings.WAITING_CONNECTIONS)

    async def aclose(self) -> None:
        """Stop preparing, and close what waits for calls."""
        self._loop = None
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def expect(self, attempt_id: UUID) -> None:
        """Note that a call may be answered soon. A process that holds no calls does nothing."""
        if (loop := self._loop) is not None:
            loop.call_soon_threadsafe(self._start, attempt_id)

    def forget(self, attempt_id: UUID) -> None:
        """Note that a call is over; idempotent. Any thread may tell."""
        if (loop := self._loop) is not None:
            loop.call_soon_threadsafe(self._stop, attempt_id)

    def _stop(self, attempt_id: UUID) -> None:
        if (task := self._tasks.get(attempt_id)) is not None:
            task.cancel()

    def _start(self, attempt_id: UUID) -> None:
        if self._loop is None or live_calls.is_draining or attempt_id in self._known:
            return
        self._known[attempt_id] = None
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        task = self._tasks[attempt_id] = asyncio.create_task(self._prepare(attempt_id))
        task.add_done_callback(lambda _: self._tasks.pop(attempt_id, None))

    async def _prepare(self, attempt_id: UUID) -> None:
        """Do it; what cannot be done is left to the call itself, which says what is wrong."""
        async with asyncio.TaskGroup() as tasks:
            try:
                async with self._room, asyncio.timeout(_SECONDS):
                    if self._load is not None:
                        plan = await self._load(attempt_id)
                        providers = await self._load_providers(plan.spec)
                        tasks.create_task(self._keep_ear(attempt_id, plan, providers.stt))
                        await asyncio.gather(self._warm(plan.spec), self._lay_words(plan, providers))
            except (CallError, DatabaseError, TimeoutError) as error:
                log.info("attempt %s is not prepared: %s", attempt_id, type(error).__name__)

    async def _keep_ear(self, attempt_id: UUID, plan: Plan, stt: SpeechToText) -> None:
        """Have the recogniser hold a connection for as long as the telephone may ring."""
        if not isinstance(stt, AwaitsCalls):
            return
        options = RecognitionOptions.on_line(
            LINE_FORMAT,
            stt,
            plan.spec,
            language=plan.language or plan.spec.language,
            is_telephone=plan.direction is not None,
        )
        try:
            async with asyncio.timeout(settings.RING_SECONDS + _ANSWER_SECONDS), self._ear_room:
                if not phone_lines.has(attempt_id):
                    await stt.await_call(options)
        except (ProviderError, TimeoutError) as error:
            log.info("no connection waits for attempt %s any more: %s", attempt_id, type(error).__name__)

    async def _lay_words(self, plan: Plan, providers: CallProviders) -> None:
        language = plan.language or plan.spec.language
        speech = SpeechOptions(format=LINE_FORMAT, spec=plan.spec, language=language, voice=plan.spec.voice)
        words = first_words(replace(plan.spec, language=language), dict(plan.variables))
        made = (providers.cache.make(providers.tts[0], speech, text, keep=keep) for text, keep in words.items())
        outcomes = await asyncio.gather(*made, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome


preparing = Preparing()


@receiver(call_expected, dispatch_uid="prepare_call")
def prepare_expected(*, attempt_id: UUID, **_sender: Any) -> None:
    """Prepare a call that may be answered soon."""
    preparing.expect(attempt_id)


@receiver(attempt_over, dispatch_uid="forget_call")
def forget_over(*, attempt_id: UUID, **_sender: Any) -> None:
    """Give up what waits for a call that nobody answered."""
    preparing.forget(attempt_id)
