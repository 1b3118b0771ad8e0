import pytest

from campaigns.enums import DialReason, MembershipState, Outcome
from campaigns.models import Contact
from tests.campaigns.admin.site import boss, list_of, logged_in
from tests.campaigns.rows import NOW, make_campaign, make_contact, make_member

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("?state=finished", ["+12125550102"]),
        ("?outcome=busy", ["+12125550101"]),
        ("?held=no_consent", ["+12125550101"]),
        ("?held=no_consent&state=finished", []),
        ("?q=+1 212 555 0102", ["+12125550102"]),
    ],
)
def test_the_contacts_of_a_campaign_are_narrowed(query: str, numbers: list[str]) -> None:
    campaign = make_campaign()
    make_member(campaign, make_contact("+12125550101"), held_because=DialReason.NO_CONSENT, last_outcome=Outcome.BUSY)
    make_member(campaign, make_contact("+12125550102"), state=MembershipState.FINISHED, finished_at=NOW)
    shown = logged_in(boss()).get(list_of("campaigncontact") + query).context["cl"].result_list
    assert [member.contact.e164 for member in shown] == numbers


def test_the_campaign_narrows_both_lists() -> None:
    client, campaign = logged_in(boss()), make_campaign()
    make_member(campaign)
    make_member(make_campaign("Autumn", agent=campaign.agent), make_contact("+12125550102"))
    for model in ("campaigncontact", "contact"):
        shown = client.get(f"{list_of(model)}?campaign={campaign.pk}").context["cl"].result_list
        assert len(shown) == 1


def test_a_region_that_is_asked_for_stays_among_the_choices() -> None:
    make_contact(region="US-NY")
    text = logged_in(boss()).get(f"{list_of('contact')}?region=US-FL").content.decode()
    assert [choice for choice in ("US-FL", "US-NY") if f'value="{choice}"' in text] == ["US-FL", "US-NY"]
    assert Contact.objects.count() == 1
