import asyncio
from collections.abc import Callable, Collection
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.exceptions import ChannelFull
from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import DatabaseError

from calls.runner.simulation import run_virtually
from calls.telephony import verdicts


class Stored:
    """The rows, without a database: what was read, and what stands there."""

    def __init__(self) -> None:
        self.asked: list[set[UUID]] = []
        self.verdicts: dict[UUID, str] = {}
        self.failure: Exception | None = None

    async def read(self, attempt_ids: Collection[UUID]) -> dict[UUID, str]:
        self.asked.append(set(attempt_ids))
        if self.failure:
            raise self.failure
        return {attempt: self.verdicts[attempt] for attempt in attempt_ids if attempt in self.verdicts}


NOTHING = verdicts.Rows(Stored().read)


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
    tasks = [
        asyncio.create_task(verdicts.follow(attempt, told[attempt].append, rows=NOTHING)) for attempt in (one, other)
    ]
    groups = {verdicts.group_of(attempt) for attempt in told}
    await until(lambda: groups <= get_channel_layer().groups.keys())
    await sync_to_async(verdicts.announce)(one, "machine_end_beep")
    await until(lambda: told[one])
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert told == {one: ["machine_end_beep"], other: []}
    assert get_channel_layer().groups.keys().isdisjoint(groups)


async def test_a_layer_that_is_away_leaves_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise ChannelFull

    monkeypatch.setattr(InMemoryChannelLayer, "group_send", refuse)
    monkeypatch.setattr(InMemoryChannelLayer, "group_add", refuse)
    await sync_to_async(verdicts.announce)(uuid4(), "human")
    monkeypatch.setattr(verdicts, "_LOOK_SECONDS", 0.0)
    rows, one, told = Stored(), uuid4(), list[str]()
    rows.verdicts[one] = "human"
    following = asyncio.create_task(verdicts.follow(one, told.append, rows=verdicts.Rows(rows.read)))
    await until(lambda: told)
    following.cancel()
    await asyncio.wait({following})
    assert told == ["human"]


@pytest.mark.parametrize("hanging", ["group_send", "group_discard"])
async def test_a_layer_that_hangs_keeps_neither_webhook_nor_call(hanging: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(verdicts, "_LAYER_SECONDS", 0.01)
    attempt = uuid4()
    following = asyncio.create_task(verdicts.follow(attempt, lambda _: None, rows=NOTHING))
    await until(lambda: verdicts.group_of(attempt) in get_channel_layer().groups)
    monkeypatch.setattr(InMemoryChannelLayer, hanging, hang)
    async with asyncio.timeout(5):
        await sync_to_async(verdicts.announce)(attempt, "human")
        following.cancel()
        await asyncio.wait({following})


def test_the_rows_of_all_calls_are_read_at_once_and_no_longer_than_there_are_any() -> None:
    stored, one, other = Stored(), uuid4(), uuid4()
    told: list[tuple[str, str]] = []

    async def play() -> None:
        rows = verdicts.Rows(stored.read)
        rows.expect(one, lambda by: told.append(("one", by)))
        rows.expect(other, lambda by: told.append(("other", by)))
        await asyncio.sleep(1.5)
        stored.verdicts = {one: "machine_start", uuid4(): "human"}
        await asyncio.sleep(1)
        assert told == [("one", "machine_start")]
        stored.failure = DatabaseError()
        await asyncio.sleep(1)
        stored.failure = None
        await asyncio.sleep(120)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtually(play())
    assert stored.asked[:4] == [{one, other}, {one, other}, {other}, {other}]
    assert len(stored.asked) <= 60, "a minute, and no more"


def test_a_stream_that_ends_does_not_end_the_waiting_of_the_one_that_took_its_call_over() -> None:
    stored, call = Stored(), uuid4()
    told: list[str] = []

    async def play() -> None:
        rows = verdicts.Rows(stored.read)
        rows.expect(call, earlier := told.append)
        rows.expect(call, later := lambda by: told.append(f"later {by}"))
        rows.forget(call, earlier)
        stored.verdicts[call] = "human"
        await asyncio.sleep(2)
        rows.forget(call, later)

    run_virtually(play())
    assert told == ["later human"]
