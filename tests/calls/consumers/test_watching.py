import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import pytest
from channels.layers import InMemoryChannelLayer

from calls.consumers import watching
from calls.consumers.watching import CALLS_GROUP, Gallery, Watch, ask_to_watch, watchers_group
from calls.enums import ConversationState
from calls.runner.simulation import run_virtually

CALL = UUID("01930000-0000-7000-8000-0000000000a1")
OTHER = UUID("01930000-0000-7000-8000-0000000000a2")


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> InMemoryChannelLayer:
    made = InMemoryChannelLayer()
    monkeypatch.setattr(watching, "get_channel_layer", lambda: made)
    return made


class Watcher:
    """Somebody who reads a call's group."""

    def __init__(self, layer: InMemoryChannelLayer, attempt_id: UUID = CALL) -> None:
        self._layer = layer
        self._attempt_id = attempt_id
        self.told: list[dict[str, Any]] = []

    async def join(self) -> asyncio.Task[None]:
        channel = await self._layer.new_channel()
        await self._layer.group_add(watchers_group(self._attempt_id), channel)

        async def read() -> None:
            while True:
                self.told.append(await self._layer.receive(channel))

        return asyncio.create_task(read())

    async def ask(self, *, is_new: bool) -> None:
        await self._layer.group_send(CALLS_GROUP, dict(ask_to_watch(self._attempt_id, is_new=is_new)))

    @property
    def turns(self) -> dict[str, dict[str, Any]]:
        """The turns by their key without the stream's own part, in their last form."""
        return {turn["key"].partition(" ")[2]: turn for message in self.told for turn in message["turns"]}


def play(layer: InMemoryChannelLayer, scenario: Callable[[Watch, Watcher], Coroutine[Any, Any, None]]) -> Watcher:
    """Play a scenario on a call that can be watched, with somebody who reads its group; nothing may be left over."""

    async def run() -> Watcher:
        gallery, watch, watcher = Gallery(), Watch(), Watcher(layer)
        reading = await watcher.join()
        gallery.add(CALL, watch)
        await asyncio.sleep(0.01)
        await scenario(watch, watcher)
        gallery.discard(CALL, watch)
        await asyncio.sleep(1)
        reading.cancel()
        await asyncio.sleep(1)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return watcher

    return run_virtually(run())


def speak(watch: Watch) -> None:
    watch.show_state(ConversationState.RESPONDING)
    watch.show_token(1, "Hello, ")
    watch.show_token(1, "how are you?")
    watch.show_latency(1, 412.4)
    watch.cancel_reply(1, "Hello,")
    watch.show_transcript(1, "wait", is_final=False)
    watch.show_transcript(1, "wait a moment", is_final=True)
    watch.show_token(2, "Of course.")
    watch.complete_reply(2, "Of course.")
    watch.show_state(ConversationState.LISTENING)


def test_nothing_is_told_while_nobody_watches(layer: InMemoryChannelLayer) -> None:
    async def scenario(watch: Watch, watcher: Watcher) -> None:
        del watcher
        speak(watch)
        await asyncio.sleep(10)

    assert play(layer, scenario).told == []


def test_who_comes_late_is_told_all_and_then_what_changes(layer: InMemoryChannelLayer) -> None:
    async def scenario(watch: Watch, watcher: Watcher) -> None:
        speak(watch)
        await watcher.ask(is_new=True)
        await asyncio.sleep(1)
        watch.show_transcript(2, "thank you", is_final=True)
        await asyncio.sleep(1)

    watcher = play(layer, scenario)
    assert [(message["type"], message["state"], len(message["turns"])) for message in watcher.told] == [
        ("call.facts", "LISTENING", 3),
        ("call.facts", "LISTENING", 1),
    ]
    shown = {
        key: (
            turn["speaker"],
            turn["text"],
            turn["unheard"],
            turn["is_final"],
            turn["is_interrupted"],
            turn["total_ms"],
        )
        for key, turn in watcher.turns.items()
    }
    assert shown == {
        "agent 1": ("agent", "Hello,", "how are you?", True, True, 412),
        "caller 1": ("caller", "wait a moment", "", True, False, None),
        "agent 2": ("agent", "Of course.", "", True, False, None),
        "caller 2": ("caller", "thank you", "", True, False, None),
    }


def test_many_changes_are_told_together_ten_times_a_second_at_most(layer: InMemoryChannelLayer) -> None:
    async def scenario(watch: Watch, watcher: Watcher) -> None:
        await watcher.ask(is_new=True)
        await asyncio.sleep(0.5)
        for _ in range(200):
            watch.show_token(1, "word ")
            await asyncio.sleep(0.01)

    watcher = play(layer, scenario)
    assert 15 <= len(watcher.told) <= 24
    assert watcher.turns["agent 1"]["text"] == "word " * 200


def test_a_watcher_who_does_not_ask_again_is_told_nothing_more(layer: InMemoryChannelLayer) -> None:
    async def scenario(watch: Watch, watcher: Watcher) -> None:
        await watcher.ask(is_new=True)
        await asyncio.sleep(5)
        watcher.told.clear()
        speak(watch)
        await asyncio.sleep(5)
        assert watcher.told == []
        await watcher.ask(is_new=False)
        await asyncio.sleep(1)
        assert len(watcher.turns) == 3

    play(layer, scenario)


def test_another_call_is_not_told_of(layer: InMemoryChannelLayer) -> None:
    async def scenario(watch: Watch, watcher: Watcher) -> None:
        del watcher
        await layer.group_send(CALLS_GROUP, dict(ask_to_watch(OTHER, is_new=True)))
        speak(watch)
        await asyncio.sleep(1)

    assert play(layer, scenario).told == []


def test_the_last_words_are_told_although_the_call_is_over(layer: InMemoryChannelLayer) -> None:
    async def scenario(watch: Watch, watcher: Watcher) -> None:
        await watcher.ask(is_new=True)
        await asyncio.sleep(0.5)
        watch.complete_reply(9, "Goodbye.")

    assert play(layer, scenario).turns["agent 9"]["text"] == "Goodbye."


def test_a_call_that_goes_on_elsewhere_has_turns_of_its_own(layer: InMemoryChannelLayer) -> None:
    async def scenario(watch: Watch, watcher: Watcher) -> None:
        second = Watch()
        second.begin(CALL)
        await watcher.ask(is_new=True)
        await asyncio.sleep(0.5)
        second.renew(is_new=True)
        watch.complete_reply(1, "One.")
        second.complete_reply(1, "Two.")
        await asyncio.sleep(1)
        keys = {turn["key"] for message in watcher.told for turn in message["turns"]}
        assert len(keys) == 2

    play(layer, scenario)


def test_a_layer_that_fails_or_hangs_costs_the_call_nothing_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(InMemoryChannelLayer):  # type: ignore[misc]  # (Channels has no types)
        is_broken = True

        async def group_add(self, group: str, channel: str) -> None:
            if self.is_broken and group == CALLS_GROUP:
                raise ConnectionError
            await super().group_add(group, channel)

        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            if self.is_broken and group == watchers_group(CALL):
                await asyncio.sleep(3600)
            await super().group_send(group, message)

    layer = Broken()
    monkeypatch.setattr(watching, "get_channel_layer", lambda: layer)

    async def scenario(watch: Watch, watcher: Watcher) -> None:
        watch.renew(is_new=True)
        speak(watch)
        await asyncio.sleep(3)
        layer.is_broken = False
        await asyncio.sleep(6)
        await watcher.ask(is_new=True)
        await asyncio.sleep(1)

    assert len(play(layer, scenario).turns) == 3
    assert "calls cannot be watched for the moment: ConnectionError" in caplog.text
    assert "a watched call cannot be shown: TimeoutError" in caplog.text
    assert "wait a moment" not in caplog.text


def test_a_long_call_forgets_its_oldest_turns(layer: InMemoryChannelLayer) -> None:
    async def scenario(watch: Watch, watcher: Watcher) -> None:
        for number in range(250):
            watch.complete_reply(number, "Hm.")
        await watcher.ask(is_new=True)
        await asyncio.sleep(1)

    assert list(play(layer, scenario).turns) == [f"agent {number}" for number in range(50, 250)]
