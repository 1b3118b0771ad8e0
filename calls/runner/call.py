"""One call: the engine's actions performed with providers, a door and a sink.

``receive`` is synchronous: the engine decides in microseconds and no action waits, so an event is dealt with in the
very turn of the event loop in which it came. Whatever takes time is a task of the call's own group; its results come
back as events.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from contextvars import copy_context
from typing import Any

from msgspec.structs import replace

from calls.engine import events as ev
from calls.engine.agent import AgentSpec
from calls.engine.asides import LineGiven
from calls.engine.conversation import Conversation
from calls.engine.phonecall import RecordOptOut, SendDigits, StopRecording
from calls.engine.prompt import render_spec
from calls.enums import EndReason, EventKind, Role
from calls.errors import ProviderError
from calls.providers.base import GenerationRequest, TextDelta
from calls.providers.registry import CallProviders
from calls.runner.hearing import Hearing
from calls.runner.options import CallOptions
from calls.runner.ports import CallTotals, Door, Sink
from calls.runner.speaking import Speaking
from calls.runner.tools import ToolAccess, Toolbox
from calls.wire.audio import AudioFormat
from calls.wire.echo import EchoGuard

_EARLY_SECONDS = 0.0001
"""A loop may fire a timer a little before its time."""


class CallLimits:
    """What an installation sets for all calls."""

    def __init__(self, *, fallback_lines: tuple[str, str, str], turn_budget_seconds: float) -> None:
        self.fallback_lines = fallback_lines
        self.turn_budget_seconds = turn_budget_seconds


class CallRunner:
    """The shell of one call. ``run`` lives as long as the call; everything else is called from the same event loop."""

    def __init__(
        self,
        *,
        spec: AgentSpec,
        options: CallOptions,
        door: Door,
        sink: Sink,
        providers: CallProviders,
        limits: CallLimits,
        access: ToolAccess | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # What is said and read has the call's variables; the recogniser keeps to the agent's own words.
        self._spec = replace(render_spec(spec, options.variables), language=options.language)
        self._options = options
        self.door = door
        self.sink = sink
        self.echo = EchoGuard()
        self._providers = providers
        self._limits = limits
        self.now = clock
        self._began = clock()
        self._conversation = Conversation(
            self._spec,
            fallback_lines=limits.fallback_lines,
            llm_tiers=len(providers.llms),
            tts_tiers=len(providers.tts),
            turn_budget_seconds=limits.turn_budget_seconds,
            earlier=options.earlier,
            telephone=options.telephone,
            protects_opening=options.protects_opening,
        )
        self._hearing = Hearing(self, spec, options, providers.stt, providers.vad)
        self._speaking = Speaking(self, spec, options, providers.tts, providers.cache)
        self._toolbox = self._fit_toolbox(access or ToolAccess())
        self._inbox: deque[ev.Event] = deque()
        self._has_started = False
        self._is_receiving = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self._tasks: asyncio.TaskGroup | None = None
        self._generations: dict[int, asyncio.Task[None]] = {}
        self._over = asyncio.Event()
        self._reason: EndReason | None = None
        self._bug: Exception | None = None
        # Who tells of an event may run for another call (voice activity is judged for many at once): what is started
        # then logs under this one all the same.
        self._context = copy_context()
        self._perform: dict[type, Callable[[Any], None]] = self._performers()

    def _fit_toolbox(self, access: ToolAccess) -> Toolbox:
        between = self._speaking.between
        said = self._conversation
        return Toolbox(self, self._spec, self._options, access, between=between, messages=lambda: said.messages)

    # --- from outside -------------------------------------------------------------------------------------------------

    async def run(self) -> EndReason:
        """Hold the conversation to its end and give the reason.

        Raises what a bug raised (an exception group); the call is then recorded as ended by an internal error. A
        cancellation records what was said and ends the call as shut down.
        """
        try:
            async with asyncio.TaskGroup() as self._tasks:
                own = [self.spawn(self._hearing.run()), self.spawn(self._speaking.write())]
                own.append(self.spawn(self._speaking.warm_up(self._fixed_lines())))
                self._has_started = True
                # What was typed or heard a moment earlier waits in the inbox and is dealt with right after.
                self._inbox.appendleft(
                    ev.CallStarted(opening=self._options.opening, detects_turns=self._hearing.detects_turns)
                )
                self._work_off()
                if self._options.is_consulting:
                    self.receive(LineGiven(self._spec.transfer_lines.calling, holds=True))
                    self._toolbox.await_colleague()
                await self._over.wait()
                if self._bug is not None:
                    raise self._bug  # noqa: TRY301 (the group must see it, so that it stops its tasks)
                for task in (*own, *self._generations.values()):
                    task.cancel()
                self._toolbox.stop()
                self._speaking.stop()
            if self._reason is EndReason.TRANSFERRED:
                await self._toolbox.hand_over()
        except asyncio.CancelledError:
            self.shut_down(EndReason.SHUTDOWN)
            raise
        except BaseException:
            self._reason = EndReason.INTERNAL_ERROR
            raise
        finally:
            await self._close()
        return self._reason or EndReason.INTERNAL_ERROR

    def _fixed_lines(self) -> tuple[str, ...]:
        """Give what must be sayable at any moment, even without a synthesiser."""
        return (*self._limits.fallback_lines, *filter(None, [self._options.earlier.resume_line]))

    def hear(self, audio: bytes) -> None:
        """Take caller audio in the input format. Never blocks."""
        if not self._is_over:
            self._hearing.hear(audio)

    def change_input(self, audio: AudioFormat) -> None:
        """Expect caller audio in another format from now on."""
        if not self._is_over:
            self._hearing.change_input(audio)

    def shut_down(self, reason: EndReason) -> None:
        """End the call: the line is gone, or this process is going.

        After a disconnection the recogniser may still deliver the caller's last words, for ``recogniser_wait_ms``.
        """
        self.receive(ev.Disconnected(reason))

    def receive(self, event: ev.Event) -> None:
        """Tell the engine what happened and perform what it decides.

        Events that this causes in turn are dealt with after it.
        """
        self._inbox.append(event)
        if self._has_started and not self._is_receiving:
            self._work_off()

    def _work_off(self) -> None:
        self._is_receiving = True
        try:
            while self._inbox and not self._is_over:
                for action in self._conversation.receive(self._inbox.popleft(), self.now()):
                    self._perform[type(action)](action)
            self._hearing.listens_for_beep = self._conversation.listens_for_beep
        except Exception as error:  # noqa: BLE001 (handed to the supervisor, see below)
            # The caller of this method may be a socket's reader or a timer: the supervisor must learn of the bug all
            # the same.
            self._bug = error
            self._over.set()
        finally:
            self._is_receiving = False
        self._set_timer()

    # --- time ---------------------------------------------------------------------------------------------------------

    def elapsed_ms(self) -> float:
        """Give wall milliseconds since the call began."""
        return (self.now() - self._began) * 1000

    @property
    def _is_over(self) -> bool:
        return self._over.is_set()

    def _set_timer(self) -> None:
        """Have a timer that fires no later than the engine's next timeout.

        Each frame of audio moves that timeout; a timer that fires too early is cheaper than a new one for every frame.
        """
        if self._is_over or (due := self._conversation.next_timeout()) is None:
            return
        if self._timer is not None:
            if self._timer_due <= due:
                return
            self._timer.cancel()
        self._timer_due = due
        delay = max(due - self.now(), 0.0)
        self._timer = asyncio.get_running_loop().call_later(delay, self._note_time)

    def _note_time(self) -> None:
        self._timer = None
        due = self._conversation.next_timeout()
        if due is not None and due - self.now() < _EARLY_SECONDS:
            self.receive(ev.TimePassed())
        else:
            self._set_timer()

    # --- the end ------------------------------------------------------------------------------------------------------

    def _finish(self, action: ev.Finish) -> None:
        self._reason = action.reason
        self._over.set()

    async def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # What the far end had not played yet was never heard.
        self.sink.cut_agent_audio(self.elapsed_ms())
        self.sink.finish(
            self._reason or EndReason.SHUTDOWN,
            CallTotals(
                dropped_input_ms=round(self._hearing.dropped_ms),
                conversion_errors=self._hearing.conversion_errors + self._speaking.conversion_errors,
                reconnects=self._hearing.reconnects,
            ),
        )
        await asyncio.gather(self._hearing.aclose(), self._speaking.aclose())

    # --- performing ---------------------------------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task of this call's group."""
        if self._tasks is None:  # pragma: no cover (the engine only acts after CallStarted, which run sends)
            work.close()
            message = "the call is not running"
            raise RuntimeError(message)
        return self._tasks.create_task(work, context=self._context.copy())

    def note_failure(self, error: ProviderError) -> None:
        """Record which provider failed, and how, without the words of its message."""
        detail = {"role": error.role.value, "provider": error.provider, "error": type(error).__name__}
        self.sink.record_event("provider_failed", round(self.elapsed_ms()), detail)

    def _performers(self) -> dict[type, Callable[[Any], None]]:
        door, speaking, sink = self.door, self._speaking, self.sink
        return {
            ev.Generate: self._generate,
            ev.Speak: speaking.speak,
            ev.EndSpeech: lambda a: speaking.end_speech(a.reply),
            ev.Commit: lambda a: speaking.commit(a.reply),
            ev.Discard: self._discard,
            ev.Cancel: self._cancel,
            ev.CallTool: self._toolbox.call,
            ev.ShowState: lambda a: door.show_state(a.before, a.after),
            ev.ShowTranscript: lambda a: door.show_transcript(
                a.utterance, a.text, a.confidence, a.duration_ms, is_final=a.is_final
            ),
            ev.ShowToken: lambda a: door.show_token(a.reply, a.text),
            ev.CompleteReply: lambda a: door.complete_reply(a.reply, a.text, a.latency),
            ev.ShowLatency: lambda a: door.show_latency(a.reply, a.latency),
            ev.ReportError: lambda a: door.show_error(a.code, a.message, retryable=a.retryable),
            ev.FlushRecogniser: lambda _: self._hearing.flush(),
            ev.Record: lambda a: sink.record_turn(a.turn),
            ev.RecordEvent: lambda a: sink.record_event(a.kind, round(self.elapsed_ms()), a.detail),
            RecordOptOut: self._record_opt_out,
            StopRecording: lambda _: sink.stop_recording(round(self.elapsed_ms())),
            SendDigits: self._send_digits,
            ev.Finish: self._finish,
        }

    def _record_opt_out(self, action: RecordOptOut) -> None:
        detail = {"source": action.source.value, "turn": action.turn}
        self.sink.record_event(EventKind.OPTED_OUT, round(self.elapsed_ms()), detail)

    def _send_digits(self, action: SendDigits) -> None:
        self.spawn(self._speaking.between.press(action.digits))

    def _generate(self, action: ev.Generate) -> None:
        self._stop_generation(action.reply)
        self._generations[action.reply] = self.spawn(self._run_generation(action))

    async def _run_generation(self, action: ev.Generate) -> None:
        """Stream one reply's text to the engine. Cancelling this task closes the provider's request."""
        request = GenerationRequest(
            messages=action.messages,
            spec=self._spec,
            tools=self._toolbox.describe(),
            language=self._options.language,
        )
        usage: ev.Usage | None = None
        try:
            async with aclosing(self._providers.llms[action.tier].generate(request)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, TextDelta):
                        self.receive(ev.ReplyDelta(action.reply, piece.text))
                    elif isinstance(piece, ev.ToolRequest):
                        self.receive(ev.ReplyToolRequested(action.reply, piece))
                    else:
                        usage = piece
        except ProviderError as error:
            self.note_failure(error)
            self.receive(ev.ReplyFailed(action.reply, Role.LLM, str(error), error.retryable))
        else:
            self.receive(ev.ReplyGenerated(action.reply, usage))
        finally:
            if self._generations.get(action.reply) is asyncio.current_task():
                del self._generations[action.reply]

    def _stop_generation(self, reply: int) -> None:
        if task := self._generations.pop(reply, None):
            task.cancel()

    def _discard(self, action: ev.Discard) -> None:
        self._stop_generation(action.reply)
        self._speaking.discard(action.reply)

    def _cancel(self, action: ev.Cancel) -> None:
        if not action.keeps_text:
            self._stop_generation(action.reply)
        self._speaking.cancel(action)
