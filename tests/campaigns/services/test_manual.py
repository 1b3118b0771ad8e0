from datetime import datetime, timedelta

import pytest

from calls import services as call_services
from calls.enums import AttemptStatus, DialRefusal, SuppressionSource
from calls.errors import DialRefusedError
from calls.models import Agent, CallAttempt
from campaigns import services
from campaigns.enums import DialReason
from campaigns.gate import ALLOWED
from campaigns.services import ManualCall
from tests.calls import rows as call_rows
from tests.campaigns.carrier import FakeCarrier
from tests.campaigns.conftest import OUR_NUMBER
from tests.campaigns.rows import NOW, make_consent, make_contact

pytestmark = pytest.mark.django_db

SOMEBODY = "+12125551234"


def dial(at: datetime = NOW, *, is_confirmed: bool = True, variables: dict[str, str] | None = None) -> ManualCall:
    agent = Agent.objects.first() or call_rows.agent(prompt="Talk to {{name}}.")
    given = {"name": "Bo"} if variables is None else variables
    return services.dial_once(SOMEBODY, agent_id=agent.pk, variables=given, by=None, is_confirmed=is_confirmed, at=at)


def test_a_confirmed_number_is_called_in_the_daytime(carrier: FakeCarrier) -> None:
    call = dial()
    assert call.attempt is not None
    assert (call.decision, call.attempt.status, call.attempt.from_e164) == (ALLOWED, AttemptStatus.QUEUED, OUR_NUMBER)
    assert carrier.numbers == [SOMEBODY]


def test_a_contact_that_agreed_needs_no_confirmation_and_fills_the_variables(carrier: FakeCarrier) -> None:
    make_consent(make_contact(SOMEBODY, name="Ada"))
    call = dial(is_confirmed=False, variables={})
    assert call.attempt is not None
    assert (call.attempt.variables["name"], carrier.numbers) == ("Ada", [SOMEBODY])


def test_the_gate_refuses_with_its_reason_and_the_carrier_is_not_asked(carrier: FakeCarrier) -> None:
    found = [dial(NOW + timedelta(hours=11)), dial(is_confirmed=False)]
    call_services.suppress(SOMEBODY, source=SuppressionSource.KEY, proof="pressed 9")
    found.append(dial())
    reasons = [call.decision.reason for call in found]
    assert reasons == [DialReason.OUTSIDE_LEGAL_HOURS, DialReason.NO_CONSENT, DialReason.SUPPRESSED]
    assert (carrier.numbers, CallAttempt.objects.count()) == ([], 0)


def test_the_fourth_call_in_a_day_is_refused_whoever_asks(carrier: FakeCarrier) -> None:
    for number in range(3):
        call = dial()
        assert call.attempt is not None
        CallAttempt.objects.filter(pk=call.attempt.pk).update(
            status=AttemptStatus.NO_ANSWER, ended_at=NOW, created_at=NOW - timedelta(hours=number)
        )
    assert dial().decision.reason == DialReason.TOO_MANY_ATTEMPTS_TODAY
    assert len(carrier.numbers) == 3


def test_what_is_wrong_with_the_order_is_an_error(carrier: FakeCarrier) -> None:
    with pytest.raises(DialRefusedError) as caught:
        dial(variables={})
    assert (caught.value.reason, carrier.numbers) == (DialRefusal.MISSING_VARIABLES, [])
