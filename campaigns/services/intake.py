"""The rows of a started import on their way into the database: in batches, each whole or not at all."""

import csv
import io
import logging
import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from msgspec import Struct, structs
from uuid_utils.compat import uuid7

from calls.models import Suppression
from calls.services.cleaning import clean_json, clean_text
from campaigns import imports
from campaigns.enums import DuplicatePolicy, HookEvent, ImportStatus
from campaigns.errors import ImportRefusedError
from campaigns.imports import BadRow, Entry, Row
from campaigns.models import Consent, Contact, ContactImport
from campaigns.services.imports import limits, plan_of, shape_of
from campaigns.services.webhooks import tell

logger = logging.getLogger(__name__)

BATCH = 500
LEASE = timedelta(minutes=2)
"""Far longer than a batch takes; renewed with each."""


class Tally(Struct):
    """What came of some rows; the names are those of ``ContactImport``."""

    created: int = 0
    updated: int = 0
    known: int = 0
    repeated: int = 0
    suppressed: int = 0
    bad: int = 0


def bad_rows_path(import_id: UUID) -> Path:
    """Give where the returned rows lie."""
    return Path(default_storage.path(f"imports/{import_id}.bad.csv"))


class _Beside:
    """Two files beside an import's own: the returned rows, and the numbers seen so far.

    A worker that died may have written more than its last transaction says; that is cut off first.
    """

    def __init__(self, row: ContactImport) -> None:
        self._bad = self._open(bad_rows_path(row.pk), row.bad_bytes)
        self._numbers = self._open(
            bad_rows_path(row.pk).with_suffix("").with_suffix(".numbers"), 8 * (row.created + row.updated + row.known)
        )
        self._numbers.seek(0)
        self.seen = set(array("q", self._numbers.read()))
        self.bad_bytes = row.bad_bytes
        if not row.bad_bytes:
            header = _as_csv([[*row.columns, "import_row", "import_reason"]])
            self.write([], ("\ufeff" + header).encode())

    @staticmethod
    def _open(path: Path, size: int) -> io.BufferedRandom:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        file.truncate(size)
        file.seek(0, io.SEEK_END)
        return file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bad.close()
        self._numbers.close()

    def write(self, numbers: Iterable[int], returned: bytes) -> None:
        """Append what was seen and what is returned."""
        self._numbers.write(array("q", numbers).tobytes())
        self._numbers.flush()
        self._bad.write(returned)
        self._bad.flush()
        self.bad_bytes += len(returned)


def _as_csv(lines: Iterable[Sequence[str]]) -> str:
    """Write rows that no spreadsheet takes for formulas."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([imports.defused(cell) for cell in line] for line in lines)
    return text.getvalue()


def claim_import(import_id: UUID, *, now: datetime) -> UUID | None:
    """Take an import that nobody works on; gives the key that renews the lease, or None where another was faster."""
    key = uuid4()
    taken = ContactImport.objects.due(now).filter(pk=import_id)
    done = taken.update(status=ImportStatus.RUNNING, lease_until=now + LEASE, lease_key=key)
    return key if done == 1 else None


def run_import(import_id: UUID, key: UUID, *, clock: Callable[[], datetime], turn: timedelta) -> None:
    """Take rows in until all are, or until the turn is over; then the next turn goes on behind the last batch."""
    mine = ContactImport.objects.filter(pk=import_id, lease_key=key, status=ImportStatus.RUNNING)
    row = mine.first()
    if row is None:
        return
    try:
        _run(row, clock, clock() + turn)
    except ImportRefusedError as error:
        mine.update(status=ImportStatus.FAILED, finished_at=clock(), error=clean_text(str(error))[:500])
    except Exception as error:  # what cannot be done must say so, and not be tried for ever
        logger.exception("import %s failed", import_id)
        text = clean_text(f"{type(error).__name__}: {error}")[:500]
        mine.update(status=ImportStatus.FAILED, finished_at=clock(), error=text)


def _run(row: ContactImport, clock: Callable[[], datetime], stop_at: datetime) -> None:
    plan = plan_of(row, clock())
    with (
        row.file.open("rb") as stored,
        _Beside(row) as beside,
        closing(imports.read_rows(stored.file, shape_of(row), limits())) as rows,
    ):
        if row.has_header:
            next(rows, None)
        for batch in _batches(line for line in rows if line.number > row.rows_done):
            found = [imports.read_entry(line, plan) for line in batch]
            if not _store(row, batch[-1].number, found, beside, clock()):
                return  # cancelled, or taken over by another worker
            if clock() >= stop_at:
                ContactImport.objects.filter(pk=row.pk, lease_key=row.lease_key).update(lease_until=None)
                return
    _finish(row, clock())


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


@transaction.atomic
def _finish(row: ContactImport, now: datetime) -> None:
    mine = ContactImport.objects.filter(pk=row.pk, lease_key=row.lease_key, status=ImportStatus.RUNNING)
    if mine.update(status=ImportStatus.DONE, finished_at=now, lease_until=None) == 1:
        row.refresh_from_db()
        counts = {name: getattr(row, name) for name in Tally.__struct_fields__}
        told = {"import_id": str(row.pk), "file_name": row.file_name, "list_id": row.target_list_id, **counts}
        tell(HookEvent.IMPORT_FINISHED, told, at=now)
        logger.info("import %s is done", row.pk)


def _store(row: ContactImport, last: int, found: list[Entry | BadRow], beside: _Beside, now: datetime) -> bool:
    """Store one batch and its counts in one transaction. False: the import is no longer ours."""
    entries = [each for each in found if isinstance(each, Entry)]
    bad = [each for each in found if isinstance(each, BadRow)]
    fresh: dict[str, Entry] = {}
    for entry in entries:
        if int(entry.e164[1:]) not in beside.seen:
            fresh.setdefault(entry.e164, entry)
    numbers = [int(e164[1:]) for e164 in fresh]
    returned = _as_csv(_returned(each, len(row.columns)) for each in bad).encode("utf-8", "replace")
    with transaction.atomic():
        tally = store_entries(fresh, row, now=now)
        tally.repeated, tally.bad = len(entries) - len(fresh), len(bad)
        counts: dict[str, Any] = {name: F(name) + count for name, count in structs.asdict(tally).items()}
        mine = ContactImport.objects.filter(pk=row.pk, lease_key=row.lease_key, status=ImportStatus.RUNNING)
        bad_bytes = beside.bad_bytes + len(returned)
        if mine.update(rows_done=last, bad_bytes=bad_bytes, lease_until=now + LEASE, **counts) != 1:
            transaction.set_rollback(True)
            return False
        # While the row is locked nobody else has these files open to write.
        beside.write(numbers, returned)
    beside.seen.update(numbers)
    return True


def _returned(bad: BadRow, width: int) -> list[str]:
    cells = [*bad.row.cells, *[""] * (width - len(bad.row.cells))]
    return [*cells, str(bad.row.number), "; ".join(bad.reasons)]


def store_entries(entries: dict[str, Entry], row: ContactImport, *, now: datetime) -> Tally:
    """Store contacts by number, with consents and the list; gives what came of them. Call it in a transaction."""
    ids = dict(Contact.objects.filter(e164__in=list(entries)).values_list("e164", "pk"))
    new = {
        e164: Contact(
            id=uuid7(), e164=e164, name=clean_text(entry.name), region=entry.region, time_zone=entry.time_zone,
            fields=clean_json(entry.fields), created_at=now, updated_at=now,
        )
        for e164, entry in entries.items()
        if e164 not in ids
    }  # fmt: skip
    Contact.objects.bulk_create(new.values(), ignore_conflicts=True)
    # Somebody else may have stored one of them at the same moment: then that row counts.
    ids |= dict(Contact.objects.filter(e164__in=list(new)).values_list("e164", "pk"))
    created = sum(ids[e164] == contact.pk for e164, contact in new.items())
    updated = 0
    if row.policy == DuplicatePolicy.UPDATE:
        updated = _update({e164: entry for e164, entry in entries.items() if e164 not in new}, now)
    if row.target_list_id is not None:
        listed = Contact.lists.through
        listed.objects.bulk_create(
            [listed(contact_id=pk, contactlist_id=row.target_list_id) for pk in ids.values()], ignore_conflicts=True
        )
    Consent.objects.bulk_create(
        [_consent(ids[e164], entry) for e164, entry in entries.items() if entry.consent], ignore_conflicts=True
    )
    suppressed = Suppression.objects.filter(e164__in=list(entries)).count()
    return Tally(created=created, updated=updated, known=len(entries) - created - updated, suppressed=suppressed)


def _consent(contact_id: UUID, entry: Entry) -> Consent:
    assert entry.consent is not None  # noqa: S101 (asked by the caller)
    given = entry.consent
    return Consent(
        contact_id=contact_id, kind=given.kind, given_at=given.given_at, source=clean_text(given.source),
        text=clean_text(given.text), seller=clean_text(given.seller),
    )  # fmt: skip


def _update(entries: dict[str, Entry], now: datetime) -> int:
    """Write what the file says over what is there; what it leaves empty stays. Gives how many have changed."""
    changed = []
    for contact in Contact.objects.filter(e164__in=list(entries)):
        entry = entries[contact.e164]
        after = Contact(
            id=uuid7(),  # the conflict is to be about the number alone
            e164=contact.e164,
            name=clean_text(entry.name) or contact.name,
            region=entry.region or contact.region,
            time_zone=entry.time_zone or contact.time_zone,
            fields=contact.fields | clean_json(entry.fields),
            updated_at=now,
        )
        columns = ("name", "region", "time_zone", "fields")
        if any(getattr(after, column) != getattr(contact, column) for column in columns):
            changed.append(after)
    Contact.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["e164"],
        update_fields=["name", "region", "time_zone", "fields", "updated_at"],
    )
    return len(changed)
