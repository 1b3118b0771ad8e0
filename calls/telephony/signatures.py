"""Whether a media stream's socket is a carrier's (https://www.twilio.com/docs/usage/webhooks/webhooks-security).

The handshake is signed like a webhook without fields: over the address that our TwiML named, ``wss`` and all.
"""

from collections.abc import Iterable

from calls.telephony import twiml
from calls.telephony.carriers import signing_tokens

HEADER = b"x-twilio-signature"


def is_socket_signed(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Judge a handshake by its headers: one of our carriers signed it, or nobody that we know did."""
    signature = next((value.decode("latin-1") for name, value in headers if name.lower() == HEADER), "")
    if not signature:
        return False
    # Processes that serve no carrier do without the SDK.
    from twilio.request_validator import RequestValidator  # noqa: PLC0415 (see above)

    address = twiml.media_url()
    return any(
        RequestValidator(token).validate(signed, {}, signature)
        for token in signing_tokens().values()
        for signed in (address, f"{address}/")
    )
