"""Signed, short-lived tokens: who may open a call without a session cookie, ``/ws?token=...``."""

from django.conf import settings
from django.core import signing

_SALT = "calls.services.tokens"


def make_call_token(*, user_id: int | None = None) -> str:
    """Give a token that opens calls for ``settings.WS_TOKEN_SECONDS``, in the name of a user where one is given."""
    return signing.dumps({"user": user_id}, salt=_SALT, compress=False)


def read_call_token(token: str) -> int | None:
    """Give the user of a token. Raises ``django.core.signing.BadSignature`` when it is forged or too old."""
    content = signing.loads(token, salt=_SALT, max_age=settings.WS_TOKEN_SECONDS)
    user_id: int | None = content["user"]
    return user_id
