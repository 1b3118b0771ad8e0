import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from pytest_django.fixtures import Settings

from calls.models import Secret
from vantum.sealing import seal

ADD = "/admin/calls/secret/add/"


def test_a_stored_value_is_never_shown(admin_client: Client) -> None:
    admin_client.post(ADD, {"name": "shop", "value": "Bearer squeamish"})
    secret = Secret.objects.get()
    assert secret.value == "Bearer squeamish"
    for address in ("/admin/calls/secret/", f"/admin/calls/secret/{secret.pk}/change/"):
        page = admin_client.get(address).content.decode()
        assert ("shop" in page, "squeamish" in page) == (True, False)


def test_an_empty_value_keeps_the_stored_one_and_a_new_one_replaces_it(admin_client: Client) -> None:
    secret = Secret.objects.create(name="shop", sealed=seal("Bearer squeamish"))
    address = f"/admin/calls/secret/{secret.pk}/change/"
    admin_client.post(address, {"name": "store", "value": ""})
    secret.refresh_from_db()
    assert (secret.name, secret.value) == ("store", "Bearer squeamish")
    admin_client.post(address, {"name": "store", "value": "Bearer xyz"})
    secret.refresh_from_db()
    assert secret.value == "Bearer xyz"


@pytest.mark.parametrize(("value", "complaint"), [("", "Write the value."), ("caf\u00e9", "Printable ASCII")])
def test_a_value_that_cannot_be_sent_is_refused(admin_client: Client, value: str, complaint: str) -> None:
    page = admin_client.post(ADD, {"name": "shop", "value": value}).content.decode()
    assert complaint in page
    assert not Secret.objects.exists()


def test_no_record_of_changes_holds_a_value(admin_client: Client) -> None:
    admin_client.post("/admin/calls/secret/add/", {"name": "crm", "value": "Bearer abc123"})
    secret = Secret.objects.get()
    admin_client.post(f"/admin/calls/secret/{secret.pk}/change/", {"name": "crm2", "value": "Bearer new"})
    admin_client.post(f"/admin/calls/secret/{secret.pk}/delete/", {"post": "yes"})
    records = " ".join(LogEntry.objects.values_list("change_message", flat=True))
    assert LogEntry.objects.count() == 3
    assert "crm2" in records
    assert "Bearer" not in records


def test_the_list_says_which_can_no_longer_be_read(admin_client: Client, settings: Settings) -> None:
    Secret.objects.create(name="shop", sealed=seal("Bearer abc"))
    settings.SECRETS_KEY = "another"
    Secret.objects.create(name="crm", sealed=seal("Bearer xyz"))
    page = admin_client.get("/admin/calls/secret/")
    readable = {row.name: page.context["cl"].model_admin.is_readable(row) for row in page.context["cl"].result_list}
    assert readable == {"crm": True, "shop": False}
    shop = Secret.objects.get(name="shop")
    admin_client.post(f"/admin/calls/secret/{shop.pk}/change/", {"name": "shop", "value": "Bearer new"})
    assert Secret.objects.get(name="shop").value == "Bearer new"
