from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from calls.models import CallAttempt
from campaigns import tasks
from campaigns.admin import exports
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


@pytest.mark.parametrize("model", ["campaigns/contact", "campaigns/campaigncontact", "calls/callattempt"])
def test_chosen_rows_or_all_that_a_list_shows_are_exported_from_it(
    model: str, admin_client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    campaign, ids = make_campaign(), []
    for digit in range(4):
        contact = make_contact(f"+1212555010{digit}" if digit < 3 else "+13055550103")
        call = {"status": "busy", "carrier": "fake", "created_at": NOW, "heard_at": NOW, "ended_at": NOW}
        rows = (contact, make_member(campaign, contact), CallAttempt.objects.create(to_e164=contact.e164, **call))
        ids.append({"contact": rows[0], "campaigncontact": rows[1], "callattempt": rows[2]}[model.split("/")[1]].pk)
    order = {"action": "export_csv", "_selected_action": [str(pk) for pk in ids[1:3]]}
    assert admin_client.post(f"/admin/{model}/", order).status_code == 302
    order = {"action": "export_csv", "_selected_action": [str(ids[0])], "select_across": "1"}
    assert admin_client.post(f"/admin/{model}/?q=%2B1212", order).status_code == 302
    written = []
    for row in Export.objects.order_by("created_at"):
        tasks.sweep_exports()
        text = (tmp_path / row.path).read_text(encoding="utf-8-sig")
        written.append([digit for digit in range(4) if f"5555010{digit}" in text or f"555010{digit}" in text])
    assert written == [[1, 2], [0, 1, 2]]


def test_a_list_that_is_too_long_to_name_its_rows_is_ordered_otherwise(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MOST_CHOSEN", 1)
    ids = [str(make_contact(f"+1212555010{digit}").pk) for digit in range(2)]
    order = {"action": "export_csv", "_selected_action": ids}
    assert admin_client.post("/admin/campaigns/contact/", order).headers["Location"] == f"{BASE}add/"
    assert not Export.objects.exists()


def test_an_operator_is_not_offered_to_export_rows() -> None:
    contact = make_contact()
    client = logged_in(in_role("Operator"))
    client.post("/admin/campaigns/contact/", {"action": "export_csv", "_selected_action": [str(contact.pk)]})
    assert not Export.objects.exists()
