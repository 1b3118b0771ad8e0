"""Lists taken in, shown, started, cancelled."""

import io
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from calls.enums import SuppressionSource
from calls.models import Suppression
from campaigns import services
from campaigns.enums import DuplicatePolicy, ImportStatus
from campaigns.errors import ImportRefusedError, MappingRefusedError
from campaigns.models import ContactImport, ContactList
from tests.campaigns.lists import receive, start
from tests.campaigns.rows import NOW, make_contact

pytestmark = pytest.mark.django_db

LIST = "Name;Phone;Order\nAda;212 555 0100;7\nBo;nobody;8\nCy;(212) 555-0102;9\n"


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def test_a_file_is_kept_with_what_was_found_out(media: Path) -> None:
    row = receive(LIST, name="May.csv")
    assert (row.status, row.file_name, row.region, row.row_total) == (ImportStatus.UPLOADED, "May.csv", "US", 3)
    assert row.mapping == {"Name": "name", "Phone": "phone", "Order": "field:order"}
    assert (row.shape["delimiter"], row.shape["encoding"]) == (";", "utf-8")
    assert media in Path(row.file.path).parents
    assert Path(row.file.path).read_text() == LIST


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty"), (b"%PDF-1", "a PDF"), (b"phone,name\n", "no rows below it")]
)
def test_a_file_that_is_refused_leaves_nothing_behind(media: Path, content: bytes, reason: str) -> None:
    with pytest.raises(ImportRefusedError, match=reason):
        services.receive_file(io.BytesIO(content), name="x", region="US", by=None, at=NOW)
    assert not ContactImport.objects.exists()
    assert list(media.rglob("*")) == []


def test_a_wrong_region_is_refused() -> None:
    with pytest.raises(MappingRefusedError, match="'USA' is no country"):
        receive(LIST, region="USA")


def test_the_preview_shows_what_each_row_becomes() -> None:
    make_contact("+12125550100")
    Suppression.objects.create(e164="+12125550102", source=SuppressionSource.OPERATOR, proof="Letter")
    preview = services.preview_import(receive(LIST), now=NOW)
    assert [
        (line.entry.e164 if line.entry else line.reasons, line.is_known, line.is_suppressed) for line in preview.rows
    ] == [
        ("+12125550100", True, False),
        (("Phone: nobody is no telephone number",), False, False),
        ("+12125550102", False, True),
    ]


def test_the_preview_says_that_rows_differ_in_their_encoding() -> None:
    content = "name,phone\nJürgen,2125550100\n".encode() + "Müller,2125550101\n".encode("cp1252")
    row = services.receive_file(io.BytesIO(content), name="x", region="US", by=None, at=NOW)
    preview = services.preview_import(row, now=NOW)
    assert [line.entry is None for line in preview.rows] == [False, True]
    assert len(preview.notes) == 1


def test_an_import_starts_once_with_its_list() -> None:
    row = receive(LIST)
    start(row, policy=DuplicatePolicy.UPDATE, list_name=" Spring ")
    row.refresh_from_db()
    assert (row.status, row.policy, row.target_list) == ("waiting", "update", ContactList.objects.get(name="Spring"))
    again = services.start_import(
        row.pk, mapping=row.mapping, region="US", policy=DuplicatePolicy.KEEP, list_name="Other"
    )
    assert not again
    assert not ContactList.objects.filter(name="Other").exists()


def test_a_list_that_is_there_is_used_again() -> None:
    there = ContactList.objects.create(name="Spring")
    row = receive(LIST)
    start(row, list_name="Spring")
    row.refresh_from_db()
    assert row.target_list == there


def test_a_mapping_without_a_number_does_not_start() -> None:
    row = receive(LIST)
    with pytest.raises(MappingRefusedError, match="No column holds the telephone number"):
        services.start_import(
            row.pk, mapping={"Name": "name"}, region="US", policy=DuplicatePolicy.KEEP, list_name="Spring"
        )
    row.refresh_from_db()
    assert row.status == ImportStatus.UPLOADED
    assert not ContactList.objects.exists()


def test_a_mapping_can_be_changed_until_the_start() -> None:
    row = receive(LIST)
    mapping = {"Name": "field:who", "Phone": "phone"}
    assert services.map_import(row.pk, mapping=mapping, region="DE")
    row.refresh_from_db()
    assert (row.mapping, row.region) == (mapping, "DE")
    start(row)
    assert not services.map_import(row.pk, mapping=row.mapping, region="US")


def test_an_import_is_cancelled_once() -> None:
    row = receive(LIST)
    assert services.cancel_import(row.pk, at=NOW)
    assert not services.cancel_import(row.pk, at=NOW)
