from datetime import timedelta

import pytest
from pytest_django import Settings
from uuid_utils.compat import uuid7

from calls import services, tasks
from calls.enums import LOST, SAID_GOODBYE, AttemptStatus, Door, EndReason, LegFate, SessionStatus
from calls.models import CallAttempt, CallSession, CallStream
from calls.telephony import rescuing
from calls.telephony.rescuing import GIVEN_UP_AFTER, NOTICED_AFTER, SILENT_AFTER, fate, rescue_calls
from tests.calls import phones, rows
from tests.calls.conftest import PUBLIC_URL
from tests.simulators.twilio import SimulatedCall, Trouble, TwilioSimulator

NOW = rows.BEGAN + timedelta(hours=1)
MOMENT = timedelta(milliseconds=1)
LEAVE, GO_ON, HANG_UP = LegFate


def ended(reason: EndReason, age: timedelta) -> CallSession:
    return CallSession(status=SessionStatus.ENDED, end_reason=reason, ended_at=NOW - age, instance="dead")


def live(age: timedelta, instance: str = "there") -> CallSession:
    return CallSession(status=SessionStatus.LIVE, alive_at=NOW - age, instance=instance)


def opened(age: timedelta = timedelta(minutes=5)) -> CallStream:
    return CallStream(number=1, issued_at=NOW - age, opened_at=NOW - age, session_id=uuid7())


@pytest.mark.parametrize("reason", list(EndReason))
def test_a_leg_that_stays_after_its_conversation_is_ended_or_goes_on(reason: EndReason) -> None:
    expected = HANG_UP if reason in SAID_GOODBYE else GO_ON if reason in LOST else LEAVE
    assert fate(opened(), ended(reason, NOTICED_AFTER + MOMENT), now=NOW) is expected
    assert fate(opened(), ended(reason, NOTICED_AFTER - MOMENT), now=NOW) is LEAVE


def test_a_conversation_of_a_process_that_is_silent_goes_on_elsewhere() -> None:
    silent, alive = live(SILENT_AFTER + MOMENT), live(SILENT_AFTER - MOMENT)
    assert [fate(opened(), session, now=NOW) for session in (silent, alive)] == [GO_ON, LEAVE]
    assert fate(opened(), silent, now=NOW, held={"there"}) is LEAVE


def test_a_stream_that_never_starts_is_asked_for_again(settings: Settings) -> None:
    settings.STREAM_TOKEN_SECONDS = 30
    ages = (timedelta(seconds=39), timedelta(seconds=41))
    streams = [CallStream(number=1, issued_at=NOW - age) for age in ages]
    assert [fate(stream, None, now=NOW) for stream in streams] == [LEAVE, GO_ON]


def test_a_conversation_that_no_row_tells_of_is_waited_for() -> None:
    ages = (SILENT_AFTER - MOMENT, SILENT_AFTER + MOMENT)
    assert [fate(opened(age), None, now=NOW) for age in ages] == [LEAVE, GO_ON]


def test_a_call_that_does_not_go_on_however_often_it_is_asked_is_hung_up() -> None:
    late = GIVEN_UP_AFTER + timedelta(minutes=3)
    unopened = CallStream(number=1, issued_at=NOW - late)
    assert fate(unopened, None, now=NOW) is HANG_UP
    assert fate(opened(late), None, now=NOW) is HANG_UP
    assert fate(opened(), live(late), now=NOW) is HANG_UP
    assert fate(opened(), live(late), now=NOW, held={"there"}) is LEAVE
    assert fate(opened(), ended(EndReason.SHUTDOWN, late), now=NOW) is HANG_UP


def on_the_line(twilio: TwilioSimulator, reason: EndReason, number: str = phones.SOMEBODY) -> CallAttempt:
    """Have a call in progress at the carrier whose conversation ended a while ago."""
    call = SimulatedCall(twilio, {"To": number, "From": phones.OUR_NUMBER}, status="in-progress")
    twilio.calls.append(call)
    attempt = phones.attempt(number, status="in-progress", carrier_sid=call.sid)
    session_id = rows.live_call(door=Door.PHONE)
    services.ask_for_stream(attempt.pk, 1, at=rows.BEGAN)
    services.open_stream(services.StreamGrant(attempt.pk, 1), session_id, at=rows.BEGAN, not_before=rows.BEGAN)
    services.finish_call(session_id, reason=reason, ended_at=NOW - timedelta(minutes=1), duration_ms=1, totals={})
    return attempt


@pytest.mark.django_db
def test_a_lost_call_is_made_to_ask_what_comes_next(twilio: TwilioSimulator) -> None:
    attempt = on_the_line(twilio, EndReason.INSTANCE_LOST)
    rescue_calls(NOW)
    assert twilio.call.redirects == [f"{PUBLIC_URL}/twilio/next?key={attempt.dial_key}&after=1"]
    assert twilio.call.status == "in-progress"
    # The carrier asked, and its new stream is given time.
    services.ask_for_stream(attempt.pk, 2, at=NOW)
    rescue_calls(NOW)
    assert len(twilio.call.redirects) == 1


@pytest.mark.django_db
def test_a_leg_that_outlives_its_goodbye_is_hung_up(twilio: TwilioSimulator) -> None:
    on_the_line(twilio, EndReason.AGENT_SAID_GOODBYE)
    tasks.sweep_attempts()
    assert (twilio.call.status, twilio.call.redirects) == ("completed", [])


@pytest.mark.django_db
def test_a_call_that_the_carrier_knows_to_be_over_is_only_noted(twilio: TwilioSimulator) -> None:
    attempt = on_the_line(twilio, EndReason.CALLER_DISCONNECTED)
    twilio.call.status = "completed"
    rescue_calls(NOW)
    attempt.refresh_from_db()
    assert (attempt.status, twilio.call.redirects) == ("completed", [])
    requests = len(twilio.requests)
    rescue_calls(NOW)
    assert len(twilio.requests) == requests


@pytest.mark.django_db
def test_a_carrier_that_cannot_be_asked_is_asked_the_next_time(twilio: TwilioSimulator) -> None:
    on_the_line(twilio, EndReason.SHUTDOWN)
    twilio.troubles.append(Trouble(status=503))
    rescue_calls(NOW)
    assert twilio.call.redirects == []
    rescue_calls(NOW)
    assert len(twilio.call.redirects) == 1


@pytest.mark.django_db
def test_the_newest_stream_alone_counts_and_calls_that_are_over_do_not(twilio: TwilioSimulator) -> None:
    attempt = on_the_line(twilio, EndReason.SHUTDOWN)
    services.ask_for_stream(attempt.pk, 2, at=NOW)
    assert [stream.number for stream in CallStream.objects.newest_on_the_line()] == [2]
    services.advance_attempt(attempt.pk, AttemptStatus.COMPLETED, at=NOW)
    assert not CallStream.objects.newest_on_the_line().exists()


@pytest.mark.django_db
def test_a_carrier_that_is_away_is_waited_for_once_a_sweep(twilio: TwilioSimulator) -> None:
    for last in "123":
        on_the_line(twilio, EndReason.SHUTDOWN, phones.SOMEBODY[:-1] + last)
    twilio.troubles += [Trouble(status=503)] * 3
    requests = len(twilio.requests)
    rescue_calls(NOW)
    assert len(twilio.requests) - requests == 1


@pytest.mark.django_db
def test_a_lost_call_is_found_behind_any_number_of_healthy_ones(
    twilio: TwilioSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescuing, "_MOST_A_SWEEP", 1)
    healthy = phones.attempt("+15005550077", status="in-progress", carrier_sid="CA1")
    session_id = rows.live_call(door=Door.PHONE, began=NOW)
    services.ask_for_stream(healthy.pk, 1, at=rows.BEGAN - timedelta(seconds=1))
    grant = services.StreamGrant(healthy.pk, 1)
    assert services.open_stream(grant, session_id, at=NOW, not_before=rows.BEGAN - timedelta(seconds=1))
    on_the_line(twilio, EndReason.INSTANCE_LOST)
    rescue_calls(NOW)
    assert len(twilio.call.redirects) == 1
