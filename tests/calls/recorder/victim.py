"""A process that holds a call until it is killed; it says how many turns it has recorded."""

import os
import sys
import time
from pathlib import Path

import django
from django.conf import settings
from uuid_utils.compat import uuid7

_FRAMES = 125


def hold_a_call() -> None:
    """Record a frame and a turn every 20 ms, say how many there were, and wait for the end."""
    from calls.enums import Door, Speaker  # noqa: PLC0415 (after Django's set-up)
    from calls.recorder import recorder  # noqa: PLC0415
    from tests.calls import rows  # noqa: PLC0415
    from tests.calls.recorder.test_tape import level  # noqa: PLC0415

    sink = recorder.open_call(uuid7(), Door.CONSOLE, None)
    began = time.monotonic()
    for frame in range(_FRAMES):
        # Real time: what the disk holds at a moment is what is tested.
        time.sleep(max(began + frame * 0.02 - time.monotonic(), 0))
        sink.record_audio(Speaker.CALLER, frame * 20, level(5, 20), 16_000)
        sink.record_turn(rows.spoken(frame).__replace__(started_ms=frame * 20, ended_ms=frame * 20 + 20))
    sys.stdout.write(f"{_FRAMES}\n")
    sys.stdout.flush()
    time.sleep(60)


sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
django.setup()
settings.DATABASES["default"]["NAME"] = os.environ["VICTIM_DATABASE"]
settings.JOURNAL_DIR = Path(os.environ["VICTIM_FOLDER"], "journal")
settings.RECORDINGS_DIR = Path(os.environ["VICTIM_FOLDER"], "recordings")
hold_a_call()
