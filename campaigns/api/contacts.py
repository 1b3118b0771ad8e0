"""Contacts, lists and imports."""

import json
from http import HTTPStatus
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import File, Form, Router, Status, UploadedFile

from campaigns import services
from campaigns.api.keys import Opens
from campaigns.api.paging import Limit, page_of
from campaigns.api.problems import ApiError
from campaigns.api.shapes import (
    BulkIn,
    BulkOut,
    ContactChange,
    ContactIn,
    ContactOut,
    ContactPage,
    ImportOut,
    ListIn,
    ListOut,
    ListPage,
)
from campaigns.enums import DuplicatePolicy, Scope
from campaigns.models import Contact, ContactImport, ContactList
from vantum.downloads import attachment

router = Router()
READ, WRITE = Opens(Scope.CONTACTS_READ), Opens(Scope.CONTACTS_WRITE)


@router.get("/contacts", response=ContactPage, auth=READ, tags=["contacts"])
def list_contacts(
    request: HttpRequest,
    after: UUID | None = None,
    limit: Limit = 100,
    list_id: UUID | None = None,
    number: str = "",
) -> dict[str, Any]:
    """Contacts, the newest first; of one list, or with a number that begins so."""
    del request
    rows = Contact.objects.all().matching({"list": str(list_id or ""), "words": number})
    items, following = page_of(rows, after=after, limit=limit)
    return {"items": items, "next": following}


@router.post("/contacts", response={201: ContactOut}, auth=WRITE, tags=["contacts"])
def create_contact(request: HttpRequest, given: ContactIn) -> Status[Contact]:
    """Store a contact. A number that is known is a conflict: change that contact instead."""
    del request
    contact, is_new = services.add_contact(given.number, **_columns(given))
    if not is_new:
        detail = f"The number is that of the contact {contact.pk}."
        raise ApiError(HTTPStatus.CONFLICT, detail, [("number", "is known already")])
    return Status(201, contact)


@router.post("/contacts/bulk", response=BulkOut, auth=WRITE, tags=["contacts"])
def create_contacts(request: HttpRequest, given: BulkIn) -> dict[str, Any]:
    """Store up to 1,000 contacts; those that cannot be stored are named, and the others are."""
    del request
    policy = DuplicatePolicy.UPDATE if given.update else DuplicatePolicy.KEEP
    taken = services.add_contacts([(one.number, _columns(one)) for one in given.contacts], policy=policy)
    refused = [{"index": index, "message": message} for index, message in taken.refused]
    return {"created": taken.created, "updated": taken.updated, "known": taken.known, "refused": refused}


@router.get("/contacts/{uuid:contact_id}", response=ContactOut, auth=READ, tags=["contacts"])
def show_contact(request: HttpRequest, contact_id: UUID) -> Contact:
    """One contact."""
    del request
    return get_object_or_404(Contact, pk=contact_id)


@router.patch("/contacts/{uuid:contact_id}", response=ContactOut, auth=WRITE, tags=["contacts"])
def change_contact(request: HttpRequest, contact_id: UUID, given: ContactChange) -> Contact:
    """Change a contact."""
    del request
    contact = get_object_or_404(Contact, pk=contact_id)
    return services.change_contact(contact, given.model_dump(exclude_none=True))


def _columns(given: ContactIn) -> dict[str, Any]:
    return {
        "default_region": given.default_region.upper(), "name": given.name, "fields": given.fields,
        "region": given.region, "time_zone": given.time_zone, "lists": given.lists,
    }  # fmt: skip


@router.get("/lists", response=ListPage, auth=READ, tags=["lists"])
def list_lists(request: HttpRequest, after: UUID | None = None, limit: Limit = 100) -> dict[str, Any]:
    """Lists, the newest first."""
    del request
    items, following = page_of(ContactList.objects.all(), after=after, limit=limit)
    return {"items": items, "next": following}


@router.post("/lists", response={201: ListOut, 200: ListOut}, auth=WRITE, tags=["lists"])
def create_list(request: HttpRequest, given: ListIn) -> Status[ContactList]:
    """Make a list; one of that name that is there already is given with status 200."""
    del request
    made, is_new = ContactList.objects.get_or_create(name=given.name.strip() or given.name)
    return Status(201 if is_new else 200, made)


@router.post("/imports", response={201: ImportOut}, auth=WRITE, tags=["imports"])
def create_import(
    request: HttpRequest,
    file: File[UploadedFile],
    region: Form[str] = "US",
    list_name: Form[str] = "",
    mapping: Form[str] = "",
    update: Form[bool] = False,  # noqa: FBT002 (a field of a form)
) -> Status[ContactImport]:
    """Import a CSV file or an Excel workbook in the background; ask for it again to see how far it is.

    ``mapping`` is a JSON object of columns and what they are; what is left out is guessed.
    """
    del request
    row = services.receive_file(
        cast("BinaryIO", file.file),
        name=file.name or "list",
        region=region.upper(),
        by=None,
        at=timezone.now(),
    )
    try:
        services.start_import(
            row.pk, mapping=row.mapping | _mapping(mapping), region=row.region, list_name=list_name,
            policy=DuplicatePolicy.UPDATE if update else DuplicatePolicy.KEEP,
        )  # fmt: skip
    except Exception:
        services.cancel_import(row.pk, at=timezone.now())
        raise
    row.refresh_from_db()
    return Status(201, row)


def _mapping(text: str) -> dict[str, str]:
    try:
        wanted = json.loads(text or "{}")
    except ValueError:
        wanted = None
    if isinstance(wanted, dict) and all(isinstance(target, str) for target in wanted.values()):
        return wanted
    problem = ("mapping", 'write it as {"Mobile": "phone"}')
    raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "The mapping cannot be read.", [problem])


@router.get("/imports/{uuid:import_id}", response=ImportOut, auth=READ, tags=["imports"])
def show_import(request: HttpRequest, import_id: UUID) -> ContactImport:
    """How far an import is, and what came of it."""
    del request
    return get_object_or_404(ContactImport, pk=import_id)


@router.get("/imports/{uuid:import_id}/bad-rows", auth=READ, tags=["imports"])
def show_bad_rows(request: HttpRequest, import_id: UUID) -> StreamingHttpResponse:
    """The rows that came back, as CSV with the reasons."""
    row = get_object_or_404(ContactImport, pk=import_id)
    place = services.bad_rows_path(row.pk)
    if not row.bad or not place.exists():
        raise Http404
    return attachment(request, place.open("rb"), filename="returned.csv")
