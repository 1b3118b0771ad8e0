import pytest
from django.core.exceptions import ValidationError

from calls.enums import SuppressionSource
from calls.models import Suppression
from campaigns import services
from campaigns.enums import FinishReason, MembershipState
from campaigns.services import OptOut
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
