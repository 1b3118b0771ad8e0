"""Messages sent to a real server of this machine."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django.fixtures import Settings
from standardwebhooks import Webhook

from campaigns import hooks, services
from campaigns.enums import HookEvent, MessageStatus
from campaigns.models import WebhookEndpoint, WebhookMessage
from campaigns.services import Attempted, webhooks

pytestmark = pytest.mark.django_db


class Receiver(HTTPServer):
    """Keeps what comes, and answers as it is told."""

    status = 204
    location = ""
    seen: list[tuple[dict[str, str], bytes]]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((dict(self.headers), body))
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0" if self.server.status == 204 else "4")
        self.end_headers()
        if self.server.status != 204:
            self.wfile.write(b"what")

    def log_message(self, *_args: Any) -> None:
        pass


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    server = Receiver(("127.0.0.1", 0), _Handler)
    server.seen = []
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def message(server: Receiver) -> WebhookMessage:
    url = f"http://localhost:{server.server_port}/hook?a=1"
    services.make_endpoint(name="CRM", url=url, events=[HookEvent.CALL_FINISHED])
    services.tell(HookEvent.CALL_FINISHED, {"outcome": "answered"}, at=timezone.now())
    return WebhookMessage.objects.get()


def test_a_message_is_signed_so_that_the_standards_library_verifies_it(receiver: Receiver) -> None:
    row = message(receiver)
    assert hooks.deliver(row.pk, now=timezone.now())
    [(headers, body)] = receiver.seen
    assert Webhook(row.endpoint.secret).verify(body, headers)["data"] == {"outcome": "answered"}
    assert headers["Host"] == f"localhost:{receiver.server_port}"
    assert json.loads(body)["type"] == "call.finished"
    row.refresh_from_db()
    assert (row.status, row.deliveries.get().status_code) == (MessageStatus.DELIVERED, 204)
    assert not hooks.deliver(row.pk, now=timezone.now())


def test_an_answer_that_is_no_success_is_kept_with_its_beginning(receiver: Receiver) -> None:
    receiver.status = 500
    row = message(receiver)
    hooks.deliver(row.pk, now=timezone.now())
    tried = row.deliveries.get()
    assert (tried.status_code, tried.answer, tried.error) == (500, "what", "")


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.location = 302, "http://169.254.169.254/"
    row = message(receiver)
    hooks.deliver(row.pk, now=timezone.now())
    assert (row.deliveries.get().status_code, len(receiver.seen)) == (302, 1)


def test_nothing_is_sent_into_private_networks(receiver: Receiver, settings: Settings) -> None:
    row = message(receiver)
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    hooks.deliver(row.pk, now=timezone.now())
    assert receiver.seen == []
    assert row.deliveries.get().error == "the address leads into a private network"


def test_a_server_that_is_away_is_an_error_and_no_exception(receiver: Receiver) -> None:
    row = message(receiver)
    WebhookEndpoint.objects.update(url="http://127.0.0.1:9/")
    hooks.deliver(row.pk, now=timezone.now())
    assert row.deliveries.get().error.startswith("ConnectError")


def test_a_secret_that_cannot_be_read_is_an_error_that_says_what_to_do(receiver: Receiver, settings: Settings) -> None:
    row = message(receiver)
    settings.SECRETS_KEY = "another"
    hooks.deliver(row.pk, now=timezone.now())
    assert receiver.seen == []
    assert "add the former key to SECRETS_OLD_KEYS" in row.deliveries.get().error


def test_the_supervisors_hear_of_an_endpoint_that_was_switched_off(receiver: Receiver, admin_user: Any) -> None:
    receiver.status = 500
    row = message(receiver)
    services.note_delivery(row, Attempted(status_code=500, latency_ms=1), at=timezone.now() - 2 * webhooks.GIVE_UP)
    hooks.deliver(row.pk, now=timezone.now())
    assert [(sent.subject, sent.to) for sent in mail.outbox] == [("A webhook was switched off", [admin_user.email])]
