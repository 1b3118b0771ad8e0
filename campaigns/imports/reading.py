"""Rows of CSV files and Excel workbooks, one after another: a file is never held in memory as a whole."""

import csv
import io
import zipfile
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from typing import Any, BinaryIO

from msgspec import Struct
from msgspec.structs import replace

from campaigns.errors import ImportRefusedError
from campaigns.imports.cells import plain, text_of
from campaigns.imports.encodings import detect_encoding

_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 30
_SAMPLE_TEXT = 200_000
_MOST_UNPACKED = 20
"""A workbook's parts grow to about ten times their size; a bomb's to a thousand."""
_MIB = 1 << 20


class Limits(Struct, frozen=True):
    """What a file may have."""

    mib: int = 100
    rows: int = 1_000_000
    columns: int = 200


class Shape(Struct, frozen=True):
    """How a file is read. ``rows``: about how many it has, for the progress."""

    kind: str
    """``csv`` or ``xlsx``."""
    encoding: str = ""
    delimiter: str = ""
    rows: int = 0
    is_mixed: bool = False
    """Some of the rows are in another encoding than the rest; they are returned as bad ones."""


class Row(Struct, frozen=True):
    """One row with the number that a spreadsheet shows beside it."""

    number: int
    cells: tuple[str, ...]


def inspect(file: BinaryIO, limits: Limits) -> Shape:
    """Find out how to read a file. Raises ``ImportRefusedError`` that names the remedy."""
    return survey(file, limits, _SAMPLE_ROWS)[0]


def survey(file: BinaryIO, limits: Limits, count: int) -> tuple[Shape, list[Row]]:
    """Find out how to read a file, and give its first rows; a workbook is opened once for both.

    Raises ``ImportRefusedError`` that names the remedy.
    """
    size = file.seek(0, io.SEEK_END)
    if size > limits.mib * _MIB:
        message = f"The file has {size / _MIB:.0f} MiB, more than {limits.mib}. Split it into several files."
        raise ImportRefusedError(message)
    file.seek(0)
    if file.read(4) == b"PK\x03\x04":
        return _survey_workbook(file, limits, count)
    encoding = detect_encoding(file)
    if encoding.lines > limits.rows + 1:
        _refuse_rows(limits)
    shape = Shape("csv", encoding.name, "", encoding.lines, encoding.is_mixed)
    shape = replace(shape, delimiter=_delimiter_of(file, shape))
    return shape, sample_rows(file, shape, limits, count)


def _refuse_rows(limits: Limits) -> None:
    message = f"The file has more than {limits.rows:,} rows. Split it into several files."
    raise ImportRefusedError(message)


def _survey_workbook(file: BinaryIO, limits: Limits, count: int) -> tuple[Shape, list[Row]]:
    _check_archive(file, limits)
    with closing(_open_workbook(file)) as book:
        declared = int(book.worksheets[0].max_row or 0)
        rows = list(islice(_within(limits, _sheet_rows(book, limits)), count))
    return Shape("xlsx", rows=max(len(rows), declared)), rows


def _check_archive(file: BinaryIO, limits: Limits) -> None:
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except zipfile.BadZipFile:
        message = "The workbook is damaged or was not uploaded to its end. Save it again and upload that file."
        raise ImportRefusedError(message) from None
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        message = "This is an archive, not an Excel workbook. Save the list as .xlsx or as CSV UTF-8."
        raise ImportRefusedError(message)
    if sum(part.file_size for part in parts) > limits.mib * _MIB * _MOST_UNPACKED:
        message = "The workbook unpacks to far more than it may have. Save only the list's sheet, as CSV UTF-8."
        raise ImportRefusedError(message)


def read_rows(file: BinaryIO, shape: Shape, limits: Limits) -> Generator[Row]:
    """Give the rows that hold anything, the header's among them. Raises ``ImportRefusedError`` for one too many.

    Cells that cannot be decoded hold lone surrogates; ``is_damaged`` tells. Close it before the file.
    """
    with closing(_workbook_rows(file, limits) if shape.kind == "xlsx" else _text_rows(file, shape)) as rows:
        yield from _within(limits, rows)


def sample_rows(file: BinaryIO, shape: Shape, limits: Limits, count: int) -> list[Row]:
    """Give the first rows that hold anything."""
    with closing(read_rows(file, shape, limits)) as rows:
        return list(islice(rows, count))


def _within(limits: Limits, rows: Iterator[Row]) -> Iterator[Row]:
    for row in rows:
        if len(row.cells) > limits.columns:
            message = f"Row {row.number} has {len(row.cells):,} columns, more than {limits.columns}. Delete the others."
            raise ImportRefusedError(message)
        if row.number > limits.rows + 1:
            _refuse_rows(limits)
        if any(row.cells):
            yield row


def is_damaged(row: Row) -> bool:
    """Whether a row has bytes that its file's encoding does not know."""
    return any("\udc80" <= sign <= "\udcff" for cell in row.cells if not cell.isascii() for sign in cell)


def _text_rows(file: BinaryIO, shape: Shape) -> Generator[Row]:
    file.seek(0)
    is_wide = shape.encoding.startswith(("utf-16", "utf-32"))
    text = io.TextIOWrapper(file, shape.encoding, errors="replace" if is_wide else "surrogateescape", newline="")
    number = 0
    try:
        for number, cells in enumerate(csv.reader(_kept_lines(text), delimiter=shape.delimiter or ","), start=1):
            yield Row(number, tuple(map(plain, cells)))
    except csv.Error:
        message = f"Row {number + 1} does not end: a quotation mark in it is never closed. Correct that row."
        raise ImportRefusedError(message) from None
    finally:
        text.detach()


def _kept_lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Leave out Excel's first line that only names the delimiter; it keeps its number."""
    for index, line in enumerate(text):
        yield "\n" if index == 0 and line.lower().startswith("sep=") else line


def _workbook_rows(file: BinaryIO, limits: Limits) -> Generator[Row]:
    with closing(_open_workbook(file)) as book:
        yield from _sheet_rows(book, limits)


def _sheet_rows(book: Any, limits: Limits) -> Generator[Row]:
    try:
        sheet = book.worksheets[0]
        # What the workbook says of its own size may be wrong; the rows say it themselves.
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield Row(number, _trimmed(cells, limits.columns))
    except (KeyError, ValueError, SyntaxError, zipfile.BadZipFile) as error:
        if isinstance(error, ImportRefusedError):
            raise
        message = f"The workbook cannot be read ({type(error).__name__}). Save the list as CSV UTF-8."
        raise ImportRefusedError(message) from error


def _trimmed(cells: tuple[object, ...], most: int) -> tuple[str, ...]:
    """Give a row without the empty cells behind it: formatted columns have none of their own."""
    end = len(cells)
    while end and cells[end - 1] is None:
        end -= 1
    return tuple(map(text_of, cells[:end])) if end <= most else ("?",) * end


def _open_workbook(file: BinaryIO):  # type: ignore[no-untyped-def]  # noqa: ANN202 (openpyxl's reader has two classes of sheets)
    import openpyxl  # noqa: PLC0415 (20 MB, for who imports a workbook)

    file.seek(0)
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except Exception as error:
        message = f"The workbook cannot be read ({type(error).__name__}). Save the list as CSV UTF-8."
        raise ImportRefusedError(message) from error
    if not book.worksheets:
        message = "The workbook has no sheet with cells."
        raise ImportRefusedError(message)
    return book


def _delimiter_of(file: BinaryIO, shape: Shape) -> str:
    """Give the delimiter that splits the first rows into most columns, alike in most of them."""
    file.seek(0)
    text = io.TextIOWrapper(file, shape.encoding, errors="replace", newline="")
    try:
        sample = text.read(_SAMPLE_TEXT)
    finally:
        text.detach()
    first = sample[:20].splitlines()[0].lower()
    if first.startswith("sep=") and first[4:5] in _DELIMITERS:
        return sample[4]
    return max(_DELIMITERS, key=lambda delimiter: _fit(sample, delimiter))


def _fit(sample: str, delimiter: str) -> float:
    """Give the columns that most rows agree on times how many agree; one column is no split."""
    widths: list[int] = []
    try:
        for cells in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            if cells:
                widths.append(len(cells))
            if len(widths) == _SAMPLE_ROWS:
                break
    except csv.Error:
        return 0
    if not widths:
        return 0
    usual = max(set(widths), key=widths.count)
    return (usual - 1) * widths.count(usual) / len(widths)
