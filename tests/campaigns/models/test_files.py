"""Files that come in and go out, as rows."""

from datetime import timedelta

import pytest

from campaigns.enums import ExportKind, ImportStatus, JobStatus
from campaigns.models import ContactImport, Export
from tests.campaigns.rows import NOW

pytestmark = pytest.mark.django_db


def test_an_import_is_due_when_it_waits_or_its_worker_did_not_come_back() -> None:
    made = {
        name: ContactImport.objects.create(file="x", file_name=name, created_at=NOW, status=status, lease_until=lease)
        for name, status, lease in (
            ("uploaded", ImportStatus.UPLOADED, None),
            ("waiting", ImportStatus.WAITING, None),
            ("held", ImportStatus.RUNNING, NOW + timedelta(seconds=1)),
            ("lost", ImportStatus.RUNNING, NOW),
            ("done", ImportStatus.DONE, None),
        )
    }
    assert set(ContactImport.objects.due(NOW)) == {made["waiting"], made["lost"]}
    assert str(made["held"]) == "held"
    assert [row.is_open for row in made.values()] == [False, True, True, True, False]


@pytest.mark.parametrize(
    ("status", "done", "total", "percent"),
    [("running", 50, 200, 25), ("running", 201, 200, 99), ("running", 5, 0, 0), ("done", 0, 0, 100)],
)
def test_an_import_says_how_far_it_is(status: str, done: int, total: int, percent: int) -> None:
    assert ContactImport(status=status, rows_done=done, row_total=total).percent == percent


def test_an_export_is_due_and_says_how_far_it_is() -> None:
    row = Export.objects.create(kind=ExportKind.CALLS, created_at=NOW, total=10, written=4)
    Export.objects.create(kind=ExportKind.CALLS, created_at=NOW, status=JobStatus.DONE)
    assert list(Export.objects.due(NOW)) == [row]
    assert (row.percent, row.is_open, row.path, str(row)) == (
        *(40, True, f"exports/{row.pk}.csv"),
        "Calls of 2026-11-24 17:00",
    )
    assert Export(status=JobStatus.DONE).percent == 100
