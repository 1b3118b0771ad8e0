import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.exceptions import ChannelFull
from channels.layers import InMemoryChannelLayer, get_channel_layer

from calls.telephony import verdicts


async def until(is_so: Callable[[], object]) -> None:
    """Let the loop go round until something is so."""
    for _ in range(1000):
        if is_so():
            return
        await asyncio.sleep(0)
    pytest.fail("it did not come to that")


async def test_a_verdict_reaches_whoever_holds_the_call_and_nobody_else() -> None:
    one, other = uuid4(), uuid4()
    told: dict[UUID, list[str]] = {one: [], other: []}
    tasks = [asyncio.create_task(verdicts.follow(attempt, told[attempt].append)) for attempt in (one, other)]
    groups = {verdicts.group_of(attempt) for attempt in told}
    await until(lambda: groups <= get_channel_layer().groups.keys())
    await sync_to_async(verdicts.announce)(one, "machine_end_beep")
    await until(lambda: told[one])
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert told == {one: ["machine_end_beep"], other: []}
    assert get_channel_layer().groups.keys().isdisjoint(groups)


async def test_a_layer_that_is_away_costs_the_verdict_and_not_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise ChannelFull

    monkeypatch.setattr(InMemoryChannelLayer, "group_send", refuse)
    monkeypatch.setattr(InMemoryChannelLayer, "group_add", refuse)
    await sync_to_async(verdicts.announce)(uuid4(), "human")
    await verdicts.follow(uuid4(), lambda _: None)


@pytest.mark.parametrize("hanging", ["group_send", "group_discard"])
async def test_a_layer_that_hangs_keeps_neither_webhook_nor_call(hanging: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(verdicts, "_LAYER_SECONDS", 0.01)
    attempt = uuid4()
    following = asyncio.create_task(verdicts.follow(attempt, lambda _: None))
    await until(lambda: verdicts.group_of(attempt) in get_channel_layer().groups)
    monkeypatch.setattr(InMemoryChannelLayer, hanging, hang)
    async with asyncio.timeout(5):
        await sync_to_async(verdicts.announce)(attempt, "human")
        following.cancel()
        await asyncio.wait({following})
