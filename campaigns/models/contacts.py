"""People who may be called, what they agreed to, and the lists they stand on."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID
from zoneinfo import available_timezones

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from uuid_utils.compat import uuid7

from calls.models import Suppression
from calls.models.attempts import E164
from calls.models.choices import choices
from campaigns.enums import ConsentKind, ContactStatus

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

REGION = RegexValidator(r"^[A-Z]{2}(-[A-Z0-9]{1,3})?\Z", "Write the region as ISO 3166, such as US or US-FL.")
SANDBOX_REGION = "ZZ-SBX"
"""ZZ is left to users by ISO 3166-1; contacts of the demo live there."""


def validate_time_zone(name: str) -> None:
    """Raise ``ValidationError`` for what is no zone of the IANA database."""
    if name not in available_timezones():
        message = f"{name!r} is no time zone; write it as America/New_York."
        raise ValidationError(message)


class ContactList(models.Model):
    """A named set of contacts, such as one imported file."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    if TYPE_CHECKING:
        contacts: RelatedManager["Contact"]

    class Meta:
        """The newest first."""

        ordering = ("-created_at", "-id")
        constraints = (models.CheckConstraint(condition=~Q(name=""), name="contactlist_has_a_name"),)

    def __str__(self) -> str:
        """Give the name."""
        return self.name


class ContactQuerySet(QuerySet["Contact"]):
    """Contacts by what may be done with them."""

    def active(self) -> "ContactQuerySet":
        """Those whose number is theirs, as far as anybody knows."""
        return self.filter(status=ContactStatus.ACTIVE)

    def numbered(self, beginning: str) -> "ContactQuerySet":
        """Those whose number begins so, with its country's code; other signs than digits do not count."""
        digits = "".join(sign for sign in beginning if sign.isdigit())
        first, last = span_of(f"+{digits}")  # a range uses the index on every collation
        return self.filter(e164__gte=first, e164__lt=last) if digits else self.none()

    def matching(self, filters: Mapping[str, str]) -> "ContactQuerySet":
        """Those that fit every given value; names without a value and unknown names do not count.

        ``status``, ``region``, ``list`` and ``campaign`` (ids), ``consent`` (a kind, or ``none``), ``suppressed``
        (``yes`` or ``no``), ``words`` (the beginning of a number or of a name). Raises ``ValueError`` for a wrong id.
        """
        found = self
        for name, value in filters.items():
            if value and (narrow := _NARROWERS.get(name)):
                found = narrow(found, value)
        return found


_Rows = TypeVar("_Rows", bound=QuerySet[Any])
_FEW = 10_000
"""Rows up to which those that narrow a list are read first: a database that expects them anywhere among a million
looks through all of the newest for those of an old list."""


def naming(rows: _Rows, column: str, values: QuerySet[Any], value: str) -> _Rows:
    """Give the rows whose ``column`` is the ``value`` of one of the others; quickly, be those few or many."""
    bounded = values.order_by().values(value)[: _FEW + 1]
    if bounded.count() <= _FEW:
        return rows.filter(**{f"{column}__in": bounded})
    return rows.filter(Exists(values.order_by().filter(**{value: OuterRef(column)})))


def _of_status(contacts: ContactQuerySet, status: str) -> ContactQuerySet:
    found = contacts.filter(status=status)
    # The index of the others has this for its condition; SQLite does not see it in the status itself.
    return found if status == ContactStatus.ACTIVE else found.exclude(status=ContactStatus.ACTIVE)


def _with_consent(contacts: ContactQuerySet, kind: str) -> ContactQuerySet:
    held = Consent.objects.filter(revoked_at__isnull=True)
    if kind == "none":
        return contacts.filter(~Exists(held.filter(contact=OuterRef("pk"))))
    return naming(contacts, "pk", held.filter(kind=kind), "contact_id")


def _suppressed(contacts: ContactQuerySet, answer: str) -> ContactQuerySet:
    if answer == "yes":
        return naming(contacts, "e164", Suppression.objects.all(), "e164")
    return contacts.filter(~Exists(Suppression.objects.filter(e164=OuterRef("e164"))))


def _on_list(contacts: ContactQuerySet, list_id: str) -> ContactQuerySet:
    return naming(contacts, "pk", Contact.lists.through.objects.filter(contactlist_id=UUID(list_id)), "contact_id")


def _in_campaign(contacts: ContactQuerySet, campaign_id: str) -> ContactQuerySet:
    members = apps.get_model("campaigns", "CampaignContact").objects  # Campaigns import this module.
    return naming(contacts, "pk", members.filter(campaign=UUID(campaign_id)), "contact_id")


def _beginning(contacts: ContactQuerySet, words: str) -> ContactQuerySet:
    """Compare with ranges: on every collation and case they use the index, where LIKE may not."""
    bounds = span_of(words)
    named = Q(name__gte=bounds[0], name__lt=bounds[1])
    digits = "".join(sign for sign in words if sign.isdigit())
    if digits and not any(sign.isalpha() for sign in words):
        numbers = span_of(f"+{digits}")
        national = span_of(f"+1{digits}")
        named |= Q(e164__gte=numbers[0], e164__lt=numbers[1]) | Q(e164__gte=national[0], e164__lt=national[1])
    return contacts.filter(named)


def span_of(beginning: str) -> tuple[str, str]:
    """Give the texts between which everything with this beginning lies."""
    return beginning, beginning[:-1] + chr(ord(beginning[-1]) + 1)


_NARROWERS: dict[str, Callable[[ContactQuerySet, str], ContactQuerySet]] = {
    "status": _of_status,
    "region": lambda contacts, region: contacts.filter(region=region),
    "list": _on_list,
    "campaign": _in_campaign,
    "consent": _with_consent,
    "suppressed": _suppressed,
    "words": _beginning,
}


class Contact(models.Model):
    """One person, by the number that reaches them. ``fields`` fill the agent's variables."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    e164 = models.CharField("number", max_length=16, unique=True, validators=[E164])
    name = models.CharField(max_length=200, blank=True)
    fields = models.JSONField(default=dict, blank=True, help_text="Values for the agent's {{variables}}.")
    time_zone = models.CharField(
        max_length=64, blank=True, validators=[validate_time_zone], help_text="Empty: found from region and number."
    )
    region = models.CharField(
        max_length=6, blank=True, validators=[REGION], help_text="ISO 3166-2 of the address, such as US-FL."
    )
    status = models.CharField(max_length=20, choices=choices(ContactStatus), default=ContactStatus.ACTIVE)
    scrubbed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a reassigned-numbers service was last asked."
    )
    lists = models.ManyToManyField(ContactList, blank=True, related_name="contacts")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ContactQuerySet.as_manager()

    if TYPE_CHECKING:
        consents: RelatedManager["Consent"]

    class Meta:
        """The newest first."""

        ordering = ("-created_at", "-id")
        indexes = (
            # The admin's list, and its search by name.
            models.Index(fields=["-created_at", "-id"], name="contact_newest"),
            models.Index(fields=["name"], name="contact_name"),
            # Its filters, whose rare values would else be looked for among all contacts.
            models.Index(fields=["region", "-created_at", "-id"], name="contact_region"),
            models.Index(
                fields=["status", "-created_at", "-id"],
                name="contact_not_active",
                condition=~Q(status=ContactStatus.ACTIVE),
            ),
        )
        constraints = (models.CheckConstraint(condition=Q(e164__startswith="+"), name="contact_is_e164"),)

    def __str__(self) -> str:
        """Give name and number."""
        return f"{self.name} {self.e164}".strip()


class ConsentQuerySet(QuerySet["Consent"]):
    """Consents by whether they hold."""

    def valid(self, at: datetime) -> "ConsentQuerySet":
        """Those given before a moment and not taken back by then."""
        return self.filter(given_at__lte=at).exclude(revoked_at__lte=at)


class Consent(models.Model):
    """What a person agreed to, when and to whom: kept as proof, taken back by a date and never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="consents")
    kind = models.CharField(max_length=20, choices=choices(ConsentKind))
    text = models.TextField(blank=True, help_text="The words that the person agreed to.")
    source = models.CharField(max_length=200, help_text="Where it was given: a form's address, a recording, a paper.")
    seller = models.CharField(max_length=200, blank=True, help_text="To whom it was given; empty: to us.")
    given_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ConsentQuerySet.as_manager()

    if TYPE_CHECKING:
        contact_id: UUID

    class Meta:
        """The newest first."""

        ordering = ("-given_at", "-id")
        indexes = (
            # The admin's list, and its filter.
            models.Index(fields=["-given_at", "-id"], name="consent_newest"),
            models.Index(fields=["kind", "-given_at", "-id"], name="consent_kind"),
        )
        constraints = (
            models.CheckConstraint(condition=~Q(source=""), name="consent_has_a_source"),
            models.UniqueConstraint(fields=["contact", "kind", "given_at", "source"], name="consent_once"),
        )

    def __str__(self) -> str:
        """Give kind and moment."""
        return f"{self.kind} consent of {self.given_at:%Y-%m-%d}"
