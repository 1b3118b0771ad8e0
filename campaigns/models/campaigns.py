"""Campaigns, the numbers they call from, whom they call, and what that costs."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q, QuerySet
from uuid_utils.compat import uuid7

from calls.models import Agent, AgentVersion
from calls.models.attempts import E164
from calls.models.choices import choices
from campaigns.enums import (
    CampaignKind,
    CampaignStatus,
    DialReason,
    FinishReason,
    MembershipState,
    Outcome,
    VoicemailPolicy,
)
from campaigns.models.contacts import Contact, ContactList, naming

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


def every_day() -> list[int]:
    """Give Monday (0) to Sunday (6)."""
    return list(range(7))


def default_retry_policy() -> dict[str, dict[str, int]]:
    """Give how often, and how many seconds later, each outcome is tried again; what is not named is final."""
    return {
        Outcome.BUSY: {"retries": 2, "after_seconds": 1800},
        Outcome.NO_ANSWER: {"retries": 2, "after_seconds": 14_400},
        Outcome.VOICEMAIL: {"retries": 1, "after_seconds": 86_400},
        Outcome.FAILED: {"retries": 1, "after_seconds": 86_400},
        Outcome.DROPPED: {"retries": 1, "after_seconds": 3600},
    }


class CallerId(models.Model):
    """A number that campaigns call from."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    e164 = models.CharField("number", max_length=16, unique=True, validators=[E164])
    label = models.CharField(max_length=100, blank=True)
    daily_cap = models.PositiveIntegerField(null=True, blank=True, help_text="Most calls in 24 hours; empty: no cap.")
    is_verified = models.BooleanField("verified", default=False, help_text="It is ours, and calling it back works.")
    attestation = models.CharField(max_length=1, blank=True, help_text="STIR/SHAKEN: A, B or C, as the carrier says.")
    is_active = models.BooleanField("active", default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """By number."""

        verbose_name = "caller ID"
        ordering = ("e164",)
        constraints = (
            models.CheckConstraint(condition=Q(attestation__in=("", "A", "B", "C")), name="callerid_attestation"),
        )

    def __str__(self) -> str:
        """Give number and label."""
        return f"{self.e164} {self.label}".strip()


class CampaignQuerySet(QuerySet["Campaign"]):
    """Campaigns by where they are."""

    def running(self) -> "CampaignQuerySet":
        """Those that dial."""
        return self.filter(status=CampaignStatus.RUNNING)


class Campaign(models.Model):
    """Whom to call, with which agent, when and how fast. Its services move its status; the dialler reads it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=20, choices=choices(CampaignKind), default=CampaignKind.INFORMATIONAL)
    status = models.CharField(
        max_length=20, choices=choices(CampaignStatus), default=CampaignStatus.DRAFT, editable=False
    )
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="campaigns")
    agent_version = models.ForeignKey(
        AgentVersion,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="campaigns",
        help_text="Fixed at the start: an edit of the agent changes no campaign that runs.",
    )
    lists = models.ManyToManyField(ContactList, blank=True, related_name="campaigns")
    caller_ids = models.ManyToManyField(CallerId, blank=True, related_name="campaigns")
    carrier = models.CharField(max_length=50, blank=True, help_text="Empty: the installation's.")
    seller = models.CharField(max_length=200, blank=True, help_text="In whose name it calls; consents must fit it.")
    opt_out_number = models.CharField(
        max_length=16, blank=True, validators=[E164], help_text="Toll-free; sales messages on mailboxes must name it."
    )

    starts_at = models.DateTimeField(null=True, blank=True, help_text="Empty: as soon as it is started.")
    ends_at = models.DateTimeField(null=True, blank=True)
    window_start = models.TimeField(default=time(9), help_text="In the contact's own time zone.")
    window_end = models.TimeField(default=time(20))
    weekdays = models.JSONField(default=every_day, help_text="0 is Monday, 6 is Sunday.")

    calls_per_minute = models.PositiveIntegerField(default=30)
    max_concurrent = models.PositiveIntegerField(default=5)
    max_attempts = models.PositiveIntegerField(default=3, help_text="Per contact, whatever the outcomes.")
    retry_policy = models.JSONField(default=default_retry_policy, blank=True)
    voicemail = models.CharField(max_length=20, choices=choices(VoicemailPolicy), default=VoicemailPolicy.AGENT_DECIDES)
    budget_micros = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Millionths of the currency; empty: no limit."
    )
    spent_micros = models.PositiveBigIntegerField(default=0, editable=False)
    result_schema = models.JSONField(default=dict, blank=True, help_text="JSON schema of what each call shall yield.")
    rubric = models.TextField(blank=True, help_text="What makes a good call; the quality score is held against it.")

    paused_because = models.CharField(max_length=300, blank=True, editable=False)
    pause_evidence = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    enrolled_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When all contacts of its lists were in; empty: not yet."
    )
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CampaignQuerySet.as_manager()

    if TYPE_CHECKING:
        agent_id: UUID
        agent_version_id: UUID | None
        members: RelatedManager["CampaignContact"]

    class Meta:
        """The newest first."""

        ordering = ("-created_at", "-id")
        permissions = (
            ("run_campaign", "Can start, pause and resume campaigns"),
            ("abort_campaign", "Can abort campaigns"),
            ("call_once", "Can call one number by hand"),
        )
        constraints = (
            models.CheckConstraint(condition=~Q(name=""), name="campaign_has_a_name"),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="campaign_ends_after_its_start",
                violation_error_message="The end lies before the start.",
            ),
            models.CheckConstraint(
                condition=Q(window_end__gt=F("window_start")),
                name="campaign_window_opens",
                violation_error_message="The calling window ends before it begins.",
            ),
            models.CheckConstraint(
                condition=Q(calls_per_minute__gte=1, max_concurrent__gte=1, max_attempts__gte=1),
                name="campaign_moves",
                violation_error_message="Pace, concurrency and attempts are at least 1.",
            ),
        )

    def __str__(self) -> str:
        """Give the name."""
        return self.name


_COLUMNS = {"state": "state", "outcome": "last_outcome", "held": "held_because"}


class CampaignContactQuerySet(QuerySet["CampaignContact"]):
    """Memberships by where they are."""

    def matching(self, filters: Mapping[str, str]) -> "CampaignContactQuerySet":
        """Those that fit every given value; names without a value and unknown names do not count.

        ``campaign`` (an id), ``state``, ``outcome``, ``held`` (a reason), ``words`` (the beginning of a number).
        Raises ``ValueError`` for a wrong id.
        """
        found = self.filter(**{column: filters[name] for name, column in _COLUMNS.items() if filters.get(name)})
        if campaign_id := filters.get("campaign"):
            found = found.filter(campaign_id=UUID(campaign_id))
        if words := filters.get("words"):
            found = naming(found, "contact", Contact.objects.numbered(words), "pk")
        return found

    def due(self, now: datetime) -> "CampaignContactQuerySet":
        """Those that wait and whose time has come."""
        return self.filter(state=MembershipState.WAITING, next_attempt_at__lte=now)

    def undecided(self) -> "CampaignContactQuerySet":
        """Those that wait and that the gate has not looked at yet."""
        return self.filter(state=MembershipState.WAITING, decided_at__isnull=True)

    def busy(self) -> "CampaignContactQuerySet":
        """Those that a dialler has, or that are on the line."""
        return self.filter(state__in=(MembershipState.CLAIMED, MembershipState.CALLING))

    def claimed(self) -> "CampaignContactQuerySet":
        """Those that a dialler has; nobody else has a lease."""
        return self.filter(lease_until__isnull=False)

    def expired(self, now: datetime) -> "CampaignContactQuerySet":
        """Those whose dialler did not come back from its claim."""
        return self.filter(state=MembershipState.CLAIMED, lease_until__lt=now)


class CampaignContact(models.Model):
    """One contact within one campaign."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="members")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="memberships")
    state = models.CharField(max_length=20, choices=choices(MembershipState), default=MembershipState.WAITING)
    next_attempt_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never again.")
    attempts = models.PositiveIntegerField(default=0, help_text="Those that count.")
    last_outcome = models.CharField(max_length=20, choices=choices(Outcome), blank=True)
    finish_reason = models.CharField(max_length=20, choices=choices(FinishReason), blank=True)
    callback_at = models.DateTimeField(null=True, blank=True, help_text="When the person asked to be called.")
    held_because = models.CharField(
        max_length=40, choices=choices(DialReason), blank=True, help_text="The gate's latest refusal; empty: none."
    )
    decided_at = models.DateTimeField(null=True, blank=True, help_text="When the gate last looked; empty: not yet.")
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_key = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = CampaignContactQuerySet.as_manager()

    if TYPE_CHECKING:
        campaign_id: UUID
        contact_id: UUID

    class Meta:
        """In the order in which they are due."""

        verbose_name = "campaign contact"
        ordering = ("next_attempt_at", "id")
        indexes = (
            # The dialler's question, many times a minute.
            models.Index(
                fields=["campaign", "next_attempt_at", "id"],
                name="member_due",
                condition=Q(state=MembershipState.WAITING),
            ),
            # The dialler's other one: whom the gate has not seen yet, such as those just enrolled.
            models.Index(
                fields=["campaign", "id"],
                name="member_undecided",
                condition=Q(state=MembershipState.WAITING, decided_at__isnull=True),
            ),
            # What diallers have claimed, and for how long; few.
            models.Index(
                fields=["lease_until"],
                name="member_leased",
                condition=Q(lease_until__isnull=False),
            ),
            # The campaign page's counts.
            models.Index(fields=["campaign", "state", "held_because", "finish_reason"], name="member_counts"),
            # The admin's list of one campaign, the newest first.
            models.Index(fields=["campaign", "id"], name="member_of_campaign"),
        )
        constraints = (
            models.UniqueConstraint(fields=["campaign", "contact"], name="member_once"),
            models.CheckConstraint(
                condition=Q(state=MembershipState.FINISHED, finished_at__isnull=False)
                | (~Q(state=MembershipState.FINISHED) & Q(finished_at__isnull=True)),
                name="member_finished_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(state=MembershipState.CLAIMED, lease_until__isnull=False, lease_key__isnull=False)
                | (~Q(state=MembershipState.CLAIMED) & Q(lease_until__isnull=True, lease_key__isnull=True)),
                name="member_claimed_has_a_lease",
            ),
        )

    def __str__(self) -> str:
        """Give the campaign's and the contact's ids, which need no further query."""
        return f"Contact {self.contact_id} in campaign {self.campaign_id}"


class PriceRow(models.Model):
    """What something costs from a day on, in millionths of the currency for each unit."""

    item = models.CharField(
        max_length=100, help_text="A carrier or provider and .minute: twilio.minute, openai.minute."
    )
    micros = models.PositiveBigIntegerField(help_text="Millionths of the currency for one unit.")
    effective_from = models.DateField()
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        """By item, the newest first."""

        verbose_name = "price"
        ordering = ("item", "-effective_from")
        constraints = (models.UniqueConstraint(fields=["item", "effective_from"], name="price_once_a_day"),)

    def __str__(self) -> str:
        """Give item and day."""
        return f"{self.item} from {self.effective_from}"
