"""Lists as somebody wants to see them again."""

from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import QueryDict

from calls.services.cleaning import clean_text
from campaigns.models import SavedFilter

MOST = 50
"""Filters a person can keep for one list."""
_PLACES = ("p", "all", "_popup", "_to_field", "e")
"""Parts of a query that say where somebody is in a list, not what the list is."""


def save_filter(page: str, *, name: str, query: str, by: AbstractBaseUser) -> SavedFilter:
    """Keep a list's query under a name; a name that is there already gets the new query.

    Raises ``ValidationError`` that says what is wrong.
    """
    kept = QueryDict(query, mutable=True)
    for place in _PLACES:
        kept.pop(place, None)
    values = {"name": clean_text(name).strip()[:60], "query": kept.urlencode()}
    if not values["name"]:
        message = "Give the filter a name."
        raise ValidationError(message)
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


def delete_filter(filter_id: UUID, *, by: AbstractBaseUser) -> bool:
    """Forget one of one's own filters. False: there was none."""
    deleted, _ = SavedFilter.objects.filter(pk=filter_id, user_id=by.pk).delete()
    return deleted == 1
