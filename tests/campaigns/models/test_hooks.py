"""Other systems, as rows."""

from datetime import timedelta

import pytest

from campaigns.enums import HookEvent, MessageStatus
from campaigns.models import ApiKey, WebhookDelivery, WebhookEndpoint, WebhookMessage
from tests.campaigns.rows import NOW

pytestmark = pytest.mark.django_db


def test_a_message_is_due_at_its_time_if_its_endpoint_takes_any() -> None:
    on = WebhookEndpoint.objects.create(name="on", url="https://example.com", sealed_secret="x")
    off = WebhookEndpoint.objects.create(name="off", url="https://example.com", sealed_secret="x", is_active=False)

    def message(endpoint: WebhookEndpoint = on, **columns: object) -> WebhookMessage:
        given = {"event": HookEvent.CALL_FINISHED, "body": "{}", "next_try_at": NOW, "created_at": NOW}
        return WebhookMessage.objects.create(endpoint=endpoint, **given | columns)

    due = message()
    message(next_try_at=NOW + timedelta(seconds=1))
    message(lease_until=NOW + timedelta(seconds=1))
    message(status=MessageStatus.DELIVERED)
    message(off)
    assert list(WebhookMessage.objects.due(NOW)) == [due]
    assert due.wire_id == f"msg_{due.pk.hex}"
    assert [str(due), str(on), str(WebhookDelivery()), str(WebhookDelivery(status_code=204))] == [
        *("call.finished", "on", "no answer", "204")
    ]


def test_a_key_is_valid_until_it_is_revoked_or_over() -> None:
    made = [
        ApiKey.objects.create(name="x", prefix=str(number), digest="", created_at=NOW, **columns)
        for number, columns in enumerate(
            ({}, {"revoked_at": NOW}, {"expires_at": NOW}, {"expires_at": NOW + timedelta(1)})
        )
    ]
    assert set(ApiKey.objects.valid(NOW)) == {made[0], made[3]}
    assert str(made[0]) == "x (0…)"
