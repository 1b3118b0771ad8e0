"""The tools of one call at work: each use is a task of the call's, with a time limit and a place in its log."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from calls.engine.agent import AgentSpec
from calls.engine.asides import LineGiven, ToolDelayed
from calls.engine.events import CallTool, Message, ToolReturned
from calls.engine.toolspec import Destination
from calls.enums import EndReason, EventKind
from calls.errors import CallError
from calls.runner.between import Between
from calls.runner.options import CallOptions
from calls.runner.ports import Shell
from calls.runner.tools.access import ToolAccess
from calls.runner.tools.base import Outcome, Tool
from calls.runner.tools.callback import ScheduleCallback, zone_of
from calls.runner.tools.telephone import DoNotCall, EndCall, SendDigits, TransferCall

log = logging.getLogger(__name__)

FILLER_SECONDS = 1.0
_HAND_OVER_SECONDS = 5.0
_LOGGED_CHARACTERS = 2000
_SUMMARY_TURNS = 6
_SUMMARY_CHARACTERS = 600


class Toolbox:
    """What the model may ask for on this call.

    ``between`` plays keys, and something to who waits; ``messages`` gives what was said so far.
    """

    def __init__(
        self,
        shell: Shell,
        spec: AgentSpec,
        options: CallOptions,
        access: ToolAccess,
        *,
        between: Between,
        messages: Callable[[], tuple[Message, ...]],
    ) -> None:
        self._shell = shell
        self._spec = spec
        self._line = access.line
        self._between = between
        self._messages = messages
        self._destination: Destination | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        zone = zone_of(options.variables.get("time_zone", ""), access.time_zone)
        tools: list[Tool] = [
            EndCall(),
            SendDigits(self._line, between.press),
            DoNotCall(spec, self._line),
            ScheduleCallback(zone, access.wall, self._note_callback),
        ]
        if spec.destinations:
            tools.append(
                TransferCall(
                    spec,
                    self._line,
                    on_cold=self._note_destination,
                    on_consulted=self.await_colleague,
                    summarise=self._summarise,
                )
            )
        if spec.http_tools:
            from calls.runner.tools.http import HttpRequestTool  # noqa: PLC0415 (its client costs who has no such tool)

            tools += [HttpRequestTool(tool, access) for tool in spec.http_tools]
        allowed = {*spec.tools, *(tool.name for tool in spec.http_tools)}
        self._tools = {tool.name: tool for tool in tools if tool.name in allowed}

    def describe(self) -> tuple[Mapping[str, Any], ...]:
        """Give the tools' descriptions. A name that is no tool (any more) is left out."""
        return tuple(tool.describe() for tool in self._tools.values())

    # --- one use ------------------------------------------------------------------------------------------------------

    def call(self, action: CallTool) -> None:
        """Use a tool; its answer comes to the engine as an event, whatever happens."""
        self._spawn(self._use(action))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._shell.spawn(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _use(self, action: CallTool) -> None:
        began, request = self._shell.now(), action.request
        tool = self._tools.get(request.name)
        if tool is None:
            result = f"There is no tool named {request.name!r}. Go on without it."
            self._shell.receive(ToolReturned(action.reply, request, result))
            return
        bridging = asyncio.get_running_loop().call_later(FILLER_SECONDS, self._bridge, action, tool)
        is_done = False
        try:
            async with asyncio.timeout(tool.seconds):
                outcome = await tool.use(request.arguments)
            is_done = True
        except TimeoutError:
            outcome = Outcome(result="Not done: the tool did not answer in time. Tell the caller, and go on.")
        except CallError as error:
            outcome = Outcome(result=f"Not done: {error}")
        finally:
            bridging.cancel()
            self._between.release(action)
        detail = {
            "tool": tool.name,
            "done": is_done,
            "took_ms": round((self._shell.now() - began) * 1000),
            "result": outcome.result[:_LOGGED_CHARACTERS],
            **outcome.detail,
        }
        self._shell.sink.record_event("tool_used", round(self._shell.elapsed_ms()), detail)
        if outcome.is_final and outcome.last is not None:
            # Not as a part of the reply, which a caller who cuts in takes away with its end.
            self._shell.receive(outcome.last)
        else:
            self._shell.receive(ToolReturned(action.reply, request, outcome.result, outcome.last))

    def _bridge(self, action: CallTool, tool: Tool) -> None:
        """Have somebody who waits longer than one would on the telephone hear that something happens."""
        if tool.filler:
            self._shell.receive(ToolDelayed(action.reply, tool.filler))
            if self._line.is_telephone:
                self._between.hold(action)

    def _note_callback(self, detail: Mapping[str, Any]) -> None:
        self._shell.sink.record_event(EventKind.CALLBACK_REQUESTED, round(self._shell.elapsed_ms()), detail)

    # --- transfers ----------------------------------------------------------------------------------------------------

    def _note_destination(self, destination: Destination) -> None:
        self._destination = destination

    def await_colleague(self) -> None:
        """Let the caller wait while a colleague is called, and tell the engine what came of it."""
        self._spawn(self._await_colleague())

    async def _await_colleague(self) -> None:
        lines = self._spec.transfer_lines
        self._between.hold(self)
        try:
            is_accepted = await self._line.is_consultation_accepted()
        finally:
            self._between.release(self)
        self._shell.sink.record_event(
            "colleague_accepted" if is_accepted else "colleague_declined", round(self._shell.elapsed_ms()), {}
        )
        if is_accepted:
            self._destination = None
            self._shell.receive(LineGiven(lines.connecting, EndReason.TRANSFERRED))
        else:
            self._shell.receive(LineGiven(lines.returned))

    async def hand_over(self) -> None:
        """Have the line go on where the conversation decided to send it; where that cannot be, the caller comes back.

        A cold transfer is stored here and not when the model asked: a caller who cuts in keeps talking to the agent.
        """
        sink = self._shell.sink
        if (place := self._destination) is not None:
            try:
                async with asyncio.timeout(_HAND_OVER_SECONDS):
                    await self._line.transfer(place)
            except (CallError, TimeoutError) as error:
                log.warning("a transfer could not be stored: %s", type(error).__name__)
                sink.record_event("transfer_failed", round(self._shell.elapsed_ms()), {"error": type(error).__name__})
                return
        sink.record_event(EventKind.RECORDING_ENDED, round(self._shell.elapsed_ms()), {"reason": "transfer"})

    def _summarise(self) -> str:
        """Say what it is about without a model: the last turns."""
        said = [
            f"{'The caller' if message.role == 'user' else 'The assistant'} said: {message.content.strip()}"
            for message in self._messages()
            if message.role in {"user", "assistant"} and message.content.strip()
        ]
        return " ".join(said[-_SUMMARY_TURNS:])[-_SUMMARY_CHARACTERS:]

    # --- the end ------------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """End everything that is at work."""
        for task in tuple(self._tasks):
            task.cancel()
