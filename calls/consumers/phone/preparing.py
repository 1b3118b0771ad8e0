"""What can be done for a call before its stream opens: while the telephone rings, in the process that heard of it.

Its first words are laid into the cache at the line's format, and its providers are loaded and their pools warmed. Each
process does it for the calls of which the carrier tells *it*: the stream will mostly come the same way. Where it does
not, the runner makes the words itself, only later.
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

from calls.consumers.phone.call import Plan
from calls.engine.agent import AgentSpec, ProviderChoice
from calls.engine.prompt import render_spec
from calls.engine.sentences import BREAK
from calls.errors import CallError
from calls.providers import registry
from calls.providers.base import SpeechOptions
from calls.providers.registry import CallProviders
from calls.signals import call_expected
from calls.wire.twilio import LINE_FORMAT

log = logging.getLogger(__name__)

_MOST_REMEMBERED = 2000
_SECONDS = 20.0
_WARM_SECONDS = 30.0
"""Pooled connections that nobody used for longer may be closed by the far side."""
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
        resolve: Callable[[AgentSpec], CallProviders] = registry.resolve,
        warm: Callable[[AgentSpec], Awaitable[None]] = registry.warm,
    ) -> None:
        self._resolve = resolve
        self._warm = warm
        self._load: Load | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._known: OrderedDict[UUID, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._warmed: dict[ProviderChoice, float] = {}
        self._room = asyncio.Semaphore(_AT_ONCE)

    def begin(self, load: Load) -> None:
        """Prepare calls in the running event loop from now on."""
        self._load, self._loop = load, asyncio.get_running_loop()
        self._warmed.clear()
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def aclose(self) -> None:
        """Stop preparing."""
        self._loop = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def expect(self, attempt_id: UUID) -> None:
        """Note that a call may be answered soon. A process that holds no calls does nothing."""
        if (loop := self._loop) is not None:
            loop.call_soon_threadsafe(self._start, attempt_id)

    def _start(self, attempt_id: UUID) -> None:
        if self._loop is None or attempt_id in self._known:
            return
        self._known[attempt_id] = None
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        task = asyncio.create_task(self._prepare(attempt_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _prepare(self, attempt_id: UUID) -> None:
        """Do it; what cannot be done is left to the call itself, which says what is wrong."""
        try:
            async with self._room, asyncio.timeout(_SECONDS):
                if self._load is not None:
                    await self._lay_words(await self._load(attempt_id))
        except (CallError, DatabaseError, TimeoutError) as error:
            log.info("attempt %s is not prepared: %s", attempt_id, type(error).__name__)

    async def _lay_words(self, plan: Plan) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._warmed.get(plan.spec.providers, -_WARM_SECONDS) >= _WARM_SECONDS:
            self._warmed[plan.spec.providers] = now
            await self._warm(plan.spec)
        providers = self._resolve(plan.spec)
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
