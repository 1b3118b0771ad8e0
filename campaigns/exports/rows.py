"""What stands in the files, a page of rows at a time."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from calls.models import CallAttempt, CallSession, Suppression
from campaigns.enums import ExportKind
from campaigns.models import CampaignAttempt, CampaignContact, Contact, Export

PAGE = 1000
_CONTACTS = ("id", "number", "name", "region", "time_zone", "status", "suppressed", "lists", "fields", "created_at")
_RESULT = ("disposition", "interest", "summary")
_MEMBERS = (
    *("campaign", "contact_id", "number", "name", "state", "attempts", "last_outcome", "finish_reason", "held_because"),
    *("next_attempt_at", "callback_at", "finished_at", *_RESULT),
)
_CALLS = (
    *("id", "created_at", "direction", "to", "from", "status", "answered_at", "ended_at", "duration_seconds"),
    *("error", "session_id", *_RESULT),
)


def header_of(kind: ExportKind) -> tuple[str, ...]:
    """Give the names of the columns."""
    return {ExportKind.CONTACTS: _CONTACTS, ExportKind.MEMBERS: _MEMBERS, ExportKind.CALLS: _CALLS}[kind]


def pages_of(export: Export) -> Iterator[list[list[str]]]:
    """Give the rows as text, some at a time, in the order of their ids; only a page is in memory."""
    rows, write = _source(export)
    last: UUID | None = None
    while page := list((rows if last is None else rows.filter(pk__gt=last)).order_by("pk")[:PAGE]):
        yield [[_text(cell) for cell in cells] for cells in write(page)]
        last = page[-1].pk


def count_of(export: Export) -> int:
    """Give how many rows there are now."""
    return _source(export)[0].count()


def _source(export: Export) -> tuple[QuerySet[Any], Callable[[list[Any]], list[list[Any]]]]:
    ids = export.selection.get("ids")
    chosen: dict[str, Any] = {} if ids is None else {"pk__in": ids}
    filters = {name: str(value) for name, value in export.selection.items() if name != "ids"}
    if export.kind == ExportKind.MEMBERS:
        members = CampaignContact.objects.filter(**chosen).matching(filters)
        return members.select_related("contact", "campaign"), _members
    if export.kind == ExportKind.CALLS:
        if campaign := filters.get("campaign"):
            chosen["campaign_attempt__campaign_id"] = campaign
        calls = CallAttempt.objects.filter(**chosen).matching(filters).select_related("session__analysis")
        return calls.prefetch_related("session__analysis__corrections"), _calls
    return Contact.objects.filter(**chosen).matching(filters).prefetch_related("lists"), _contacts


def _contacts(page: list[Contact]) -> list[list[Any]]:
    numbers = [contact.e164 for contact in page]
    suppressed = set(Suppression.objects.filter(e164__in=numbers).values_list("e164", flat=True))
    return [
        [
            *(contact.pk, contact.e164, contact.name, contact.region, contact.time_zone, contact.status),
            "yes" if contact.e164 in suppressed else "no",
            "; ".join(group.name for group in contact.lists.all()),
            json.dumps(contact.fields, ensure_ascii=False) if contact.fields else "",
            contact.created_at,
        ]
        for contact in page
    ]


def _members(page: list[CampaignContact]) -> list[list[Any]]:
    made = CampaignAttempt.objects.filter(member__in=page).order_by("number")
    made = made.select_related("attempt__session__analysis").prefetch_related("attempt__session__analysis__corrections")
    judged = {}
    for one in made:  # the latest that was judged stays
        if (result := _result(one.attempt.session)) != _NO_RESULT:
            judged[one.member_id] = result
    return [
        [
            *(member.campaign.name, member.contact_id, member.contact.e164, member.contact.name, member.state),
            *(member.attempts, member.last_outcome, member.finish_reason, member.held_because, member.next_attempt_at),
            *(member.callback_at, member.finished_at, *judged.get(member.pk, _NO_RESULT)),
        ]
        for member in page
    ]


def _calls(page: list[CallAttempt]) -> list[list[Any]]:
    return [
        [
            *(call.pk, call.created_at, call.direction, call.to_e164, call.from_e164, call.status, call.answered_at),
            *(call.ended_at, call.duration_seconds, call.error, call.session_id, *_result(call.session)),
        ]
        for call in page
    ]


_NO_RESULT: tuple[Any, ...] = ("", "", "")


def _result(session: CallSession | None) -> tuple[Any, ...]:
    analysis = getattr(session, "analysis", None)
    if analysis is None or not analysis.disposition:
        return _NO_RESULT
    counts = analysis.corrected()
    return counts["disposition"], counts["interest"], counts["summary"]


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return cell.isoformat(timespec="seconds") if isinstance(cell, datetime) else str(cell)
