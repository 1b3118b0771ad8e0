from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from calls import services
from calls.models import Agent, AgentVersion
from tests.calls import rows

pytestmark = pytest.mark.django_db

LIST = reverse("admin:calls_agent_changelist")


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("op"))
    return client


def page(agent: Agent) -> str:
    return reverse("admin:calls_agent_change", args=[agent.pk])


def filled(client: Client, address: str, **changes: Any) -> dict[str, Any]:
    """The form as a browser would send it back, with changes."""
    form = client.get(address).context["adminform"].form
    sent = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in {**sent, **changes}.items() if value is not None}


def test_the_list_asks_as_often_for_100_agents_as_for_one(client: Client) -> None:
    rows.agent("Ada")
    client.get(LIST)
    with CaptureQueriesContext(connection) as one:
        client.get(LIST)
    for number in range(99):
        rows.agent(f"Agent {number}", published=bool(number % 2))
    with CaptureQueriesContext(connection) as hundred:
        assert client.get(LIST).context["cl"].result_count == 100
    assert len(one) == len(hundred)


def test_the_list_says_what_is_published_and_leads_to_the_console(client: Client) -> None:
    ada, bob = rows.agent("Ada"), rows.agent("Bob", published=False)
    eve = rows.agent("Eve")
    Agent.objects.filter(pk=eve.pk).update(prompt="Changed.")
    rows.ended_call(with_agent=ada)
    text = client.get(LIST).content.decode()
    for standing in (">v1<", ">never<", ">v1, draft differs<"):
        assert standing in text
    assert f"/console/?agent={ada.pk}" in text
    assert f"/console/?agent={bob.pk}" not in text


def test_an_agent_is_made_and_published_in_one_go(client: Client) -> None:
    address = reverse("admin:calls_agent_add")
    sent = filled(
        client, address, name="Ada", prompt="Hi", key_terms="Acme\nMüller", pronunciations="SQL = sequel", _publish="1"
    )
    response = client.post(address, sent)
    agent = Agent.objects.get()
    assert (response.status_code, response["Location"]) == (302, page(agent))
    spec = services.load_agent(str(agent.pk)).spec
    assert (spec.name, spec.key_terms, spec.pronunciations) == ("Ada", ("Acme", "Müller"), {"SQL": "sequel"})
    assert spec.tools == ("end_call",)
    version = AgentVersion.objects.get()
    assert version.created_by
    assert version.created_by.get_username() == "op"


def test_saving_changes_the_draft_and_no_call(client: Client) -> None:
    agent = rows.agent()
    assert client.post(page(agent), filled(client, page(agent), prompt="Be brief.")).status_code == 302
    agent.refresh_from_db()
    assert agent.prompt == "Be brief."
    assert services.load_agent(str(agent.pk)).spec.prompt == "You are kind."
    client.post(page(agent), filled(client, page(agent), _publish="1"))
    assert services.load_agent(str(agent.pk)).spec.prompt == "Be brief."


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("temperature", "9", "temperature: Expected `float` <= 2.0"),
        ("patience_ms", "70000", "endpointing.patience_ms: Expected `int` <= 60000"),
        ("vad_release", "0", "vad.release: Expected `float` > 0.0"),
        ("intents", '[{"name": "x"}]', "intents[0]: Object missing required field `examples`"),
        ("pronunciations", "SQL", "&#x27;SQL&#x27; is not of the form: written = spoken"),
        ("stt_provider", "nonsense", "There is no provider &#x27;nonsense&#x27;; use deepgram, local, scripted."),
        ("name", "", "This field is required."),
        ("intents", "[", "Enter a valid JSON."),
    ],
)
def test_a_mistake_is_said_at_its_field(client: Client, field: str, value: str, said: str) -> None:
    agent = rows.agent()
    response = client.post(page(agent), filled(client, page(agent), **{field: value}))
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [field]
    assert said in response.content.decode().replace("&lt;", "<").replace("&gt;", ">")


def test_a_provider_may_be_a_dotted_path_or_a_known_name(client: Client) -> None:
    agent = rows.agent()
    sent = filled(client, page(agent), stt_provider="my.own.Recogniser", llm_provider="scripted")
    assert client.post(page(agent), sent).status_code == 302


def test_the_page_shows_the_versions(client: Client) -> None:
    agent = rows.agent()
    rows.ended_call(with_agent=agent)
    agent.prompt = "Be brief."
    agent.save()
    services.publish_agent(agent)
    context = client.get(page(agent)).context
    lines = [(line["version"].number, line["status"], line["version"].calls) for line in context["versions"]]
    assert (lines, context["standing"]) == ([(2, "Published", 0), (1, "Archived", 1)], "v2")
    assert context["talk_url"] == f"/console/?agent={agent.pk}"


def act(client: Client, action: str, *agents: Agent) -> list[str]:
    sent = {"action": action, "_selected_action": [agent.pk for agent in agents]}
    return [str(message) for message in client.post(LIST, sent, follow=True).context["messages"]]


def test_drafts_are_published_from_the_list_and_a_wrong_one_is_named(client: Client) -> None:
    ada, bob = rows.agent("Ada", published=False), rows.agent("Bob", published=False, temperature=9)
    assert act(client, "publish", ada, bob) == [
        "Calls to Ada now use version 1.",
        (
            "Bob was not published: field 'temperature': Expected `float` <= 2.0; "
            "correct it in the admin and publish the agent again"
        ),
    ]
    assert list(Agent.objects.callable()) == [ada]


def test_the_default_is_one_agent(client: Client) -> None:
    ada, bob = rows.agent("Ada", is_default=True), rows.agent("Bob")
    assert act(client, "make_default", ada, bob) == ["Choose one agent: there is one default."]
    assert act(client, "make_default", bob) == ["Bob answers calls that name no agent."]
    assert Agent.objects.get(is_default=True) == bob


def test_a_version_can_be_read_and_not_changed(client: Client) -> None:
    version = rows.agent().published
    assert version
    address = reverse("admin:calls_agentversion_change", args=[version.pk])
    text = client.get(address).content.decode()
    assert "You are kind." in text
    assert 'name="_save"' not in text
    client.post(address, {"number": 7})
    version.refresh_from_db()
    assert version.number == 1
    assert client.get(reverse("admin:calls_agentversion_delete", args=[version.pk])).status_code == 403
    assert client.get(reverse("admin:calls_agentversion_add")).status_code == 403
    assert "agentversion" not in client.get(reverse("admin:index")).content.decode()


def test_an_agent_without_calls_is_deleted_with_its_versions_and_one_with_calls_stays(client: Client) -> None:
    ada, bob = rows.agent("Ada"), rows.agent("Bob")
    rows.ended_call(with_agent=bob)
    for agent in (ada, bob):
        client.post(reverse("admin:calls_agent_delete", args=[agent.pk]), {"post": "yes"})
    assert list(Agent.objects.all()) == [bob]
    assert AgentVersion.objects.count() == 1
