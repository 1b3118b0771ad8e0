from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from campaigns import tasks
from campaigns.models import Export
from tests.campaigns.rows import make_contact

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
