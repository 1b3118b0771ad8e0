"""A process with a call on the line while its database goes away and comes back; told by lines, it answers by lines."""

import sys
import time

import django
from django.core.management import call_command
from django.db import connection
from uuid_utils.compat import uuid7


def say(line: str) -> None:
    """Answer the test."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def hold_a_call() -> None:
    """Record ten turns, a hundred more without a database, and the end."""
    from calls.enums import Door, EndReason  # noqa: PLC0415 (after Django's set-up)
    from calls.models import CallSession, Turn  # noqa: PLC0415
    from calls.recorder import recorder  # noqa: PLC0415
    from calls.runner.ports import CallTotals  # noqa: PLC0415
    from tests.calls import rows  # noqa: PLC0415

    sink = recorder.open_call(uuid7(), Door.CONSOLE, None)
    for index in range(10):
        sink.record_turn(rows.spoken(index))
    while Turn.objects.count() < 10:
        time.sleep(0.02)
    connection.close()  # It would not outlive the outage, and is not the recorder's.
    say("10 turns stored")
    sys.stdin.readline()
    for index in range(10, 110):
        sink.record_turn(rows.spoken(index))
    time.sleep(1)
    say("100 turns recorded")
    sys.stdin.readline()
    sink.finish(EndReason.SILENCE, CallTotals())
    is_drained = recorder.stop(30)
    say(f"{is_drained} {Turn.objects.count()} {CallSession.objects.get().end_reason}")


django.setup()
call_command("migrate", verbosity=0)
hold_a_call()
