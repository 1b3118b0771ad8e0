"""A worker in mid-import, as a process that a test kills: ``-m tests.campaigns.killed_import begin`` or ``go_on``."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

ROWS = 6000
BAD = ROWS // 10
_TICKS = 9
"""Looks at the clock before the kill: two at the beginning, two a batch."""
_MODULE = [sys.executable, "-m", "tests.campaigns.killed_import"]


def kill_and_go_on(environment: Mapping[str, str]) -> dict[str, Any]:
    """Kill a process in the middle of its import, let another one find the rest; gives what there is then."""
    given = {**os.environ, **environment, "DJANGO_SETTINGS_MODULE": "vantum.settings", "SECRET_KEY": "of this test"}
    with subprocess.Popen([*_MODULE, "begin"], env=given, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout
        ticks = [worker.stdout.readline() for _ in range(_TICKS)]
        worker.send_signal(signal.SIGKILL)
    assert (ticks, worker.returncode) == (["tick\n"] * _TICKS, -signal.SIGKILL)
    done = subprocess.run([*_MODULE, "go_on"], env=given, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _begin() -> None:
    from django.core.management import call_command  # noqa: PLC0415 (the settings come first)
    from django.utils import timezone  # noqa: PLC0415

    from campaigns import services  # noqa: PLC0415
    from campaigns.services import intake  # noqa: PLC0415
    from tests.campaigns.lists import receive, start  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    numbers = ("nobody" if number % 10 == 7 else f"212{2_000_000 + number}" for number in range(ROWS))
    row = receive("\n".join(["phone", *numbers]))
    start(row, list_name="Spring")
    intake.BATCH = 50

    def clock() -> datetime:
        sys.stdout.write("tick\n")
        sys.stdout.flush()
        return timezone.now()

    key = services.claim_import(row.pk, now=timezone.now())
    assert key
    services.run_import(row.pk, key, clock=clock, turn=timedelta(hours=1))


def _go_on() -> None:
    from django.utils import timezone  # noqa: PLC0415 (the settings come first)

    from campaigns import services, tasks  # noqa: PLC0415
    from campaigns.models import Contact, ContactImport  # noqa: PLC0415

    row = ContactImport.objects.get()
    before = row.rows_done
    tasks.sweep_imports()
    row.refresh_from_db()
    is_held = row.rows_done == before
    ContactImport.objects.update(lease_until=timezone.now() - timedelta(seconds=1))  # two minutes later
    tasks.sweep_imports()
    row.refresh_from_db()
    returned = services.bad_rows_path(row.pk).read_text(encoding="utf-8-sig").splitlines()[1:]
    found = {
        "was_in_the_middle": 0 < before < ROWS,
        "was_held": is_held,
        "status": row.status,
        "counts": [row.created, row.repeated, row.known, row.bad],
        "contacts": Contact.objects.filter(lists__name="Spring").count(),
        "returned": len(returned),
        "returned_rows": len({line.split(",")[1] for line in returned}),
    }
    sys.stdout.write(json.dumps(found))


WHOLE = {
    "was_in_the_middle": True,
    "was_held": True,
    "status": "done",
    "counts": [ROWS - BAD, 0, 0, BAD],
    "contacts": ROWS - BAD,
    "returned": BAD,
    "returned_rows": BAD,
}
"""What is found where no row was lost or doubled."""


if __name__ == "__main__":
    import django

    django.setup()
    {"begin": _begin, "go_on": _go_on}[sys.argv[1]]()
