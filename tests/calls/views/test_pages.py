import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.templatetags.static import static
from django.test import Client
from django.urls import reverse

from calls import services
from calls.demo import DEMO_AGENT
from calls.models import Agent, AgentVersion
from tests.calls import rows

pytestmark = pytest.mark.django_db

INLINE = re.compile(r"<style|<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|javascript:", re.IGNORECASE)


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_user("op", is_staff=True))
    return client


@pytest.fixture
def member() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_user("member"))
    return client


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def option(page: str, name: str) -> str:
    """Give the option of an agent with all it carries."""
    found = re.search(rf"<option[^>]*>{name}</option>", page)
    assert found
    return found[0]


def carried(tag: str, name: str) -> Any:
    found = re.search(rf"data-{name}=\"(.*?)\"(?: data-|>| selected)", tag)
    assert found
    return json.loads(found[1])


# --- where one starts ---


def test_the_landing_page_says_what_to_do_next_and_what_a_call_runs_on(staff: Client, settings: Any) -> None:
    settings.DEFAULT_PROVIDERS = {"stt": "local", "llm": "local", "tts": "local"}
    settings.PUBLIC_URL = "https://calls.example"
    agent = rows.agent("Ada", is_default=True)
    page = text(staff, "/")
    assert f'href="/console/?agent={agent.pk}">Talk to Ada</a>' in page
    for words in (
        "PocketSphinx",
        "espeak-ng",
        "one word in four is wrong",
        "DEEPGRAM_API_KEY=… OPENAI_API_KEY=… CARTESIA_API_KEY=… make run",
        "VITE_WS_URL=wss://calls.example/ws",
        'data-url="/health/ready"',
        reverse("admin:calls_callsession_changelist"),
    ):
        assert words in page


def test_without_an_agent_the_landing_page_leads_to_making_one(staff: Client) -> None:
    page = text(staff, "/")
    assert f'href="{reverse("admin:calls_agent_add")}">Make an agent and publish it</a>' in page
    assert "Talk to" not in page


def test_with_keys_there_is_nothing_to_connect(staff: Client, settings: Any) -> None:
    settings.DEFAULT_PROVIDERS = {"stt": "deepgram", "llm": "openai", "tts": "cartesia"}
    settings.DEEPGRAM_API_KEY = settings.OPENAI_API_KEY = settings.CARTESIA_API_KEY = "k"
    page = text(staff, "/")
    assert "Deepgram" in page
    assert "make run" not in page


def test_a_stranger_learns_nothing_about_the_installation(settings: Any) -> None:
    settings.WS_ALLOW_ANONYMOUS = False
    rows.agent("Ada", is_default=True)
    page = text(Client(), "/")
    assert "Log in" in page
    assert [words for words in ("Ada", "Scripted", "VITE_WS_URL", "/docs/") if words in page] == []


def test_where_calls_need_no_login_a_stranger_may_go_ahead(settings: Any) -> None:
    settings.WS_ALLOW_ANONYMOUS = True
    page = text(Client(), "/")
    assert 'href="/console/"' in page
    assert "What a call runs on right now" in page


@pytest.mark.parametrize("address", ["/", "/console/"])
def test_pages_hold_nothing_inline_and_nothing_foreign(staff: Client, address: str) -> None:
    rows.agent("Ada", is_default=True)
    page = staff.get(address).content.decode()
    assert INLINE.findall(page) == []
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", page) == []


@pytest.mark.parametrize("address", ["/", "/console/"])
def test_pages_are_not_kept_by_caches_and_only_read(staff: Client, address: str) -> None:
    assert "no-store" in staff.get(address)["Cache-Control"]
    assert staff.post(address).status_code == 405


def test_browsers_find_the_picture_of_a_page_that_names_none() -> None:
    response = Client().get("/favicon.ico")
    assert (response.status_code, response["Location"]) == (302, static("site/mark.svg"))


def test_what_is_not_there_is_said_on_a_page_of_ours() -> None:
    response = Client().get("/nowhere/")
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


def test_what_is_closed_is_said_with_whom_to_ask(staff: Client) -> None:
    response = staff.get(reverse("admin:calls_agent_changelist"))
    assert response.status_code == 403
    assert "This page is not open to you" in response.content.decode()


# --- where one talks ---


def test_the_console_needs_a_login_where_calls_do(settings: Any) -> None:
    settings.WS_ALLOW_ANONYMOUS = False
    response = Client().get("/console/?agent=1")
    assert (response.status_code, response["Location"]) == (302, "/admin/login/?next=/console/%3Fagent%3D1")


def test_any_login_will_do(settings: Any, member: Client) -> None:
    settings.WS_ALLOW_ANONYMOUS = False
    rows.agent("Ada")
    assert 'id="start"' in text(member, "/console/")


def test_the_default_agent_is_chosen_unless_the_address_names_another(staff: Client) -> None:
    rows.agent("Ada")
    rows.agent("Bob", is_default=True)
    cem = rows.agent("Cem")
    assert [name for name in ("Ada", "Bob", "Cem") if " selected" in option(text(staff, "/console/"), name)] == ["Bob"]
    chosen = text(staff, f"/console/?agent={cem.pk}")
    assert [name for name in ("Ada", "Bob", "Cem") if " selected" in option(chosen, name)] == ["Cem"]
    assert '<h2 id="talk-heading">Cem</h2>' in chosen


def test_an_agent_that_cannot_be_called_is_not_offered_and_the_page_says_so(staff: Client) -> None:
    rows.agent("Ada")
    draft = rows.agent("Draft", published=False)
    page = text(staff, f"/console/?agent={draft.pk}")
    assert ">Draft</option>" not in page
    assert "The agent of this address is not published" in page
    assert "The agent of this address is not published" not in text(staff, "/console/")


def test_the_form_knows_each_agents_language_and_variables(staff: Client) -> None:
    services.ensure_demo_agent(DEMO_AGENT)
    rows.agent(
        "Ada",
        language="de-DE",
        opening="Hallo {{name}}, hier {{firm|Vantum}}.",
        silence_goodbye="Bye {{town|}}",
        intents=[{"name": "a", "examples": ["b"], "answer": "{{firm}}!"}],
    )
    page = text(staff, "/console/")
    ada = option(page, "Ada")
    assert 'data-language="de-DE"' in ada
    assert carried(ada, "variables") == {"name": None, "firm": None, "town": ""}
    assert carried(option(page, "Robin of Northlight Solar"), "variables") == {"first_name": "there"}


def test_prompts_do_not_reach_the_page(staff: Client) -> None:
    rows.agent("Ada", prompt="Our secret margin is forty percent.")
    assert "secret margin" not in text(staff, "/console/")


def test_the_form_knows_what_each_agent_runs_on(staff: Client) -> None:
    rows.agent("Ada", stt_provider="deepgram")
    facts = carried(option(text(staff, "/console/"), "Ada"), "roles")
    assert [(fact["task"], fact["provider"]) for fact in facts] == [
        ("Hearing", "Deepgram"),
        ("Thinking", "Scripted agent, on this machine"),
        ("Speaking", "Scripted voice"),
    ]
    assert "DEEPGRAM_API_KEY" in facts[0]["problem"]


def test_a_version_that_cannot_be_read_any_more_still_has_its_name(staff: Client) -> None:
    agent = rows.agent("Ada")
    AgentVersion.objects.filter(agent=agent).update(content={"name": 1})
    assert 'data-language="en-US"' in option(text(staff, "/console/"), "Ada")


def test_what_an_agent_is_called_is_never_markup(staff: Client) -> None:
    rows.agent('<img src=x onerror="1">', is_default=True)
    for address in ("/", "/console/"):
        assert b"<img src=x" not in staff.get(address).content


def test_without_any_agent_the_page_leads_to_making_one(staff: Client) -> None:
    page = text(staff, "/console/")
    assert "There is no agent yet" in page
    assert reverse("admin:calls_agent_add") in page
    assert "page.js" not in page


def test_with_drafts_only_the_page_leads_to_publishing_one(staff: Client) -> None:
    rows.agent("Ada", published=False)
    page = text(staff, "/console/")
    assert "No agent is published yet" in page
    assert reverse("admin:calls_agent_changelist") in page


def test_a_hundred_agents_cost_as_many_queries_as_one(staff: Client, django_assert_num_queries: Any) -> None:
    rows.agent("First", is_default=True)
    staff.get("/console/")
    with django_assert_num_queries(3):
        staff.get("/console/")
    Agent.objects.bulk_create(
        Agent(name=f"A{index}", prompt="p", published_id=Agent.objects.get().published_id) for index in range(99)
    )
    with django_assert_num_queries(3):
        assert staff.get("/console/").content.count(b"</option>") > 100


# --- texts ---


@pytest.fixture
def project(settings: Any, tmp_path: Path) -> Path:
    """A project's folder with two texts, and one that is none of the readers' business."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("# Vantum\n\nHello <b>.\n", encoding="utf-8")
    (tmp_path / "docs" / "protocol.md").write_text("intro\n# The `/ws` protocol\n", encoding="utf-8")
    (tmp_path / "docs" / "bare.md").write_text("no heading", encoding="utf-8")
    (tmp_path / "NOTES.md").write_text("# Notes\n", encoding="utf-8")
    settings.BASE_DIR = tmp_path
    return tmp_path


@pytest.mark.usefixtures("project")
def test_the_landing_page_lists_the_projects_texts(staff: Client) -> None:
    found = re.findall(r"<a href=\"(/docs/[^\"]+)\">([^<]+)</a>", text(staff, "/"))
    assert found == [("/docs/readme", "Readme"), ("/docs/bare", "bare"), ("/docs/protocol", "The /ws protocol")]


@pytest.mark.usefixtures("project")
def test_a_text_is_given_as_it_is_written(staff: Client) -> None:
    response = staff.get("/docs/readme")
    assert (response.content, response["Content-Type"]) == (b"# Vantum\n\nHello <b>.\n", "text/plain; charset=utf-8")


@pytest.mark.usefixtures("project")
def test_other_files_are_not_given(staff: Client) -> None:
    assert [staff.get(f"/docs/{name}").status_code for name in ("notes", "requirements", "readme-md", "..")] == [
        404
    ] * 4


@pytest.mark.usefixtures("project")
def test_texts_need_a_login_where_calls_do(settings: Any) -> None:
    settings.WS_ALLOW_ANONYMOUS = False
    assert Client().get("/docs/readme").status_code == 302
