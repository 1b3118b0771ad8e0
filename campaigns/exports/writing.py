"""An export on its way into its file: beside it first, under its name once it is whole."""

import csv
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from django.core.files.storage import default_storage

from campaigns import imports, services
from campaigns.enums import ExportFormat, ExportKind
from campaigns.exports.rows import count_of, header_of, pages_of
from campaigns.models import Export

logger = logging.getLogger(__name__)


class _Writer(Protocol):
    def add(self, rows: Iterable[list[str]]) -> None: ...

    def close(self) -> None: ...


class _Csv:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")  # Excel knows UTF-8 by its mark only
        self._writer = csv.writer(self._file)

    def add(self, rows: Iterable[list[str]]) -> None:
        self._writer.writerows(rows)

    def close(self) -> None:
        self._file.close()


class _Workbook:
    def __init__(self, path: Path) -> None:
        import openpyxl  # noqa: PLC0415 (20 MB, for who exports workbooks)
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415

        self._path = path
        self._illegal = ILLEGAL_CHARACTERS_RE
        self._book = openpyxl.Workbook(write_only=True)
        self._sheet = self._book.create_sheet("Vantum")

    def add(self, rows: Iterable[list[str]]) -> None:
        for row in rows:
            self._sheet.append([self._illegal.sub("", cell)[:32_767] for cell in row])

    def close(self) -> None:
        self._book.save(self._path)


def run_export(export_id: UUID, *, clock: Callable[[], datetime]) -> bool:
    """Write the file of an export that nobody works on. False: somebody does, or it is over."""
    key = services.claim_export(export_id, now=clock())
    if key is None:
        return False
    export = Export.objects.get(pk=export_id)
    path = Path(default_storage.path(export.path))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{key.hex}")
    try:
        total = count_of(export)
        writer: _Writer = _Csv(draft) if export.format == ExportFormat.CSV else _Workbook(draft)
        try:
            writer.add([list(header_of(ExportKind(export.kind)))])
            written = 0
            for page in pages_of(export):
                writer.add([imports.defused(cell) for cell in row] for row in page)
                written += len(page)
                if not services.note_export(export_id, key, written=written, total=total, at=clock()):
                    return True  # cancelled, or another worker's by now
        finally:
            writer.close()
        draft.replace(path)
        services.finish_export(export_id, key, at=clock())
    except Exception as error:  # what cannot be done must say so, and not be tried for ever
        logger.exception("export %s failed", export_id)
        services.finish_export(export_id, key, at=clock(), error=f"{type(error).__name__}: {error}")
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
    return True
