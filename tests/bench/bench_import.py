"""How long an import takes and how much memory: ``python -m tests.bench.bench_import --rows 100000``.

Works in a temporary folder on SQLite, or on the database of DATABASE_URL, which must be one that may be filled.
"""

import argparse
import csv
import os
import resource
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path


def write_list(path: Path, rows: int) -> None:
    """Write contacts with six columns; every hundredth number is wrong, every fiftieth stands twice."""
    lines = [["Name", "Phone", "State", "Order", "Consent", "Consent date"]]
    for number in range(rows):
        at = number - 1 if number % 50 == 49 else number
        phone = (
            "nobody" if number % 100 == 7 else f"({212 + at // 1_000_000}) {200 + at // 10_000 % 700}-{at % 10_000:04}"
        )
        lines.append([f"Person Nr. {number}", phone, "NY", str(number), "written", "2026-01-02"])
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            csv.writer(file, delimiter=";").writerows(lines)
        return
    import openpyxl  # noqa: PLC0415 (for workbooks)

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for line in lines:
        sheet.append(line)
    book.save(path)


def main() -> None:
    """Import one list and print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--kind", choices=("csv", "xlsx"), default="csv")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"list.{given.kind}")
        if os.fork() == 0:  # whose memory does not count
            write_list(path, given.rows)
            os._exit(0)
        os.wait()
        os.environ |= {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "vantum.settings", "SECRET_KEY": "of a benchmark"}
        measure(path)


def measure(path: Path) -> None:
    """Migrate, import and print."""
    import django  # noqa: PLC0415 (the settings come first)

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from campaigns import services  # noqa: PLC0415
    from campaigns.enums import DuplicatePolicy  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    begun, cpu = time.perf_counter(), time.process_time()
    with path.open("rb") as file:
        row = services.receive_file(file, name=path.name, region="US", by=None, at=timezone.now())
    received = time.perf_counter() - begun
    services.start_import(row.pk, mapping=row.mapping, region="US", policy=DuplicatePolicy.KEEP, list_name="Bench")
    key = services.claim_import(row.pk, now=timezone.now())
    if key is None:
        sys.exit("the import could not be claimed")
    services.run_import(row.pk, key, clock=timezone.now, turn=timedelta(hours=1))
    row.refresh_from_db()
    took, worked = time.perf_counter() - begun, time.process_time() - cpu
    print(f"{path.name}, {path.stat().st_size >> 10} KiB: {row.created} new, {row.repeated} twice, {row.bad} came back")
    print(f"{row.status}: upload {received:.1f} s, in all {took:.1f} s, {worked:.1f} s of work")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"memory: {before} MB before, {peak} MB at most")


if __name__ == "__main__":
    main()
