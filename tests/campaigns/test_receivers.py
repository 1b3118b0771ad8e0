import pytest

from calls.models import CallSession
from calls.signals import call_finished
from campaigns.enums import AnalysisStatus
from campaigns.models import CallAnalysis
from tests.calls import rows


@pytest.mark.django_db
def test_a_finished_call_waits_to_be_judged() -> None:
    session = rows.ended_call()
    call_finished.send(sender=CallSession, session_id=session.pk)
    assert list(CallAnalysis.objects.values_list("session_id", "status")) == [(session.pk, AnalysisStatus.WAITING)]
