"""The pages of an import."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.fixtures import Settings

from campaigns.models import Contact, ContactImport
from tests.campaigns.lists import receive, take_in, work_off

pytestmark = pytest.mark.django_db

LIST = "Wer;Handy;Order\nAda;212 555 0100;7\nBo;<script>;8\n"
BASE = "/admin/campaigns/contactimport/"


@pytest.fixture(autouse=True)
def _media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def upload(client: Client, content: bytes, region: str = "us") -> object:
    file = SimpleUploadedFile("May list.csv", content)
    return client.post(f"{BASE}add/", {"file": file, "region": region})


def test_a_list_goes_from_upload_to_contacts(admin_client: Client) -> None:
    answer = upload(admin_client, LIST.encode())
    row = ContactImport.objects.get()
    page = f"{BASE}{row.pk}/change/"
    assert answer["Location"] == page  # type: ignore[index]
    shown = admin_client.get(page).content.decode()
    assert "The first rows: 1 of 2 can be used" in shown
    assert "Comes back: Handy: &lt;script&gt; is no telephone number" in shown
    order = {"column-0": "name", "column-1": "phone", "column-2": "field:", "region": "US", "list": "Spring"}
    assert admin_client.post(page, order | {"look": "1"}).status_code == 200
    row.refresh_from_db()
    assert (row.status, row.mapping) == ("uploaded", {"Wer": "name", "Handy": "phone", "Order": "field:order"})
    admin_client.post(page, order | {"start": "1", "policy": "update"})
    running = admin_client.get(page).content.decode()
    assert 'hx-trigger="every 1s"' in running
    row = work_off(ContactImport.objects.get())
    assert list(Contact.objects.values_list("name", "fields", "lists__name")) == [("Ada", {"order": "7"}, "Spring")]
    done = admin_client.get(f"{BASE}{row.pk}/progress/").content.decode()
    assert "hx-get" not in done
    assert f"{BASE}{row.pk}/bad-rows/" in done


def test_the_returned_rows_are_a_download(admin_client: Client) -> None:
    row = take_in("phone\n2125550100\nx\n")
    answer = admin_client.get(f"{BASE}{row.pk}/bad-rows/")
    assert answer["Content-Disposition"] == 'attachment; filename="list-returned.csv"'
    assert b"x,3,phone: x is no telephone number" in b"".join(answer)


def test_a_file_that_is_refused_says_why_beside_the_field(admin_client: Client) -> None:
    answer = upload(admin_client, b"%PDF-1.7")
    assert b"This is a PDF, not a list." in answer.content  # type: ignore[attr-defined]
    assert b"&#x27;ZY&#x27; is no country" in upload(admin_client, LIST.encode(), "ZY").content  # type: ignore[attr-defined]
    assert not ContactImport.objects.exists()


def test_a_mapping_without_a_number_is_refused_and_kept_in_the_form(admin_client: Client) -> None:
    row = receive(LIST)
    answer = admin_client.post(f"{BASE}{row.pk}/change/", {"column-0": "name", "start": "1"})
    assert b"No column holds the telephone number" in answer.content
    assert b'<option value="name" selected>' in answer.content


def test_an_import_is_stopped(admin_client: Client) -> None:
    row = receive(LIST)
    assert admin_client.get(f"{BASE}{row.pk}/cancel/").status_code == 405
    admin_client.post(f"{BASE}{row.pk}/cancel/")
    row.refresh_from_db()
    assert row.status == "cancelled"


def test_who_may_only_read_can_neither_upload_nor_stop(client: Client, django_user_model: type) -> None:
    row = receive(LIST)
    reader = django_user_model.objects.create_user("reader", password="x", is_staff=True)  # type: ignore[attr-defined]
    client.force_login(reader)
    answers = [client.get(f"{BASE}add/"), client.post(f"{BASE}{row.pk}/cancel/"), client.get(f"{BASE}{row.pk}/change/")]
    assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_the_list_needs_as_many_queries_for_many_imports(
    admin_client: Client, django_assert_max_num_queries: object
) -> None:
    for _ in range(5):
        take_in("phone\n2125550100\n")
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        assert admin_client.get(BASE).status_code == 200
