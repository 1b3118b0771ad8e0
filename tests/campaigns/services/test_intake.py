"""Rows of a started import on their way into the database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from calls.enums import SuppressionSource
from calls.models import Suppression
from campaigns import services
from campaigns.enums import DuplicatePolicy, ImportStatus
from campaigns.models import Consent, Contact, ContactImport
from campaigns.services import intake
from tests.campaigns.lists import receive, start, take_in, work_off
from tests.campaigns.rows import NOW, make_contact

pytestmark = pytest.mark.django_db

COUNTS = ("created", "updated", "known", "repeated", "suppressed", "bad")


@pytest.fixture(autouse=True)
def _places(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(intake, "BATCH", 3)


def counts(row: ContactImport) -> dict[str, int]:
    return {name: getattr(row, name) for name in COUNTS if getattr(row, name)}


def numbered(count: int) -> str:
    return "phone,name\n" + "".join(f"212555{number:04},Person {number}\n" for number in range(100, 100 + count))


def test_good_rows_are_taken_and_bad_ones_returned_with_the_reason() -> None:
    row = take_in("phone,name,note\n2125550100,Ada,=1+1\nnobody,Bo,=cmd()\n2125550102,Cy,\n", list_name="Spring")
    assert (row.status, row.percent, row.finished_at, counts(row)) == (
        *(ImportStatus.DONE, 100, NOW),
        {"created": 2, "bad": 1},
    )
    assert list(Contact.objects.order_by("e164").values_list("e164", "name", "fields", "lists__name")) == [
        ("+12125550100", "Ada", {"note": "=1+1"}, "Spring"),
        ("+12125550102", "Cy", {}, "Spring"),
    ]
    assert services.bad_rows_path(row.pk).read_text(encoding="utf-8-sig").splitlines() == [
        "phone,name,note,import_row,import_reason",
        "nobody,Bo,'=cmd(),3,phone: nobody is no telephone number",
    ]


def test_returned_rows_can_be_corrected_and_imported_again() -> None:
    row = take_in("name,phone\nAda,+1 212 555 010\n")
    returned = services.bad_rows_path(row.pk).read_text(encoding="utf-8-sig")
    assert "'+1 212 555 010," in returned
    again = take_in(returned.replace("555 010,", "555 0100,"))
    assert counts(again) == {"created": 1}
    assert Contact.objects.get().fields == {}


def test_a_number_that_stands_twice_in_a_file_is_taken_once() -> None:
    row = take_in(numbered(5) + "(212) 555-0100,Again\n+12125550104,Again\n")
    assert counts(row) == {"created": 5, "repeated": 2}
    assert not Contact.objects.filter(name="Again").exists()


def test_known_contacts_stay_and_come_on_the_list() -> None:
    known = make_contact("+12125550100", name="Old", fields={"a": "1"})
    row = take_in("phone,name,b\n2125550100,New,2\n2125550101,Bo,3\n", list_name="Spring")
    known.refresh_from_db()
    assert counts(row) == {"created": 1, "known": 1}
    assert (known.name, known.fields, known.lists.count()) == ("Old", {"a": "1"}, 1)


def test_known_contacts_are_updated_where_that_is_wanted() -> None:
    changed = make_contact("+12125550100", name="Old", region="US-NY", fields={"a": "1"})
    same = make_contact("+12125550101", name="Bo")
    text = "phone,name,state,b\n2125550100,New,,2\n2125550101,Bo,,\n"
    row = take_in(text, policy=DuplicatePolicy.UPDATE)
    changed.refresh_from_db()
    assert counts(row) == {"updated": 1, "known": 1}
    assert (changed.name, changed.region, changed.fields) == ("New", "US-NY", {"a": "1", "b": "2"})
    assert Contact.objects.get(pk=same.pk).updated_at == same.updated_at


def test_consents_become_proofs_once() -> None:
    text = "phone,consent,consent date,consent source\n2125550100,written,2026-01-02,https://example.com\n"
    take_in(text)
    take_in(text)
    assert list(Consent.objects.values_list("contact__e164", "kind", "given_at", "source")) == [
        ("+12125550100", "written", datetime(2026, 1, 2, tzinfo=UTC), "https://example.com")
    ]


def test_a_consent_without_a_source_comes_from_the_file() -> None:
    take_in("phone,consent,consent date\n2125550100,yes,2026-01-02\n")
    assert Consent.objects.get().source == "Import of list.csv"


def test_suppressed_numbers_are_taken_and_counted() -> None:
    Suppression.objects.create(e164="+12125550101", source=SuppressionSource.OPERATOR, proof="Letter")
    assert counts(take_in(numbered(3))) == {"created": 3, "suppressed": 1}


def test_an_import_goes_on_behind_the_last_batch_of_a_worker_that_died() -> None:
    text = numbered(8) + "nobody,Bo\n" + "2125550100,Again\n" + "2125550150,Last\n"
    row = receive(text)
    start(row)
    first = services.claim_import(row.pk, now=NOW)
    assert first
    services.run_import(row.pk, first, clock=lambda: NOW, turn=timedelta(0))  # one batch
    assert Contact.objects.count() == 3
    # It had written more beside its last transaction when it died.
    bad = services.bad_rows_path(row.pk)
    bad.write_bytes(bad.read_bytes() + b"half a li")
    numbers = bad.with_suffix("").with_suffix(".numbers")
    numbers.write_bytes(numbers.read_bytes() + (12125550107).to_bytes(8, "little") + b"xyz")
    row = work_off(row)
    assert (row.status, counts(row)) == (ImportStatus.DONE, {"created": 9, "repeated": 1, "bad": 1})
    assert Contact.objects.count() == 9
    assert bad.read_text(encoding="utf-8-sig").splitlines()[1:] == ["nobody,Bo,10,phone: nobody is no telephone number"]


def test_an_import_belongs_to_one_worker_until_its_lease_is_over() -> None:
    row = receive(numbered(5))
    start(row)
    first = services.claim_import(row.pk, now=NOW)
    assert first
    assert services.claim_import(row.pk, now=NOW + timedelta(minutes=1)) is None
    second = services.claim_import(row.pk, now=NOW + timedelta(minutes=3))
    assert second
    services.run_import(row.pk, first, clock=lambda: NOW, turn=timedelta(minutes=1))
    assert not Contact.objects.exists()


def test_a_batch_of_a_cancelled_import_is_not_stored() -> None:
    row = receive(numbered(5))
    start(row)
    key = services.claim_import(row.pk, now=NOW)
    assert key
    moments = iter(range(100))

    def clock() -> datetime:
        if next(moments) == 3:  # between two batches
            services.cancel_import(row.pk, at=NOW)
        return NOW

    services.run_import(row.pk, key, clock=clock, turn=timedelta(minutes=1))
    row.refresh_from_db()
    assert (row.status, row.created, Contact.objects.count()) == (ImportStatus.CANCELLED, 3, 3)


def test_an_import_whose_file_is_gone_says_so() -> None:
    row = receive(numbered(2))
    start(row)
    Path(row.file.path).unlink()
    row = work_off(row)
    assert (row.status, row.error.partition(":")[0]) == (ImportStatus.FAILED, "FileNotFoundError")


def test_a_file_that_breaks_off_in_a_quotation_keeps_what_came_before() -> None:
    row = receive(numbered(30) + '2125550190,"Zed\n' + "x,y\n" * 40_000)
    start(row)
    row = work_off(row)
    assert (row.status, row.created) == (ImportStatus.FAILED, 30)
    assert row.error.startswith("Row 32 does not end: a quotation mark")
