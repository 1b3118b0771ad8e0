import pytest
from django.db import IntegrityError, transaction

from campaigns.enums import AnalysisStatus
from campaigns.models import CallAnalysis
from tests.calls import rows
from tests.campaigns.rows import NOW

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", [AnalysisStatus.WAITING, AnalysisStatus.DONE])
def test_a_status_without_what_belongs_to_it_is_refused(status: AnalysisStatus) -> None:
    session = rows.ended_call()
    with pytest.raises(IntegrityError), transaction.atomic():
        CallAnalysis.objects.create(session=session, status=status)


def test_a_row_is_called_by_what_is_known() -> None:
    waiting = CallAnalysis(status=AnalysisStatus.WAITING)
    done = CallAnalysis(status=AnalysisStatus.DONE, disposition="not_interested", analysed_at=NOW)
    assert [str(waiting), str(done)] == ["Waiting", "Not interested"]
