"""Webhooks and keys in the admin."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from campaigns import services
from campaigns.enums import HookEvent, MessageStatus
from campaigns.models import ApiKey, WebhookEndpoint, WebhookMessage

pytestmark = pytest.mark.django_db

BASE = "/admin/campaigns"


def test_an_endpoint_shows_its_secret_once(admin_client: Client) -> None:
    given = {"name": "CRM", "url": "https://example.com/in", "events": ["call.finished"], "is_active": "on"}
    shown = admin_client.post(f"{BASE}/webhookendpoint/add/", given, follow=True).content.decode()
    row = WebhookEndpoint.objects.get()
    assert row.secret in shown
    assert row.events == ["call.finished"]
    assert row.secret not in admin_client.get(f"{BASE}/webhookendpoint/{row.pk}/change/").content.decode()


def test_an_endpoint_that_is_no_https_is_refused_beside_its_field(admin_client: Client) -> None:
    given = {"name": "CRM", "url": "http://example.com", "events": ["call.finished"], "is_active": "on"}
    assert "begins with https://" in admin_client.post(f"{BASE}/webhookendpoint/add/", given).content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_an_endpoint_is_changed_without_a_new_secret(admin_client: Client) -> None:
    row, secret = services.make_endpoint(name="CRM", url="https://example.com", events=["call.finished"])
    given = {"name": "Other", "url": "https://example.com", "events": ["campaign.started"], "is_active": "on"}
    admin_client.post(f"{BASE}/webhookendpoint/{row.pk}/change/", given)
    row.refresh_from_db()
    assert (row.name, row.events, row.secret) == ("Other", ["campaign.started"], secret)


def test_a_new_secret_is_shown_once_and_signs_from_then_on(admin_client: Client) -> None:
    row, secret = services.make_endpoint(name="CRM", url="https://example.com", events=["call.finished"])
    given = {"action": "renew_secret", "_selected_action": [str(row.pk)]}
    shown = admin_client.post(f"{BASE}/webhookendpoint/", given, follow=True).content.decode()
    row.refresh_from_db()
    assert row.secret != secret
    assert row.secret in shown
    assert row.secret not in admin_client.get(f"{BASE}/webhookendpoint/").content.decode()


def test_a_message_is_read_and_sent_again(admin_client: Client) -> None:
    services.make_endpoint(name="CRM", url="https://example.com", events=["call.finished"])
    services.tell(HookEvent.CALL_FINISHED, {}, at=timezone.now())
    row = WebhookMessage.objects.get()
    services.note_delivery(row, services.Attempted(status_code=200, latency_ms=5, answer="fine"), at=timezone.now())
    assert "fine" in admin_client.get(f"{BASE}/webhookmessage/{row.pk}/change/").content.decode()
    admin_client.post(f"{BASE}/webhookmessage/", {"action": "send_again", "_selected_action": [str(row.pk)]})
    row.refresh_from_db()
    assert row.status == MessageStatus.WAITING


def test_a_key_is_shown_once_and_revoked(admin_client: Client) -> None:
    given = {"name": "CRM", "scopes": ["calls:read"]}
    shown = admin_client.post(f"{BASE}/apikey/add/", given, follow=True).content.decode()
    [key] = set(re.findall(r"vtm_[0-9a-f]{8}_[\w-]{43}", shown))
    assert services.find_api_key(key, now=timezone.now()) == ApiKey.objects.get()
    admin_client.post(f"{BASE}/apikey/", {"action": "revoke", "_selected_action": [str(ApiKey.objects.get().pk)]})
    assert services.find_api_key(key, now=timezone.now()) is None
