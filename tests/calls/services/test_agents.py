from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from calls import services
from calls.demo import DEMO_AGENT
from calls.engine.agent import AgentSpec, Endpointing, Intent
from calls.errors import AgentError
from calls.models import Agent
from calls.services.agents import COLUMN_OF
from tests.calls import rows

pytestmark = pytest.mark.django_db

FULL = AgentSpec(
    name="Ada",
    prompt="Hi {{name}}",
    temperature=1.0,
    endpointing=Endpointing(patience_ms=900),
    key_terms=("Acme", "Müller"),
    pronunciations={"SQL": "sequel"},
    intents=(Intent(name="bye", examples=("goodbye",), answer="Bye!", ends_call=True),),
)


@pytest.mark.parametrize("spec", [FULL, DEMO_AGENT])
def test_a_definition_survives_the_way_into_columns_and_back(spec: AgentSpec) -> None:
    draft = services.draft_from_spec(spec)
    draft.save()
    draft.refresh_from_db()
    assert services.spec_of(services.content_of(draft)) == spec


def test_every_field_of_a_definition_has_a_column() -> None:
    columns = {field.name for field in Agent._meta.get_fields()}
    groups = {path.split(".")[0] for path in COLUMN_OF}
    nested = {
        f"{field.name}.{inner}"
        for field in msgspec.structs.fields(AgentSpec)
        if field.name in groups
        for inner in field.type.__struct_fields__
    }
    assert nested == set(COLUMN_OF)
    assert {name for name in AgentSpec.__struct_fields__ if name not in groups} | set(COLUMN_OF.values()) <= columns


def test_a_call_gets_the_published_version_and_not_the_draft() -> None:
    agent = rows.agent(is_default=True)
    agent.prompt = "Changed."
    agent.save()
    loaded = services.load_agent(None)
    assert loaded == services.load_agent(str(agent.pk))
    assert (loaded.agent_id, loaded.version_id, loaded.spec.prompt) == (agent.pk, agent.published_id, "You are kind.")


@pytest.mark.parametrize(
    ("agent_id", "said"),
    [
        (None, "no agent is marked as the default; mark one in the admin, or name one with agentId"),
        ("nonsense", "agentId is not a UUID; take an id from the admin's list of agents"),
        (str(UUID(int=5)), f"agentId: there is no agent {UUID(int=5)}; take an id from the admin's list of agents"),
    ],
)
def test_an_agent_that_is_not_there_is_named_with_the_remedy(agent_id: str | None, said: str) -> None:
    rows.agent()
    with pytest.raises(AgentError) as caught:
        services.load_agent(agent_id)
    assert str(caught.value) == said


def test_an_agent_that_was_never_published_cannot_be_called() -> None:
    agent = rows.agent(published=False)
    with pytest.raises(AgentError, match="agent 'Ada' has no published version; publish it in the admin"):
        services.load_agent(str(agent.pk))


def test_a_stored_version_that_is_wrong_names_agent_version_and_field() -> None:
    agent = rows.agent()
    assert agent.published
    agent.published.content["endpointing"]["patience_ms"] = -5
    agent.published.save()
    with pytest.raises(AgentError) as caught:
        services.load_agent(str(agent.pk))
    assert str(caught.value) == (
        "agent 'Ada', version 1: field 'endpointing.patience_ms': Expected `int` >= 0; "
        "correct it in the admin and publish the agent again"
    )


@pytest.mark.parametrize(
    ("columns", "problems"),
    [
        ({}, []),
        ({"temperature": 9.0}, [("temperature", "temperature")]),
        (
            {"vad_release": 2.0, "patience_ms": 70_000},
            [("patience_ms", "endpointing.patience_ms"), ("vad_release", "vad.release")],
        ),
        ({"intents": [{"name": "x"}]}, [("intents", "intents[0]")]),
        ({"key_terms": None, "reprompts": [1]}, [("key_terms", "key_terms"), ("reprompts", "silence.reprompts[0]")]),
        ({"pronunciations": {"a": 1}}, [("pronunciations", "pronunciations[...]")]),
    ],
)  # fmt: skip
def test_everything_that_is_wrong_is_found_at_its_column(
    columns: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    draft = services.draft_from_spec(FULL)
    for name, value in columns.items():
        setattr(draft, name, value)
    found = services.problems_of(services.content_of(draft))
    assert [(problem.column, problem.path) for problem in found] == problems


def test_publishing_counts_and_keeps_the_earlier_version() -> None:
    agent = rows.agent()
    first = agent.published
    assert first
    assert services.publish_agent(agent) == first
    agent.prompt = "Be brief."
    agent.save()
    assert services.is_ahead(agent)
    second = services.publish_agent(agent)
    first.refresh_from_db()
    assert [(first.number, first.content["prompt"]), (second.number, second.content["prompt"])] == [
        (1, "You are kind."),
        (2, "Be brief."),
    ]
    agent.refresh_from_db()
    assert (agent.published, services.is_ahead(agent)) == (second, False)


def test_a_draft_that_cannot_be_used_is_not_published() -> None:
    agent = rows.agent()
    agent.temperature = 5
    agent.save()
    with pytest.raises(services.AgentFieldError, match="temperature"):
        services.publish_agent(agent)
    agent.refresh_from_db()
    assert agent.versions.count() == 1
    assert services.is_ahead(agent)


def test_a_version_older_than_a_field_counts_as_having_its_default() -> None:
    agent = rows.agent()
    assert agent.published
    del agent.published.content["temperature"]
    assert not services.is_ahead(agent)


def test_the_default_moves_from_one_agent_to_another() -> None:
    rows.agent("Ada", is_default=True)
    bob = rows.agent("Bob")
    services.make_default(bob)
    assert list(Agent.objects.values_list("name", "is_default")) == [("Ada", False), ("Bob", True)]


def test_the_demo_agent_comes_into_an_empty_installation_only() -> None:
    demo = services.ensure_demo_agent(DEMO_AGENT)
    assert demo
    assert services.load_agent(None).spec == DEMO_AGENT
    assert services.ensure_demo_agent(FULL) is None
    assert Agent.objects.count() == 1


def test_an_unknown_id_of_another_kind_of_uuid_is_simply_not_there() -> None:
    with pytest.raises(AgentError, match="there is no agent"):
        services.load_agent(str(uuid4()))
