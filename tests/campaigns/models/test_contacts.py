from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from campaigns.enums import ContactStatus
from campaigns.models import Consent, Contact, ContactList
from tests.campaigns import rows

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
