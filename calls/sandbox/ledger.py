"""The carrier's books: its calls, where each of them is, and what is told and asked about it, in Twilio's words.

Nothing here waits, sends or rings; who does that takes the forms from here and posts them.
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

OVER = {"completed", "busy", "no-answer", "failed", "canceled"}
NO_SUCH_NUMBER = 21211
NOT_IN_PROGRESS = 21220


class Form(NamedTuple):
    """What is posted to an address."""

    url: str
    fields: dict[str, str]


class LedgerCall:
    """One call. ``order`` has the names of Twilio's REST request: ``To``, ``From``, ``Url``, ``StatusCallback`` ..."""

    def __init__(
        self, account_sid: str, order: Mapping[str, str], *, direction: str = "outbound-api", status: str = "queued"
    ) -> None:
        self.account_sid = account_sid
        self.order = dict(order)
        self.direction = direction
        self.status = status
        self.sid = f"CA{secrets.token_hex(16)}"
        self.created = datetime.now(UTC)
        self.duration: str | None = None
        self._sequence = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing is on the line any more."""
        return self.status in OVER

    def advance(self, status: str, **more: str) -> Form | None:
        """Move to a status; give what is told of it, None where nobody wants to know."""
        self.status = status
        self.duration = more.get("CallDuration", self.duration)
        form = {**self._names(), "CallStatus": status, "SequenceNumber": str(self._sequence), **more}
        self._sequence += 1
        url = self.order.get("StatusCallback", "")
        return Form(url, form) if url else None

    def question(self, url: str, **more: str) -> Form:
        """Ask for TwiML."""
        return Form(url, {**self._names(), "CallStatus": self.status, **more})

    def verdict(self, answered_by: str, after_ms: int) -> Form | None:
        """Tell what the asynchronous answering machine detection found."""
        url = self.order.get("AsyncAmdStatusCallback", "")
        found = {"AnsweredBy": answered_by, "MachineDetectionDuration": str(after_ms)}
        return Form(url, {**self._names(), **found}) if url else None

    def stream_event(self, url: str, stream_sid: str, event: str, **more: str) -> Form:
        """Tell what became of a media stream; ``url`` is its TwiML's ``statusCallback``."""
        return Form(url, {**self._names(), "StreamSid": stream_sid, "StreamEvent": event, **more})

    def _names(self) -> dict[str, str]:
        numbers = {"To": self.order["To"], "From": self.order["From"]}
        account = {"AccountSid": self.account_sid, "ApiVersion": "2010-04-01", "Direction": self.direction}
        return {"CallSid": self.sid, **account, **numbers}
