"""Other systems: those that are told what happens, and the keys with which they ask and order."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from uuid_utils.compat import uuid7

from calls.models.choices import choices
from campaigns.enums import HookEvent, MessageStatus
from campaigns.models.campaigns import Campaign
from vantum.sealing import seal, unseal


class WebhookEndpoint(models.Model):
    """An address that is told of events.

    The secret signs what is sent. It is shown once, when it is made, and stored sealed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    url = models.CharField("address", max_length=500, help_text="https, and reachable from the Internet.")
    campaign = models.ForeignKey(
        Campaign, null=True, blank=True, on_delete=models.CASCADE, related_name="webhooks", help_text="Empty: all."
    )
    events = models.JSONField(default=list, help_text="Which events are told.")
    sealed_secret = models.TextField(editable=False)
    is_active = models.BooleanField("active", default=True)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_because = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    if TYPE_CHECKING:
        campaign_id: UUID | None

    class Meta:
        """By name."""

        verbose_name = "webhook"
        ordering = ("name", "id")
        constraints = (
            models.CheckConstraint(condition=~Q(name="") & ~Q(url="") & ~Q(sealed_secret=""), name="webhook_is_whole"),
        )

    def __str__(self) -> str:
        """Give the name."""
        return self.name

    @property
    def secret(self) -> str:
        """What signs. Raises ``SealError`` where the key of stored secrets was changed."""
        return unseal(self.sealed_secret)

    @secret.setter
    def secret(self, written: str) -> None:
        self.sealed_secret = seal(written)


class WebhookMessageQuerySet(QuerySet["WebhookMessage"]):
    """Messages by where they are."""

    def due(self, now: datetime) -> "WebhookMessageQuerySet":
        """Those whose time has come, to endpoints that take any."""
        waiting = self.filter(status=MessageStatus.WAITING, next_try_at__lte=now, endpoint__is_active=True)
        return waiting.exclude(lease_until__gt=now)


class WebhookMessage(models.Model):
    """One event for one endpoint: written in the transaction in which it happened, sent afterwards."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="messages")
    event = models.CharField(max_length=30, choices=choices(HookEvent))
    body = models.TextField(help_text="What is sent, to the byte.")
    status = models.CharField(max_length=10, choices=choices(MessageStatus), default=MessageStatus.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)

    objects = WebhookMessageQuerySet.as_manager()

    if TYPE_CHECKING:
        endpoint_id: UUID

    class Meta:
        """The newest first."""

        verbose_name = "webhook message"
        ordering = ("-created_at", "-id")
        indexes = (
            # The sweep's question.
            models.Index(fields=["next_try_at"], name="message_due", condition=Q(status=MessageStatus.WAITING)),
            models.Index(fields=["endpoint", "-created_at", "-id"], name="message_of_endpoint"),
            # The admin's list.
            models.Index(fields=["-created_at", "-id"], name="message_newest"),
        )
        constraints = (
            models.CheckConstraint(
                condition=~Q(status=MessageStatus.WAITING) | Q(next_try_at__isnull=False),
                name="message_waiting_has_a_time",
            ),
        )

    def __str__(self) -> str:
        """Give the event."""
        return self.event

    @property
    def wire_id(self) -> str:
        """The id that the receiver sees; the same at every try, so that it can tell a repetition."""
        return f"msg_{self.pk.hex}"


class WebhookDelivery(models.Model):
    """One try to send a message, and the answer."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(WebhookMessage, on_delete=models.CASCADE, related_name="deliveries")
    at = models.DateTimeField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    latency_ms = models.PositiveIntegerField()
    answer = models.CharField(max_length=500, blank=True, help_text="The beginning of what came back.")
    error = models.CharField(max_length=300, blank=True)

    if TYPE_CHECKING:
        message_id: UUID

    class Meta:
        """The newest first."""

        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        """Give the answer's status, or that there was none."""
        return str(self.status_code or "no answer")


class ApiKeyQuerySet(QuerySet["ApiKey"]):
    """Keys by whether they open anything."""

    def valid(self, now: datetime) -> "ApiKeyQuerySet":
        """Those that are neither revoked nor expired."""
        return self.filter(revoked_at__isnull=True).exclude(expires_at__lte=now)


class ApiKey(models.Model):
    """A key of the API: its beginning, to find it by, and the SHA-256 of the whole. The key itself is shown once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True, help_text="Within five minutes.")

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        """The newest first."""

        verbose_name = "API key"
        ordering = ("-created_at", "-id")
        constraints = (models.CheckConstraint(condition=~Q(name=""), name="apikey_has_a_name"),)

    def __str__(self) -> str:
        """Give name and beginning."""
        return f"{self.name} ({self.prefix}…)"
