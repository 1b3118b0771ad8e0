import pytest
from django.core.exceptions import ValidationError
from msgspec import structs

from calls.enums import SuppressionSource
from calls.models import CallStream, Suppression
from campaigns import services
from campaigns.enums import AnalysisMethod, ContactStatus, Disposition, FinishReason, MembershipState
from campaigns.findings import read_findings
from campaigns.models import CampaignAttempt
from campaigns.services import OptOut
from campaigns.services.optouts import mark_wrong_number
from tests.calls import phones
from tests.calls import rows as call_rows
from tests.campaigns.analytics.test_judging import GOOD
from tests.campaigns.rows import NOW, make_campaign, make_contact, make_member

pytestmark = pytest.mark.django_db

KEY = SuppressionSource.KEY


def test_an_opt_out_holds_in_every_campaign_at_once_and_keeps_its_first_proof() -> None:
    agent = make_campaign("Spring").agent
    contact, other = make_contact(), make_contact("+12125550101")
    spring, summer, autumn = (make_campaign(name, agent=agent) for name in ("Summer", "Autumn", "Winter"))
    waiting = make_member(spring, contact)
    claimed = make_member(summer, contact, state=MembershipState.CLAIMED, lease_until=NOW, lease_key=waiting.pk)
    calling = make_member(autumn, contact, state=MembershipState.CALLING)
    bystander = make_member(spring, other)
    first = services.opt_out(contact.e164, source=KEY, proof="pressed 9", at=NOW)
    again = services.opt_out(contact.e164, source=SuppressionSource.SPOKEN, proof="said so", at=NOW)
    assert (first, again) == (OptOut(is_new=True, cancelled=2), OptOut(is_new=False, cancelled=0))
    for member in (waiting, claimed, calling, bystander):
        member.refresh_from_db()
    states = [member.state for member in (waiting, claimed, calling, bystander)]
    assert states == [*[MembershipState.FINISHED] * 2, MembershipState.CALLING, MembershipState.WAITING]
    assert {waiting.finish_reason, claimed.finish_reason} == {FinishReason.OPTED_OUT}
    assert list(Suppression.objects.values_list("e164", "source", "proof")) == [(contact.e164, KEY, "pressed 9")]


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValidationError):
        services.opt_out("12", source=KEY, proof="x")
    assert not Suppression.objects.exists()


def test_somebody_elses_number_is_called_by_no_campaign() -> None:
    spring = make_campaign("Spring")
    member = make_member(spring, state=MembershipState.CALLING, next_attempt_at=None)
    waiting = make_member(make_campaign("Summer", agent=spring.agent), member.contact)
    bystander = make_member(spring, make_contact("+12125550101"))
    session = call_rows.ended_call()
    attempt = phones.attempt(member.contact.e164)
    CallStream.objects.create(attempt=attempt, number=1, issued_at=NOW, session_id=session.pk)
    assert mark_wrong_number(session.pk, at=NOW) == 0
    CampaignAttempt.objects.create(attempt=attempt, campaign=spring, member=member, number=1, created_at=NOW)
    services.await_analysis([session.pk], at=NOW)
    services.claim_analysis(session.pk, now=NOW)
    findings = structs.replace(read_findings(GOOD, {}), disposition=Disposition.WRONG_NUMBER)
    services.store_analysis(session.pk, findings, method=AnalysisMethod.RULES, judged_by="", error="", at=NOW)
    for row in (waiting, bystander, member.contact):
        row.refresh_from_db()
    assert (waiting.finish_reason, bystander.finish_reason, member.contact.status) == (
        FinishReason.WRONG_NUMBER,
        "",
        ContactStatus.WRONG_NUMBER,
    )
