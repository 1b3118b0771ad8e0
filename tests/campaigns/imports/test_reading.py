"""Rows of CSV files and workbooks."""

import io
import zipfile

import openpyxl
import pytest

from campaigns.imports import ImportRefusedError, Limits, Row, Shape, inspect, read_rows, survey
from campaigns.imports.reading import is_damaged
from tests.campaigns.imports.files import all_cells, all_rows, text_file, workbook


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_splits_the_rows_alike(delimiter: str) -> None:
    rows = [("name", "phone", "note"), ("Ada", "+12125550100", "a, b; c | d\te"), ("Bo", "+12125550101", "x")]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    assert inspect(text_file(text), Limits()).delimiter == delimiter
    assert all_cells(text_file(text)) == rows


def test_excel_may_name_the_delimiter_in_a_line_of_its_own() -> None:
    assert all_rows(text_file("sep=;\nphone;a,b,c\n+12125550100;1,2,3\n")) == [
        Row(2, ("phone", "a,b,c")),
        Row(3, ("+12125550100", "1,2,3")),
    ]


def test_one_column_needs_no_delimiter() -> None:
    assert all_cells(text_file("phone\n+12125550100\n")) == [("phone",), ("+12125550100",)]


def test_empty_rows_are_left_out_and_counted() -> None:
    assert [row.number for row in all_rows(text_file("phone,name\n\n,\n+12125550100,Ada\n"))] == [1, 4]


def test_a_text_may_hold_line_breaks_and_delimiters() -> None:
    assert all_rows(text_file('phone,note\n+12125550100,"one\ntwo, three"\n+12125550101,x\n'))[1:] == [
        Row(2, ("+12125550100", "one\ntwo, three")),
        Row(3, ("+12125550101", "x")),
    ]


def test_a_workbook_gives_numbers_with_all_their_digits() -> None:
    rows = [("phone", "name", None), (14155550100, "Ada", None), (14155550101.0, "=1+1", None)]
    assert all_cells(workbook(rows)) == [("phone", "name"), ("14155550100", "Ada"), ("14155550101",)]


def test_a_workbook_is_opened_once_to_be_surveyed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    load = openpyxl.load_workbook

    def counting(*given: object, **more: object) -> object:
        opened.append(given)
        return load(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(openpyxl, "load_workbook", counting)
    shape, rows = survey(workbook([("phone",), *[(14155550100 + number,) for number in range(40)]]), Limits(), 3)
    assert (shape, len(opened)) == (Shape("xlsx", rows=41), 1)
    assert rows == [Row(1, ("phone",)), Row(2, ("14155550100",)), Row(3, ("14155550101",))]


def test_rows_with_bytes_of_another_encoding_are_damaged_and_the_others_are_not() -> None:
    content = "name,phone\nJürgen,1\n".encode() + "Müller,2\n".encode("cp1252")
    assert [is_damaged(row) for row in all_rows(io.BytesIO(content))] == [False, False, True]


@pytest.mark.parametrize(
    ("text", "limits", "reason"),
    [
        ("phone\n" + "1\n" * 11, Limits(rows=10), "more than 10 rows"),
        ("x," * 10_000 + "\n", Limits(), "Row 1 has 10,001 columns, more than 200"),
        ("phone\n" * 300_000, Limits(mib=1), "The file has 2 MiB, more than 1"),
        ('phone,name\n1,"Ada\n' + "2,Bo\n" * 40_000, Limits(), "Row 2 does not end: a quotation mark"),
    ],
)
def test_a_file_beyond_the_limits_is_refused_with_the_remedy(text: str, limits: Limits, reason: str) -> None:
    with pytest.raises(ImportRefusedError, match=reason):
        all_rows(text_file(text), limits)


def test_a_workbook_of_ten_thousand_columns_is_refused() -> None:
    with pytest.raises(ImportRefusedError, match=r"Row 1 has 10,000 columns"):
        all_rows(workbook([["x"] * 10_000]))


def test_a_damaged_workbook_is_refused() -> None:
    whole = workbook([("phone",), ("+12125550100",)])
    whole.seek(0)
    with pytest.raises(ImportRefusedError, match="damaged"):
        inspect(io.BytesIO(whole.read()[:-200]), Limits())


def test_an_archive_is_no_workbook() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("list.csv", "phone\n1\n")
    with pytest.raises(ImportRefusedError, match="an archive, not an Excel workbook"):
        inspect(file, Limits())


def test_a_workbook_whose_parts_are_no_workbook_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<no/>")
    with pytest.raises(ImportRefusedError, match="cannot be read"):
        inspect(file, Limits())


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(30 << 20))
    with pytest.raises(ImportRefusedError, match="unpacks to far more"):
        inspect(file, Limits(mib=1))


def test_a_file_can_be_read_twice() -> None:
    file = text_file("phone\n+12125550100\n")
    shape = inspect(file, Limits())
    assert list(read_rows(file, shape, Limits())) == list(read_rows(file, shape, Limits()))
