from datetime import timedelta

import pytest

from campaigns import services
from campaigns.enums import ContactStatus
from campaigns.models import Campaign, Contact, ContactList
from campaigns.services import enrolment
from tests.campaigns.rows import NOW, make_campaign, make_contact

pytestmark = pytest.mark.django_db


def listed(*contacts: Contact, name: str = "June") -> ContactList:
    made = ContactList.objects.create(name=name)
    made.contacts.set(contacts)
    return made


def test_the_active_contacts_of_all_lists_are_enrolled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolment, "_ROWS_A_STATEMENT", 2)
    people = [make_contact(f"+1212555010{n}") for n in range(5)]
    gone = make_contact("+12125550109", status=ContactStatus.WRONG_NUMBER)
    campaign = make_campaign()
    campaign.lists.set([listed(*people[:3], gone), listed(*people[2:], name="July")])
    enrolled = [services.enrol_lists(campaign.pk, at=NOW + timedelta(hours=n)) for n in range(2)]
    members = campaign.members.all()
    assert enrolled == [5, 0]
    assert {(member.contact_id, member.next_attempt_at) for member in members} == {(one.pk, NOW) for one in people}
    assert Campaign.objects.get().enrolled_at == NOW
    assert [event.detail for event in campaign.events.all()] == [{"contacts": 5}]


def test_a_contact_that_joins_a_list_later_is_enrolled_by_the_next_call() -> None:
    campaign = make_campaign()
    june = listed(make_contact())
    campaign.lists.add(june)
    services.enrol_lists(campaign.pk, at=NOW)
    june.contacts.add(make_contact("+12125550101"))
    assert services.enrol_lists(campaign.pk, at=NOW) == 1


def test_a_campaign_that_is_over_takes_nobody() -> None:
    campaign = make_campaign(finished_at=NOW)
    campaign.lists.add(listed(make_contact()))
    assert (services.enrol_lists(campaign.pk, at=NOW), campaign.members.count()) == (0, 0)
