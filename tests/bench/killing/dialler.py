"""The process that places the calls, as a campaign's would: each number once, however often it dies in between.

``python -m tests.bench.killing.dialler FIRST COUNT AT_ONCE``
"""

import os
import sys
import time
from collections.abc import Iterator

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vantum.settings")
django.setup()

from calls import telephony  # noqa: E402 (settings come first)
from calls.errors import CallError  # noqa: E402
from calls.models import CallAttempt  # noqa: E402


def numbers(first: int, count: int) -> list[str]:
    """Give the numbers to call."""
    return [f"+{first + index}" for index in range(count)]


def remaining(wanted: list[str]) -> Iterator[str]:
    """Give the numbers of which no row says that anybody began to call them."""
    begun = set(CallAttempt.objects.filter(to_e164__in=wanted).values_list("to_e164", flat=True))
    return (number for number in wanted if number not in begun)


def main(first: int, count: int, at_once: int) -> None:
    """Call all of them, then stay."""
    wanted = numbers(first, count)
    while (number := next(remaining(wanted), None)) is not None:
        if CallAttempt.objects.live().count() >= at_once:
            time.sleep(0.2)
            continue
        try:
            attempt = telephony.place_call(number)
            print(f"{number} {attempt.status}", flush=True)
        except CallError as error:
            print(f"{number} {error}", flush=True)
    print("all numbers were begun", flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
