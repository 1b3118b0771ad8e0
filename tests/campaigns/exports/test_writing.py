"""Exports into files."""

import csv
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from pytest_django.fixtures import Settings

from calls.enums import AttemptStatus
from calls.models import CallAttempt
from campaigns import exports, services
from campaigns.enums import AnalysisStatus, ExportFormat, ExportKind, JobStatus
from campaigns.exports import rows as export_rows
from campaigns.models import CallAnalysis, CampaignAttempt, ContactList, Export
from tests.calls import rows as call_rows
from tests.campaigns.rows import NOW, make_campaign, make_contact, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _places(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(export_rows, "PAGE", 2)


def export(kind: ExportKind, file_format: ExportFormat = ExportFormat.CSV, **selection: Any) -> Export:
    row = services.start_export(kind, file_format=file_format, selection=selection, by=None, at=NOW)
    assert exports.run_export(row.pk, clock=lambda: NOW)
    row.refresh_from_db()
    return row


def table(row: Export, folder: Path) -> list[dict[str, str]]:
    with (folder / row.path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_contacts_of_a_list_are_written_and_formulas_defused(tmp_path: Path) -> None:
    group = ContactList.objects.create(name="Spring")
    for digit in range(3):
        make_contact(f"+1212555010{digit}", name="=cmd()", fields={"a": "ü"}).lists.add(group)
    make_contact("+12125550109")
    row = export(ExportKind.CONTACTS, list=group.pk)
    assert (row.status, row.total, row.written, row.percent) == (JobStatus.DONE, 3, 3, 100)
    lines = table(row, tmp_path)
    assert [line["number"] for line in lines] == ["'+12125550100", "'+12125550101", "'+12125550102"]
    assert (lines[0]["name"], lines[0]["lists"], lines[0]["fields"]) == ("'=cmd()", "Spring", '{"a": "ü"}')
    assert list(Path(tmp_path, "exports").iterdir()) == [tmp_path / row.path]


def test_the_results_of_a_campaign_have_what_the_latest_call_came_to(tmp_path: Path) -> None:
    member = make_member(make_campaign())
    session = call_rows.ended_call()
    attempt = CallAttempt.objects.create(
        to_e164="+12125550100", carrier="fake", status=AttemptStatus.COMPLETED, created_at=NOW, heard_at=NOW,
        ended_at=NOW, session=session,
    )  # fmt: skip
    CampaignAttempt.objects.create(
        attempt=attempt, member=member, campaign=member.campaign, number=1, created_at=NOW, settled_at=NOW
    )
    CallAnalysis.objects.create(
        session=session, status=AnalysisStatus.DONE, disposition="qualified", summary="-1", interest=80, analysed_at=NOW
    )
    [line] = table(export(ExportKind.MEMBERS, campaign=member.campaign_id), tmp_path)
    assert (line["disposition"], line["interest"], line["summary"], line["state"]) == (
        "qualified",
        "80",
        "'-1",
        "waiting",
    )
    [call] = table(export(ExportKind.CALLS, campaign=member.campaign_id), tmp_path)
    assert (call["to"], call["disposition"], call["session_id"]) == ("'+12125550100", "qualified", str(session.pk))


def test_a_workbook_holds_texts_alone(tmp_path: Path) -> None:
    make_contact(name="=1+1\x07")
    row = export(ExportKind.CONTACTS, ExportFormat.XLSX)
    sheet = openpyxl.load_workbook(tmp_path / row.path).worksheets[0]
    header, line = sheet.iter_rows(values_only=True)
    assert dict(zip(header, line, strict=True))["name"] == "'=1+1"


def test_results_need_a_campaign() -> None:
    with pytest.raises(ValidationError):
        services.start_export(
            ExportKind.MEMBERS, file_format=ExportFormat.CSV, selection={"campaign": ""}, by=None, at=NOW
        )


def test_an_export_that_fails_says_so_and_leaves_no_file(tmp_path: Path) -> None:
    row = export(ExportKind.CONTACTS, list="no id")
    assert (row.status, row.error.partition(":")[0]) == (JobStatus.FAILED, "ValueError")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert not exports.run_export(row.pk, clock=lambda: NOW)
