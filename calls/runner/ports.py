"""What the runner needs from outside, as Protocols: where facts go, and what moves the line."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

from msgspec import Struct

from calls.engine.events import Event, Latency, SpokenTurn
from calls.engine.toolspec import Destination
from calls.enums import CancelReason, ConversationState, EndReason, ErrorCode, Speaker
from calls.errors import ProviderError
from calls.wire.echo import EchoGuard


class CallTotals(Struct, frozen=True, kw_only=True):
    """Counters of one call, stored when it ends."""

    dropped_input_ms: int = 0
    """Caller audio that the recogniser's queue had to drop."""
    conversion_errors: int = 0
    reconnects: int = 0
    """How often the recogniser's connection was replaced."""


class Sink(Protocol):
    """Where one call's facts go. No method blocks or raises; storing happens behind the call."""

    def record_turn(self, turn: SpokenTurn) -> None:
        """Append a finished turn to the journal now and to the database soon."""

    def record_event(self, kind: str, at_ms: int, detail: Mapping[str, Any]) -> None:
        """Append a fact. ``at_ms``: wall milliseconds since the call began."""

    def record_audio(self, side: Speaker, at_ms: float, pcm: bytes, rate: int) -> None:
        """Lay PCM16 at its place in the recording. ``at_ms``: when its first sample sounded, since the call began."""

    def stop_recording(self, at_ms: int) -> None:
        """Lay no sound any more: the other side does not want it. ``at_ms`` as for an event."""

    def cut_agent_audio(self, at_ms: float) -> None:
        """Take back agent audio that was laid at or after ``at_ms``: it was never played."""

    def finish(self, reason: EndReason, totals: CallTotals) -> None:
        """The call is over. Nothing is recorded after."""


class Line(Protocol):
    """What moves the line itself. What it cannot do it refuses with ``ToolRefusedError``, in words for the model.

    Hanging up is none of it: the call ends with its last mark, the socket is closed, and the carrier asks what is next.
    """

    @property
    def is_telephone(self) -> bool:
        """Whether keys and signs of waiting are heard on it."""

    async def suppress(self, words: str) -> None:
        """Have the other party's number never called again; ``words`` are the proof."""

    async def transfer(self, destination: Destination) -> None:
        """Have the carrier ring the destination once this stream ends."""

    async def consult(self, destination: Destination, summary: str) -> None:
        """Call a colleague, who is told the summary; returns when the carrier was asked."""

    async def is_consultation_accepted(self) -> bool:
        """Wait until the colleague has taken the call, or will not."""


class Door(Protocol):
    """The far side of the socket, spoken to in the words of its own protocol.

    All methods are called in order on the event loop by the runner; they encode and write, and must not wait for
    anything but the socket's own flow control.
    """

    def show_state(self, before: ConversationState, after: ConversationState) -> None:
        """The conversation's state changed."""

    def show_transcript(
        self, utterance: int, text: str, confidence: float, duration_ms: float, *, is_final: bool
    ) -> None:
        """What the caller is saying or has said."""

    def show_token(self, reply: int, text: str) -> None:
        """Agent text as it is generated."""

    def start_reply(self, reply: int) -> None:
        """The reply's first audio follows."""

    def complete_reply(self, reply: int, text: str, latency: Latency | None) -> None:
        """The reply's last byte was sent."""

    def show_latency(self, reply: int, latency: Latency) -> None:
        """How long the caller waited for this answer; comes with its first audio."""

    def cancel_reply(self, reply: int, reason: CancelReason, heard: str) -> None:
        """Stop playing this reply at once."""

    def show_error(self, code: ErrorCode, message: str, *, retryable: bool) -> None:
        """Something failed."""

    async def send_audio(self, reply: int, pcm: bytes) -> None:
        """One chunk of agent audio in the door's output format; waits for the socket's flow control."""

    async def send_sound(self, pcm: bytes) -> None:
        """One chunk of audio in the output format that belongs to no reply: keys, or a sign to who waits."""

    async def close(self, code: int) -> None:
        """Close the socket after everything sent so far."""


class Shell(Protocol):
    """What the parts of a runner see of it."""

    @property
    def door(self) -> Door:
        """The far side."""

    @property
    def sink(self) -> Sink:
        """Where facts go."""

    @property
    def echo(self) -> EchoGuard:
        """What the far end may give back of the agent's voice."""

    def receive(self, event: Event) -> None:
        """Tell the engine."""

    def note_failure(self, error: ProviderError) -> None:
        """Record which provider failed, and how, without the words of its message."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task that belongs to the call and is supervised by it."""

    def now(self) -> float:
        """Give the call's clock in seconds."""

    def elapsed_ms(self) -> float:
        """Give wall milliseconds since the call began."""
