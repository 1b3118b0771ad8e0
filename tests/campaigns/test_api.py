"""The API as other systems see it."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from calls.enums import AttemptStatus
from calls.models import CallAttempt, Suppression
from calls.services import record_turns
from campaigns import services, tasks
from campaigns.enums import CampaignStatus, Scope
from campaigns.models import Contact, ContactImport, Export
from tests.calls import rows as call_rows
from tests.campaigns.lists import work_off
from tests.campaigns.rows import NOW, make_campaign, make_contact

pytestmark = pytest.mark.django_db


class Api:
    """Speaks JSON with a key."""

    def __init__(self, *scopes: Scope) -> None:
        _, self.key = services.make_api_key("test", scopes=scopes or list(Scope), by=None, at=timezone.now())
        self.client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {self.key}"})

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = "" if body is None else json.dumps(body)
        answer = self.client.generic(method, f"/api/v1/{path}", data, content_type="application/json")
        return answer.status_code, json.loads(answer.content)


@pytest.fixture
def api(settings: Settings, tmp_path: Path) -> Api:
    settings.MEDIA_ROOT = tmp_path
    return Api()


def test_nobody_gets_in_without_a_key_that_opens_the_door(client: Client) -> None:
    answer = client.get("/api/v1/contacts")
    assert (answer.status_code, answer["Content-Type"], answer["WWW-Authenticate"]) == (
        *(401, "application/problem+json"),
        "Bearer",
    )
    assert answer.json()["title"] == "Unauthorized"
    status, problem = Api(Scope.CALLS_READ).ask("GET", "contacts")
    assert (status, problem["detail"]) == (403, "This key does not open contacts:read.")


def test_every_address_of_the_document_asks_for_a_key(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    asked = 0
    for path, methods in document["paths"].items():
        for method in methods:
            address = re.sub(r"\{\w+_id\}", str(uuid4()), path)
            answer = client.generic(method.upper(), address, "{}", content_type="application/json")
            assert (path, method, answer.status_code) == (path, method, 401)
            assert "4XX" in methods[method]["responses"]
            asked += 1
    assert asked > 20


def test_contacts_are_made_found_changed_and_paged(api: Api) -> None:
    status, made = api.ask("POST", "contacts", {"number": "(212) 555-0100", "name": "Ada", "fields": {"a": "1"}})
    assert (status, made["number"], made["fields"]) == (201, "+12125550100", {"a": "1"})
    status, problem = api.ask("POST", "contacts", {"number": "+12125550100"})
    assert (status, problem["errors"]) == (409, [{"field": "number", "message": "is known already"}])
    status, changed = api.ask("PATCH", f"contacts/{made['id']}", {"region": "US-NY"})
    assert (status, changed["region"], changed["name"]) == (200, "US-NY", "Ada")
    make_contact("+12125550101")
    make_contact("+12125550102")
    _, first = api.ask("GET", "contacts?limit=2")
    _, second = api.ask("GET", f"contacts?limit=2&after={first['next']}")
    assert [one["number"][-1] for one in first["items"] + second["items"]] == ["2", "1", "0"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"number": "nobody"}, "number"),
        ({"number": "+12125550100", "region": "Florid"}, "region"),
        ({"number": "+12125550100", "time_zone": "Mars"}, "time_zone"),
        ({"number": "+12125550100", "colour": "red"}, "colour"),
        ({"name": "Ada"}, "number"),
    ],
)
def test_a_refusal_names_the_field(api: Api, body: dict[str, str], field: str) -> None:
    status, problem = api.ask("POST", "contacts", body)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, [field])
    assert not Contact.objects.exists()


def test_many_contacts_are_stored_and_the_bad_ones_named(api: Api) -> None:
    contacts = [{"number": "2125550100"}, {"number": "x"}]
    assert api.ask("POST", "contacts/bulk", {"contacts": contacts}) == (
        200,
        {
            "created": 1,
            "updated": 0,
            "known": 0,
            "refused": [{"index": 1, "message": "number: x is no telephone number"}],
        },
    )


def test_lists_are_made_once(api: Api) -> None:
    first, second = (api.ask("POST", "lists", {"name": "Spring"}) for _ in range(2))
    assert (first[0], second[0], first[1]["id"]) == (201, 200, second[1]["id"])
    assert [one["name"] for one in api.ask("GET", "lists")[1]["items"]] == ["Spring"]


def test_a_file_is_imported(api: Api) -> None:
    file = SimpleUploadedFile("list.csv", b"who,phone\nAda,2125550100\nBo,x\n")
    given = {"file": file, "list_name": "Spring", "mapping": '{"who": "name"}'}
    answer = api.client.post("/api/v1/imports", given)
    assert (answer.status_code, answer.json()["status"]) == (201, "waiting")
    work_off(ContactImport.objects.get())
    _, done = api.ask("GET", f"imports/{answer.json()['id']}")
    assert (done["status"], done["created"], done["bad"], done["percent"]) == ("done", 1, 1, 100)
    returned = api.client.get(f"/api/v1/imports/{done['id']}/bad-rows")
    assert b"Bo,x,3," in b"".join(returned)


@pytest.mark.parametrize(
    ("content", "mapping", "field"),
    [(b"", "", "file"), (b"a\nb\n", "", "mapping"), (b"phone\n2125550100\n", "[]", "mapping")],
)
def test_a_file_that_is_refused_is_named(api: Api, content: bytes, mapping: str, field: str) -> None:
    answer = api.client.post("/api/v1/imports", {"file": SimpleUploadedFile("a.csv", content), "mapping": mapping})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])
    assert not ContactImport.objects.exclude(status="cancelled").exists()


def test_a_campaign_is_drafted_paused_resumed_and_watched(api: Api) -> None:
    agent = call_rows.agent()
    status, draft = api.ask("POST", "campaigns", {"name": "Spring", "agent_id": str(agent.pk)})
    assert (status, draft["status"]) == (201, "draft")
    status, problem = api.ask("POST", f"campaigns/{draft['id']}/start")
    assert status == 409
    assert {"field": "campaign", "message": "The campaign has no contacts; choose a list."} in problem["errors"]
    campaign = make_campaign("Autumn", agent=agent, status=CampaignStatus.RUNNING)
    path = f"campaigns/{campaign.pk}"
    assert api.ask("POST", f"{path}/pause", {"reason": "lunch"})[1]["paused_because"] == "lunch"
    assert api.ask("POST", f"{path}/pause", {})[0] == 409
    assert api.ask("POST", f"{path}/resume")[1]["status"] == "running"
    assert api.ask("GET", f"{path}/numbers")[1]["contacts"] == 0
    assert api.ask("POST", f"{path}/abort")[1]["status"] == "aborted"
    events = [(event["kind"], event["detail"]) for event in api.ask("GET", f"{path}/events")[1]["items"]]
    by_key = {"api_key": "test"}
    lunch = {"reason": "lunch", "evidence": {}} | by_key
    assert events == [("aborted", by_key), ("resumed", by_key), ("paused", lunch)]
    assert [one["name"] for one in api.ask("GET", "campaigns?status=aborted")[1]["items"]] == ["Autumn"]


@pytest.mark.usefixtures("carrier")
def test_a_number_is_suppressed_once_and_not_called(api: Api) -> None:
    body = {"number": "+12125550100", "proof": "Letter of 1 May"}
    assert [api.ask("POST", "suppressions", body)[0] for _ in range(2)] == [201, 200]
    assert Suppression.objects.get().proof == "Letter of 1 May"
    assert api.ask("GET", "suppressions")[1]["items"][0]["number"] == "+12125550100"
    call_rows.agent()
    status, problem = api.ask("POST", "calls", {"number": "+12125550100", "is_confirmed": True})
    assert (status, problem["status"]) == (409, 409)
    status, problem = api.ask("POST", "suppressions", {"number": "x", "proof": "y"})
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["number"])


def test_calls_are_listed_with_their_words(api: Api) -> None:
    session = call_rows.ended_call()
    record_turns([call_rows.turn_fact(session.pk, 0, "Good morning")])
    attempt = CallAttempt.objects.create(
        to_e164="+12125550100", from_e164="+12125550199", carrier="fake", status=AttemptStatus.COMPLETED,
        created_at=NOW, heard_at=NOW, ended_at=NOW, session=session,
    )  # fmt: skip
    _, listed = api.ask("GET", "calls?number=%2B12125550100")
    assert [(one["id"], one["to_number"], one["from_number"]) for one in listed["items"]] == [
        (str(attempt.pk), "+12125550100", "+12125550199")
    ]
    assert api.ask("GET", f"calls/{attempt.pk}")[1]["session_id"] == str(session.pk)
    [turn] = api.ask("GET", f"calls/{attempt.pk}/transcript")[1]
    assert (turn["text"], turn["speaker"]) == ("Good morning", "caller")
    assert api.ask("GET", f"calls/{uuid4()}")[0] == 404


def test_a_file_is_exported(api: Api) -> None:
    make_contact(name="Ada")
    status, ordered = api.ask("POST", "exports", {"kind": "contacts"})
    assert (status, ordered["status"], api.ask("GET", f"exports/{ordered['id']}/file")[0]) == (201, "waiting", 409)
    tasks.sweep_exports()
    assert api.ask("GET", f"exports/{ordered['id']}")[1]["percent"] == 100
    assert b"Ada" in b"".join(api.client.get(f"/api/v1/exports/{ordered['id']}/file"))
    Export.objects.update(files_deleted_at=NOW)
    assert api.ask("GET", f"exports/{ordered['id']}/file")[0] == 410
    status, problem = api.ask("POST", "exports", {"kind": "members"})
    assert (status, problem["errors"][0]["field"]) == (422, "campaign")


def test_too_many_requests_are_told_to_wait(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from campaigns.api.urls import api as ninja  # noqa: PLC0415 (loaded when it is asked for)

    (limit,) = ninja.throttle if isinstance(ninja.throttle, list) else [ninja.throttle]
    monkeypatch.setattr(limit, "num_requests", 1)
    assert [api.ask("GET", "lists")[0] for _ in range(2)] == [200, 429]


def test_the_page_of_the_document_needs_nobodys_servers(client: Client) -> None:
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert "https://" not in page.content.decode()
    assert "script-src 'self';" in page["Content-Security-Policy"]
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-init.js"):
        assert client.get(f"/static/ninja/{name}").status_code == 200
