"""What a conversation shows, as frames of ``/ws``."""

import time
from collections.abc import Callable
from itertools import islice

import msgspec
from uuid_utils.compat import uuid7

from calls.consumers.outbox import Outbox
from calls.engine.events import Latency
from calls.enums import CancelReason, ConversationState, ErrorCode
from calls.wire.console import DEFAULT_RATE, ServerEvents

_REMEMBERED_REPLIES = 32


class ConsoleDoor:
    """The runner's ``Door`` for one console connection. ``on_state`` is told each new state after the client."""

    def __init__(
        self, events: ServerEvents, outbox: Outbox, on_state: Callable[[ConversationState], None] = lambda _: None
    ) -> None:
        self.output_rate = DEFAULT_RATE
        self.on_state = on_state
        self._events = events
        self._outbox = outbox
        self._replies: dict[str, int] = {}
        self._utterance = (0, "")

    def reply_of(self, utterance_id: str) -> int | None:
        """Give the reply that the client means, if it is one of the last few."""
        return self._replies.get(utterance_id)

    def show_state(self, before: ConversationState, after: ConversationState) -> None:
        """Say whose turn it is."""
        self._outbox.put(self._events.state(before, after, _unix_ms()))
        self.on_state(after)

    def show_transcript(
        self, utterance: int, text: str, confidence: float, duration_ms: float, *, is_final: bool
    ) -> None:
        """Show what the caller says; all transcripts of one utterance have one id."""
        if utterance != self._utterance[0]:
            self._utterance = (utterance, str(uuid7()))
        utterance_id = self._utterance[1]
        if is_final:
            self._outbox.put(self._events.final(utterance_id, text, confidence, duration_ms))
        else:
            self._outbox.put(self._events.interim(utterance_id, text, confidence))

    def show_token(self, reply: int, text: str) -> None:
        """Show agent text."""
        self._outbox.put(self._events.token(self._utterance_id(reply), text))

    def start_reply(self, reply: int) -> None:
        """Announce a reply's audio."""
        self._outbox.put(self._events.response_start(self._utterance_id(reply), _unix_ms()))

    def complete_reply(self, reply: int, text: str, latency: Latency | None) -> None:
        """Say that a reply was sent, and how long the caller waited for it."""
        parts = None if latency is None else msgspec.structs.asdict(latency)
        self._outbox.put(self._events.response_complete(self._utterance_id(reply), text, parts))

    def show_latency(self, reply: int, latency: Latency) -> None:
        """Say how long the caller waited for the reply that now begins."""
        del reply  # the protocol's event names none
        self._outbox.put(self._events.metrics(msgspec.structs.asdict(latency)))

    def cancel_reply(self, reply: int, reason: CancelReason, heard: str) -> None:
        """Stop a reply; it overtakes the audio that waits to be sent."""
        self._outbox.cancel(reply, self._events.cancel(self._utterance_id(reply), reason, heard, _unix_ms()))

    def show_error(self, code: ErrorCode, message: str, *, retryable: bool) -> None:
        """Say what failed."""
        self._outbox.put(self._events.error(code, message, retryable=retryable))

    async def send_audio(self, reply: int, pcm: bytes) -> None:
        """Send a chunk; waits while the client is slow."""
        await self._outbox.put_audio(reply, self._events.audio(self._utterance_id(reply), pcm, self.output_rate))

    async def send_sound(self, pcm: bytes) -> None:
        """Send nothing: the protocol has audio of replies only, and nobody holds the console's line."""

    async def close(self, code: int) -> None:
        """Close the socket after everything sent so far."""
        await self._outbox.close(code)

    def _utterance_id(self, reply: int) -> str:
        found = next((name for name, number in reversed(self._replies.items()) if number == reply), None)
        if found is not None:
            return found
        for old in list(islice(self._replies, max(len(self._replies) - _REMEMBERED_REPLIES + 1, 0))):
            del self._replies[old]
        name = str(uuid7())
        self._replies[name] = reply
        return name


def _unix_ms() -> float:
    return float(round(time.time() * 1000))
