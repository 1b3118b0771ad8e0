from datetime import UTC, datetime, timedelta

import pytest
from uuid_utils.compat import uuid7

from calls import services, telephony
from calls.enums import AttemptStatus, Door, EndReason
from calls.errors import TelephonyError
from calls.models import CallAttempt
from calls.services import StreamGrant
from tests.calls import phones, rows
from tests.calls.phones import OUR_NUMBER, SOMEBODY
from tests.simulators.twilio import SimulatedCall, Trouble, TwilioSimulator

pytestmark = pytest.mark.django_db

STATUS = AttemptStatus
LOST = Trouble(drop=True)
LOST_BEHIND = Trouble(drop=True, is_accepted=True)


def now(seconds: float = 0) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def lost(twilio: TwilioSimulator, trouble: Trouble, number: str = SOMEBODY) -> CallAttempt:
    """Place a call whose answer is lost."""
    if not CallAttempt.objects.exists():
        rows.agent(is_default=True)
    twilio.troubles.append(trouble)
    attempt = telephony.place_call(number)
    assert attempt.status == STATUS.UNKNOWN
    return attempt


def status_of(attempt: CallAttempt) -> str:
    attempt.refresh_from_db()
    return attempt.status


def test_a_call_that_the_carrier_has_is_found_in_its_list(twilio: TwilioSimulator) -> None:
    attempt = lost(twilio, LOST_BEHIND)
    twilio.call.status = "in-progress"
    telephony.reconcile(attempt.pk, now=now())
    assert (status_of(attempt), attempt.carrier_sid, attempt.error) == ("in-progress", twilio.call.sid, "")
    telephony.reconcile(attempt.pk, now=now())
    assert twilio.requests[2:] == []


def test_a_call_counts_as_not_placed_after_two_empty_lists_a_minute_apart(twilio: TwilioSimulator) -> None:
    attempt = lost(twilio, LOST)
    for seconds in (0, 20, 40, 59):
        telephony.reconcile(attempt.pk, now=now(seconds))
        assert status_of(attempt) == "unknown"
    telephony.reconcile(attempt.pk, now=now(61))
    assert (status_of(attempt), attempt.is_refused) == ("not-placed", False)
    assert attempt.error == "Twilio did not answer (ConnectionError)"


def test_a_list_that_lags_behind_is_waited_for(twilio: TwilioSimulator) -> None:
    attempt = lost(twilio, LOST_BEHIND)
    late = twilio.calls.pop()
    telephony.reconcile(attempt.pk, now=now())
    twilio.calls.append(late)
    telephony.reconcile(attempt.pk, now=now(61))
    assert (status_of(attempt), attempt.carrier_sid) == ("queued", late.sid)


def test_a_list_that_does_not_come_counts_for_nothing(twilio: TwilioSimulator) -> None:
    attempt = lost(twilio, LOST)
    for seconds in (0, 61, 122):
        twilio.troubles.append(Trouble(status=500))
        with pytest.raises(TelephonyError):
            telephony.reconcile(attempt.pk, now=now(seconds))
    assert (status_of(attempt), attempt.missed_at) == ("unknown", None)


def test_calls_of_other_attempts_other_times_and_other_directions_are_not_it(twilio: TwilioSimulator) -> None:
    rows.agent(is_default=True)
    earlier = telephony.place_call(SOMEBODY)
    CallAttempt.objects.filter(pk=earlier.pk).update(status="completed", ended_at=now())
    twilio.dial_in(caller=OUR_NUMBER, called=SOMEBODY)
    old = SimulatedCall(twilio, {"To": SOMEBODY, "From": OUR_NUMBER}, created=now(-300))
    twilio.calls.append(old)
    attempt = lost(twilio, LOST)
    for seconds in (0, 61):
        telephony.reconcile(attempt.pk, now=now(seconds))
    assert status_of(attempt) == "not-placed"


def test_the_oldest_of_several_calls_is_it(twilio: TwilioSimulator, caplog: pytest.LogCaptureFixture) -> None:
    attempt = lost(twilio, LOST_BEHIND)
    later = SimulatedCall(twilio, {"To": SOMEBODY, "From": OUR_NUMBER}, created=now(30))
    twilio.calls.append(later)
    telephony.reconcile(attempt.pk, now=now())
    assert (status_of(attempt), attempt.carrier_sid) == ("queued", twilio.calls[0].sid)
    assert "has 2 calls that may be attempt" in caplog.text


def test_a_call_whose_id_is_known_is_asked_for_by_it(twilio: TwilioSimulator) -> None:
    attempt = lost(twilio, LOST_BEHIND)
    CallAttempt.objects.update(carrier_sid=twilio.call.sid)
    twilio.call.status = "busy"
    telephony.reconcile(attempt.pk, now=now())
    assert status_of(attempt) == "busy"
    assert twilio.requests[-1][1].endswith(f"/Calls/{twilio.call.sid}.json")


def test_the_sweep_finds_what_a_dead_process_left(twilio: TwilioSimulator) -> None:
    rows.agent(is_default=True)
    dead, gone = phones.attempt(at=now()), phones.attempt("+15005550043", at=now())
    twilio.calls.append(SimulatedCall(twilio, {"To": SOMEBODY, "From": OUR_NUMBER}))
    telephony.sweep_attempts(now(30))
    assert (status_of(dead), status_of(gone)) == ("dialing", "dialing")
    telephony.sweep_attempts(now(61))
    assert (status_of(dead), status_of(gone)) == ("queued", "unknown")
    telephony.sweep_attempts(now(122))
    assert (status_of(dead), status_of(gone)) == ("queued", "not-placed")
    assert len(twilio.calls) == 1


def test_the_sweep_asks_about_live_calls_of_which_nothing_was_heard(twilio: TwilioSimulator) -> None:
    rows.agent(is_default=True)
    ended, talking = telephony.place_call(SOMEBODY), telephony.place_call("+15005550043")
    twilio.calls[0].status, twilio.calls[0].duration = "completed", "17"
    twilio.calls[1].status = "in-progress"
    telephony.sweep_attempts(now(100))
    assert status_of(ended) == "queued"
    telephony.sweep_attempts(now(130))
    assert (status_of(ended), ended.duration_seconds, status_of(talking)) == ("completed", 17, "in-progress")
    asked = len(twilio.requests)
    telephony.sweep_attempts(now(140))
    assert len(twilio.requests) == asked


def test_a_call_that_the_carrier_has_forgotten_does_not_block_its_number(twilio: TwilioSimulator) -> None:
    rows.agent(is_default=True)
    attempt = telephony.place_call(SOMEBODY)
    twilio.calls.clear()
    telephony.sweep_attempts(now(130))
    assert (status_of(attempt), attempt.error_code) == ("failed", 20404)
    assert telephony.place_call(SOMEBODY).status == STATUS.QUEUED


def test_a_carrier_that_is_away_is_asked_once_a_sweep(
    twilio: TwilioSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    attempts = [lost(twilio, LOST, f"+1500555004{number}") for number in range(3)]
    asked = len(twilio.requests)
    twilio.troubles.extend([Trouble(status=503)] * 3)
    telephony.sweep_attempts(now())
    assert len(twilio.requests) == asked + 1
    assert "the carrier cannot be asked" in caplog.text
    assert {status_of(attempt) for attempt in attempts} == {"unknown"}


def test_a_call_of_a_carrier_that_was_taken_away_holds_nobody_up(
    twilio: TwilioSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = phones.attempt(status="unknown", carrier="pigeons")
    attempt = lost(twilio, LOST_BEHIND, "+15005550043")
    telephony.sweep_attempts(now())
    assert (status_of(stuck), status_of(attempt)) == ("unknown", "queued")
    assert "CARRIERS has no 'pigeons'" in caplog.text


def test_hanging_up_ends_the_carriers_side(twilio: TwilioSimulator) -> None:
    rows.agent(is_default=True)
    attempt = telephony.place_call(SOMEBODY)
    twilio.call.status = "in-progress"
    telephony.hang_up(attempt.pk)
    assert twilio.call.status == "completed"
    telephony.hang_up(attempt.pk)
    twilio.calls.clear()
    telephony.hang_up(attempt.pk)


def test_hanging_up_what_the_carrier_does_not_have_asks_nothing(twilio: TwilioSimulator) -> None:
    telephony.hang_up(phones.attempt().pk)
    telephony.hang_up(phones.attempt("+15005550043", status="busy", ended_at=now(), carrier_sid="CA1").pk)
    telephony.hang_up(uuid7())
    assert twilio.requests == []


def test_a_call_that_was_held_and_that_the_carrier_has_forgotten_ended_with_its_conversation(
    twilio: TwilioSimulator,
) -> None:
    """A simulated carrier that was stopped with the stack knows its calls no more; nobody is to be called again."""
    agent = rows.agent(is_default=True)
    answered = now(-300)
    attempts = [
        phones.attempt(number, agent=agent, status="in-progress", carrier_sid=f"CA{number}", answered_at=answered)
        for number in (SOMEBODY, "+15005550043")
    ]
    CallAttempt.objects.update(heard_at=now(-200))
    session_id = rows.live_call(door=Door.PHONE)
    grant = StreamGrant(attempts[0].pk, 1)
    services.ask_for_stream(grant.attempt_id, 1, at=answered)
    services.open_stream(grant, session_id, at=answered, not_before=answered)
    ended = now(-250)
    services.finish_call(session_id, reason=EndReason.SILENCE, ended_at=ended, duration_ms=1, totals={})
    telephony.sweep_attempts(now())
    assert [status_of(attempt) for attempt in attempts] == ["completed", "completed"]
    assert attempts[0].ended_at == ended
    assert attempts[1].ended_at is not None
    assert attempts[1].ended_at < now(-190), "when it was last heard of, not when the sweep came"
    assert twilio.calls == []
