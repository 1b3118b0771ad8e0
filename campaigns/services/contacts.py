"""Contacts one by one, as other systems store them; files go through ``services.imports``."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from msgspec import Struct

from calls.services.cleaning import clean_json, clean_text
from campaigns import imports
from campaigns.enums import DuplicatePolicy
from campaigns.imports import NumberRefusedError
from campaigns.models import CallerId, Campaign, Contact, ContactList

_MOST_FIELDS = 100


class Taken(Struct):
    """What came of many contacts; ``refused`` are places in what was given, with the reasons."""

    created: int = 0
    updated: int = 0
    known: int = 0
    refused: list[tuple[int, str]] = []


@transaction.atomic
def add_contact(
    number: str,
    *,
    default_region: str = "",
    name: str = "",
    fields: Mapping[str, str] | None = None,
    region: str = "",
    time_zone: str = "",
    lists: Iterable[UUID] = (),
) -> tuple[Contact, bool]:
    """Store a contact; False: the number is known, and the contact only comes on the lists.

    Raises ``ValidationError`` by field.
    """
    try:
        e164 = imports.normalise(number.strip(), default_region)
    except NumberRefusedError as error:
        raise ValidationError({"number": str(error)}) from None
    groups = _found(ContactList.objects.filter(pk__in=lists), lists, "lists")
    contact = Contact(
        e164=e164, name=clean_text(name), fields=clean_json(fields or {}), region=region, time_zone=time_zone
    )
    _check(contact)
    contact, is_new = Contact.objects.get_or_create(
        e164=e164,
        defaults={"name": contact.name, "fields": contact.fields, "region": region, "time_zone": time_zone},
    )
    contact.lists.add(*groups)
    return contact, is_new


def add_contacts(given: Sequence[tuple[str, Mapping[str, Any]]], *, policy: DuplicatePolicy) -> Taken:
    """Store many contacts, each for itself: pairs of a number and what ``add_contact`` takes."""
    taken = Taken()
    for index, (number, columns) in enumerate(given):
        try:
            contact, is_new = add_contact(number, **columns)
            if is_new:
                taken.created += 1
            elif policy == DuplicatePolicy.UPDATE:
                said = {name: columns[name] for name in ("name", "region", "time_zone") if columns.get(name)}
                change_contact(contact, {**said, "fields": contact.fields | dict(columns.get("fields") or {})})
                taken.updated += 1
            else:
                taken.known += 1
        except ValidationError as error:
            text = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
            taken.refused.append((index, text))
    return taken


def change_contact(contact: Contact, changes: Mapping[str, Any]) -> Contact:
    """Change name, fields, region or time zone. Raises ``ValidationError`` by field."""
    for name, value in changes.items():
        setattr(contact, name, clean_json(value) if name == "fields" else clean_text(value))
    _check(contact)
    if changes:
        contact.save(update_fields=[*changes, "updated_at"])
    return contact


def _check(contact: Contact) -> None:
    contact.clean_fields(exclude=["e164"])
    if len(contact.fields) > _MOST_FIELDS:
        raise ValidationError({"fields": f"More than {_MOST_FIELDS} fields."})


def _found(rows: Any, ids: Iterable[UUID], field: str) -> list[Any]:
    found = list(rows)
    if missing := set(ids) - {row.pk for row in found}:
        raise ValidationError({field: f"There is none of the id {min(map(str, missing))}."})
    return found


@transaction.atomic
def draft_campaign(columns: Mapping[str, Any], *, lists: Iterable[UUID], caller_ids: Iterable[UUID]) -> Campaign:
    """Make a draft. Raises ``ValidationError`` by field."""
    campaign = Campaign(**columns)
    campaign.full_clean()
    groups = _found(ContactList.objects.filter(pk__in=lists), lists, "lists")
    numbers = _found(CallerId.objects.filter(pk__in=caller_ids), caller_ids, "caller_ids")
    campaign.save(force_insert=True)
    campaign.lists.set(groups)
    campaign.caller_ids.set(numbers)
    return campaign
