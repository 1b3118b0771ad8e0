import asyncio
from typing import Any

import pytest
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer

from calls.consumers.lean import STRAIGHT, LeanConsumer, Message, Take


class Echo(LeanConsumer):
    """Gives frames back, and follows the layer."""

    channel_layer_alias: str | None = "default"

    async def joined(self) -> None:
        await self.channel_layer.group_add("operators", self.channel_name)
        await self._say("joined")

    def take_frame(self, binary: bytes | None, text: str | None) -> None:
        del binary
        if text == "over":
            self.over.set()
        elif text == "bug":
            raise ZeroDivisionError
        else:
            self.help_with(self._say(f"echo {text}"))

    async def _say(self, text: str) -> None:
        await self.base_send({"type": "websocket.send", "text": text})

    async def fact_told(self, message: Message) -> None:
        await self._say(message["text"])

    async def fact_broken(self, _: Message) -> None:
        raise ZeroDivisionError

    def disconnected(self, code: int) -> None:
        self.left_with = code

    def leave(self) -> None:
        self.has_left = True


class Unlayered(Echo):
    channel_layer_alias = None


class Peer:
    """The server's side of a consumer: what it sends and gets."""

    def __init__(self, consumer: LeanConsumer) -> None:
        self.consumer = consumer
        self.inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.outbox: asyncio.Queue[Message] = asyncio.Queue()
        self.scope: dict[str, Any] = {"type": "websocket"}
        self.serving = asyncio.create_task(consumer(self.scope, self.inbox.get, self.outbox.put))

    def give(self, kind: str, **fields: Any) -> None:
        self.inbox.put_nowait({"type": f"websocket.{kind}", **fields})

    async def next(self) -> Message:
        async with asyncio.timeout(5):
            return await self.outbox.get()

    async def text(self) -> Any:
        return (await self.next())["text"]


@pytest.fixture
async def peer() -> Peer:
    peer = Peer(Echo())
    assert await peer.text() == "joined"
    peer.give("connect")
    assert await peer.next() == {"type": "websocket.accept"}
    return peer


async def test_frames_and_facts_of_the_layer_reach_the_consumer(peer: Peer) -> None:
    peer.give("receive", text="one")
    assert await peer.text() == "echo one"
    layer = get_channel_layer()
    await layer.group_send("operators", {"type": "fact.told", "text": "a fact"})
    assert await peer.text() == "a fact"
    peer.give("disconnect", code=1001)
    await peer.serving
    assert isinstance(peer.consumer, Echo)
    assert (peer.consumer.left_with, peer.consumer.has_left) == (1001, True)


async def test_a_consumer_may_end_the_connection_itself(peer: Peer) -> None:
    peer.give("receive", text="over")
    await peer.serving
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("where", ["frame", "layer"])
async def test_a_failure_anywhere_is_logged_and_closes_with_1011(
    peer: Peer, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    if where == "frame":
        peer.give("receive", text="bug")
    else:
        await get_channel_layer().group_send("operators", {"type": "fact.broken"})
    assert await peer.next() == {"type": "websocket.close", "code": 1011}
    await peer.serving
    assert "ZeroDivisionError" in caplog.text
    assert isinstance(peer.consumer, Echo)
    assert peer.consumer.has_left
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_layer_that_is_gone_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(_: object) -> str:
        raise ChannelFull

    monkeypatch.setattr(get_channel_layer(), "new_channel", full)
    peer = Peer(Echo())
    peer.give("connect")
    assert {(await peer.next())["type"], (await peer.next())["type"]} <= {"websocket.accept", "websocket.close"}
    await peer.serving


async def test_a_client_that_is_gone_does_not_hear_of_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def send(_: Message) -> None:
        raise BrokenPipeError

    caplog.set_level("INFO")
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    consumer = Unlayered()
    inbox.put_nowait({"type": "websocket.receive", "text": "bug"})
    await consumer({"type": "websocket"}, inbox.get, send)
    assert "the client did not hear of the failure" in caplog.text


async def test_cancelling_ends_all_tasks_and_is_passed_on(peer: Peer) -> None:
    peer.serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await peer.serving
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert isinstance(peer.consumer, Echo)
    assert peer.consumer.has_left


async def test_a_frame_costs_no_thread_and_no_task(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        message = "a frame may not cost this"
        raise AssertionError(message)

    taken: list[str | None] = []
    are_taken = asyncio.Event()

    def take(_: bytes | None, text: str | None) -> None:
        taken.append(text)
        if len(taken) == 100:
            are_taken.set()

    monkeypatch.setattr(peer.consumer, "take_frame", take)
    monkeypatch.setattr(asyncio.TaskGroup, "create_task", forbidden)
    monkeypatch.setattr(asyncio.get_running_loop(), "run_in_executor", forbidden)
    for number in range(100):
        peer.give("receive", text=str(number))
    await are_taken.wait()
    monkeypatch.undo()
    peer.give("disconnect", code=1000)
    await peer.serving
    assert taken == [str(number) for number in range(100)]


async def test_frames_that_a_server_hands_over_are_taken_at_once_and_a_failure_ends_the_connection() -> None:
    taken: list[Take] = []
    peer = Peer(Unlayered())
    peer.scope["extensions"] = {STRAIGHT: {"hand_over": taken.append}}
    peer.give("connect")
    assert (await peer.next())["type"] == "websocket.accept"
    taken[0](None, "hello")
    assert (await peer.next())["text"] == "echo hello"
    taken[0](None, "bug")
    assert (await peer.next())["code"] == 1011
    await peer.serving
    taken[0](None, "too late")
    assert peer.outbox.empty()
