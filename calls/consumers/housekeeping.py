"""When the garbage collector looks at everything: between calls, not in them.

A full collection visits every object of the process. With the SDKs loaded and ninety calls live one took up to 160 ms,
in which no call heard or said anything, and CPython ran several in a run of forty seconds. So what is there before
the first call is put where the collector does not look, and full collections are ours to time: when nobody is on the
line, and at the longest each few minutes. The young generations go on by themselves; what they visit is small.
"""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

from calls.live import LiveCalls
from vantum.memory import give_back

_THRESHOLDS = (10_000, 20, 2**31 - 1)
"""Rarer than CPython's 700: most of what a call makes is gone without the collector by then. The last one is never
reached: full collections are ours."""
_LOOK_SECONDS = 5.0
_LONGEST_SECONDS = 300.0
"""So long a full collection is put off while there are always calls."""


class Housekeeping:
    """Decides when a full collection is due. ``now`` in seconds of one monotonic clock."""

    def __init__(self, now: float) -> None:
        self._cleaned_at = now
        self._is_used = False

    def is_due(self, now: float, live: int) -> bool:
        """Whether to collect now, with so many calls live; looking is what notices that there were calls."""
        if live:
            self._is_used = True
        return self._is_used and (not live or now - self._cleaned_at >= _LONGEST_SECONDS)

    def note_cleaned(self, now: float) -> None:
        """A full collection was made."""
        self._cleaned_at, self._is_used = now, False


@contextmanager
def settled() -> Iterator[None]:
    """Leave what exists now to itself, and full collections to us; afterwards all is as it was."""
    before = gc.get_threshold()
    gc.collect()
    give_back()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


async def keep_house(calls: LiveCalls) -> None:
    """Keep full collections out of calls until cancelled. Begins with a collection, once nobody is on the line."""
    loop = asyncio.get_running_loop()
    while calls.count:  # noqa: ASYNC110 (a look each few seconds costs nothing; calls need not announce their end)
        await asyncio.sleep(_LOOK_SECONDS)
    with settled():
        house = Housekeeping(loop.time())
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if house.is_due(loop.time(), calls.count):
                gc.collect()
                if not calls.count:
                    give_back()  # what a crowd of calls took is not needed by the next few
                house.note_cleaned(loop.time())
