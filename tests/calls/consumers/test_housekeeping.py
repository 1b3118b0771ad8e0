import asyncio
import gc

import pytest

from calls.consumers.housekeeping import Housekeeping, keep_house
from calls.enums import EndReason
from calls.live import LiveCalls


class Call:
    def shut_down(self, reason: EndReason) -> None:
        """Nothing asks for it."""


class Ring:
    """An object that only a full collection finds."""

    def __init__(self) -> None:
        self.itself = self


def test_nothing_is_collected_while_nobody_has_called() -> None:
    house = Housekeeping(0.0)
    assert [house.is_due(now, 0) for now in (5.0, 400.0, 4000.0)] == [False, False, False]


def test_what_calls_left_is_collected_as_soon_as_the_last_has_gone_and_only_once() -> None:
    house = Housekeeping(0.0)
    assert [house.is_due(5.0, 3), house.is_due(10.0, 1), house.is_due(15.0, 0)] == [False, False, True]
    house.note_cleaned(15.0)
    assert [house.is_due(20.0, 0), house.is_due(2000.0, 0)] == [False, False]


def test_with_always_somebody_on_the_line_it_is_collected_each_five_minutes() -> None:
    house = Housekeeping(0.0)
    assert [house.is_due(now, 9) for now in (5.0, 299.0, 300.0)] == [False, False, True]
    house.note_cleaned(300.0)
    assert [house.is_due(now, 9) for now in (305.0, 599.0, 600.0)] == [False, False, True]


async def keep(calls: LiveCalls, monkeypatch: pytest.MonkeyPatch, looks: int) -> list[tuple[int, tuple[int, ...]]]:
    """Keep house for so many looks; give what was frozen and the thresholds at each of them."""
    seen: list[tuple[int, tuple[int, ...]]] = []

    async def look(_seconds: float) -> None:
        seen.append((gc.get_freeze_count(), gc.get_threshold()))
        if len(seen) == looks:
            raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", look)
    with pytest.raises(asyncio.CancelledError):
        await keep_house(calls)
    return seen


async def test_what_was_there_before_the_first_call_is_visited_no_more_and_all_is_undone_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = gc.get_threshold()
    (frozen, thresholds), *_ = await keep(LiveCalls(), monkeypatch, 1)
    assert frozen > 10_000
    assert thresholds[2] > 1_000_000
    assert (gc.get_freeze_count(), gc.get_threshold()) == (0, before)


async def test_the_process_settles_only_when_nobody_is_on_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, before = LiveCalls(), gc.get_threshold()
    calls.add(Call())
    assert await keep(calls, monkeypatch, 2) == [(0, before), (0, before)]


async def test_cycles_that_a_call_left_are_freed_when_it_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, call, steps = LiveCalls(), Call(), 0
    rings: list[int] = []

    async def look(_seconds: float) -> None:
        nonlocal steps
        steps += 1
        rings.append(sum(isinstance(thing, Ring) for thing in gc.get_objects()))
        if steps == 1:
            calls.add(call)
            ring = Ring()
            gc.collect(1)  # now it is among the old, where only a full collection looks
            del ring
        elif steps == 2:
            calls.discard(call)
        elif steps == 4:
            raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", look)
    with pytest.raises(asyncio.CancelledError):
        await keep_house(calls)
    assert rings == [0, 1, 0, 0]
