import pytest

from campaigns import services
from campaigns.enums import JobKind, JobStatus
from campaigns.models import BulkJob
from tests.campaigns.admin.site import boss, in_role, list_of, logged_in, page_of, queries
from tests.campaigns.rows import NOW, make_contact

pytestmark = pytest.mark.django_db


def begin() -> BulkJob:
    return services.start_job(JobKind.ARCHIVE, selection={"filters": {}}, by=None, at=NOW)


def test_a_job_is_watched_until_it_is_over() -> None:
    make_contact()
    client, job = logged_in(boss()), begin()
    text = client.get(page_of("bulkjob_change", job.pk)).content.decode()
    assert "0 of 1 contacts looked at" in text
    assert f'hx-get="{page_of("bulkjob_progress", job.pk)}"' in text
    key = services.claim_job(job.pk, now=NOW)
    assert key
    services.run_batch(job.pk, key, now=NOW)
    part = client.get(page_of("bulkjob_progress", job.pk)).content.decode()
    assert "1 of 1 contacts looked at, 1 changed" in part
    assert "hx-get" not in part


def test_a_job_is_stopped_by_who_may_change_contacts() -> None:
    job = begin()
    cancel = page_of("bulkjob_cancel", job.pk)
    assert logged_in(in_role("Auditor")).post(cancel).status_code == 403
    assert logged_in(boss()).get(cancel).status_code == 405
    logged_in(in_role("Operator")).post(cancel)
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


def test_the_list_asks_as_often_for_100_jobs_as_for_one() -> None:
    client = logged_in(boss())
    begin()
    few = queries(client, list_of("bulkjob"))
    for _ in range(99):
        begin()
    assert queries(client, list_of("bulkjob")) == few
