"""Other systems: webhooks with their delivery log, and keys of the API. What is secret is shown once."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from campaigns import services
from campaigns.admin.parts import ReadOnly
from campaigns.enums import HookEvent, Scope
from campaigns.models import ApiKey, WebhookDelivery, WebhookEndpoint, WebhookMessage
from vantum.admin_bases import ModelAdmin, TabularInline

if TYPE_CHECKING:
    _MessageBase = ModelAdmin[WebhookMessage]
    _DeliveryBase = TabularInline[WebhookDelivery, WebhookMessage]
    _EndpointForm = forms.ModelForm[WebhookEndpoint]
    _KeyForm = forms.ModelForm[ApiKey]
else:
    _EndpointForm = _KeyForm = forms.ModelForm

    class _MessageBase(ReadOnly, ModelAdmin):
        """What was sent is read."""

    class _DeliveryBase(ReadOnly, TabularInline):
        """Tries are read."""


class EndpointForm(_EndpointForm):
    """An endpoint, with its events as boxes to tick."""

    events = forms.MultipleChoiceField(
        choices=[(event.value, event.value) for event in HookEvent], widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        """The rest is the model's."""

        model = WebhookEndpoint
        fields = ("name", "url", "campaign", "events", "is_active")

    def clean(self) -> dict[str, Any]:
        """Check what the service checks, beside the fields."""
        given = super().clean() or self.cleaned_data
        named = {name: given.get(name) for name in ("name", "url", "events")}
        if all(value is not None for value in named.values()):
            try:
                services.check_endpoint(WebhookEndpoint(**named))
            except ValidationError as error:
                self.add_error(None, error)
        return given


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ModelAdmin[WebhookEndpoint]):
    """Whom we tell."""

    form = EndpointForm
    list_display = ("name", "url", "campaign", "is_active", "failing_since")
    list_select_related = ("campaign",)
    readonly_fields = ("failing_since", "disabled_because")
    autocomplete_fields = ("campaign",)
    fields = ("name", "url", "campaign", "events", "is_active", "failing_since", "disabled_because")

    actions = ("renew_secret",)

    @admin.action(description="Make a new secret", permissions=["change"])
    def renew_secret(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> None:
        """Sign what is sent from now on with new secrets, each shown once."""
        for row in rows:
            self.log_change(request, row, "A new secret was made.")
            _show_once(request, f"The new secret of {row.name}", services.renew_secret(row.pk))

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        """Make an endpoint with its secret, or change one."""
        if change:
            if obj.is_active and "is_active" in form.changed_data:
                obj.failing_since, obj.disabled_because = None, ""
            obj.save(update_fields=[*form.changed_data, "failing_since", "disabled_because"])
            return
        made, secret = services.make_endpoint(
            name=obj.name, url=obj.url, events=obj.events, campaign_id=obj.campaign_id
        )
        obj.pk, obj.sealed_secret, obj.created_at = made.pk, made.sealed_secret, made.created_at
        obj._state.adding = False  # noqa: SLF001 (the service has stored it)
        _show_once(request, "The secret that signs what is sent", secret)


class DeliveryInline(_DeliveryBase):
    """Every try with its answer."""

    model = WebhookDelivery
    fields = readonly_fields = ("at", "status_code", "latency_ms", "answer", "error")
    extra = 0


@admin.register(WebhookMessage)
class WebhookMessageAdmin(_MessageBase):
    """The log of what was told, and a way to tell it again."""

    list_display = ("created_at", "event", "endpoint", "status", "tries", "delivered_at")
    list_filter = ("status", "event", "endpoint")
    list_select_related = ()
    list_prefetch = ("endpoint",)
    list_defer = ("body",)
    sortable_by = ("created_at",)
    fields = ("created_at", "event", "endpoint", "status", "tries", "next_try_at", "delivered_at", "body")
    inlines = (DeliveryInline,)
    actions = ("send_again",)

    @admin.action(description="Send again", permissions=["replay"])
    def send_again(self, request: HttpRequest, rows: QuerySet[WebhookMessage]) -> None:
        """Send the chosen messages again, under the same ids."""
        now = timezone.now()
        sent = sum(services.replay_message(pk, at=now) for pk in rows.values_list("pk", flat=True)[:1000])
        self.message_user(request, f"{sent} messages are sent again; the others wait already.", messages.SUCCESS)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Who may change endpoints may send again."""
        return request.user.has_perm("campaigns.change_webhookendpoint")


class KeyForm(_KeyForm):
    """A new key."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in Scope], widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        """What a person says of a key."""

        model = ApiKey
        fields = ("name", "scopes", "expires_at")


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin[ApiKey]):
    """Keys are made and revoked, never edited."""

    form = KeyForm
    list_display = ("name", "prefix", "scope_names", "created_by", "used_at", "expires_at", "revoked_at")
    list_select_related = ("created_by",)
    actions = ("revoke",)

    @admin.display(description="opens")
    def scope_names(self, key: ApiKey) -> str:
        """Name the scopes."""
        return ", ".join(key.scopes)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        """Make the key and show it once."""
        del form, change
        who: Any = request.user
        made, key = services.make_api_key(
            obj.name, scopes=obj.scopes, by=who, at=timezone.now(), expires_at=obj.expires_at
        )
        obj.pk, obj.prefix = made.pk, made.prefix
        obj._state.adding = False  # noqa: SLF001 (the service has stored it)
        _show_once(request, "The key", key)

    @admin.action(description="Revoke", permissions=["delete"])
    def revoke(self, request: HttpRequest, rows: QuerySet[ApiKey]) -> None:
        """Have the chosen keys open nothing more."""
        done = sum(services.revoke_api_key(row.pk, at=timezone.now()) for row in rows)
        self.message_user(request, f"{done} keys are revoked.", messages.SUCCESS)

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """A key is what it was made for."""
        del request, obj
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out the deleting: a revoked key stays, so that the log can name it."""
        return {name: each for name, each in super().get_actions(request).items() if name != "delete_selected"}


def _show_once(request: HttpRequest, what: str, secret: str) -> None:
    text = format_html("{}, shown this once: <code>{}</code>", what, secret)
    messages.add_message(request, messages.WARNING, text)
