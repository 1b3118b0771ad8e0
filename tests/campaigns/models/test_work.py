from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from campaigns.enums import JobKind, JobStatus
from campaigns.models import BulkJob
from tests.campaigns.rows import NOW

pytestmark = pytest.mark.django_db


def job(**columns: Any) -> BulkJob:
    return BulkJob.objects.create(kind=JobKind.ARCHIVE, selection={"filters": {}}, created_at=NOW, **columns)


def test_due_are_jobs_that_nobody_works_on() -> None:
    fresh, abandoned = job(), job(status=JobStatus.RUNNING, lease_until=NOW - timedelta(seconds=1))
    job(status=JobStatus.RUNNING, lease_until=NOW + timedelta(seconds=1))
    job(status=JobStatus.DONE, finished_at=NOW)
    assert set(BulkJob.objects.due(NOW)) == {fresh, abandoned}


def test_a_job_that_is_over_has_an_end() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        job(status=JobStatus.DONE)


@pytest.mark.parametrize(
    ("columns", "percent"),
    [
        ({"total": 8, "seen": 2}, 25),
        ({"total": 0}, 0),
        ({"total": 1, "seen": 9}, 100),
        ({"status": JobStatus.DONE, "finished_at": NOW}, 100),
    ],
)
def test_progress_is_a_share(columns: dict[str, Any], percent: int) -> None:
    assert job(**columns).percent == percent
