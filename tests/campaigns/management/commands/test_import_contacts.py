from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from campaigns.models import Contact, ContactImport

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def run(folder: Path, text: str, *options: str) -> str:
    path = folder / "list.csv"
    path.write_text(text)
    out = StringIO()
    call_command("import_contacts", str(path), *options, stdout=out)
    return out.getvalue()


def test_a_file_is_imported_and_its_bad_rows_are_named(tmp_path: Path) -> None:
    out = run(tmp_path, "who,phone\nAda,2125550100\nBo,x\n", "--list", "Spring", "--map", "who=name")
    row = ContactImport.objects.get()
    assert out.splitlines() == [
        "100 %",
        "1 new, 0 updated, 0 known, 0 twice in the file, 0 of them suppressed, 1 came back",
        f"Rows that came back: {tmp_path / 'media' / 'imports' / str(row.pk)}.bad.csv",
    ]
    assert list(Contact.objects.values_list("name", "e164", "lists__name")) == [("Ada", "+12125550100", "Spring")]


def test_a_dry_run_shows_and_leaves_nothing(tmp_path: Path) -> None:
    out = run(tmp_path, "name,phone\nAda,2125550100\nBo,x\n", "--dry-run")
    assert out.splitlines() == [
        "name -> name",
        "phone -> phone",
        "row 2: +12125550100 Ada",
        "row 3: comes back: phone: x is no telephone number",
    ]
    assert not Contact.objects.exists()
    assert not ContactImport.objects.exists()
    assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--map", "Mobile"], "write it as COLUMN=TARGET"),
        (["--map", "Mobile=phone"], "The file has no column 'Mobile'"),
        (["--region", "USA"], "'USA' is no country"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, options: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        run(tmp_path, "name,phone\nAda,2125550100\n", *options)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_contacts", str(tmp_path / "none.csv"))
