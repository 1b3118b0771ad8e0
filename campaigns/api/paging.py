"""Lists a page at a time: a cursor is the last row's id, so that new rows neither repeat nor hide others."""

from typing import Annotated, Any
from uuid import UUID

from django.db.models import Model, QuerySet
from pydantic import Field

Limit = Annotated[int, Field(ge=1, le=500)]
"""How many rows a page has."""


def page_of(rows: QuerySet[Any], *, after: UUID | None, limit: int) -> tuple[list[Any], UUID | None]:
    """Give the rows behind a cursor, the newest first (ids grow with time), and the next cursor."""
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found: list[Model] = list(rows.order_by("-pk")[: limit + 1])
    return found[:limit], (found[limit - 1].pk if len(found) > limit else None)
