"""What is asked of a carrier, whichever it is."""

import re
from datetime import datetime
from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string
from msgspec import Struct

from calls.enums import AttemptStatus

FICTIONAL = re.compile(r"\+1\d{3}55501\d\d")
"""NPA 555-0100 to 555-0199: kept free for fiction in every area of the North American plan."""
_SIGNING_TOKENS = {"twilio": "TWILIO_AUTH_TOKEN", "sandbox": "SANDBOX_TOKEN"}
"""By which setting's value a carrier signs what it asks and tells."""


class CallOrder(Struct, frozen=True, kw_only=True):
    """A call to be placed. The addresses are what the carrier asks and tells; each names the call."""

    to_e164: str
    from_e164: str
    answer_url: str
    status_url: str
    detection_url: str
    ring_seconds: int
    limit_seconds: int
    """How long it may last after its answer, whatever happens on our side."""


class CarrierCall(Struct, frozen=True, kw_only=True):
    """A call as the carrier has it."""

    sid: str
    status: AttemptStatus
    created_at: datetime | None = None
    duration_seconds: int | None = None


class Carrier(Protocol):
    """One way to reach telephones. Every method blocks, for seconds where the carrier is slow.

    They raise ``TelephonyError``; ``UnknownCallError`` where the carrier has no such call.
    """

    def place(self, order: CallOrder) -> CarrierCall:
        """Dial. Raises ``UncertainTelephonyError`` where the carrier may have taken the order."""

    def fetch(self, sid: str) -> CarrierCall:
        """Give a call by its id."""

    def find(self, *, to_e164: str, from_e164: str, since: datetime) -> list[CarrierCall]:
        """Give the calls that we placed from one number to another since then, the oldest first."""

    def hang_up(self, sid: str) -> None:
        """End a call, or its ringing. One that is over already is no error."""

    def update(self, sid: str, *, url: str) -> None:
        """Have a call on the line ask this address what comes next, at once."""

    def start_recording(self, sid: str, *, url: str) -> None:
        """Record a call from now on, each side on a channel of its own; the address is told when it is done."""

    def pause_recording(self, sid: str) -> None:
        """Leave out what is said from now on. A call that is not recorded is no error, here and in the next two."""

    def resume_recording(self, sid: str) -> None:
        """Go on with a recording that was paused."""

    def stop_recording(self, sid: str) -> None:
        """Stop the recording of a call for good."""

    def delete_recording(self, recording_sid: str) -> None:
        """Delete a recording at the carrier. One that is gone is no error."""


_OWN_WORDS = {AttemptStatus.DIALING, AttemptStatus.UNKNOWN, AttemptStatus.NOT_PLACED}


def carrier_status(word: str) -> AttemptStatus | None:
    """Read a carrier's word for where a call is; None where it is none of them."""
    try:
        status = AttemptStatus(word)
    except ValueError:
        return None
    return None if status in _OWN_WORDS else status


@cache
def _load(path: str) -> Carrier:
    made: Carrier = import_string(path)()
    return made


def carrier(name: str) -> Carrier:
    """Give a carrier of ``settings.CARRIERS``, the same one in all of the process. Raises ``KeyError``."""
    return _load(settings.CARRIERS[name])


def signing_tokens() -> dict[str, str]:
    """Give the secret of each carrier that this installation takes webhooks of."""
    tokens = {name: getattr(settings, setting) for name, setting in _SIGNING_TOKENS.items()}
    return {name: token for name, token in tokens.items() if token}
