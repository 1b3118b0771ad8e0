from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from calls.models import CallAttempt, CallSession
from campaigns import services
from campaigns.enums import AnalysisMethod, AnalysisStatus
from campaigns.findings import read_findings
from campaigns.models import CallAnalysis, CampaignAttempt
from tests.calls import rows
from tests.campaigns.analytics.test_judging import GOOD
from tests.campaigns.rows import NOW, make_campaign, make_contact, make_member

pytestmark = pytest.mark.django_db


def done(session: CallSession | None = None) -> CallAnalysis:
    session = session or rows.ended_call()
    services.await_analysis([session.pk], at=NOW)
    services.claim_analysis(session.pk, now=NOW)
    services.store_analysis(
        session.pk, read_findings(GOOD, {}), method=AnalysisMethod.MODEL, judged_by="gpt-x", error="", at=NOW
    )
    return CallAnalysis.objects.get(pk=session.pk)


def test_asking_twice_asks_once() -> None:
    session = rows.ended_call()
    for number in range(2):
        services.await_analysis([session.pk], at=NOW + timedelta(hours=number))
    assert list(CallAnalysis.objects.values_list("next_try_at", flat=True)) == [NOW]


def test_a_judgement_that_was_taken_over_is_not_stored_again() -> None:
    analysis = done()
    findings = read_findings(GOOD, {})
    assert not services.store_analysis(
        analysis.pk, findings, method=AnalysisMethod.RULES, judged_by="", error="", at=NOW
    )
    analysis.refresh_from_db()
    assert analysis.method == AnalysisMethod.MODEL


def test_an_old_call_can_be_judged_anew_and_one_in_work_is_left_to_its_judge() -> None:
    old, busy, new = done().pk, rows.ended_call().pk, rows.ended_call().pk
    services.await_analysis([busy], at=NOW)
    services.claim_analysis(busy, now=NOW)
    later = NOW + timedelta(days=1)
    assert services.ask_again([old, busy, new], at=later) == 2
    due = CallAnalysis.objects.filter(status=AnalysisStatus.WAITING, tries=0, next_try_at=later)
    assert set(due.values_list("pk", flat=True)) == {old, new}


def test_a_correction_counts_and_the_judgement_stays() -> None:
    analysis, person = done(), get_user_model().objects.create(username="eve")
    services.correct(analysis.pk, "disposition", "callback", by=person, at=NOW)
    services.correct(analysis.pk, "disposition", "qualified", by=person, at=NOW + timedelta(seconds=1), note="heard it")
    analysis.refresh_from_db()
    assert (analysis.disposition, analysis.corrected()["disposition"]) == ("scheduled", "qualified")
    assert analysis.corrected()["summary"] == analysis.summary
    assert [correction.value for correction in analysis.corrections.all()] == ["qualified", "callback"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("disposition", "sold"), ("interest", 101), ("summary", ""), ("topics", "price"), ("status", "done")],
)
def test_a_correction_that_the_field_cannot_hold_is_refused(field: str, value: Any) -> None:
    analysis, person = done(), get_user_model().objects.create(username="eve")
    with pytest.raises(ValidationError):
        services.correct(analysis.pk, field, value, by=person, at=NOW)
    assert not analysis.corrections.exists()


def test_a_judgement_names_the_campaign_that_made_the_call() -> None:
    member = make_member(make_campaign(), make_contact())
    session = rows.ended_call()
    moments = {"created_at": NOW, "heard_at": NOW, "ended_at": NOW}
    call = CallAttempt.objects.create(
        to_e164=member.contact.e164, carrier="fake", session=session, status="completed", **moments
    )
    CampaignAttempt.objects.create(attempt=call, campaign=member.campaign, member=member, number=1, created_at=NOW)
    assert done(session).campaign == member.campaign
    assert done().campaign is None
