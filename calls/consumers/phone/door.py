"""What a conversation says, as frames of a media stream, and what comes back about its being heard."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from calls.consumers.outbox import Outbox
from calls.consumers.watching import Watch
from calls.engine.events import Latency, PlayedOut
from calls.engine.playout import PlaybackClock
from calls.enums import CancelReason, ConversationState, ErrorCode
from calls.wire.twilio import LINE_FORMAT, MediaStream

_STALL_SECONDS = 3.0
"""A far end that returns no mark for so long does not return them at all: the clock of sent audio must do."""
_NO_REPLY = 2**31
"""Later than every reply, so that the outbox does not take it for one that was cancelled."""


class PhoneDoor:
    """The runner's ``Door`` for one media stream: audio, a mark behind each piece, and ``clear``.

    A mark comes back when the audio before it was played, and also when a clear threw that audio away. So with a clear
    all marks on their way are forgotten: whether they were still played nobody can tell, and the engine has cut the
    reply where it was at that moment. What lies behind a mark that is not back yet has not been heard, whatever the
    clock says. ``now`` gives the event loop's seconds.
    """

    def __init__(self, stream: MediaStream, outbox: Outbox, now: Callable[[], float]) -> None:
        self._stream = stream
        self._outbox = outbox
        self._now = now
        self._marks: dict[str, PlayedOut] = {}
        self._serial = 0
        self._reply = 0
        self._clock = PlaybackClock()
        self._proved_at = 0.0
        self._cancelled = 0
        self._is_heard = asyncio.Event()
        self._is_heard.set()
        self.watch = Watch()
        self._is_silent = asyncio.Event()
        self._is_silent.set()

    # --- what the far end has played ----------------------------------------------------------------------------------

    def take_mark(self, name: str) -> PlayedOut | None:
        """Say what a mark that came back proves; None for one of cleared audio, an old or an unknown one."""
        played = self._marks.get(name)
        if played is None:
            return None
        for earlier in tuple(self._marks):
            del self._marks[earlier]
            if earlier == name:
                break
        if not self._marks:
            self._is_heard.set()
        self._proved_at = self._now()
        if played.reply == self._reply:
            self._clock.correct(played.played_ms, self._proved_at)
        return played

    def doubt(self) -> PlayedOut | None:
        """Say how far the reply can have been played at most, where the clock of sent audio is further than that."""
        now = self._now()
        first = next(iter(self._marks.values()), None)
        if first is None or first.reply != self._reply or now - self._proved_at > _STALL_SECONDS:
            return None
        if self._clock.played_ms(now) <= first.played_ms:
            return None
        self._clock.correct(first.played_ms, now)
        return first

    async def wait_until_heard(self, seconds: float) -> None:
        """Wait until everything sent was played, but no longer than this."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_heard.wait()

    async def wait_until_silent(self, seconds: float) -> None:
        """Wait until the agent has finished what it says and is about to say, but no longer than this."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_silent.wait()

    def forget_marks(self) -> None:
        """Expect no mark any more: what was sent is cleared, or nobody listens."""
        self._marks.clear()
        self._is_heard.set()

    # --- the runner's Door --------------------------------------------------------------------------------------------

    async def send_audio(self, reply: int, pcm: bytes) -> None:
        """Send a chunk and a mark behind it; waits while the line is slow."""
        await self._outbox.put_audio(reply, self._stream.media(pcm))
        if reply <= self._cancelled or self._outbox.is_closed:
            return
        now = self._now()
        if reply != self._reply:
            self._reply = reply
            self._clock.reset()
        self._clock.add(LINE_FORMAT.duration_ms(len(pcm)), now)
        if not self._marks:
            self._proved_at = now
        self._serial += 1
        name = str(self._serial)
        self._marks[name] = PlayedOut(reply, self._clock.total_ms)
        self._is_heard.clear()
        await self._outbox.put_audio(reply, self._stream.mark(name))

    async def send_sound(self, pcm: bytes) -> None:
        """Send a chunk without a mark: what it is part of, the clock of sent audio follows."""
        await self._outbox.put_audio(_NO_REPLY, self._stream.media(pcm))

    def cancel_reply(self, reply: int, reason: CancelReason, heard: str) -> None:
        """Clear what was not played; it overtakes the audio that waits to be sent."""
        del reason
        self.watch.cancel_reply(reply, heard)
        self._cancelled = reply
        self.forget_marks()
        self._outbox.cancel(reply, self._stream.clear())

    async def close(self, code: int) -> None:
        """Close the socket after everything sent so far."""
        await self._outbox.close(code)

    # --- what a telephone has no words for, and operators have eyes for -----------------------------------------------

    def show_state(self, before: ConversationState, after: ConversationState) -> None:
        """Whose turn it is, a caller hears; a call moves when it is the caller's."""
        del before
        self.watch.show_state(after)
        if after in {ConversationState.LISTENING, ConversationState.ENDED}:
            self._is_silent.set()
        else:
            self._is_silent.clear()

    def show_transcript(
        self, utterance: int, text: str, confidence: float, duration_ms: float, *, is_final: bool
    ) -> None:
        """A caller knows what was said; who watches reads it."""
        del confidence, duration_ms
        self.watch.show_transcript(utterance, text, is_final=is_final)

    def show_token(self, reply: int, text: str) -> None:
        """Text is not heard, but read."""
        self.watch.show_token(reply, text)

    def start_reply(self, reply: int) -> None:
        """A reply begins with its audio."""

    def complete_reply(self, reply: int, text: str, latency: Latency | None) -> None:
        """A reply ends with its last mark."""
        del latency
        self.watch.complete_reply(reply, text)

    def show_latency(self, reply: int, latency: Latency) -> None:
        """A telephone shows nothing."""
        self.watch.show_latency(reply, latency.total)

    def show_error(self, code: ErrorCode, message: str, *, retryable: bool) -> None:
        """What the caller must know of a failure, the agent says."""
