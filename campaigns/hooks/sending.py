"""One message on its way out (https://www.standardwebhooks.com): signed, to the address that was checked."""

import logging
import socket
import time
from datetime import datetime
from smtplib import SMTPException
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail

from campaigns import services
from campaigns.models import WebhookEndpoint, WebhookMessage
from campaigns.services import Attempted
from vantum.outbound import PrivateAddressError, checked_address
from vantum.sealing import SealError

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)

_MOST_ANSWER = 2000


def deliver(message_id: UUID, *, now: datetime) -> bool:
    """Send a message that is due, and store what came of it. False: it is not due, or another worker has it."""
    message = services.claim_message(message_id, now=now)
    if message is None:
        return False
    attempted = send(message, now=now)
    if services.note_delivery(message, attempted, at=now):
        _tell_supervisors(message.endpoint)
    return True


def send(message: WebhookMessage, *, now: datetime) -> Attempted:
    """Make one request; whatever happens becomes an ``Attempted``."""
    import httpx  # noqa: PLC0415 (for who has webhooks)

    begun = time.monotonic()
    status, answer, error = None, "", ""
    try:
        status, answer = _request(message, now, begun + settings.WEBHOOK_TIMEOUT_SECONDS)
    except PrivateAddressError as refused:
        error = str(refused)
    except SealError as unread:
        error = f"The secret that signs it cannot be read: {unread}."
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as failed:
        error = f"{type(failed).__name__}: {failed}"
    latency_ms = round((time.monotonic() - begun) * 1000)
    return Attempted(status_code=status, latency_ms=latency_ms, answer=answer, error=error)


def _request(message: WebhookMessage, now: datetime, give_up: float) -> tuple[int, str]:
    import httpx  # noqa: PLC0415 (for who has webhooks)
    from standardwebhooks import Webhook  # noqa: PLC0415 (for who has webhooks)

    url = httpx.URL(message.endpoint.url)
    port = url.port or {"https": 443}.get(url.scheme, 80)
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)]
    address = checked_address(found, allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK)
    headers = {
        "Host": url.netloc.decode("ascii"),
        "Content-Type": "application/json",
        "User-Agent": "Vantum-Webhooks/1",
        "webhook-id": message.wire_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(message.endpoint.secret).sign(message.wire_id, now, message.body),
    }
    # Redirects stay off: they would lead to an address that nobody has checked.
    with httpx.Client(follow_redirects=False, trust_env=False, timeout=settings.WEBHOOK_TIMEOUT_SECONDS) as client:
        request = client.build_request(
            "POST", url.copy_with(host=address), content=message.body.encode(), headers=headers,
            extensions={"sni_hostname": url.host},
        )  # fmt: skip
        answer = client.send(request, stream=True)
        try:
            return answer.status_code, _read(answer, give_up)
        finally:
            answer.close()


def _read(answer: "httpx.Response", give_up: float) -> str:
    """Read the beginning; one that drips its answer is left after the time that is allowed."""
    content = bytearray()
    for piece in answer.iter_raw():
        content += piece
        if len(content) > _MOST_ANSWER or time.monotonic() > give_up:
            break
    return content[:_MOST_ANSWER].decode("utf-8", "replace")


def _tell_supervisors(endpoint: WebhookEndpoint) -> None:
    people = services.addresses()
    logger.warning("webhook %s is switched off: it took nothing for days", endpoint.pk)
    text = f"The webhook {endpoint.name!r} took nothing for days and was switched off. Its messages are kept.\n"
    try:
        if people:
            send_mail("A webhook was switched off", text, None, people)
    except (SMTPException, OSError) as error:
        logger.warning("the supervisors could not be told of a webhook: %s", error)
