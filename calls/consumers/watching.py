"""What operators see of a call while it goes on: its state and who says what, never its audio.

Each telephone call keeps what was said on its stream. Only while somebody watches, what has changed goes to the channel
layer, ten times a second at most, behind the call: a layer that is slow or away costs the watchers their view and the
call nothing. Whole turns are sent, so that what is lost is made good by what comes next.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
from channels.layers import get_channel_layer
from msgspec import Struct
from uuid_utils.compat import uuid7

from calls.enums import ConversationState, Speaker

log = logging.getLogger(__name__)

CALLS_GROUP = "vantum.calls"
"""Every process with telephone calls listens here for who wants to watch one."""
ASK_EVERY_SECONDS = 1.0
LEASE_SECONDS = 4.0
"""A call is watched for so long after a watcher last asked."""
_FLUSH_SECONDS = 0.1
_SEND_SECONDS = 2.0
_RETRY_SECONDS = 5.0
_MOST_TURNS = 200


def watchers_group(attempt_id: UUID) -> str:
    """Give the group in which a call's facts are told."""
    return f"vantum.watch.{attempt_id.hex}"


def ask_to_watch(attempt_id: UUID, *, is_new: bool) -> Mapping[str, Any]:
    """Make the message with which a watcher asks for a call's facts; a new one asks for all of them."""
    return {"type": "call.watched", "attempt": attempt_id.hex, "is_new": is_new}


class ShownTurn(Struct):
    """A turn as far as it is known. ``unheard``: what an interrupted reply did not get to say."""

    key: str
    speaker: Speaker
    text: str = ""
    is_final: bool = False
    is_interrupted: bool = False
    unheard: str = ""
    total_ms: int | None = None


class Watch:
    """What can be seen of one stream's call. Every method returns at once."""

    def __init__(self) -> None:
        # A call that goes on with another stream counts its utterances and replies anew.
        self._stream = uuid7().hex
        self._state = ConversationState.INITIALIZING
        self._turns: dict[str, ShownTurn] = {}
        self._changed: set[str] = set()
        self._has_changed = False
        self._attempt_id: UUID | None = None
        self._watched_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None

    # --- what the call shows ------------------------------------------------------------------------------------------

    def show_state(self, state: ConversationState) -> None:
        """Whose turn it is."""
        self._state = state
        self._note()

    def show_transcript(self, utterance: int, text: str, *, is_final: bool) -> None:
        """What the caller says."""
        key = f"{self._stream} caller {utterance}"
        if text.strip() or key in self._turns:
            turn = self._turn(key, Speaker.CALLER)
            turn.text, turn.is_final = text.strip() or turn.text, is_final
            self._note(turn)

    def show_token(self, reply: int, text: str) -> None:
        """What the agent is about to say."""
        turn = self._reply(reply)
        if not turn.is_final:
            turn.text += text
            self._note(turn)

    def complete_reply(self, reply: int, text: str) -> None:
        """What the agent has said."""
        turn = self._reply(reply)
        if not turn.is_interrupted:
            turn.text, turn.is_final = text or turn.text, True
            self._note(turn)

    def cancel_reply(self, reply: int, heard: str) -> None:
        """What was heard of it."""
        turn = self._reply(reply)
        whole, heard = turn.text, heard.strip()
        turn.text, turn.is_final, turn.is_interrupted = heard, True, True
        turn.unheard = whole[len(heard) :].strip() if whole.startswith(heard) else ""
        self._note(turn)

    def show_latency(self, reply: int, total_ms: float) -> None:
        """How long the caller waited for it."""
        turn = self._reply(reply)
        turn.total_ms = round(total_ms)
        self._note(turn)

    def _reply(self, reply: int) -> ShownTurn:
        return self._turn(f"{self._stream} agent {reply}", Speaker.AGENT)

    def _turn(self, key: str, speaker: Speaker) -> ShownTurn:
        if key not in self._turns:
            self._turns[key] = ShownTurn(key=key, speaker=speaker)
            if len(self._turns) > _MOST_TURNS:
                oldest = next(iter(self._turns))
                del self._turns[oldest]
                self._changed.discard(oldest)
        return self._turns[key]

    # --- who watches --------------------------------------------------------------------------------------------------

    def begin(self, attempt_id: UUID) -> None:
        """Know whose call it is; nobody can watch before."""
        self._attempt_id = attempt_id

    def renew(self, *, is_new: bool) -> None:
        """Somebody watches; who is new is told everything. What changed while nobody did is told now."""
        if is_new:
            self._changed.update(self._turns)
            self._has_changed = True
        self._watched_until = asyncio.get_running_loop().time() + LEASE_SECONDS
        self._plan()

    def _note(self, turn: ShownTurn | None = None) -> None:
        if turn is not None:
            self._changed.add(turn.key)
        self._has_changed = True
        self._plan()

    def _plan(self) -> None:
        """Have what changed sent soon, where somebody watches and nothing is on its way."""
        if self._attempt_id is None or not self._watched_until or not self._has_changed:
            return
        loop = asyncio.get_running_loop()
        if self._timer is None and self._sending is None and loop.time() < self._watched_until:
            self._timer = loop.call_later(_FLUSH_SECONDS, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._sending = asyncio.get_running_loop().create_task(self._send())
        self._sending.add_done_callback(self._sent)

    def _sent(self, _: asyncio.Task[None]) -> None:
        self._sending = None
        self._plan()

    async def _send(self) -> None:
        if self._attempt_id is None:
            return
        turns = [msgspec.to_builtins(turn) for key, turn in self._turns.items() if key in self._changed]
        self._changed.clear()
        self._has_changed = False
        message = {"type": "call.facts", "state": self._state.wire, "turns": turns}
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await get_channel_layer().group_send(watchers_group(self._attempt_id), message)
        except Exception as error:  # noqa: BLE001 (whatever the layer raises, the call goes on)
            log.warning("a watched call cannot be shown: %s", type(error).__name__)

    def end(self) -> None:
        """The stream is over; what was said last is still told."""
        if self._timer is not None:
            self._timer.cancel()
            self._flush()


class Gallery:
    """The calls of this process that can be watched. One task listens for watchers, while there are any calls."""

    def __init__(self) -> None:
        self._watches: dict[UUID, Watch] = {}
        self._listening: asyncio.Task[None] | None = None

    def add(self, attempt_id: UUID, watch: Watch) -> None:
        """Let a call be watched."""
        watch.begin(attempt_id)
        self._watches[attempt_id] = watch
        if self._listening is None or self._listening.done():
            self._listening = asyncio.get_running_loop().create_task(self._listen())

    def discard(self, attempt_id: UUID, watch: Watch) -> None:
        """End that, unless another stream has the call by now. Idempotent."""
        watch.end()
        if self._watches.get(attempt_id) is watch:
            del self._watches[attempt_id]
        if not self._watches and self._listening is not None:
            self._listening.cancel()
            self._listening = None

    async def _listen(self) -> None:
        while True:
            try:
                await self._follow()
            except Exception as error:  # noqa: BLE001 (the layer's own, whichever it is)
                log.warning("calls cannot be watched for the moment: %s", type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self) -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add(CALLS_GROUP, channel)
        try:
            while True:
                self._take(await layer.receive(channel))
        finally:
            with suppress(Exception):
                await layer.group_discard(CALLS_GROUP, channel)

    def _take(self, message: Mapping[str, Any]) -> None:
        watch = self._watches.get(UUID(message["attempt"]))
        if watch is not None:
            watch.renew(is_new=message["is_new"])


gallery = Gallery()
