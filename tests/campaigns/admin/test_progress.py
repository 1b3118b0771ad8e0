"""Work in the background, as it is watched and stopped."""

import pytest
from django.utils import timezone

from campaigns import services
from campaigns.enums import ExportFormat, ExportKind, JobStatus
from tests.campaigns.admin.site import boss, in_role, list_of, logged_in, page_of
from tests.campaigns.rows import NOW

pytestmark = pytest.mark.django_db

BASE = "/admin/campaigns/export/"


def test_an_export_is_stopped_by_who_may_order_one() -> None:
    row = services.start_export(
        ExportKind.CONTACTS, file_format=ExportFormat.CSV, selection={}, by=None, at=timezone.now()
    )
    cancel = f"{BASE}{row.pk}/cancel/"
    assert logged_in(in_role("Auditor")).post(cancel).status_code == 403
    client = logged_in(in_role("Supervisor"))
    assert "Stop it" in client.get(f"{BASE}{row.pk}/change/").content.decode()
    client.post(cancel)
    row.refresh_from_db()
    assert (row.status, services.cancel_export(row.pk, at=NOW)) == (JobStatus.CANCELLED, False)


def test_work_that_is_not_there_leads_back_to_the_list() -> None:
    gone = page_of("export_change", "00000000-0000-0000-0000-000000000000")
    answer = logged_in(boss()).get(gone)
    assert (answer.status_code, answer.headers["Location"]) == (302, list_of("export"))
