"""Stream tokens: what lets a media stream be a call's, once and for a short time.

A token names the call and the stream; whether it still opens it, the stream's row says. So the same request for TwiML,
asked twice, gets the same token twice, and only one socket gets in with it.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.utils import timezone

from calls import services
from calls.services import StreamGrant

MOST_STREAMS = 4
"""The first, and three that go on with the call; a transfer from which the caller comes back has one of its own."""

_signer = signing.Signer(salt="calls.telephony.tokens")


def issue(attempt_id: UUID, *, after: int = 0) -> str | None:
    """Give the token of the stream that comes after stream ``after`` (0: the first one); None: there are no more."""
    number = after + 1
    if number < 1 or (number > MOST_STREAMS and number > MOST_STREAMS + services.transfers_of(attempt_id)):
        return None
    services.ask_for_stream(attempt_id, number, at=timezone.now())
    return _signer.sign(f"{attempt_id.hex}.{number}")


def redeem(token: str, session_id: UUID | None = None) -> StreamGrant | None:
    """Use a token up for the conversation ``session_id``; None where it is forged, used, too old or its call over.

    Without the session's id nobody can tell later whether its conversation came to an end.
    """
    try:
        attempt_id, _, number = _signer.unsign(token).partition(".")
    except signing.BadSignature:
        return None
    grant = StreamGrant(UUID(attempt_id), int(number))
    now = timezone.now()
    not_before = now - timedelta(seconds=settings.STREAM_TOKEN_SECONDS)
    return grant if services.open_stream(grant, session_id, at=now, not_before=not_before) else None
