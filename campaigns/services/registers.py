"""Copies of public do-not-call lists: millions of numbers, streamed in; a copy counts once it is complete."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import islice

from django.db import transaction

from campaigns.models import DoNotCallList, DoNotCallNumber

BATCH = 5000


def import_register(
    numbers: Iterable[str],
    *,
    name: str,
    version_date: date,
    jurisdiction: str = "US",
    say: Callable[[int], None] = lambda _count: None,
) -> DoNotCallList:
    """Store one copy; an incomplete one of that name and day is gone on with. ``say`` is told how many there are.

    ``numbers`` are E.164. Until the last is stored ``is_complete`` is false, and the gate holds to older copies.
    """
    copy, _ = DoNotCallList.objects.get_or_create(
        name=name, version_date=version_date, defaults={"jurisdiction": jurisdiction}
    )
    if copy.is_complete:
        return copy
    for batch in _batches(numbers):
        DoNotCallNumber.objects.bulk_create(
            [DoNotCallNumber(list=copy, e164=e164) for e164 in batch], ignore_conflicts=True
        )
        copy.row_count += len(batch)
        say(copy.row_count)
    with transaction.atomic():
        copy.row_count = copy.numbers.count()
        copy.is_complete = copy.row_count > 0
        copy.save(update_fields=["row_count", "is_complete"])
    return copy


def _batches(numbers: Iterable[str]) -> Iterator[list[str]]:
    waiting = iter(numbers)
    while batch := list(islice(waiting, BATCH)):
        yield batch
