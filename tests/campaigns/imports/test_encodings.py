"""Which encoding a file is in."""

import io

import pytest

from campaigns.errors import ImportRefusedError
from campaigns.imports.encodings import detect_encoding
from tests.campaigns.imports.files import all_cells, text_file

TEXT = "name;phone\nJürgen Müller;+4930123456\nZoë Façade;+33123456789\n"


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
    ],
)
def test_a_list_is_read_in_the_encoding_it_is_in(encoding: str, name: str) -> None:
    assert detect_encoding(text_file(TEXT, encoding)).name == name
    assert all_cells(text_file(TEXT, encoding)) == [tuple(line.split(";")) for line in TEXT.splitlines()]


def test_a_utf_16_list_with_its_mark_at_the_other_end_is_read() -> None:
    assert all_cells(io.BytesIO(b"\xfe\xff" + TEXT.encode("utf-16-be")))[1] == ("Jürgen Müller", "+4930123456")


def test_a_cyrillic_list_in_an_old_encoding_is_read() -> None:
    text = "имя;телефон\n" + "Иван Петров;+74951234567\nМария Смирнова;+74951234568\n" * 10
    assert all_cells(text_file(text, "cp1251"))[1] == ("Иван Петров", "+74951234567")


def test_lines_in_two_encodings_are_told() -> None:
    found = detect_encoding(io.BytesIO("Jürgen;1\n".encode() + "Müller;2\n".encode("cp1252")))
    assert (found.name, found.is_mixed, found.lines) == ("utf-8", True, 2)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "The file is empty"),
        (b" \n \n", "The file is empty"),
        (b"%PDF-1.7 ...", "This is a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "This is a picture"),
        (bytes(range(256)) * 40, "This is a binary file"),
    ],
)
def test_what_is_no_list_is_refused_with_the_remedy(content: bytes, reason: str) -> None:
    with pytest.raises(ImportRefusedError, match=reason) as refused:
        detect_encoding(io.BytesIO(content))
    assert refused.value.field == "file"


def test_a_polish_list_in_an_old_encoding_is_read() -> None:
    text = "imię;telefon\n" + "Łukasz Wiśniewski;+48221234567\nGrażyna Źdźbło;+48221234568\n" * 10
    assert all_cells(text_file(text, "cp1250"))[1] == ("Łukasz Wiśniewski", "+48221234567")
