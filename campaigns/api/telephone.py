"""Telephone calls and suppressed numbers."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Status

from calls.enums import SuppressionSource
from calls.models import CallAttempt, Suppression, Turn
from campaigns import services
from campaigns.api.keys import Opens
from campaigns.api.paging import Limit, page_of
from campaigns.api.problems import ApiError
from campaigns.api.shapes import CallIn, CallOut, CallPage, SuppressionIn, SuppressionOut, SuppressionPage, TurnOut
from campaigns.enums import Scope

router = Router()


@router.get("/calls", response=CallPage, auth=Opens(Scope.CALLS_READ), tags=["calls"])
def list_calls(request: HttpRequest, after: UUID | None = None, limit: Limit = 100, number: str = "") -> dict[str, Any]:
    """Telephone calls, the newest first; all, or those to a number."""
    del request
    rows = CallAttempt.objects.filter(to_e164=number) if number else CallAttempt.objects.all()
    items, following = page_of(rows, after=after, limit=limit)
    return {"items": items, "next": following}


@router.post("/calls", response={201: CallOut}, auth=Opens(Scope.CALLS_PLACE), tags=["calls"])
def place_call(request: HttpRequest, given: CallIn) -> Status[CallAttempt]:
    """Call a number, unless the gate that every call passes says no."""
    del request
    made = services.dial_once(
        given.number, agent_id=given.agent_id, variables=given.variables, by=None, is_confirmed=given.is_confirmed,
        from_e164=given.from_number,
    )  # fmt: skip
    if made.attempt is None:
        reason = str(made.decision.reason)
        detail = f"The call is held back: {reason.replace('_', ' ')}."
        raise ApiError(HTTPStatus.CONFLICT, detail, [("number", reason)])
    return Status(201, made.attempt)


@router.get("/calls/{uuid:call_id}", response=CallOut, auth=Opens(Scope.CALLS_READ), tags=["calls"])
def show_call(request: HttpRequest, call_id: UUID) -> CallAttempt:
    """One call."""
    del request
    return get_object_or_404(CallAttempt, pk=call_id)


@router.get("/calls/{uuid:call_id}/transcript", response=list[TurnOut], auth=Opens(Scope.CALLS_READ), tags=["calls"])
def show_transcript(request: HttpRequest, call_id: UUID) -> list[Turn]:
    """What was said, in its order."""
    del request
    call = get_object_or_404(CallAttempt, pk=call_id)
    return list(Turn.objects.filter(session_id=call.session_id)) if call.session_id else []


@router.get("/suppressions", response=SuppressionPage, auth=Opens(Scope.SUPPRESSIONS_READ), tags=["suppressions"])
def list_suppressions(
    request: HttpRequest, after: UUID | None = None, limit: Limit = 100, number: str = ""
) -> dict[str, Any]:
    """Numbers that nobody may dial, the newest first."""
    del request
    rows = Suppression.objects.filter(e164=number) if number else Suppression.objects.all()
    items, following = page_of(rows, after=after, limit=limit)
    return {"items": items, "next": following}


@router.post(
    "/suppressions",
    response={201: SuppressionOut, 200: SuppressionOut},
    auth=Opens(Scope.SUPPRESSIONS_WRITE),
    tags=["suppressions"],
)
def suppress(request: HttpRequest, given: SuppressionIn) -> Status[Suppression]:
    """Have a number never dialled again, at once and everywhere; 200 where it was suppressed before."""
    del request
    try:
        done = services.opt_out(given.number, source=SuppressionSource.OPERATOR, proof=given.proof)
    except ValidationError as error:
        raise ValidationError({"number": error.messages}) from None
    return Status(201 if done.is_new else 200, Suppression.objects.get(e164=given.number))
