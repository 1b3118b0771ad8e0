"""Several workers at once, each with a connection of its own: what holds for one holds for all of them together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from calls.enums import AttemptStatus, SuppressionSource
from calls.models import CallAttempt
from campaigns import services
from campaigns.enums import MembershipState
from campaigns.models import CallerId, Campaign, CampaignAttempt, CampaignContact, DialDecision, PriceRow
from tests.campaigns.carrier import FakeCarrier
from tests.campaigns.rows import NOW, make_callable, make_member, make_running

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 4


def at_once(*works: Callable[[], object]) -> None:
    """Run all of them in threads that begin together."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        barrier.wait(timeout=10)
        try:
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(run, work) for work in works]:
            done.result(timeout=60)


def tick_and_dial() -> None:
    for claim in services.claim_due(at=NOW):
        services.dial_claimed(claim.member_id, lease_key=claim.lease_key, at=NOW)


def claim_each(campaign: Campaign) -> list[services.Claim]:
    """Claim every member by hand, whatever room there is."""
    campaign.members.update(state=MembershipState.CLAIMED, lease_key=campaign.pk, lease_until=NOW + services.LEASE)
    return [services.Claim(pk, campaign.pk) for pk in campaign.members.values_list("pk", flat=True)]


def dial_each(claims: list[services.Claim]) -> None:
    at_once(
        *(
            lambda claim=claim: services.dial_claimed(claim.member_id, lease_key=claim.lease_key, at=NOW)
            for claim in claims
        )
    )


def test_ticks_at_once_dial_nobody_twice_and_exceed_no_limit(carrier: FakeCarrier) -> None:
    campaign = make_running(max_concurrent=7)
    for number in range(20):
        make_callable(campaign, number)
    at_once(*[tick_and_dial] * WORKERS)
    at_once(*[tick_and_dial] * WORKERS)
    numbers = carrier.numbers
    assert len(numbers) == len(set(numbers)) == CampaignAttempt.objects.count() == 7
    decided = list(DialDecision.objects.values_list("member_id", flat=True))
    assert len(decided) == len(set(decided)) == 20
    assert not CampaignContact.objects.filter(state=MembershipState.CLAIMED).exists()


def test_one_claim_whose_message_comes_to_all_workers_is_dialled_once(carrier: FakeCarrier) -> None:
    make_callable(make_running())
    (claim,) = services.claim_due(at=NOW)
    dial_each([claim] * WORKERS)
    assert (len(carrier.orders), CampaignAttempt.objects.count()) == (1, 1)


def test_a_concurrency_limit_holds_at_the_very_dial(carrier: FakeCarrier) -> None:
    campaign = make_running(max_concurrent=2)
    for number in range(WORKERS):
        make_callable(campaign, number)
    dial_each(claim_each(campaign))
    assert len(carrier.orders) == 2


def test_a_budget_is_not_spent_twice(carrier: FakeCarrier) -> None:
    PriceRow.objects.create(item="fake.minute", micros=10, effective_from="2026-01-01")
    campaign = make_running()
    worst = (campaign.agent.max_duration_seconds // 60 + 1) * 10
    Campaign.objects.update(budget_micros=worst * 2 + 1)
    for number in range(WORKERS):
        make_callable(campaign, number)
    dial_each(claim_each(campaign))
    assert len(carrier.orders) == 2


def test_a_caller_ids_cap_holds(carrier: FakeCarrier) -> None:
    campaign = make_running()
    campaign.caller_ids.add(CallerId.objects.create(e164="+12125550199", daily_cap=1, is_verified=True))
    for number in range(WORKERS):
        make_callable(campaign, number)
    dial_each(claim_each(campaign))
    assert len(carrier.orders) == 1


def test_one_number_in_several_campaigns_rings_once(carrier: FakeCarrier) -> None:
    spring = make_running("Spring")
    contact = make_callable(spring).contact
    others = [make_running(name, agent=spring.agent) for name in ("Summer", "Autumn", "Winter")]
    for campaign in others:
        make_member(campaign, contact)
    dial_each([claim for campaign in (spring, *others) for claim in claim_each(campaign)])
    assert len(carrier.orders) == 1
    states = sorted(CampaignContact.objects.values_list("state", flat=True))
    assert states == [MembershipState.CALLING, *[MembershipState.WAITING] * 3]


def test_an_opt_out_at_the_moment_of_the_dial_comes_before_or_after_it_and_cancels_the_rest(
    carrier: FakeCarrier,
) -> None:
    spring = make_running("Spring")
    member = make_callable(spring)
    make_member(make_running("Summer", agent=spring.agent), member.contact)
    claims = claim_each(spring)
    e164 = member.contact.e164
    at_once(
        lambda: services.opt_out(e164, source=SuppressionSource.OPERATOR, proof="asked for it", at=NOW),
        lambda: services.dial_claimed(claims[0].member_id, lease_key=claims[0].lease_key, at=NOW),
    )
    states = dict(CampaignContact.objects.values_list("campaign__name", "state"))
    assert states["Summer"] == MembershipState.FINISHED
    assert (states["Spring"] == MembershipState.CALLING) == (len(carrier.orders) == 1)


def test_an_end_that_is_told_to_all_workers_is_settled_once(carrier: FakeCarrier) -> None:
    PriceRow.objects.create(item="fake.minute", micros=10, effective_from="2026-01-01")
    make_callable(make_running())
    tick_and_dial()
    CallAttempt.objects.update(status=AttemptStatus.COMPLETED, answered_at=NOW, ended_at=NOW, duration_seconds=61)
    attempt_id = CallAttempt.objects.get().pk
    at_once(*[lambda: services.settle_attempt(attempt_id, at=NOW)] * WORKERS)
    member = CampaignContact.objects.get()
    assert (Campaign.objects.get().spent_micros, member.attempts, len(carrier.orders)) == (20, 1, 1)
