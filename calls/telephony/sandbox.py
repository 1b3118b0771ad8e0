"""The sandbox as a carrier: the process of ``manage.py sandbox``, asked over loopback HTTP.

It reaches the numbers kept free for fiction and nobody else. What it does not answer in time may have been done, as
with any carrier.
"""

import http.client
import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from calls.errors import TelephonyError, UncertainTelephonyError, UnknownCallError
from calls.telephony.carriers import FICTIONAL, CallOrder, CarrierCall, carrier_status

_NO_SUCH_NUMBER = 21211
_NOT_IN_PROGRESS = 21220
_REMEDY = "start it with make run, or manage.py sandbox"


class Sandbox:
    """The carrier of an installation without Twilio's keys. One object serves all threads."""

    def place(self, order: CallOrder) -> CarrierCall:
        """Dial a number of the range for fiction."""
        if not FICTIONAL.fullmatch(order.to_e164):
            message = "the sandbox calls +1 NPA 555-0100 to 555-0199 only; other numbers need a real carrier"
            raise TelephonyError(message, permanent=True, code=_NO_SUCH_NUMBER)
        wish = {
            "To": order.to_e164,
            "From": order.from_e164,
            "Url": order.answer_url,
            "StatusCallback": order.status_url,
            "AsyncAmdStatusCallback": order.detection_url,
            "Timeout": str(order.ring_seconds),
            "TimeLimit": str(order.limit_seconds),
        }
        return _as_call(self._ask("POST", "/calls", wish, is_dialling=True), is_dialling=True)

    def fetch(self, sid: str) -> CarrierCall:
        """Give a call by its id."""
        return _as_call(self._ask("GET", f"/calls/{sid}"))

    def find(self, *, to_e164: str, from_e164: str, since: datetime) -> list[CarrierCall]:
        """Give the calls that we placed from one number to another since then, the oldest first."""
        listed = self._ask("GET", f"/calls?{urlencode({'To': to_e164, 'From': from_e164})}")
        calls = [_as_call(entry) for entry in reversed(listed.get("calls", []))]
        return [call for call in calls if call.created_at is None or call.created_at >= since]

    def hang_up(self, sid: str) -> None:
        """End a call, or its ringing. One that is over already is no error."""
        try:
            self._ask("POST", f"/calls/{sid}", {"status": "completed"})
        except TelephonyError as error:
            if error.code != _NOT_IN_PROGRESS:
                raise

    def update(self, sid: str, *, url: str) -> None:
        """Have a call on the line ask this address what comes next; its stream ends with that."""
        self._ask("POST", f"/calls/{sid}", {"url": url})

    def start_recording(self, sid: str, *, url: str) -> None:
        """Refuse: simulated people are not recorded by their carrier."""
        del sid, url
        message = "the sandbox records nothing"
        raise TelephonyError(message, permanent=True)

    def pause_recording(self, sid: str) -> None:
        """Have nothing to pause."""

    def resume_recording(self, sid: str) -> None:
        """Have nothing to resume."""

    def stop_recording(self, sid: str) -> None:
        """Have nothing to stop."""

    def delete_recording(self, recording_sid: str) -> None:
        """Have nothing to delete."""

    def _ask(
        self, method: str, path: str, wish: Mapping[str, str] | None = None, *, is_dialling: bool = False
    ) -> dict[str, Any]:
        connection = http.client.HTTPConnection(
            "127.0.0.1", settings.SANDBOX_PORT, timeout=settings.SANDBOX_TIMEOUT_SECONDS
        )
        try:
            _connect(connection)
            try:
                body = None if wish is None else json.dumps(wish)
                connection.request(method, path, body, {"Authorization": f"Bearer {settings.SANDBOX_TOKEN}"})
                response = connection.getresponse()
                status, answer = response.status, json.loads(response.read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                what = f"did not answer ({type(error).__name__})"
                raise _unclear(what, is_dialling=is_dialling) from error
        finally:
            connection.close()
        if not isinstance(answer, dict):
            what = "gave an answer that cannot be read"
            raise _unclear(what, is_dialling=is_dialling)
        if status < HTTPStatus.BAD_REQUEST:
            return answer
        raise _refusal(status, answer, is_dialling=is_dialling)


def _connect(connection: http.client.HTTPConnection) -> None:
    """Without a connection nothing was asked, and that is certain."""
    try:
        connection.connect()
    except OSError as error:
        message = f"the sandbox is not running at 127.0.0.1:{connection.port}; {_REMEDY}"
        raise TelephonyError(message, permanent=False) from error


def _unclear(what: str, *, is_dialling: bool) -> TelephonyError:
    message = f"the sandbox {what}"
    return UncertainTelephonyError(message) if is_dialling else TelephonyError(message, permanent=False)


def _refusal(status: int, answer: Mapping[str, Any], *, is_dialling: bool) -> TelephonyError:
    code = answer.get("code")
    code = code if isinstance(code, int) else 0
    message = f"the sandbox answered {status}: {answer.get('message', '')}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UncertainTelephonyError(message) if is_dialling else TelephonyError(message, permanent=False)
    if status == HTTPStatus.NOT_FOUND and not is_dialling:
        return UnknownCallError(message, code=code)
    return TelephonyError(message, permanent=True, code=code)


def _as_call(entry: Mapping[str, Any], *, is_dialling: bool = False) -> CarrierCall:
    status = carrier_status(str(entry.get("status")))
    if status is None or not entry.get("sid"):
        what = "gave an answer without a call in it"
        raise _unclear(what, is_dialling=is_dialling)
    return CarrierCall(
        sid=str(entry["sid"]),
        status=status,
        created_at=datetime.fromisoformat(entry["created"]) if entry.get("created") else None,
        duration_seconds=entry.get("duration"),
    )
