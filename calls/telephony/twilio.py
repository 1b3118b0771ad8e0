"""Twilio through its own SDK (https://www.twilio.com/docs/voice/api/call-resource).

Three pitfalls of the SDK: without a limit of ours it waits for ever; ``TWILIO_EDGE`` and ``TWILIO_REGION`` of the
environment rewrite any host name, also that of ``TWILIO_BASE_URL``; and its HTTP client hands its last answer out of an
attribute, so that threads which share one could get each other's.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.conf import settings
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, RequestException
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.exceptions import MaxRetryError, NewConnectionError

from calls.errors import TelephonyError, UncertainTelephonyError, UnknownCallError
from calls.telephony.carriers import FICTIONAL, CallOrder, CarrierCall, carrier_status

_OWN_BASE_URL = "https://api.twilio.com"
_NOT_IN_PROGRESS = 21220
_PAGE, _MOST = 50, 1000
_STATUS_EVENTS = ["initiated", "ringing", "answered", "completed"]


class Twilio:
    """The carrier behind ``settings.TWILIO_ACCOUNT_SID``. One object serves all threads, each with a client."""

    def __init__(self) -> None:
        self._clients = threading.local()

    def place(self, order: CallOrder) -> CarrierCall:
        """Dial, with asynchronous answering machine detection that waits for a greeting's end."""
        if FICTIONAL.fullmatch(order.to_e164):
            message = "555-0100 to 555-0199 are numbers for fiction, and nobody is called there"
            raise TelephonyError(message, permanent=True)
        with _translated(is_dialling=True):
            call = self._client.calls.create(
                to=order.to_e164,
                from_=order.from_e164,
                url=order.answer_url,
                method="POST",
                # Asked again, perhaps of another instance, where the first answer fails.
                fallback_url=order.answer_url,
                fallback_method="POST",
                status_callback=order.status_url,
                status_callback_method="POST",
                status_callback_event=_STATUS_EVENTS,
                timeout=order.ring_seconds,
                time_limit=order.limit_seconds,
                machine_detection="DetectMessageEnd",
                async_amd="true",
                async_amd_status_callback=order.detection_url,
                async_amd_status_callback_method="POST",
            )
            return _as_call(call)

    def fetch(self, sid: str) -> CarrierCall:
        """Give a call by its id."""
        with _translated():
            return _as_call(self._client.calls(sid).fetch())

    def find(self, *, to_e164: str, from_e164: str, since: datetime) -> list[CarrierCall]:
        """Give the calls that we placed from one number to another since then, the oldest first.

        Twilio is not asked for a start time: a call in its queue has none yet, and one that is overlooked here would be
        dialled again.
        """
        with _translated():
            listed = self._client.calls.stream(to=to_e164, from_=from_e164, page_size=_PAGE, limit=_MOST)
            found = [_as_call(call) for call in listed if str(call.direction).startswith("outbound")]
        recent = [call for call in found if call.created_at is None or call.created_at >= since]
        return sorted(recent, key=lambda call: call.created_at or since)

    def hang_up(self, sid: str) -> None:
        """End a call, or its ringing. One that is over already is no error."""
        with _translated():
            try:
                self._client.calls(sid).update(status="completed")
            except TwilioRestException as error:
                if error.code != _NOT_IN_PROGRESS:
                    raise

    def update(self, sid: str, *, url: str) -> None:
        """Have a call on the line ask this address what comes next; its stream ends with that."""
        with _translated():
            self._client.calls(sid).update(url=url, method="POST")

    def start_recording(self, sid: str, *, url: str) -> None:
        """Record a call from now on, each side on a channel of its own; the address is told when it is done."""
        with _translated():
            self._client.calls(sid).recordings.create(
                recording_channels="dual",
                recording_status_callback=url,
                recording_status_callback_method="POST",
                recording_status_callback_event=["completed"],
            )

    def pause_recording(self, sid: str) -> None:
        """Leave out what is said from now on. A call that is not recorded is no error, here and in the next two."""
        self._change_recording(sid, status="paused", pause_behavior="skip")

    def resume_recording(self, sid: str) -> None:
        """Go on with a recording that was paused."""
        self._change_recording(sid, status="in-progress")

    def stop_recording(self, sid: str) -> None:
        """Stop the recording of a call for good."""
        self._change_recording(sid, status="stopped")

    def _change_recording(self, sid: str, **changes: str) -> None:
        with _translated(), _unless_gone():
            self._client.calls(sid).recordings("Twilio.CURRENT").update(**changes)

    def delete_recording(self, recording_sid: str) -> None:
        """Delete a recording at the carrier. One that is gone is no error."""
        with _translated(), _unless_gone():
            self._client.recordings(recording_sid).delete()

    @property
    def _client(self) -> Any:
        client = getattr(self._clients, "client", None)
        if client is None:
            http = TwilioHttpClient(timeout=settings.TWILIO_TIMEOUT_SECONDS)
            client = Client(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, http_client=http)
            if settings.TWILIO_BASE_URL != _OWN_BASE_URL:
                client.edge = client.region = None
                client.api.base_url = settings.TWILIO_BASE_URL
            self._clients.client = client
        return client


def _as_call(call: Any) -> CarrierCall:
    status = carrier_status(call.status)
    if not call.sid or status is None:
        message = "Twilio's answer has no call in it"
        raise TwilioException(message)
    return CarrierCall(
        sid=call.sid,
        status=status,
        created_at=call.date_created,
        duration_seconds=int(call.duration) if call.duration else None,
    )


@contextmanager
def _unless_gone() -> Iterator[None]:
    """Take the carrier's 404 for done."""
    try:
        yield
    except TwilioRestException as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
    except TwilioServiceException as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise


@contextmanager
def _translated(*, is_dialling: bool = False) -> Iterator[None]:
    """Make the SDK's errors ours. Of a dialling that was not refused in so many words, nothing is certain."""
    try:
        yield
    except TwilioRestException as error:
        # Not str(error): on a terminal that has colours in it.
        raise _refusal(error.status, error.msg, error.code, is_dialling=is_dialling) from error
    except TwilioServiceException as error:
        raise _refusal(error.status, error.title, error.code, is_dialling=is_dialling) from error
    except RequestException as error:
        message = f"Twilio did not answer ({type(error).__name__})"
        if is_dialling and not _never_left(error):
            raise UncertainTelephonyError(message) from error
        raise TelephonyError(message, permanent=False) from error
    except (TwilioException, ValueError, TypeError, KeyError) as error:
        # A list's refusal is a bare exception with the answer in it.
        status = getattr(error.args[-1], "status_code", 0) if error.args else 0
        message = f"Twilio answered {status}" if status else f"Twilio's answer cannot be read ({type(error).__name__})"
        if is_dialling:
            raise UncertainTelephonyError(message) from error
        raise TelephonyError(message, permanent=False) from error


def _refusal(status: int, reason: str, code: int | None, *, is_dialling: bool) -> TelephonyError:
    message, code = f"Twilio answered {status}: {reason}", code or 0
    is_clients_fault = 400 <= status < 500 and status != HTTPStatus.REQUEST_TIMEOUT  # noqa: PLR2004 (RFC 9110's classes)
    if status == HTTPStatus.NOT_FOUND and not is_dialling:
        return UnknownCallError(message, code=code)
    if is_clients_fault:
        return TelephonyError(message, permanent=status != HTTPStatus.TOO_MANY_REQUESTS, code=code)
    if is_dialling:
        return UncertainTelephonyError(message, code=code)
    return TelephonyError(message, permanent=False, code=code)


def _never_left(error: RequestException) -> bool:
    """Whether there was not even a connection on which a request could have gone out."""
    if isinstance(error, ConnectTimeout):
        return True
    cause = error.args[0] if isinstance(error, RequestsConnectionError) and error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
