"""What other systems are told: stored with the fact itself, so that none is told without it or kept from it."""

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from msgspec import Struct

from calls.enums import AttemptKind
from calls.models import CallAttempt, Suppression
from calls.services.cleaning import clean_json, clean_text
from campaigns.enums import HookEvent, MessageStatus
from campaigns.models import (
    CallAnalysis,
    CampaignAttempt,
    CampaignEvent,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
)

WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 60, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600))
"""How long after each failed try the next is made: 8 tries within 18 hours."""
LEASE = timedelta(minutes=1)
GIVE_UP = timedelta(days=3)
"""How long an endpoint may take nothing before it is switched off."""


class Attempted(Struct, frozen=True, kw_only=True):
    """What came of one try."""

    status_code: int | None
    latency_ms: int
    answer: str = ""
    error: str = ""

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver said that it has it: any 2xx."""
        return self.status_code is not None and self.status_code // 100 == 2  # noqa: PLR2004 (RFC 9110's class)


def make_endpoint(
    *, name: str, url: str, events: Sequence[str], campaign_id: UUID | None = None
) -> tuple[WebhookEndpoint, str]:
    """Store an endpoint; gives it and its secret, to be shown once. Raises ``ValidationError`` by field."""
    row = WebhookEndpoint(name=clean_text(name).strip(), url=url.strip(), campaign_id=campaign_id)
    row.events = list(events)
    row.secret = secret = _new_secret()
    check_endpoint(row)
    row.save(force_insert=True)
    return row, secret


def renew_secret(endpoint_id: UUID) -> str:
    """Have an endpoint's messages signed with a new secret from now on; gives it, to be shown once."""
    row = WebhookEndpoint.objects.get(pk=endpoint_id)
    row.secret = secret = _new_secret()
    row.save(update_fields=["sealed_secret"])
    return secret


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def check_endpoint(row: WebhookEndpoint) -> None:
    """Raise ``ValidationError`` for what an endpoint cannot be, by field."""
    problems: dict[str, str] = {}
    parts = urlsplit(row.url)
    is_own = parts.hostname in {"localhost", "127.0.0.1", "::1"} and settings.WEBHOOK_ALLOW_LOOPBACK
    if not (parts.scheme == "https" or (is_own and parts.scheme == "http")) or not parts.hostname:
        problems["url"] = "Write an address that begins with https://."
    elif parts.username or parts.password or parts.fragment:
        problems["url"] = "The address may hold no user, no password and no #."
    if unknown := sorted(set(row.events) - set(HookEvent)):
        problems["events"] = f"Unknown: {', '.join(unknown)}. Use {', '.join(HookEvent)}."
    elif not row.events:
        problems["events"] = "Choose at least one event."
    if not row.name:
        problems["name"] = "Give it a name."
    if problems:
        raise ValidationError(problems)


def tell(event: HookEvent, told: Mapping[str, Any], *, at: datetime, campaign_id: UUID | None = None) -> int:
    """Store a message for each endpoint that wants to know; gives how many. Call it where the fact is written."""
    whose = Q(campaign__isnull=True) | Q(campaign_id=campaign_id) if campaign_id else Q(campaign__isnull=True)
    endpoints = [row for row in WebhookEndpoint.objects.filter(whose, is_active=True) if event in row.events]
    if not endpoints:
        return 0
    facts = dict(told) if campaign_id is None else {"campaign_id": str(campaign_id), **told}
    body = json.dumps(
        {"type": event.value, "timestamp": at.isoformat(), "data": clean_json(facts)}, separators=(",", ":")
    )
    WebhookMessage.objects.bulk_create(
        WebhookMessage(endpoint=endpoint, event=event, body=body, next_try_at=at, created_at=at)
        for endpoint in endpoints
    )
    return len(endpoints)


_TOLD_KINDS = {
    "started": HookEvent.CAMPAIGN_STARTED,
    "paused": HookEvent.CAMPAIGN_PAUSED,
    "resumed": HookEvent.CAMPAIGN_RESUMED,
    "finished": HookEvent.CAMPAIGN_FINISHED,
    "aborted": HookEvent.CAMPAIGN_ABORTED,
}


def tell_campaign(event: CampaignEvent) -> None:
    """Tell what happened to a campaign, where it is among what is told; a pause with evidence is the breaker's."""
    if (kind := _TOLD_KINDS.get(event.kind)) is None:
        return
    told = {"name": event.campaign.name, "detail": event.detail}
    tell(kind, told, at=event.at, campaign_id=event.campaign_id)
    if kind is HookEvent.CAMPAIGN_PAUSED and event.detail.get("evidence"):
        tell(HookEvent.CAMPAIGN_BREAKER, told, at=event.at, campaign_id=event.campaign_id)


def tell_call(attempt_id: UUID, *, at: datetime) -> None:
    """Tell how a campaign's call has ended; call it in the transaction that settles it."""
    one = CampaignAttempt.objects.select_related("attempt", "member").get(pk=attempt_id)
    own = {"contact_id": one.member.contact_id, "outcome": one.outcome, "attempt": one.number}
    tell(HookEvent.CALL_FINISHED, _call(one.attempt) | own, at=at, campaign_id=one.campaign_id)


def tell_other_call(attempt_id: UUID, *, at: datetime) -> bool:
    """Tell how a call has ended that no campaign made: by hand, by the API, or from outside. False: it is none."""
    others = CallAttempt.objects.filter(pk=attempt_id, campaign_attempt=None, kind=AttemptKind.CONTACT)
    call = others.first()
    if call is None:
        return False
    tell(HookEvent.CALL_FINISHED, _call(call), at=at)
    return True


def _call(call: CallAttempt) -> dict[str, Any]:
    return {
        "attempt_id": call.pk,
        "session_id": call.session_id,
        "direction": call.direction,
        "number": call.person_e164,
        "status": call.status,
        "answered_at": _moment(call.answered_at),
        "ended_at": _moment(call.ended_at),
        "duration_seconds": call.duration_seconds,
    }


def tell_analysis(session_id: UUID, *, at: datetime) -> None:
    """Tell what a call came to, people's corrections included; call it where a judgement or correction is stored."""
    analysis = CallAnalysis.objects.prefetch_related("corrections").get(pk=session_id)
    made = CampaignAttempt.objects.filter(
        Q(attempt__session_id=session_id) | Q(attempt__streams__session_id=session_id)
    )
    one = made.select_related("member__contact").first()
    told = {
        "session_id": session_id,
        "attempt_id": one and one.pk,
        "contact_id": one and one.member.contact_id,
        "number": one and one.member.contact.e164,
        **analysis.corrected(),
        "corrected": sorted({correction.field for correction in analysis.corrections.all()}),
    }
    tell(HookEvent.CALL_ANALYSED, told, at=at, campaign_id=one.campaign_id if one else None)


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def tell_opt_out(suppression: Suppression) -> None:
    """Tell that a number is not called any more."""
    told = {"number": suppression.e164, "source": suppression.source}
    tell(HookEvent.CONTACT_OPTED_OUT, told, at=suppression.created_at)


def claim_message(message_id: UUID, *, now: datetime) -> WebhookMessage | None:
    """Take a message that is due; None where another was faster."""
    due = WebhookMessage.objects.due(now).filter(pk=message_id)
    # The endpoint is asked about in a subquery: neither database updates over a join.
    taken = WebhookMessage.objects.filter(pk__in=due.values("pk"), status=MessageStatus.WAITING)
    taken = taken.exclude(lease_until__gt=now)
    if taken.update(lease_until=now + LEASE, tries=F("tries") + 1) != 1:
        return None
    return WebhookMessage.objects.select_related("endpoint").get(pk=message_id)


@transaction.atomic
def note_delivery(message: WebhookMessage, attempted: Attempted, *, at: datetime) -> bool:
    """Store what came of a try, and when the next is made, if any. True: the endpoint was switched off with this."""
    WebhookDelivery.objects.create(
        message=message,
        at=at,
        status_code=attempted.status_code,
        latency_ms=attempted.latency_ms,
        answer=clean_text(attempted.answer)[:500],
        error=clean_text(attempted.error)[:300],
    )
    mine = WebhookMessage.objects.filter(pk=message.pk, status=MessageStatus.WAITING)
    endpoint = WebhookEndpoint.objects.filter(pk=message.endpoint_id)
    if attempted.is_delivered:
        mine.update(status=MessageStatus.DELIVERED, delivered_at=at, next_try_at=None, lease_until=None)
        endpoint.update(failing_since=None)
        return False
    if message.tries > len(WAITS):
        mine.update(status=MessageStatus.FAILED, next_try_at=None, lease_until=None)
    else:
        mine.update(next_try_at=at + WAITS[max(message.tries, 1) - 1], lease_until=None)
    endpoint.filter(failing_since__isnull=True).update(failing_since=at)
    reason = f"Nothing was delivered since {GIVE_UP.days} days; the last answer was {attempted.status_code or 'none'}."
    failed_long = endpoint.filter(failing_since__lt=at - GIVE_UP, is_active=True)
    return failed_long.update(is_active=False, disabled_because=reason) == 1


def replay_message(message_id: UUID, *, at: datetime) -> bool:
    """Send a message again, with its tries anew. False: it waits already."""
    over = WebhookMessage.objects.filter(pk=message_id).exclude(status=MessageStatus.WAITING)
    return over.update(status=MessageStatus.WAITING, tries=0, next_try_at=at, lease_until=None) == 1


def enable_endpoint(endpoint_id: UUID) -> bool:
    """Switch an endpoint on again; what waits for it is sent. False: it is on."""
    off = WebhookEndpoint.objects.filter(pk=endpoint_id, is_active=False)
    return off.update(is_active=True, failing_since=None, disabled_because="") == 1
