"""Errors as ``application/problem+json`` (RFC 9457), each naming the field and the remedy."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from django.core.exceptions import ValidationError as FieldError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError

from calls.errors import AgentError, DialRefusedError
from campaigns.errors import CampaignError, ImportRefusedError

_TEXT = {"type": "string"}
_ERROR = {"type": "object", "properties": {"field": _TEXT, "message": _TEXT}}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "errors": {"type": "array", "items": _ERROR},
    },
}
PROBLEM_RESPONSE = {
    "description": "Refused: what is wrong, by field, and the remedy (RFC 9457).",
    "content": {"application/problem+json": {"schema": _PROBLEM}},
}
"""How the document describes what ``problem`` gives."""


class ApiError(Exception):
    """A request that is refused: ``errors`` are pairs of a field and what is wrong with it."""

    def __init__(self, status: HTTPStatus, detail: str, errors: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)


def problem(
    status: int, detail: str, errors: Sequence[tuple[str, str]] = (), headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Give one error as a response."""
    told: dict[str, object] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if detail:
        told["detail"] = detail
    if errors:
        told["errors"] = [{"field": field, "message": message} for field, message in errors]
    return HttpResponse(
        json.dumps(told), status=status, content_type="application/problem+json", headers=dict(headers or {})
    )


def install_handlers(api: NinjaAPI) -> None:
    """Have every refusal of ours answered as a problem."""
    bad = HTTPStatus.UNPROCESSABLE_ENTITY

    @api.exception_handler(ApiError)
    def refused(_request: HttpRequest, error: ApiError) -> HttpResponse:
        return problem(error.status, error.detail, error.errors)

    @api.exception_handler(ValidationError)
    def unreadable(_request: HttpRequest, error: ValidationError) -> HttpResponse:
        return problem(bad, "The request cannot be read.", [_place(each) for each in error.errors])

    @api.exception_handler(FieldError)
    def invalid(_request: HttpRequest, error: FieldError) -> HttpResponse:
        fields = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        errors = [(name, message) for name, messages in fields.items() for message in messages]
        return problem(bad, "A value is not possible.", errors)

    @api.exception_handler(ImportRefusedError)
    def unimportable(_request: HttpRequest, error: ImportRefusedError) -> HttpResponse:
        return problem(bad, "The list cannot be imported.", [(error.field, str(error))])

    @api.exception_handler(CampaignError)
    def impossible(_request: HttpRequest, error: CampaignError) -> HttpResponse:
        return problem(HTTPStatus.CONFLICT, str(error), [("campaign", each) for each in error.problems])

    @api.exception_handler(DialRefusedError)
    @api.exception_handler(AgentError)
    def not_dialled(_request: HttpRequest, error: Exception) -> HttpResponse:
        return problem(HTTPStatus.CONFLICT, str(error))

    _install_doors(api)


def _install_doors(api: NinjaAPI) -> None:
    @api.exception_handler(Throttled)
    def too_many(_request: HttpRequest, error: Throttled) -> HttpResponse:
        return problem(429, "Too many requests: wait, then go on.", headers={"Retry-After": str(error.wait or 1)})

    @api.exception_handler(AuthenticationError)
    def unknown(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
        detail = "Send a key that is valid: Authorization: Bearer vtm_..."
        return problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "Bearer"})

    @api.exception_handler(HttpError)
    def other(_request: HttpRequest, error: HttpError) -> HttpResponse:
        return problem(error.status_code, str(error))

    @api.exception_handler(Http404)
    def missing(_request: HttpRequest, _error: Http404) -> HttpResponse:
        return problem(HTTPStatus.NOT_FOUND, "There is nothing of this id.")


def _place(error: Mapping[str, object]) -> tuple[str, str]:
    place = error.get("loc")
    parts = [str(part) for part in place] if isinstance(place, tuple | list) else []
    # "body", then the parameter's own name, come before the field.
    skipped = 2 if parts[:1] in (["body"], ["form"]) and len(parts) > 2 else 1  # noqa: PLR2004 (see above)
    return ".".join(parts[skipped:]), str(error.get("msg", ""))
