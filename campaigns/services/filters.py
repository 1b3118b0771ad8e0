"""Lists as somebody wants to see them again."""

from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import QueryDict

from calls.services.cleaning import clean_text
from campaigns.models import SavedFilter

MOST = 50
"""Filters a person can keep for one list."""
LIST_PLACES = ("p", "all", "_popup", "_to_field", "e")
"""Parts of a query that say where somebody is in a list, not what the list is."""


def save_filter(page: str, *, name: str, query: str, by: AbstractBaseUser) -> SavedFilter:
    """Keep a list's query under a name; a name that is there already gets the new query.

    Raises ``ValidationError`` that says what is wrong.
    """
    kept = QueryDict(query, mutable=True)
    for place in LIST_PLACES:
        kept.pop(place, None)
    values = {"name": _name(name), "query": kept.urlencode()}
    if not values["query"]:
        message = "Nothing is filtered: choose a filter or search first."
        raise ValidationError(message)
    mine = SavedFilter.objects.filter(user_id=by.pk, page=page)
    if not mine.filter(name=values["name"]).exists() and mine.count() >= MOST:
        message = f"You have {MOST} filters here; delete one first."
        raise ValidationError(message)
    saved = SavedFilter(user_id=by.pk, page=page, **values)
    saved.clean_fields(exclude=["user"])
    saved, _ = SavedFilter.objects.update_or_create(
        user_id=by.pk, page=page, name=values["name"], defaults={"query": values["query"]}
    )
    return saved


def change_filter(filter_id: UUID, *, name: str, is_shared: bool, by: AbstractBaseUser) -> bool:
    """Rename one of one's own filters, and share it with the others or no longer. False: there was none.

    Raises ``ValidationError`` that says what is wrong with the name.
    """
    row = SavedFilter.objects.filter(pk=filter_id, user_id=by.pk).first()
    if row is None:
        return False
    row.name, row.is_shared = _name(name), is_shared
    if SavedFilter.objects.filter(user_id=by.pk, page=row.page, name=row.name).exclude(pk=row.pk).exists():
        message = f"You have another filter “{row.name}” here."
        raise ValidationError(message)
    row.save(update_fields=["name", "is_shared"])
    return True


def _name(written: str) -> str:
    name = clean_text(written).strip()[:60]
    if not name:
        message = "Give the filter a name."
        raise ValidationError(message)
    return name


def delete_filter(filter_id: UUID, *, by: AbstractBaseUser) -> bool:
    """Forget one of one's own filters. False: there was none."""
    deleted, _ = SavedFilter.objects.filter(pk=filter_id, user_id=by.pk).delete()
    return deleted == 1
