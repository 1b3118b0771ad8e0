from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models import ProtectedError

from calls import services as call_services
from calls.enums import AttemptStatus, SuppressionSource
from calls.errors import TelephonyError, UncertainTelephonyError
from calls.models import CallAttempt
from calls.telephony.carriers import CallOrder, CarrierCall
from campaigns import services
from campaigns.enums import CampaignStatus, DialReason, FinishReason, MembershipState
from campaigns.models import Campaign, CampaignAttempt, CampaignContact, DialDecision, PriceRow
from tests.calls import rows as call_rows
from tests.campaigns.carrier import FakeCarrier
from tests.campaigns.rows import NOW, make_callable, make_contact, make_member, make_running

pytestmark = pytest.mark.django_db

WAITING, CLAIMED, CALLING = MembershipState.WAITING, MembershipState.CLAIMED, MembershipState.CALLING
SECOND = timedelta(seconds=1)


def numbers_of(claims: list[services.Claim]) -> list[str]:
    members = CampaignContact.objects.in_bulk([claim.member_id for claim in claims])
    return [
        CampaignContact.objects.get(pk=pk).contact.e164 for pk in (claim.member_id for claim in claims) if pk in members
    ]


def dial_all(claims: list[services.Claim]) -> list[CallAttempt | None]:
    return [services.dial_claimed(claim.member_id, lease_key=claim.lease_key, at=NOW) for claim in claims]


def states(campaign: Campaign) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for member in campaign.members.select_related("contact").order_by("contact__e164"):
        found.setdefault(member.state, []).append(member.contact.e164[-4:])
    return found


def test_who_is_due_is_claimed_in_order_as_far_as_there_is_room_and_dialled_with_the_fixed_agent(
    carrier: FakeCarrier,
) -> None:
    campaign = make_running(agent=call_rows.agent(prompt="Talk to {{name}}."), max_concurrent=2)
    for number, minutes in enumerate((3, 1, 2)):
        make_callable(campaign, number, next_attempt_at=NOW - timedelta(minutes=minutes))
    claims = services.claim_due(at=NOW)
    assert numbers_of(claims) == ["+12125551000", "+12125551002"]
    assert states(campaign) == {CLAIMED: ["1000", "1002"], WAITING: ["1001"]}
    attempts = dial_all(claims)
    assert (carrier.numbers, states(campaign)) == (
        ["+12125551000", "+12125551002"],
        {CALLING: ["1000", "1002"], WAITING: ["1001"]},
    )
    assert {attempt.variables["name"] for attempt in attempts if attempt} == {"Bo"}
    assert services.claim_due(at=NOW + 2 * SECOND) == []


def test_an_agent_edited_while_it_calls_stays_as_it_was_at_the_start(carrier: FakeCarrier) -> None:
    agent = call_rows.agent()
    campaign = make_running(agent=agent)
    make_callable(campaign)
    agent.prompt = "You are rude."
    agent.save()
    call_services.publish_agent(agent)
    (attempt,) = dial_all(services.claim_due(at=NOW))
    assert attempt is not None
    assert (attempt.agent_version_id, len(carrier.orders)) == (campaign.agent_version_id, 1)


def test_a_claim_is_dialled_once_however_often_its_message_comes(carrier: FakeCarrier) -> None:
    make_callable(make_running())
    claims = services.claim_due(at=NOW)
    assert [attempt is not None for attempt in dial_all(claims * 3)] == [True, False, False]
    assert (len(carrier.orders), CampaignAttempt.objects.count()) == (1, 1)


def test_two_ticks_claim_nobody_twice() -> None:
    campaign = make_running(max_concurrent=50)
    for number in range(3):
        make_callable(campaign, number)
    assert [len(services.claim_due(at=NOW)) for _ in range(2)] == [3, 0]


def test_a_crash_between_claim_and_dial_strands_nobody(carrier: FakeCarrier) -> None:
    campaign = make_running()
    make_callable(campaign)
    lost = services.claim_due(at=NOW)
    services.sweep_campaigns(at=NOW + services.LEASE)
    assert states(campaign) == {CLAIMED: ["1000"]}
    later = NOW + services.LEASE + SECOND
    services.sweep_campaigns(at=later)
    assert states(campaign) == {WAITING: ["1000"]}
    (claim,) = services.claim_due(at=later)
    assert services.dial_claimed(lost[0].member_id, lease_key=lost[0].lease_key, at=later) is None
    assert services.dial_claimed(claim.member_id, lease_key=claim.lease_key, at=later) is not None
    assert len(carrier.orders) == 1


def test_an_expired_claim_is_not_dialled_even_before_the_sweep(carrier: FakeCarrier) -> None:
    make_callable(make_running())
    (claim,) = services.claim_due(at=NOW)
    late = NOW + services.LEASE + SECOND
    assert services.dial_claimed(claim.member_id, lease_key=claim.lease_key, at=late) is None
    assert carrier.orders == []


def test_a_pause_holds_before_each_dial_of_a_batch_and_loses_nobody(carrier: FakeCarrier) -> None:
    campaign = make_running()
    for number in range(3):
        make_callable(campaign, number)
    claims = services.claim_due(at=NOW)
    dial_all(claims[:1])
    services.pause_campaign(campaign.pk, by=None, at=NOW, reason="lunch")
    dial_all(claims[1:])
    assert (carrier.numbers, states(campaign)) == (["+12125551000"], {CALLING: ["1000"], WAITING: ["1001", "1002"]})
    assert set(campaign.members.filter(state=WAITING).values_list("next_attempt_at", "held_because")) == {(NOW, "")}
    assert services.claim_due(at=NOW + 2 * SECOND) == []
    services.resume_campaign(campaign.pk, by=None, at=NOW)
    assert len(services.claim_due(at=NOW + 2 * SECOND)) == 2


def test_an_abort_hangs_up_live_calls_also_one_whose_request_was_on_its_way(
    carrier: FakeCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = make_running()
    for number in range(2):
        make_callable(campaign, number)
    first, second = services.claim_due(at=NOW)
    dial_all([first])
    place = carrier.place

    def place_slowly(order: CallOrder) -> CarrierCall:
        services.abort_campaign(campaign.pk, by=None, at=NOW)
        return place(order)

    monkeypatch.setattr(carrier, "place", place_slowly)
    dial_all([second])
    assert carrier.hung_up == ["CA1", "CA2"]
    assert states(campaign) == {CALLING: ["1000", "1001"]}


def test_the_same_number_in_two_campaigns_rings_once_at_a_time(carrier: FakeCarrier) -> None:
    spring = make_running("Spring")
    summer = make_running("Summer", agent=spring.agent)
    member = make_callable(spring)
    make_member(summer, member.contact)
    claims = services.claim_due(at=NOW)
    assert len(claims) == 2
    dial_all(claims)
    assert len(carrier.orders) == 1
    held = CampaignContact.objects.get(state=WAITING)
    assert (held.held_because, held.next_attempt_at) == (DialReason.ALREADY_ON_THE_LINE, NOW + timedelta(minutes=1))


@pytest.mark.parametrize(
    "trouble",
    [
        TelephonyError("Twilio answered 429: Too Many Requests", permanent=False, code=20429),
        TelephonyError("Twilio answered 503: Service Unavailable", permanent=False),
        TelephonyError("Twilio answered 401: Authenticate", permanent=True, code=20003),
    ],
)
def test_a_full_rate_bucket_or_a_down_carrier_only_moves_the_next_attempt(
    carrier: FakeCarrier, trouble: TelephonyError
) -> None:
    campaign = make_running()
    member = make_callable(campaign)
    carrier.troubles.append(trouble)
    (claim,) = services.claim_due(at=NOW)
    attempt = services.dial_claimed(claim.member_id, lease_key=claim.lease_key, at=NOW)
    assert attempt is not None
    assert attempt.status == AttemptStatus.NOT_PLACED
    services.settle_attempt(attempt.pk, at=NOW)
    member.refresh_from_db()
    assert (member.state, member.attempts, member.last_outcome, member.next_attempt_at) == (
        WAITING,
        0,
        "",
        NOW + timedelta(seconds=30),
    )


def test_a_request_that_failed_after_the_carrier_took_it_is_not_dialled_again(carrier: FakeCarrier) -> None:
    campaign = make_running()
    make_callable(campaign)
    carrier.troubles.append(UncertainTelephonyError("the answer was lost"))
    (claim,) = services.claim_due(at=NOW)
    attempt = services.dial_claimed(claim.member_id, lease_key=claim.lease_key, at=NOW)
    assert attempt is not None
    later = NOW + timedelta(hours=1)
    services.sweep_campaigns(at=later)
    assert (attempt.status, states(campaign), services.claim_due(at=later)) == (
        AttemptStatus.UNKNOWN,
        {CALLING: ["1000"]},
        [],
    )


def test_an_opt_out_between_claim_and_dial_holds(carrier: FakeCarrier) -> None:
    campaign = make_running()
    member = make_callable(campaign)
    (claim,) = services.claim_due(at=NOW)
    call_services.suppress(member.contact.e164, source=SuppressionSource.KEY, proof="pressed 9")
    assert dial_all([claim]) == [None]
    member.refresh_from_db()
    assert (carrier.orders, member.state, member.finish_reason, member.held_because) == (
        [],
        MembershipState.FINISHED,
        FinishReason.OPTED_OUT,
        DialReason.SUPPRESSED,
    )


def test_a_held_contact_waits_for_its_moment_and_its_reason_is_stored_once() -> None:
    campaign = make_running()
    agreed = make_callable(campaign)
    silent = make_member(campaign, make_contact("+12125559999"))
    tokyo = make_callable(campaign, 1)
    tokyo.contact.time_zone = "Asia/Tokyo"
    tokyo.contact.save()
    for minute in (0, 11, 22):
        services.claim_due(at=NOW + timedelta(minutes=minute))
    silent.refresh_from_db()
    tokyo.refresh_from_db()
    assert (silent.held_because, silent.next_attempt_at) == (DialReason.NO_CONSENT, NOW + timedelta(minutes=32))
    assert (tokyo.held_because, tokyo.next_attempt_at) == (
        DialReason.OUTSIDE_LEGAL_HOURS,
        NOW.replace(day=25, hour=0),
    )
    rows = DialDecision.objects.order_by("since").values_list("member_id", "reason")
    assert sorted(rows) == sorted(
        [
            (agreed.pk, DialReason.ALLOWED),
            (silent.pk, DialReason.NO_CONSENT),
            (tokyo.pk, DialReason.OUTSIDE_LEGAL_HOURS),
        ]
    )
    decision = services.latest_decision(silent.pk)
    assert decision is not None
    assert (decision.allowed, decision.detail) == (False, {"needed": "express"})


def test_those_for_whom_there_is_no_room_yet_are_decided_too() -> None:
    campaign = make_running(max_concurrent=1)
    for number in range(3):
        make_callable(campaign, number)
    make_member(campaign, make_contact("+12125559999"))
    services.claim_due(at=NOW)
    assert not CampaignContact.objects.undecided().exists()
    assert DialDecision.objects.filter(allowed=True).count() == 3
    assert campaign.members.get(held_because=DialReason.NO_CONSENT).state == WAITING


def test_an_installation_that_cannot_dial_pauses_the_campaign_and_keeps_the_contact(
    carrier: FakeCarrier,
) -> None:
    campaign = make_running(carrier="pigeons")
    make_callable(campaign)
    dial_all(services.claim_due(at=NOW))
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.PAUSED
    assert campaign.paused_because.startswith("Nobody can be dialled: there is no carrier")
    assert (states(campaign), carrier.orders) == ({WAITING: ["1000"]}, [])


def test_a_campaign_enrols_dials_and_finishes_by_itself(carrier: FakeCarrier) -> None:
    campaign = make_running(enrolled_at=None)
    make_callable(campaign)
    make_member(campaign, make_contact("+12125559999"))
    (attempt,) = dial_all(services.claim_due(at=NOW))
    assert attempt is not None
    assert services.claim_due(at=NOW + 2 * SECOND) == []
    assert Campaign.objects.get().status == CampaignStatus.RUNNING
    _end(attempt.pk, AttemptStatus.FAILED, 2)
    Campaign.objects.update(retry_policy={})
    services.settle_attempt(attempt.pk, at=NOW)
    services.claim_due(at=NOW + 2 * SECOND)
    assert Campaign.objects.get().status == CampaignStatus.FINISHED
    found = dict(campaign.members.values_list("contact__e164", "finish_reason"))
    assert found == {"+12125551000": FinishReason.ATTEMPTS_USED, "+12125559999": FinishReason.CAMPAIGN_OVER}
    assert len(carrier.orders) == 1


def test_a_campaign_whose_end_has_passed_finishes_with_those_who_wait() -> None:
    campaign = make_running(ends_at=NOW)
    make_callable(campaign)
    services.claim_due(at=NOW)
    member = CampaignContact.objects.get()
    assert (Campaign.objects.get().status, member.finish_reason) == (
        CampaignStatus.FINISHED,
        FinishReason.CAMPAIGN_OVER,
    )


def test_an_empty_budget_holds_the_campaign_and_leaves_its_contacts_as_they_are(carrier: FakeCarrier) -> None:
    PriceRow.objects.create(item="fake.minute", micros=10, effective_from="2026-01-01")
    campaign = make_running(budget_micros=9)
    member = make_callable(campaign, decided_at=NOW)
    assert services.claim_due(at=NOW) == []
    found = services.campaign_numbers(campaign.pk, at=NOW).blocked_by
    member.refresh_from_db()
    assert found is not None
    assert (found.reason, member.state, member.held_because, member.next_attempt_at) == (
        DialReason.OVER_BUDGET,
        WAITING,
        "",
        NOW,
    )
    Campaign.objects.update(budget_micros=None)
    assert len(services.claim_due(at=NOW)) == 1
    assert carrier.orders == []


def test_neither_campaign_nor_contact_can_be_deleted_under_a_call(carrier: FakeCarrier) -> None:
    campaign = make_running()
    member = make_callable(campaign)
    dial_all(services.claim_due(at=NOW))
    for row in (campaign, member.contact, CallAttempt.objects.get()):
        with pytest.raises(ProtectedError):
            row.delete()
    assert (len(carrier.orders), states(campaign)) == (1, {CALLING: ["1000"]})


def test_an_edit_of_a_running_campaign_holds_from_the_next_dial_on(carrier: FakeCarrier) -> None:
    campaign = make_running(max_concurrent=5)
    for number in range(2):
        make_callable(campaign, number)
    claims = services.claim_due(at=NOW)
    dial_all(claims[:1])
    Campaign.objects.update(window_end="11:00")
    dial_all(claims[1:])
    held = campaign.members.get(state=WAITING)
    assert (len(carrier.orders), held.held_because) == (1, DialReason.OUTSIDE_CAMPAIGN_WINDOW)


def test_slots_do_not_leak_when_calls_end(carrier: FakeCarrier) -> None:
    campaign = make_running(max_concurrent=1)
    for number in range(3):
        make_callable(campaign, number)
    for turn in range(3):
        at = NOW + 2 * turn * SECOND
        (claim,) = services.claim_due(at=at)
        attempt = services.dial_claimed(claim.member_id, lease_key=claim.lease_key, at=at)
        assert attempt is not None
        _end(attempt.pk, AttemptStatus.NO_ANSWER, 1)
        services.settle_attempt(attempt.pk, at=at)
    assert len(set(carrier.numbers)) == 3


def _end(attempt_id: UUID, status: AttemptStatus, seconds: int) -> None:
    CallAttempt.objects.filter(pk=attempt_id).update(status=status, ended_at=NOW + seconds * SECOND)
