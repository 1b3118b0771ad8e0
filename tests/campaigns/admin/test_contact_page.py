import pytest

from calls.enums import AttemptStatus
from calls.models import CallAttempt, Suppression
from campaigns.admin.contact_page import history
from campaigns.enums import DialReason
from campaigns.models import DialDecision
from tests.campaigns.admin.site import boss, in_role, logged_in, page_of
from tests.campaigns.rows import NOW, make_campaign, make_contact, make_member

pytestmark = pytest.mark.django_db


def test_a_contacts_page_tells_all_that_became_of_it() -> None:
    contact = make_contact(name="Ann")
    member = make_member(make_campaign(), contact, held_because=DialReason.NO_CONSENT)
    DialDecision.objects.create(member=member, allowed=False, reason=DialReason.NO_CONSENT, since=NOW)
    call = {"carrier": "twilio", "created_at": NOW, "heard_at": NOW, "ended_at": NOW}
    CallAttempt.objects.create(to_e164=contact.e164, status=AttemptStatus.BUSY, **call)
    CallAttempt.objects.create(to_e164="+12125559999", status=AttemptStatus.BUSY, **call)
    Suppression.objects.create(e164=contact.e164, proof="Letter of 1 May")
    found = history(contact, boss())
    assert [line["why"] for line in found["memberships"]] == ["No consent. Record a consent with its proof."]
    assert [attempt.to_e164 for attempt in found["attempts"]] == [contact.e164]
    assert [reason for _, reason in found["decisions"]] == ["No consent"]
    text = logged_in(in_role("Operator")).get(page_of("contact_change", contact.pk)).content.decode()
    for words in ("Letter of 1 May", "Spring", "by hand", "No consent"):
        assert words in text


def test_who_may_not_see_calls_sees_none_here() -> None:
    contact = make_contact()
    CallAttempt.objects.create(
        to_e164=contact.e164, status=AttemptStatus.DIALING, carrier="twilio", created_at=NOW, heard_at=NOW
    )
    stranger = type(boss()).objects.create_user("stranger", is_staff=True)
    assert history(contact, stranger)["attempts"] == []
