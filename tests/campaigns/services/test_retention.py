"""Files that are kept no longer than the installation says."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from campaigns import services, tasks
from campaigns.enums import ExportFormat, ExportKind, ImportStatus, JobStatus
from campaigns.models import ContactImport, Export
from tests.campaigns.lists import receive, start, take_in
from tests.campaigns.rows import NOW

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=30, seconds=1)


@pytest.fixture(autouse=True)
def _places(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.FILE_RETENTION_DAYS = 30


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_old_lists_their_returned_rows_and_exports_are_deleted_and_what_is_in_work_is_not(tmp_path: Path) -> None:
    done = take_in("phone\n2125550100\nnobody\n")
    forgotten = receive("phone\n2125550101\n")
    started = receive("phone\n2125550102\n")
    start(started)
    export = services.start_export(ExportKind.CONTACTS, file_format=ExportFormat.CSV, selection={}, by=None, at=NOW)
    Export.objects.update(status=JobStatus.DONE)
    (tmp_path / "exports").mkdir()
    for name in (export.path, f"exports/{export.pk}.0123abcd"):  # the second is a dead worker's draft
        (tmp_path / name).write_text("Ada")
    assert len(files(tmp_path)) == 7
    assert services.expire_files(NOW + timedelta(days=30)) == 0
    assert (services.expire_files(LATER), services.expire_files(LATER)) == (3, 0)
    assert files(tmp_path) == {f"{started.pk}.upload"}
    kept = dict(ContactImport.objects.values_list("pk", "files_deleted_at"))
    assert kept == {done.pk: LATER, forgotten.pk: LATER, started.pk: None}
    forgotten.refresh_from_db()
    assert (forgotten.status, Export.objects.get().files_deleted_at) == (ImportStatus.CANCELLED, LATER)


def test_a_file_that_cannot_be_deleted_is_tried_again(tmp_path: Path) -> None:
    row = take_in("phone\n2125550100\n")
    (tmp_path / "imports" / f"{row.pk}.stuck").mkdir()
    assert services.expire_files(LATER) == 0
    (tmp_path / "imports" / f"{row.pk}.stuck").rmdir()
    assert services.expire_files(LATER) == 1


def test_without_a_limit_files_stay(settings: Settings, tmp_path: Path) -> None:
    settings.FILE_RETENTION_DAYS = 0
    take_in("phone\n2125550100\n")
    before = files(tmp_path)
    assert (services.expire_files(LATER), files(tmp_path)) == (0, before)


def test_the_daily_task_deletes_what_is_too_old() -> None:
    row = take_in("phone\n2125550100\n")
    ContactImport.objects.update(created_at=timezone.now() - timedelta(days=31))
    tasks.expire_files()
    row.refresh_from_db()
    assert row.files_deleted_at is not None
