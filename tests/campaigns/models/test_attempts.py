import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from calls.enums import AttemptStatus
from calls.models import CallAttempt
from campaigns.enums import DialReason
from campaigns.models import CampaignAttempt, CampaignContact, DialDecision
from tests.campaigns import rows

pytestmark = pytest.mark.django_db


def make_call(key: str) -> CallAttempt:
    over = {"status": AttemptStatus.COMPLETED, "ended_at": rows.NOW, "created_at": rows.NOW, "heard_at": rows.NOW}
    return CallAttempt.objects.create(dial_key=key, to_e164="+12125550100", carrier="twilio", **over)


def attempt_of(member: CampaignContact, key: str, number: int = 1) -> CampaignAttempt:
    return CampaignAttempt.objects.create(
        attempt=make_call(key), campaign=member.campaign, member=member, number=number, created_at=rows.NOW
    )


def test_the_attempts_of_a_contact_are_counted_once() -> None:
    member = rows.make_member(rows.make_campaign())
    attempt_of(member, "a")
    with pytest.raises(IntegrityError), transaction.atomic():
        attempt_of(member, "b")


def test_what_was_dialled_keeps_its_contact_and_campaign() -> None:
    member = rows.make_member(rows.make_campaign())
    attempt_of(member, "a")
    for row in (member, member.campaign, member.contact):
        with pytest.raises(ProtectedError):
            row.delete()


def test_the_latest_decision_comes_first() -> None:
    member = rows.make_member(rows.make_campaign())
    held = DialDecision.objects.create(member=member, allowed=False, reason=DialReason.HOLIDAY, since=rows.NOW)
    allowed = DialDecision.objects.create(member=member, allowed=True, reason=DialReason.ALLOWED, since=rows.NOW)
    assert list(member.decisions.all()) == [allowed, held]
