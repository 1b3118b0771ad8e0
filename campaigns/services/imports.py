"""Contact lists from files: taken in, shown before anything is stored, started, cancelled."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import BinaryIO
from uuid import UUID
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.files import File
from django.db import transaction
from django.db.models import QuerySet
from msgspec import Struct, convert, to_builtins

from calls.models import Suppression
from calls.services.cleaning import clean_text
from campaigns import imports
from campaigns.enums import DuplicatePolicy, ImportStatus
from campaigns.errors import ImportRefusedError, MappingRefusedError
from campaigns.imports import BadRow, Entry, Limits, Plan, Row, Shape
from campaigns.models import Contact, ContactImport, ContactList
from campaigns.models.files import IMPORT_OPEN

SAMPLE_ROWS = 20


class PreviewRow(Struct, frozen=True):
    """A row, and what it becomes: an entry, or the reasons why it is returned."""

    row: Row
    entry: Entry | None
    reasons: tuple[str, ...] = ()
    is_known: bool = False
    is_suppressed: bool = False


class Preview(Struct, frozen=True):
    """A file before it is imported."""

    columns: tuple[str, ...]
    mapping: dict[str, str]
    notes: tuple[str, ...]
    rows: tuple[PreviewRow, ...]


def limits() -> Limits:
    """Give what a file may have, as the settings say."""
    return Limits(settings.IMPORT_MAX_MIB, settings.IMPORT_MAX_ROWS)


@cache
def zones() -> frozenset[str]:
    """Give the names of all time zones; reading them walks through a folder."""
    return frozenset(available_timezones())


def receive_file(file: BinaryIO, *, name: str, region: str, by: AbstractBaseUser | None, at: datetime) -> ContactImport:
    """Keep an uploaded file and guess what its columns are. Nothing is imported yet.

    Raises ``ImportRefusedError`` for a file that cannot be imported; then nothing is kept.
    """
    check_region(region)
    shape, sample = imports.survey(file, limits(), SAMPLE_ROWS + 1)
    table = imports.read_header(sample, region)
    if len(sample) <= table.has_header:
        message = "The file has a header and no rows below it."
        raise ImportRefusedError(message)
    row = ContactImport(
        file_name=clean_text(name)[-200:] or "list",
        region=region,
        shape=to_builtins(shape),
        columns=[clean_text(column) for column in table.columns],
        has_header=table.has_header,
        mapping={clean_text(key): value for key, value in imports.guess_mapping(table, sample, region).items()},
        row_total=max(shape.rows, len(sample)) - table.has_header,
        created_at=at,
        created_by_id=by.pk if by else None,
    )
    file.seek(0)
    row.file.save("upload", File(file), save=False)
    try:
        row.save(force_insert=True)
    except Exception:
        row.file.delete(save=False)
        raise
    return row


def check_region(region: str) -> None:
    """Raise ``MappingRefusedError`` for what is no country; empty: every number names its own."""
    if region and region not in imports.known_regions():
        message = f"region: {region!r} is no country; write ISO 3166, such as US."
        raise MappingRefusedError(message)


def plan_of(row: ContactImport, now: datetime) -> Plan:
    """Give how the rows of an import are understood."""
    source = f"Import of {row.file_name}"[:200]
    return Plan.of(row.columns, row.mapping, region=row.region, source=source, zones=zones(), now=now)


def shape_of(row: ContactImport) -> Shape:
    """Give how the file of an import is read."""
    return convert(row.shape, Shape)


def preview_import(row: ContactImport, *, now: datetime) -> Preview:
    """Show the first rows and what each becomes with the mapping that the row has."""
    plan = plan_of(row, now)
    with row.file.open("rb") as stored:
        sample = imports.sample_rows(stored.file, shape_of(row), limits(), SAMPLE_ROWS + 1)
    table = imports.read_header(sample, row.region)
    found = [imports.read_entry(line, plan) for line in sample[int(row.has_header) :][:SAMPLE_ROWS]]
    numbers = [each.e164 for each in found if isinstance(each, Entry)]
    known = set(Contact.objects.filter(e164__in=numbers).values_list("e164", flat=True))
    suppressed = set(Suppression.objects.filter(e164__in=numbers).values_list("e164", flat=True))
    lines = {line.number: line for line in sample}
    rows = tuple(
        PreviewRow(each.row, None, each.reasons)
        if isinstance(each, BadRow)
        else PreviewRow(lines[each.row], each, (), each.e164 in known, each.e164 in suppressed)
        for each in found
    )
    notes = list(table.notes)
    if shape_of(row).is_mixed:
        notes.append("Some rows are in another encoding than the rest; they will be returned. Save as CSV UTF-8.")
    return Preview(tuple(row.columns), dict(row.mapping), tuple(notes), rows)


def _uploaded(import_id: UUID) -> "QuerySet[ContactImport]":
    return ContactImport.objects.filter(pk=import_id, status=ImportStatus.UPLOADED)


def map_import(import_id: UUID, *, mapping: Mapping[str, str], region: str) -> bool:
    """Say what the columns are, without starting. False: it was started. Raises ``MappingRefusedError``."""
    row = ContactImport.objects.get(pk=import_id)
    check_region(region)
    imports.check_mapping(mapping, row.columns)
    return _uploaded(import_id).update(mapping=dict(mapping), region=region) == 1


@transaction.atomic
def start_import(
    import_id: UUID,
    *,
    mapping: Mapping[str, str],
    region: str,
    policy: DuplicatePolicy,
    list_name: str,
) -> bool:
    """Have a worker take the rows in. False: it was started before. ``list_name``: made where there is none; or empty.

    Raises ``MappingRefusedError`` for columns that are not what they were said to be.
    """
    if not map_import(import_id, mapping=mapping, region=region):
        return False
    name = clean_text(list_name).strip()
    if len(name) > 200:  # noqa: PLR2004 (the column's length)
        message = "list: its name is longer than 200 characters."
        raise MappingRefusedError(message)
    row = ContactImport.objects.get(pk=import_id)
    target = None
    if name:
        target, _ = ContactList.objects.get_or_create(name=name, defaults={"created_by_id": row.created_by_id})
    return _uploaded(import_id).update(status=ImportStatus.WAITING, policy=policy, target_list=target) == 1


def cancel_import(import_id: UUID, *, at: datetime) -> bool:
    """Stop before the next batch; what is stored stays. False: it was over."""
    alive = ContactImport.objects.filter(pk=import_id, status__in=(ImportStatus.UPLOADED, *IMPORT_OPEN))
    return alive.update(status=ImportStatus.CANCELLED, finished_at=at) == 1
