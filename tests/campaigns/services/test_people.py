from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from calls import services as call_services
from calls.engine.agent import AgentSpec
from calls.enums import AttemptStatus, SuppressionSource
from calls.models import Agent, CallAttempt
from campaigns.enums import ConsentKind, ContactStatus
from campaigns.gate import Given, Person
from campaigns.models import DoNotCallList, DoNotCallNumber
from campaigns.services.people import load_people, load_stranger, required_variables
from tests.calls import rows as call_rows
from tests.campaigns.rows import NOW, make_consent, make_contact

pytestmark = pytest.mark.django_db

SOMEBODY = "+12125551234"


def dialled(e164: str, *, hours_ago: int, status: AttemptStatus = AttemptStatus.NO_ANSWER) -> None:
    agent = Agent.objects.first() or call_rows.agent()
    at = NOW - timedelta(hours=hours_ago)
    attempt = call_services.open_attempt(
        e164, from_e164="+12125550199", carrier="fake", version_id=agent.published_id or agent.pk, variables={}, at=at
    )
    if status.is_over:
        CallAttempt.objects.filter(pk=attempt.pk).update(status=status, ended_at=at)


def on_the_list(e164: str) -> None:
    for age in (9, 2):
        copy = DoNotCallList.objects.create(
            name="FTC", version_date=(NOW - timedelta(days=age)).date(), is_complete=True
        )
    DoNotCallNumber.objects.create(list=copy, e164=e164)


def test_a_contact_is_known_by_everything_the_gate_asks(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    contact = make_contact(SOMEBODY, region="US-FL", status=ContactStatus.WRONG_NUMBER, fields={"a": "1"})
    make_consent(contact, ConsentKind.WRITTEN, seller="Acme")
    make_consent(contact, revoked_at=NOW)
    make_consent(contact, given_at=NOW + timedelta(days=1))
    call_services.suppress("+12125550101", source=SuppressionSource.KEY, proof="pressed 9")
    on_the_list(SOMEBODY)
    dialled(SOMEBODY, hours_ago=30)
    dialled(SOMEBODY, hours_ago=3, status=AttemptStatus.NOT_PLACED)
    dialled(SOMEBODY, hours_ago=2, status=AttemptStatus.RINGING)
    dialled("+12125550102", hours_ago=1)
    others = [make_contact(f"+1212555010{number}") for number in range(3)]
    with django_assert_num_queries(6):
        people = load_people([contact, *others], at=NOW, required=("a", "b"), attempts={contact.pk: 2})
    assert people[contact.pk] == Person(
        e164=SOMEBODY,
        regions=("US", "US-FL", "US-NY"),
        zones=("America/Chicago", "America/New_York"),
        status=ContactStatus.WRONG_NUMBER,
        consents=(Given(ConsentKind.WRITTEN, "Acme"),),
        listed_on=("US",),
        recent=(NOW - timedelta(hours=30), NOW - timedelta(hours=2)),
        is_on_the_line=True,
        missing_variables=("b",),
        attempts=2,
    )
    assert [people[other.pk].is_suppressed for other in others] == [False, True, False]


def test_a_number_of_nobody_known_is_judged_by_itself() -> None:
    call_services.suppress(SOMEBODY, source=SuppressionSource.KEY, proof="pressed 9")
    assert load_stranger(SOMEBODY, at=NOW) == Person(
        e164=SOMEBODY, regions=("US", "US-NY"), zones=("America/New_York",), is_suppressed=True
    )


def test_an_older_copy_of_a_list_does_not_count() -> None:
    on_the_list(SOMEBODY)
    DoNotCallList.objects.create(name="FTC", version_date=NOW.date(), is_complete=True)
    assert load_stranger(SOMEBODY, at=NOW).listed_on == ()


def test_an_agent_requires_what_has_no_default() -> None:
    spec = AgentSpec(name="Ada", prompt="{{name}} owes {{amount|nothing}}.", opening="Hi {{name}} of {{city}}")
    assert required_variables(spec) == ("name", "city")
