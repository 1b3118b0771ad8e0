import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from calls.engine.agent import AgentSpec
from calls.models import Agent, AgentVersion
from tests.calls import rows

pytestmark = pytest.mark.django_db


def test_a_new_draft_has_the_defaults_of_the_engine() -> None:
    from calls.services import content_of, spec_of  # noqa: PLC0415 (the models stand below the services)

    assert spec_of(content_of(Agent(name="Ada", prompt="Hi"))) == AgentSpec(name="Ada", prompt="Hi")


def test_there_is_one_default_agent() -> None:
    rows.agent("Ada", is_default=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.agent("Bob", is_default=True)
    with pytest.raises(ValidationError) as caught:
        Agent(name="Bob", prompt="Hi", is_default=True).full_clean()
    assert caught.value.messages == ["Another agent is the default already; take the mark from it first."]


def test_several_agents_are_not_the_default() -> None:
    rows.agent("Ada")
    rows.agent("Bob")
    assert list(Agent.objects.values_list("name", "is_default")) == [("Ada", False), ("Bob", False)]


@pytest.mark.parametrize("name", ["Ada", ""])
def test_names_are_unique_and_not_empty(name: str) -> None:
    rows.agent("Ada")
    with pytest.raises(IntegrityError), transaction.atomic():
        Agent.objects.create(name=name, prompt="Hi")


def test_a_version_number_is_given_once_and_counts_from_one() -> None:
    agent = rows.agent()
    for number in (1, 0):
        with pytest.raises(IntegrityError), transaction.atomic():
            AgentVersion.objects.create(agent=agent, number=number, content={})


def test_only_published_agents_are_callable() -> None:
    rows.agent("Ada", published=False)
    bob = rows.agent("Bob")
    assert list(Agent.objects.callable()) == [bob]


def test_rows_say_what_they_are() -> None:
    agent = rows.agent()
    assert (str(agent), str(agent.published)) == ("Ada", "Ada v1")
