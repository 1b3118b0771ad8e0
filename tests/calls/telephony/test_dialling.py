from typing import Any

import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from calls import services, telephony
from calls.enums import AttemptStatus, DialRefusal, SuppressionSource
from calls.errors import AgentError, DialRefusedError
from calls.models import CallAttempt
from tests.calls import phones, rows
from tests.calls.phones import OUR_NUMBER, SOMEBODY
from tests.simulators.twilio import INVALID_NUMBER, SimulatedCall, Trouble, TwilioSimulator

pytestmark = pytest.mark.django_db

STATUS = AttemptStatus


def test_a_call_is_placed_with_the_default_agent_and_caller_id(twilio: TwilioSimulator) -> None:
    agent = rows.agent(is_default=True, max_duration_seconds=600)
    attempt = telephony.place_call(SOMEBODY)
    columns = (attempt.to_e164, attempt.from_e164, attempt.carrier, attempt.carrier_sid, attempt.status)
    assert columns == (SOMEBODY, OUR_NUMBER, "twilio", twilio.call.sid, STATUS.QUEUED)
    assert (attempt.agent_version_id, attempt.variables) == (agent.published_id, {})
    order, base, key = twilio.call.order, "https://calls.example.com/twilio", f"key={attempt.dial_key}"
    assert [order[name] for name in ("Url", "StatusCallback", "AsyncAmdStatusCallback", "Timeout", "TimeLimit")] == [
        *(f"{base}/{name}?{key}" for name in ("answer", "status", "amd")),
        *("30", "660"),
    ]


def test_a_call_may_name_its_agent_its_variables_and_its_caller_id(twilio: TwilioSimulator) -> None:
    rows.agent(is_default=True)
    agent = rows.agent("Bea", opening="Hello {{name}}!")
    attempt = telephony.place_call(SOMEBODY, agent_id=str(agent.pk), variables={"name": "Bo"}, from_e164="+15005550007")
    assert (attempt.agent_version_id, attempt.variables) == (agent.published_id, {"name": "Bo"})
    assert twilio.call.order["From"] == "+15005550007"


@pytest.mark.parametrize(
    ("changes", "order", "reason", "words"),
    [
        ({}, {"to_e164": "5005550042"}, DialRefusal.BAD_NUMBER, "the number to call is not in E.164"),
        ({}, {"from_e164": "me"}, DialRefusal.NO_CALLER_ID, "the caller ID is not in E.164"),
        ({"TWILIO_PHONE_NUMBER": ""}, {}, DialRefusal.NO_CALLER_ID, "set TWILIO_PHONE_NUMBER"),
        ({"CARRIER": ""}, {}, DialRefusal.NO_CARRIER, "set TWILIO_ACCOUNT_SID"),
        ({"CARRIER": "pigeons"}, {}, DialRefusal.NO_CARRIER, "CARRIER to one of: twilio, sandbox"),
        ({}, {"variables": {"b": "x"}}, DialRefusal.MISSING_VARIABLES, "no value and no default: a, c"),
    ],
)
def test_what_speaks_against_a_call_is_named_before_anything_is_asked(
    twilio: TwilioSimulator,
    settings: Settings,
    changes: dict[str, str],
    order: dict[str, Any],
    reason: DialRefusal,
    words: str,
) -> None:
    rows.agent(is_default=True, prompt="{{a}} {{b}} {{c}} {{d|e}}" if "variables" in order else "Be kind.")
    for name, value in changes.items():
        setattr(settings, name, value)
    with pytest.raises(DialRefusedError, match=words) as refused:
        telephony.place_call(**{"to_e164": SOMEBODY, **order})
    assert (refused.value.reason, CallAttempt.objects.count(), twilio.requests) == (reason, 0, [])


def test_a_call_needs_a_published_agent(twilio: TwilioSimulator) -> None:
    with pytest.raises(AgentError, match="no agent is marked as the default"):
        telephony.place_call(SOMEBODY)
    assert twilio.requests == []


def test_a_suppressed_number_is_not_called_whoever_asks(twilio: TwilioSimulator) -> None:
    rows.agent(is_default=True)
    services.suppress(SOMEBODY, source=SuppressionSource.SPOKEN, proof="said so")
    with pytest.raises(DialRefusedError) as refused:
        telephony.place_call(SOMEBODY)
    assert (refused.value.reason, CallAttempt.objects.count(), twilio.requests) == (DialRefusal.SUPPRESSED, 0, [])


@pytest.mark.parametrize("status", ["dialing", "unknown", "ringing", "in-progress"])
def test_a_number_with_a_live_call_is_not_called_again(twilio: TwilioSimulator, status: str) -> None:
    phones.attempt(status=status)
    with pytest.raises(DialRefusedError) as refused:
        telephony.place_call(SOMEBODY)
    assert (refused.value.reason, twilio.requests) == (DialRefusal.ALREADY_CALLED, [])


@pytest.mark.parametrize(
    ("number", "trouble", "is_refused", "code"),
    [
        (INVALID_NUMBER, Trouble(), True, 21211),
        ("+12025550123", Trouble(), True, 0),
        (SOMEBODY, Trouble(status=429, code=20429), False, 20429),
    ],
)
def test_what_the_carrier_refuses_is_not_placed(
    twilio: TwilioSimulator, number: str, trouble: Trouble, *, is_refused: bool, code: int
) -> None:
    rows.agent(is_default=True)
    twilio.troubles.append(trouble)
    attempt = telephony.place_call(number)
    assert (attempt.status, attempt.is_refused, attempt.error_code) == (STATUS.NOT_PLACED, is_refused, code)
    assert attempt.error
    assert attempt.ended_at


@pytest.mark.parametrize("trouble", [{"hang": True}, {"drop": True}, {"status": 503}, {"garbage": "?"}], ids=str)
@pytest.mark.parametrize("is_accepted", [True, False])
def test_a_lost_answer_leaves_the_call_unknown_and_its_number_alone(
    twilio: TwilioSimulator, trouble: dict[str, Any], *, is_accepted: bool
) -> None:
    rows.agent(is_default=True)
    twilio.troubles.append(Trouble(is_accepted=is_accepted, **trouble))
    assert telephony.place_call(SOMEBODY).status == STATUS.UNKNOWN
    with pytest.raises(DialRefusedError):
        telephony.place_call(SOMEBODY)
    assert len(twilio.calls) == is_accepted


@pytest.mark.django_db(transaction=True)
def test_an_attempt_is_committed_before_the_carrier_hears_of_it_and_callbacks_may_be_faster(
    twilio: TwilioSimulator,
) -> None:
    rows.agent(is_default=True)
    seen: list[object] = []

    def ring(call: SimulatedCall) -> None:
        seen.append(list(CallAttempt.objects.values_list("status", "to_e164")))
        seen.append([(call.ring().status, call.status)])
        connections.close_all()

    twilio.on_create = ring
    attempt = telephony.place_call(SOMEBODY)
    assert seen == [[("dialing", SOMEBODY)], [(204, "ringing")]]
    assert (attempt.status, attempt.carrier_sid, attempt.sequence) == (STATUS.RINGING, twilio.call.sid, 0)


@pytest.mark.django_db(transaction=True)
def test_a_callback_settles_a_call_whose_answer_was_lost(twilio: TwilioSimulator) -> None:
    rows.agent(is_default=True)
    twilio.troubles.append(Trouble(hang=True, is_accepted=True))

    def ring(call: SimulatedCall) -> None:
        call.ring()
        connections.close_all()

    twilio.on_create = ring
    attempt = telephony.place_call(SOMEBODY)
    assert (attempt.status, attempt.carrier_sid, attempt.error) == (STATUS.RINGING, twilio.call.sid, "")
