"""Who asks: a key, and what it opens."""

from http import HTTPStatus

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from campaigns import services
from campaigns.api.problems import ApiError
from campaigns.enums import Scope
from campaigns.models import ApiKey


class Opens(HttpBearer):
    """Lets in who has a key with a scope."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        """Give the key's row; None for what is no valid key. Raises ``ApiError`` for one that opens other things."""
        del request
        row = services.find_api_key(token, now=timezone.now())
        if row is not None and self.scope not in row.scopes:
            message = f"This key does not open {self.scope}."
            raise ApiError(HTTPStatus.FORBIDDEN, message)
        return row


def key_of(request: HttpRequest) -> ApiKey:
    """Give the key that ``Opens`` let in."""
    key: ApiKey = request.auth  # type: ignore[attr-defined]  # (Ninja puts there what authenticate gave)
    return key
