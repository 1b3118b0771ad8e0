"""The call of one console connection: nothing yet, starting, live, parting, over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import Enum
from uuid import UUID

from channels.db import database_sync_to_async
from django.db import DatabaseError
from msgspec import Struct

from calls.consumers.console.backlog import Backlog, Item
from calls.consumers.console.door import ConsoleDoor
from calls.consumers.supervision import Runner, RunnerParts, supervise
from calls.engine.agent import AgentSpec
from calls.engine.events import Event, HangUpRequested, TextTyped
from calls.engine.prompt import render_spec
from calls.enums import ConversationState, Door, EndReason, ErrorCode
from calls.errors import AgentError
from calls.providers.registry import CallProviders
from calls.recorder import CallSink
from calls.runner.options import CallOptions
from calls.runner.ports import CallTotals
from calls.services.agents import LoadedAgent, load_agent
from calls.wire.audio import AudioFormat
from calls.wire.console import DEFAULT_RATE, Start

log = logging.getLogger(__name__)

_ACK_SECONDS = 0.4
"""A start is acknowledged after its agent was found, but no later than this."""
_LOAD_SECONDS = 10.0
_CLOSE_CODES = {EndReason.SHUTDOWN: 1001, EndReason.ABUSE: 1008, EndReason.INTERNAL_ERROR: 1011}
"""Every other end is the conversation's own: 1000, on which the React client does not connect again."""


class Phase(Enum):
    """Where the call of a connection is."""

    IDLE = "idle"
    STARTING = "starting"
    LIVE = "live"
    PARTING = "parting"
    OVER = "over"


class Parts(RunnerParts, frozen=True, kw_only=True):
    """What a call is made of; tests put other parts in."""

    load: Callable[[str | None], Awaitable[LoadedAgent]] = database_sync_to_async(load_agent, thread_sensitive=False)


class Asked(Struct, frozen=True):
    """Who asked for a start is told how it went, once."""

    accept: Callable[[], None]
    refuse: Callable[[ErrorCode, str, bool], None]


class StartError(Exception):
    """A start that cannot be, in the words that the client is told."""

    def __init__(self, code: ErrorCode, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable


class ConsoleCall:
    """At most one conversation. ``on_closed`` is called when it is over and the socket closed."""

    def __init__(
        self,
        session_id: UUID,
        user_id: int | None,
        *,
        door: ConsoleDoor,
        tasks: asyncio.TaskGroup,
        on_closed: Callable[[], None],
        parts: Parts,
    ) -> None:
        self.phase = Phase.IDLE
        self._session_id = session_id
        self._user_id = user_id
        self._door = door
        self._tasks = tasks
        self._on_closed = on_closed
        self._parts = parts
        self._runner: Runner | None = None
        self._holding: asyncio.Task[None] | None = None
        self._backlog = Backlog()
        self._rate = DEFAULT_RATE
        self._held: list[TextTyped] | None = None
        self._close_code: int | None = None
        door.on_state = self._note_state

    @property
    def may_be_told(self) -> bool:
        """Whether one more event finds room."""
        return self.phase is not Phase.STARTING or self._backlog.has_room

    @property
    def is_ending(self) -> bool:
        """Whether nothing new can be said any more."""
        return self.phase in {Phase.PARTING, Phase.OVER}

    # --- what the client sends ----------------------------------------------------------------------------------------

    def start(self, start: Start, asked: Asked, *, opening: bool = True, text: str | None = None) -> None:
        """Begin; ``text`` was typed before and is answered once the opening line was spoken."""
        self.phase = Phase.STARTING
        self._rate = start.input_rate
        self._backlog.trim(self._rate)
        self._held = None if text is None else [TextTyped(text)]
        self._holding = self._tasks.create_task(self._hold(start, asked, opening=opening))

    def change_rate(self, start: Start) -> None:
        """Expect audio at another rate, where a second start names one."""
        if start.sampling_rate is not None:
            self._rate = start.input_rate
            self._give(AudioFormat(rate=self._rate))

    def hear(self, audio: bytes) -> bool:
        """Take audio; False when the buffer of a call that has not begun overflows."""
        if self.phase in {Phase.IDLE, Phase.STARTING}:
            return self._backlog.add_audio(audio, self._rate)
        self._give(audio)
        return True

    def tell(self, event: Event) -> None:
        """Hand an event to the conversation, now or when it has begun; without one nothing happens."""
        if self._held is not None and isinstance(event, TextTyped):
            self._held.append(event)
        else:
            self._give(event)

    def hang_up(self) -> None:
        """Say goodbye, then close; without a conversation close at once."""
        if self.phase is Phase.IDLE:
            self.end(EndReason.CALLER_ENDED)
        else:
            self._give(HangUpRequested())

    def end(self, reason: EndReason, close_code: int | None = None) -> None:
        """End the call and close the socket, with ``close_code`` where the reason's own does not say it."""
        self._close_code = self._close_code or close_code
        if self._runner is not None:
            self._runner.shut_down(reason)
        elif self.phase is not Phase.OVER:
            self.phase = Phase.OVER
            if self._holding is not None:
                self._holding.cancel()
            self._tasks.create_task(self._close(reason))

    # --- its life -----------------------------------------------------------------------------------------------------

    async def _hold(self, start: Start, asked: Asked, *, opening: bool) -> None:
        """Prepare the call and hold it to its end."""
        try:
            loaded = await self._load(start, asked)
            runner = self._make_runner(loaded, start, opening=opening)
        except StartError as error:
            self.phase = Phase.IDLE
            asked.refuse(error.code, str(error), error.retryable)
            return
        log.info("call begins, agent %s", loaded.agent_id)
        self._runner = runner
        # Its first step comes after the runner's, in which the conversation begins.
        self._tasks.create_task(self._go_live())
        try:
            reason = await supervise(runner, Door.CONSOLE)
        finally:
            self.phase = Phase.OVER
        await self._close(reason)

    async def _load(self, start: Start, asked: Asked) -> LoadedAgent:
        """Find the agent and see that it can be called; a slow database does not keep the client waiting."""
        in_time = asyncio.get_running_loop().call_later(_ACK_SECONDS, asked.accept)
        try:
            async with asyncio.timeout(_LOAD_SECONDS):
                loaded = await self._parts.load(start.agent_id)
            render_spec(loaded.spec, start.texts)
        except AgentError as error:
            raise StartError(ErrorCode.INVALID_PAYLOAD, str(error)) from error
        except (DatabaseError, TimeoutError) as error:
            log.warning("an agent could not be loaded: %s", type(error).__name__)
            message = "the database does not answer; try again"
            raise StartError(ErrorCode.CONNECTION, message, retryable=True) from error
        finally:
            in_time.cancel()
        asked.accept()
        return loaded

    def _make_runner(self, loaded: LoadedAgent, start: Start, *, opening: bool) -> Runner:
        language = start.language or loaded.spec.language
        try:
            providers = self._parts.resolve(loaded.spec)
            sink = self._parts.open_sink(self._session_id, Door.CONSOLE, self._user_id)
        except AgentError as error:
            raise StartError(ErrorCode.CONNECTION, str(error)) from error
        except OSError as error:
            log.warning("the journal of a call cannot be written: %s", error)
            message = "the call cannot be recorded now; try again"
            raise StartError(ErrorCode.CONNECTION, message, retryable=True) from error
        sink.attach(
            agent_id=loaded.agent_id,
            version_id=loaded.version_id,
            language=language,
            variables=start.texts,
            campaign_id=start.campaign_id or "",
        )
        try:
            return self._fit_runner(loaded.spec, start, providers, sink, language=language, opening=opening)
        except BaseException:
            sink.finish(EndReason.INTERNAL_ERROR, CallTotals())
            raise

    def _fit_runner(
        self, spec: AgentSpec, start: Start, providers: CallProviders, sink: CallSink, *, language: str, opening: bool
    ) -> Runner:
        options = CallOptions(
            input=AudioFormat(rate=start.input_rate),
            output=AudioFormat(rate=start.output_rate),
            language=language,
            voice=start.voice_id or "",
            variables=start.texts,
            opening=opening,
        )
        self._door.output_rate = start.output_rate
        return self._parts.fit_runner(spec=spec, options=options, door=self._door, sink=sink, providers=providers)

    async def _go_live(self) -> None:
        """Hand over what came while the call started."""
        if self.phase is Phase.STARTING:
            self.phase = Phase.LIVE
            for item in self._backlog.take():
                self._give(item)

    def _give(self, item: Item) -> None:
        if self.phase is Phase.STARTING:
            self._backlog.add(item)
        elif self._runner is None:
            return
        elif isinstance(item, bytes):
            self._runner.hear(item)
        elif isinstance(item, AudioFormat):
            self._runner.change_input(item)
        else:
            if isinstance(item, HangUpRequested):
                self.phase = Phase.PARTING
            self._runner.receive(item)

    def _note_state(self, state: ConversationState) -> None:
        """A text that began the call is answered after the opening line, which it must not cut."""
        if state is ConversationState.LISTENING and self._held is not None:
            texts, self._held = self._held, None
            for text in texts:
                self._give(text)

    async def _close(self, reason: EndReason) -> None:
        if reason is EndReason.INTERNAL_ERROR:
            self._door.show_error(ErrorCode.INTERNAL, "the server made a mistake", retryable=True)
        await self._door.close(self._close_code or _CLOSE_CODES.get(reason, 1000))
        self._on_closed()
