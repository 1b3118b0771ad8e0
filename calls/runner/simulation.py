"""A whole call without a socket and without waiting: for ``manage.py simulate_call`` and for tests.

The event loop's clock is virtual: where a loop would sleep until its next timer, this one moves its clock there at
once. A call of minutes takes milliseconds and comes out the same every time.
"""

import asyncio
import selectors
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

from msgspec import Struct

from calls.engine.agent import AgentSpec
from calls.engine.events import Latency, SpokenTurn
from calls.enums import CancelReason, ConversationState, Direction, EndReason, ErrorCode, EventKind, Speaker
from calls.providers.base import SpeechOptions
from calls.providers.registry import CallProviders
from calls.runner.call import CallLimits, CallRunner
from calls.runner.options import CallOptions
from calls.runner.ports import CallTotals
from calls.wire.audio import AudioFormat, silence

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_FRAME_MS = 20.0
_PAUSE_SECONDS = 0.4
_CUT_IN_SECONDS = 1.2
_ANSWER_SECONDS = 1.5
"""After a line, before looking whether the agent has finished: the endpointing has to have decided by then."""


class _JumpingSelector(selectors.DefaultSelector):
    """Looks for ready files without waiting; a wait that finds none moves the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Give what is ready; ``None`` (nothing is planned) still waits, for another thread may wake the loop."""
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready and timeout > 0:
            self.now += timeout
        return ready


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """An event loop whose ``time()`` starts at 0 and jumps from timer to timer."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Give the virtual time in seconds."""
        return self._jumping.now

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Run at once: a thread would work while the clock jumps ahead, and no two runs would be alike."""
        del executor
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 (handed to whoever awaits)
            future.set_exception(error)
        return future


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own with a virtual clock."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(work)


class CollectingSink:
    """A sink that keeps everything in memory."""

    def __init__(self) -> None:
        self.turns: list[SpokenTurn] = []
        self.events: list[tuple[str, int, Mapping[str, Any]]] = []
        self.audio: list[tuple[Speaker, float, bytes, int]] = []
        self.is_recording = True
        self.reason: EndReason | None = None
        self.totals: CallTotals | None = None

    def record_turn(self, turn: SpokenTurn) -> None:
        """Keep a finished turn."""
        self.turns.append(turn)

    def record_event(self, kind: str, at_ms: int, detail: Mapping[str, Any]) -> None:
        """Keep a fact."""
        self.events.append((kind, at_ms, detail))

    def record_audio(self, side: Speaker, at_ms: float, pcm: bytes, rate: int) -> None:
        """Keep a piece of audio with its place."""
        if self.is_recording:
            self.audio.append((side, at_ms, pcm, rate))

    def stop_recording(self, at_ms: int) -> None:
        """Keep no audio any more."""
        self.is_recording = False
        self.record_event(EventKind.RECORDING_STOPPED, at_ms, {})

    def cut_agent_audio(self, at_ms: float) -> None:
        """Drop what was laid behind the cut; a piece across it is kept up to it."""
        kept = []
        for side, begins_ms, pcm, rate in self.audio:
            room = max(int((at_ms - begins_ms) * rate / 1000), 0) * 2
            whole = side is Speaker.CALLER or room >= len(pcm)
            if whole or room:
                kept.append((side, begins_ms, pcm if whole else pcm[:room], rate))
        self.audio = kept

    def finish(self, reason: EndReason, totals: CallTotals) -> None:
        """Keep how the call ended."""
        self.reason = reason
        self.totals = totals


class CollectingDoor:
    """A door that keeps what it is told, in order, and tells when the state changes."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.timed: list[tuple[float, tuple[Any, ...]]] = []
        self.audio: dict[int, bytearray] = {}
        self.state = ConversationState.INITIALIZING
        self.changed = asyncio.Event()
        self._now = now

    @property
    def shown(self) -> list[tuple[Any, ...]]:
        """What was shown, without its time."""
        return [what for _, what in self.timed]

    async def wait_for(self, state: ConversationState) -> None:
        """Wait until the conversation is in this state."""
        while self.state is not state:
            self.changed.clear()
            await self.changed.wait()

    def _show(self, *what: Any) -> None:
        self.timed.append((self._now(), what))
        self.changed.set()

    def show_state(self, before: ConversationState, after: ConversationState) -> None:
        """Keep the state."""
        self.state = after
        self._show("state", before, after)

    def show_transcript(
        self, utterance: int, text: str, confidence: float, duration_ms: float, *, is_final: bool
    ) -> None:
        """Keep a transcript."""
        del confidence, duration_ms
        self._show("final" if is_final else "interim", utterance, text)

    def show_token(self, reply: int, text: str) -> None:
        """Keep agent text."""
        self._show("token", reply, text)

    def start_reply(self, reply: int) -> None:
        """Keep the start of a reply's audio."""
        self._show("start", reply)

    def complete_reply(self, reply: int, text: str, latency: Latency | None) -> None:
        """Keep the end of a reply's audio."""
        self._show("complete", reply, text, latency)

    def show_latency(self, reply: int, latency: Latency) -> None:
        """Keep how long an answer took."""
        self._show("latency", reply, latency)

    def cancel_reply(self, reply: int, reason: CancelReason, heard: str) -> None:
        """Keep a cancellation."""
        self._show("cancel", reply, reason, heard)

    def show_error(self, code: ErrorCode, message: str, *, retryable: bool) -> None:
        """Keep an error."""
        self._show("error", code, message, retryable)

    async def send_audio(self, reply: int, pcm: bytes) -> None:
        """Keep agent audio."""
        self.audio.setdefault(reply, bytearray()).extend(pcm)
        self._show("audio", reply, len(pcm))

    async def send_sound(self, pcm: bytes) -> None:
        """Keep keys and signs of waiting, as reply 0."""
        await self.send_audio(0, pcm)

    async def close(self, code: int) -> None:
        """Keep the close code."""
        self._show("close", code)


class SimulatedCaller:
    """Speaks into a call at the pace of a telephone: 20 ms frames, silence between the lines."""

    def __init__(self, hear: Callable[[bytes], None], audio: AudioFormat) -> None:
        self._hear = hear
        self._format = audio
        self._pending: deque[bytes] = deque()
        self.finished = asyncio.Event()
        self._frame = len(silence(audio, _FRAME_MS))

    def say(self, audio: bytes) -> None:
        """Queue audio in the call's input format."""
        self.finished.clear()
        self._pending += [audio[at : at + self._frame] for at in range(0, len(audio), self._frame)]

    async def run(self) -> None:
        """Send a frame each 20 ms until cancelled."""
        quiet = silence(self._format, _FRAME_MS)
        while True:
            frame = self._pending.popleft() if self._pending else quiet
            if not self._pending:
                self.finished.set()
            self._hear(frame.ljust(self._frame, quiet[:1]))
            await asyncio.sleep(_FRAME_MS / 1000)


class SimulatedCall(Struct, frozen=True):
    """What a simulated call left: what was shown, in order with its second, and what was stored."""

    shown: list[tuple[float, tuple[Any, ...]]]
    sink: CollectingSink
    seconds: float


async def simulate(
    spec: AgentSpec,
    providers: CallProviders,
    lines: Sequence[str],
    limits: CallLimits,
    *,
    telephone: Direction | None = None,
) -> SimulatedCall:
    """Hold a whole call, to be run by ``run_virtually``.

    The caller says the next line when the agent has finished; a line that begins with ``!`` cuts in, and
    ``~5`` is silent for five seconds. ``telephone``: it is a call on one, and who called whom. When the lines are
    out the caller hangs up. Raises ``AgentError`` for an agent that needs variables, and an exception group when a line
    cannot be spoken.
    """
    audio = AudioFormat(rate=16_000)
    now = asyncio.get_running_loop().time
    began = now()
    door, sink = CollectingDoor(now), CollectingSink()
    runner = CallRunner(
        spec=spec,
        options=CallOptions(input=audio, output=audio, language=spec.language, telephone=telephone),
        door=door,
        sink=sink,
        providers=providers,
        limits=limits,
        clock=now,
    )
    caller = SimulatedCaller(runner.hear, audio)
    async with asyncio.TaskGroup() as tasks:
        far_side = [
            tasks.create_task(caller.run()),
            tasks.create_task(_say_lines(caller, door, runner, lines, providers)),
        ]
        await runner.run()
        for task in far_side:
            task.cancel()
    return SimulatedCall(shown=door.timed, sink=sink, seconds=now() - began)


async def _say_lines(
    caller: SimulatedCaller, door: CollectingDoor, runner: CallRunner, lines: Sequence[str], providers: CallProviders
) -> None:
    """Say each line at its moment, then hang up."""
    for line in lines:
        if line.startswith("~"):
            await asyncio.sleep(float(line[1:]))
            continue
        text = line.removeprefix("!").strip()
        await door.wait_for(ConversationState.RESPONDING if line.startswith("!") else ConversationState.LISTENING)
        await asyncio.sleep(_CUT_IN_SECONDS if line.startswith("!") else _PAUSE_SECONDS)
        caller.say(await _voice(text, providers))
        await caller.finished.wait()
        await asyncio.sleep(_ANSWER_SECONDS)
    await door.wait_for(ConversationState.LISTENING)
    await asyncio.sleep(_PAUSE_SECONDS)
    runner.shut_down(EndReason.CALLER_DISCONNECTED)


async def _voice(text: str, providers: CallProviders) -> bytes:
    """Make the caller's audio with the call's own synthesiser."""
    options = SpeechOptions(format=AudioFormat(rate=16_000), spec=AgentSpec(name="caller", prompt=""))
    return await providers.cache.make(providers.tts[0], options, text)
