"""Files as people upload them."""

import io
from collections.abc import Sequence
from typing import Any, BinaryIO

import openpyxl

from campaigns.imports import Limits, Row, inspect, read_rows


def text_file(text: str, encoding: str = "utf-8") -> BinaryIO:
    return io.BytesIO(text.encode(encoding))


def workbook(rows: Sequence[Sequence[Any]]) -> BinaryIO:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file


def all_rows(file: BinaryIO, limits: Limits | None = None) -> list[Row]:
    kept = limits or Limits()
    return list(read_rows(file, inspect(file, kept), kept))


def all_cells(file: BinaryIO) -> list[tuple[str, ...]]:
    return [row.cells for row in all_rows(file)]
