from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from calls.models import CallAttempt
from campaigns import tasks
from campaigns.models import Export
from tests.campaigns.admin.site import in_role, logged_in
from tests.campaigns.rows import NOW, make_campaign, make_contact, make_member

pytestmark = pytest.mark.django_db

BASE = "/admin/campaigns/export/"


def test_a_file_is_ordered_written_and_fetched(admin_client: Client, settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    make_contact(name="Ada")
    admin_client.post(f"{BASE}add/", {"kind": "contacts", "format": "csv"})
    row = Export.objects.get()
    assert admin_client.get(f"{BASE}{row.pk}/file/").status_code == 404
    tasks.sweep_exports()
    assert f"{BASE}{row.pk}/file/" in admin_client.get(BASE).content.decode()
    answer = admin_client.get(f"{BASE}{row.pk}/file/")
    assert b"Ada" in b"".join(answer)


def test_results_without_a_campaign_are_refused(admin_client: Client) -> None:
    answer = admin_client.post(f"{BASE}add/", {"kind": "members", "format": "csv"})
    assert b"Choose the campaign" in answer.content
    assert not Export.objects.exists()


def test_who_may_not_export_gets_no_file(client: Client, django_user_model: type) -> None:
    client.force_login(django_user_model.objects.create_user("reader", is_staff=True))  # type: ignore[attr-defined]
    assert client.get(f"{BASE}add/").status_code == 403


MODELS = ["campaigns/contact", "campaigns/campaigncontact", "calls/callattempt"]


def people(model: str) -> list[str]:
    """Make four contacts, the last of another place, with a membership and a call each; gives the model's ids."""
    campaign, ids = make_campaign(), []
    for digit in range(4):
        contact = make_contact(f"+1212555010{digit}" if digit < 3 else "+13055550103")
        call = {"status": "busy", "carrier": "fake", "created_at": NOW, "heard_at": NOW, "ended_at": NOW}
        rows = (contact, make_member(campaign, contact), CallAttempt.objects.create(to_e164=contact.e164, **call))
        ids.append(str(rows[MODELS.index(model)].pk))
    return ids


def written(folder: Path) -> list[int]:
    """Write the one export, and give whose numbers are in it, by their last digits."""
    row = Export.objects.get()
    tasks.sweep_exports()
    text = (folder / row.path).read_text(encoding="utf-8-sig")
    return [digit for digit in range(4) if f"555010{digit}" in text]


@pytest.mark.parametrize("model", MODELS)
def test_chosen_rows_are_exported(model: str, admin_client: Client, settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    order = {"action": "export_csv", "_selected_action": people(model)[1:3]}
    shown = admin_client.post(f"/admin/{model}/", order, follow=True)
    row = Export.objects.get()
    assert shown.redirect_chain == [(f"{BASE}{row.pk}/change/", 302)]
    assert f'hx-get="{BASE}{row.pk}/progress/"' in shown.content.decode()
    assert written(tmp_path) == [1, 2]
    part = admin_client.get(f"{BASE}{row.pk}/progress/").content.decode()
    assert "2 rows written" in part
    assert f'href="{BASE}{row.pk}/file/"' in part
    assert "hx-get" not in part


@pytest.mark.parametrize("model", MODELS)
def test_all_that_a_list_shows_is_exported_by_what_narrows_it_however_much_that_is(
    model: str, admin_client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    order = {"action": "export_csv", "_selected_action": people(model)[:1], "select_across": "1"}
    admin_client.post(f"/admin/{model}/?q=%2B1212&o=1", order)
    assert Export.objects.get().selection == {"words": "+1212"}
    assert written(tmp_path) == [0, 1, 2]


@pytest.mark.parametrize(
    ("model", "query", "selection"),
    [
        ("campaigns/contact", "status=active", {"status": "active"}),
        ("campaigns/campaigncontact", "state=waiting&held=", {"state": "waiting"}),
        ("campaigns/campaigncontact", "", {}),
        (
            "calls/callattempt",
            f"status__exact=busy&created_at_from={NOW:%Y-%m-%d}&carrier=fake",
            {"status": "busy", "since": f"{NOW:%Y-%m-%d}", "carrier": "fake"},
        ),
    ],
)
def test_filters_mean_in_the_file_what_they_mean_in_the_list(
    model: str, query: str, selection: dict[str, str], admin_client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    ids = people(model)
    shown = admin_client.get(f"/admin/{model}/?{query}").context["cl"].result_count
    order = {"action": "export_csv", "_selected_action": ids[:1], "select_across": "1"}
    admin_client.post(f"/admin/{model}/?{query}", order)
    row = Export.objects.get()
    assert row.selection == selection
    assert len(written(tmp_path)) == shown == 4


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("query", ["created_at__gte=2000-01-01T00:00Z", "q=a&q=b"])
def test_what_is_narrowed_otherwise_is_refused_and_not_exported_whole(
    model: str, query: str, admin_client: Client
) -> None:
    if "created_at" in query and model == "campaigns/campaigncontact":
        query = "attempts__gte=0"
    order = {"action": "export_csv", "_selected_action": people(model)[:1], "select_across": "1"}
    answer = admin_client.post(f"/admin/{model}/?{query}", order, follow=True)
    assert not Export.objects.exists()
    assert "is narrowed by" in answer.content.decode()


def test_an_operator_is_not_offered_to_export_rows() -> None:
    contact = make_contact()
    client = logged_in(in_role("Operator"))
    client.post("/admin/campaigns/contact/", {"action": "export_csv", "_selected_action": [str(contact.pk)]})
    assert not Export.objects.exists()
