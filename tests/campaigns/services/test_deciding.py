from datetime import timedelta

import pytest

from calls import services as call_services
from campaigns.enums import ContactStatus, DialReason, FinishReason, MembershipState
from campaigns.gate import ALLOWED, LOOK_AGAIN, Decision
from campaigns.models import CampaignContact, Contact, DialDecision
from campaigns.services.deciding import Decided, counted_attempts, decide_undecided, record_decisions
from campaigns.services.rules import gate_of
from tests.campaigns.rows import NOW, make_callable, make_running, version_of

pytestmark = pytest.mark.django_db

NO_CONSENT = Decision(reason=DialReason.NO_CONSENT, detail={"needed": "express"}, retry_at=NOW + LOOK_AGAIN)


def read(member: CampaignContact) -> CampaignContact:
    return CampaignContact.objects.select_related("contact").get(pk=member.pk)


def reasons() -> list[str]:
    return list(DialDecision.objects.order_by("since", "pk").values_list("reason", flat=True))


def test_a_decision_is_written_when_it_changes_and_not_when_it_is_repeated() -> None:
    member = make_callable(make_running())
    for minute, decision in enumerate((ALLOWED, ALLOWED, NO_CONSENT, NO_CONSENT, ALLOWED)):
        assert record_decisions([Decided(read(member), decision)], at=NOW + timedelta(minutes=minute)) == 1
    member = read(member)
    assert reasons() == [DialReason.ALLOWED, DialReason.NO_CONSENT, DialReason.ALLOWED]
    assert (member.held_because, member.decided_at) == ("", NOW + timedelta(minutes=4))


def test_a_decision_about_what_has_moved_meanwhile_is_dropped() -> None:
    member = make_callable(make_running())
    stale = read(member)
    CampaignContact.objects.update(
        state=MembershipState.CLAIMED, lease_key=member.pk, lease_until=NOW + timedelta(minutes=1)
    )
    assert record_decisions([Decided(stale, NO_CONSENT)], at=NOW) == 0
    CampaignContact.objects.update(
        state=MembershipState.WAITING, next_attempt_at=NOW + timedelta(hours=1), lease_key=None, lease_until=None
    )
    assert record_decisions([Decided(stale, NO_CONSENT)], at=NOW) == 0
    assert (reasons(), read(member).held_because) == ([], "")


@pytest.mark.parametrize(
    ("reason", "status", "finish"),
    [
        (DialReason.SUPPRESSED, ContactStatus.ACTIVE, FinishReason.OPTED_OUT),
        (DialReason.ATTEMPTS_USED, ContactStatus.ACTIVE, FinishReason.ATTEMPTS_USED),
        (DialReason.CONTACT_NOT_ACTIVE, ContactStatus.WRONG_NUMBER, FinishReason.WRONG_NUMBER),
        (DialReason.CONTACT_NOT_ACTIVE, ContactStatus.INVALID_NUMBER, FinishReason.INVALID_NUMBER),
        (DialReason.CONTACT_NOT_ACTIVE, ContactStatus.ARCHIVED, FinishReason.REMOVED),
    ],
)
def test_a_final_refusal_ends_the_membership(reason: DialReason, status: ContactStatus, finish: FinishReason) -> None:
    member = make_callable(make_running())
    Contact.objects.update(status=status)
    record_decisions([Decided(read(member), Decision(reason=reason))], at=NOW)
    member = read(member)
    assert (member.state, member.finish_reason, member.held_because, member.next_attempt_at) == (
        MembershipState.FINISHED,
        finish,
        reason,
        None,
    )


def test_who_was_just_enrolled_is_looked_at_in_portions() -> None:
    campaign = make_running()
    for number in range(5):
        make_callable(campaign, number)
    spec = call_services.load_version(version_of(campaign)).spec
    looked_at = [decide_undecided(campaign.pk, gate_of(campaign), spec, at=NOW, most=3) for _ in range(3)]
    assert (looked_at, len(reasons())) == ([3, 2, 0], 5)


def test_who_asked_to_be_called_again_is_whatever_was_before() -> None:
    member = make_callable(make_running(), attempts=3)
    assert counted_attempts(member) == 3
    member.callback_at = NOW
    assert counted_attempts(member) == 0
