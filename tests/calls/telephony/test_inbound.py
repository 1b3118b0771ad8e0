from typing import Any

import pytest

from calls.enums import Direction
from calls.models import CallAttempt
from calls.telephony import inbound
from tests.calls import phones, rows
from tests.calls.phones import OUR_NUMBER, SOMEBODY

pytestmark = pytest.mark.django_db

SID = "CA" + "0a" * 16


def take(caller: str = SOMEBODY) -> CallAttempt:
    attempt = inbound.take(SID, caller=caller, called=OUR_NUMBER, carrier="twilio")
    assert attempt is not None
    return attempt


def facts(attempt: CallAttempt) -> tuple[Any, ...]:
    return attempt.direction, attempt.from_e164, attempt.to_e164, attempt.status, attempt.carrier_sid


def test_a_call_to_us_is_stored_once_and_gets_the_default_agent() -> None:
    agent = rows.agent(is_default=True)
    attempt = take()
    assert facts(attempt) == (Direction.INBOUND, SOMEBODY, OUR_NUMBER, "in-progress", SID)
    assert attempt.agent_version_id == agent.published_id
    assert take() == attempt


def test_whom_we_called_talks_to_the_agent_that_called_last() -> None:
    rows.agent(is_default=True)
    bea, cleo = rows.agent("Bea"), rows.agent("Cleo")
    phones.attempt(agent=bea, variables={"name": "Bo"}, status="no-answer", ended_at=rows.BEGAN)
    phones.attempt("+15005550043", agent=cleo)
    attempt = take()
    assert (attempt.agent_version_id, attempt.variables) == (bea.published_id, {"name": "Bo"})


@pytest.mark.parametrize("caller", ["", "anonymous", "+266696687", "client:web", "+86282452253"])
def test_a_withheld_number_is_stored_as_none(caller: str) -> None:
    rows.agent(is_default=True)
    assert facts(take(caller))[1] == ""


def test_a_number_of_fiction_may_call_us() -> None:
    assert facts(take("+12025550123"))[1] == "+12025550123"


@pytest.mark.parametrize("fields", [{}, {"is_default": True, "opening": "Hello {{name}}!"}])
def test_a_call_that_no_agent_can_take_has_none(fields: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    rows.agent(**fields)
    assert take().agent_version is None
    assert "inbound call has n" in caplog.text


@pytest.mark.parametrize(("sid", "called"), [("CA1", OUR_NUMBER), ("", OUR_NUMBER), (SID, "sip:us@example.com")])
def test_what_is_no_telephone_call_is_not_stored(sid: str, called: str) -> None:
    assert inbound.take(sid, caller=SOMEBODY, called=called, carrier="twilio") is None
    assert not CallAttempt.objects.exists()
