"""What was heard at the far end of a media stream: marks, clears, and what no mark has proved yet."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from calls.consumers.outbox import Outbox
from calls.consumers.phone.door import PhoneDoor
from calls.consumers.phone.lines import PhoneLines
from calls.engine.events import PlayedOut
from calls.enums import CancelReason
from calls.wire.twilio import MediaStream
from tests.calls.consumers.phone_driver import ATTEMPT_ID
from tests.simulators.media_stream import Leg

AUDIO_100_MS = b"\xfe" * 800


class Far:
    """A door whose frames are kept. ``now`` is the test's."""

    def __init__(self) -> None:
        leg = Leg()
        leg.open()
        stream = MediaStream()
        while not leg.outgoing.empty():
            stream.read(str(leg.outgoing.get_nowait()))
        self.now = 0.0
        self.frames: list[dict[str, Any]] = []
        self.outbox = Outbox(self._send, lambda: None, is_text=True)
        self.door = PhoneDoor(stream, self.outbox, lambda: self.now)

    async def _send(self, message: Mapping[str, Any]) -> None:
        if "text" in message:
            self.frames.append(json.loads(message["text"]))

    async def say(self, reply: int, *durations_ms: int) -> list[str]:
        """Send audio and give the names of its marks."""
        writing = asyncio.create_task(self.outbox.write())
        before = len(self.frames)
        for duration_ms in durations_ms:
            await self.door.send_audio(reply, AUDIO_100_MS[: duration_ms * 8])
            for _ in range(5):
                await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        return [frame["mark"]["name"] for frame in self.frames[before:] if frame["event"] == "mark"]


async def test_a_mark_behind_each_piece_says_how_much_of_the_reply_was_heard() -> None:
    far = Far()
    first, second = await far.say(1, 40, 100)
    (third,) = await far.say(2, 20)
    assert [frame["event"] for frame in far.frames] == ["media", "mark"] * 3
    assert [far.door.take_mark(name) for name in (first, second, third)] == [
        PlayedOut(1, 40),
        PlayedOut(1, 140),
        PlayedOut(2, 20),
    ]


async def test_a_mark_counts_once_and_an_unknown_one_never() -> None:
    far = Far()
    (name,) = await far.say(1, 100)
    assert [far.door.take_mark(mark) for mark in ("x", "", name, name)] == [None, None, PlayedOut(1, 100), None]


async def test_a_mark_proves_what_lies_before_it_too() -> None:
    far = Far()
    first, second = await far.say(1, 100, 100)
    assert far.door.take_mark(second) == PlayedOut(1, 200)
    assert far.door.take_mark(first) is None


async def test_marks_that_a_clear_sends_back_prove_nothing() -> None:
    far = Far()
    names = await far.say(1, 100, 100)
    far.door.cancel_reply(1, CancelReason.BARGE_IN, "")
    assert [far.door.take_mark(name) for name in names] == [None, None]
    (later,) = await far.say(2, 100)
    assert far.frames[-3]["event"] == "clear"
    assert far.door.take_mark(later) == PlayedOut(2, 100)


async def test_audio_of_a_cancelled_reply_is_neither_sent_nor_marked() -> None:
    far = Far()
    await far.say(3, 100)
    far.door.cancel_reply(3, CancelReason.BARGE_IN, "")
    assert await far.say(3, 100) == []
    assert [frame["event"] for frame in far.frames] == ["media", "mark", "clear"]


async def test_what_lies_behind_the_next_mark_cannot_have_been_heard() -> None:
    far = Far()
    first, _ = await far.say(1, 40, 100)
    far.now = 0.03
    assert far.door.doubt() is None
    far.now = 0.09
    assert far.door.doubt() == PlayedOut(1, 40)
    assert far.door.doubt() is None
    far.now = 0.2
    far.door.take_mark(first)
    far.now = 0.29
    assert far.door.doubt() is None
    far.now = 0.31
    assert far.door.doubt() is None  # all was sent: 140 ms are the end of it
    assert (await far.say(1, 100), far.door.doubt()) == (["3"], None)
    far.now = 0.5
    assert far.door.doubt() == PlayedOut(1, 140)


async def test_a_far_end_that_returns_no_marks_is_doubted_for_three_seconds() -> None:
    far = Far()
    await far.say(1, *[100] * 3)
    far.now = 2.9
    assert far.door.doubt() == PlayedOut(1, 100)
    far.now = 3.1
    assert far.door.doubt() is None


async def test_nothing_is_doubted_after_the_last_mark() -> None:
    far = Far()
    (name,) = await far.say(1, 100)
    far.door.take_mark(name)
    far.now = 60
    assert far.door.doubt() is None


async def test_waiting_ends_with_the_last_mark_or_with_the_line() -> None:
    far = Far()
    await far.door.wait_until_heard(1000)
    names = await far.say(1, 100, 100)
    waiting = asyncio.create_task(far.door.wait_until_heard(1000))
    far.door.take_mark(names[0])
    await asyncio.sleep(0)
    assert not waiting.done()
    far.door.take_mark(names[1])
    await waiting
    await far.say(1, 100)
    far.door.forget_marks()
    await far.door.wait_until_heard(1000)


class _Holder:
    async def hand_over(self) -> None: ...


def test_a_call_belongs_to_the_stream_that_took_it_last() -> None:
    lines, first, second = PhoneLines(), _Holder(), _Holder()
    assert lines.take(ATTEMPT_ID, first) is None
    assert lines.take(ATTEMPT_ID, second) is first
    lines.release(ATTEMPT_ID, first)
    assert lines.take(ATTEMPT_ID, first) is second
    lines.release(ATTEMPT_ID, first)
    lines.release(ATTEMPT_ID, first)
    assert lines.take(ATTEMPT_ID, second) is None
