from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from calls.models import Suppression
from campaigns.enums import ConsentKind, ContactStatus
from campaigns.models import Consent, Contact, ContactList
from tests.campaigns import rows
from tests.campaigns.rows import NOW, make_campaign, make_consent, make_contact, make_member

pytestmark = pytest.mark.django_db


def test_a_number_belongs_to_one_contact() -> None:
    rows.make_contact()
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.make_contact()


@pytest.mark.parametrize(
    ("field", "value"), [("e164", "2125550100"), ("time_zone", "Mars/Olympus"), ("region", "Florida")]
)
def test_a_contact_is_checked_field_by_field(field: str, value: str) -> None:
    contact = Contact(**({"e164": "+12125550100"} | {field: value}))
    with pytest.raises(ValidationError) as caught:
        contact.full_clean()
    assert set(caught.value.message_dict) == {field}


def test_only_active_contacts_are_called() -> None:
    kept = rows.make_contact()
    rows.make_contact("+12125550101", status=ContactStatus.WRONG_NUMBER)
    assert list(Contact.objects.active()) == [kept]


def test_a_consent_holds_from_its_day_until_it_is_taken_back() -> None:
    consent = rows.make_consent(rows.make_contact(), revoked_at=rows.NOW)
    moments = (consent.given_at - timedelta(seconds=1), consent.given_at, rows.NOW - timedelta(seconds=1), rows.NOW)
    assert [Consent.objects.valid(at).exists() for at in moments] == [False, True, True, False]


def test_a_list_needs_a_name() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ContactList.objects.create(name="")


def matching(**filters: str) -> list[str]:
    return sorted(contact.name for contact in Contact.objects.all().matching(filters))


def test_contacts_are_found_by_each_filter() -> None:
    ann = make_contact("+12125550101", name="Ann", region="US-NY")
    bob = make_contact("+13055550102", name="Bob", region="US-FL", status=ContactStatus.ARCHIVED)
    make_consent(ann, ConsentKind.WRITTEN)
    make_consent(bob, revoked_at=NOW)
    group = ContactList.objects.create(name="Spring")
    bob.lists.add(group)
    Suppression.objects.create(e164=bob.e164, proof="asked")
    campaign = make_member(make_campaign(), ann).campaign
    found = {
        "status": matching(status="archived"),
        "region": matching(region="US-NY", words=""),
        "list": matching(list=str(group.pk)),
        "campaign": matching(campaign=str(campaign.pk)),
        "written": matching(consent="written"),
        "none": matching(consent="none"),
        "suppressed": matching(suppressed="yes"),
        "free": matching(suppressed="no"),
        "unknown": matching(shoe_size="43"),
    }
    assert found == {
        "status": ["Bob"],
        "region": ["Ann"],
        "list": ["Bob"],
        "campaign": ["Ann"],
        "written": ["Ann"],
        "none": ["Bob"],
        "suppressed": ["Bob"],
        "free": ["Ann"],
        "unknown": ["Ann", "Bob"],
    }


@pytest.mark.parametrize("few", [0, 1, 10])
def test_few_and_many_of_a_list_or_campaign_are_found_alike(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr("campaigns.models.contacts._FEW", few)
    group, campaign = ContactList.objects.create(name="Spring"), make_campaign()
    for number in range(3):
        contact = make_contact(f"+1212555010{number}", name=f"Ann {number}")
        if number:
            contact.lists.add(group)
            make_member(campaign, contact)
    assert matching(list=str(group.pk)) == matching(campaign=str(campaign.pk)) == ["Ann 1", "Ann 2"]


@pytest.mark.parametrize(
    ("words", "names"),
    [("An", ["Ann"]), ("+1 305", ["Bob"]), ("(212) 555", ["Ann"]), ("1212", ["Ann"]), ("nn", []), ("4420", [])],
)
def test_contacts_are_found_by_the_beginning_of_a_name_or_a_number(words: str, names: list[str]) -> None:
    make_contact("+12125550101", name="Ann")
    make_contact("+13055550102", name="Bob")
    assert matching(words=words) == names


def test_a_wrong_id_in_a_filter_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="badly formed"):
        matching(list="x")
