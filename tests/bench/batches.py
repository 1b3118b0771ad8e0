"""Many rows: a block of them is stored by the models, and multiplied by the database."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, models

NOW = datetime.now(tz=UTC)
BATCH = 5000
BLOCKS = 100
"""How many times the block is there in the end."""
NAMES = ("Ann", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gina", "Hal", "Iris", "Joe")


def stored(model: Any, rows: Iterable[Any]) -> None:
    """Store rows in batches."""
    waiting = iter(rows)
    while batch := list(islice(waiting, BATCH)):
        model.objects.bulk_create(batch)


def moment(number: int, count: int) -> datetime:
    """Give when the number-th of so many happened: one a second, the last one now."""
    return NOW - timedelta(seconds=count - number)


def name_of(number: int) -> str:
    """Give a first name and a number."""
    return f"{NAMES[number % 10]} {number}"


def key(number: int, kind: int) -> UUID:
    """Give the id of a block's number-th row of a kind; its first 12 digits are left to the number of the block."""
    return UUID(int=kind << 64 | number)


def multiply(model: type[models.Model], *, among: set[type[models.Model]], size: int, **unlike: str) -> None:
    """Store a model's rows 99 times more, each block of ``size`` rows as many seconds later than the one before.

    ``among``: the models that are multiplied, whose ids change along. ``unlike``: what other columns become, as SQL of
    ``k``, the number of the block.
    """
    is_postgres = connection.vendor == "postgresql"
    columns: dict[str, str] = {}
    for field in model._meta.concrete_fields:
        if isinstance(field, models.AutoField):
            continue  # The database counts.
        name = str(field.column)
        column = f'old."{name}"'
        of = field.related_model if field.is_relation else model if field.primary_key else None
        if name in unlike:
            columns[name] = unlike[name]
        elif of in among:
            columns[name] = _moved_key(column, is_postgres=is_postgres)
        elif isinstance(field, models.DateTimeField):
            columns[name] = _moved_time(column, size, is_postgres=is_postgres)
        else:
            columns[name] = column
    table = model._meta.db_table
    blocks = f"WITH RECURSIVE n(k) AS (VALUES (1) UNION ALL SELECT k + 1 FROM n WHERE k < {BLOCKS - 1}) SELECT k FROM n"  # noqa: S608 (of our own words)
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {", ".join(columns.values())} '  # noqa: S608 (of our own words)
            f'FROM "{table}" AS old, ({blocks}) AS numbers ORDER BY k, old."{model._meta.pk.column}"'
        )


def _moved_key(column: str, *, is_postgres: bool) -> str:
    if is_postgres:
        return f"(lpad(to_hex(k), 12, '0') || substr(replace({column}::text, '-', ''), 13))::uuid"
    return f"printf('%012x', k) || substr({column}, 13)"


def _moved_time(column: str, size: int, *, is_postgres: bool) -> str:
    if is_postgres:
        return f"{column} + k * interval '{size} seconds'"
    return f"strftime('%Y-%m-%d %H:%M:%f000', {column}, '+' || (k * {size}) || ' seconds')"
