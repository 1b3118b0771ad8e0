from datetime import timedelta

import pytest

from campaigns import services
from campaigns.enums import ExportFormat, ExportKind
from tests.campaigns.rows import NOW

pytestmark = pytest.mark.django_db


def test_an_export_belongs_to_one_worker_until_its_lease_is_over() -> None:
    row = services.start_export(ExportKind.CALLS, file_format=ExportFormat.CSV, selection={}, by=None, at=NOW)
    first = services.claim_export(row.pk, now=NOW)
    assert first
    assert services.claim_export(row.pk, now=NOW) is None
    second = services.claim_export(row.pk, now=NOW + timedelta(minutes=3))
    assert second
    assert not services.note_export(row.pk, first, written=1, total=1, at=NOW)
    assert not services.finish_export(row.pk, first, at=NOW)
    assert services.finish_export(row.pk, second, at=NOW)
