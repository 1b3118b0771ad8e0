"""Telephone calls as the carrier has them, the streams that carry their audio, and the numbers nobody may dial."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from uuid_utils.compat import uuid7

from calls.enums import (
    AnsweredBy,
    AttemptKind,
    AttemptStatus,
    Direction,
    OperatorOrder,
    SuppressionSource,
    TransferStatus,
)
from calls.models.agents import AgentVersion
from calls.models.choices import choices
from calls.models.sessions import CallSession
from vantum.days import day_begins, day_ends

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

E164 = RegexValidator(r"^\+(?:1[2-9]\d{9}|[2-9]\d{6,14})\Z", "Write the number as E.164, such as +442079460000.")
"""ITU-T E.164: a plus sign and at most 15 digits with the country's code; North American numbers have ten behind it."""

OVER = tuple(status for status in AttemptStatus if status.is_over)
LIVE = tuple(status for status in AttemptStatus if not status.is_over)
"""``UNKNOWN`` is among them: a number is not dialled while its telephone may be ringing."""


def make_dial_key() -> str:
    """Give a word that nobody can guess."""
    return secrets.token_urlsafe(18)


_COLUMNS = ("status", "direction", "carrier", "answered_kind")


class CallAttemptQuerySet(QuerySet["CallAttempt"]):
    """Attempts by where they are in their life."""

    def live(self) -> "CallAttemptQuerySet":
        """Those on the line, or possibly so."""
        return self.filter(status__in=LIVE)

    def to_contacts(self) -> "CallAttemptQuerySet":
        """Calls that we placed to people who are none of ours."""
        return self.filter(direction=Direction.OUTBOUND, kind=AttemptKind.CONTACT)

    def matching(self, filters: Mapping[str, str]) -> "CallAttemptQuerySet":
        """Those that fit every given value; names without a value and unknown names do not count.

        ``status``, ``direction``, ``carrier``, ``answered_kind``, ``since`` and ``until`` (days), ``words`` (the
        beginning of a number, or a carrier's id).
        """
        found = self.filter(**{name: filters[name] for name in _COLUMNS if filters.get(name)})
        if since := day_begins(filters.get("since")):
            found = found.filter(created_at__gte=since)
        if until := day_ends(filters.get("until")):
            found = found.filter(created_at__lt=until)
        if words := filters.get("words", ""):
            named = Q(to_e164__startswith=words) | Q(from_e164__startswith=words) | Q(carrier_sid=words)
            found = found.filter(named)
        return found

    def stranded(self, before: datetime) -> "CallAttemptQuerySet":
        """Those whose process went away between the row and the carrier's answer."""
        return self.filter(status=AttemptStatus.DIALING, created_at__lt=before)

    def unknown(self) -> "CallAttemptQuerySet":
        """Those that the carrier may or may not have."""
        return self.filter(status=AttemptStatus.UNKNOWN)

    def recorded_before(self, before: datetime) -> "CallAttemptQuerySet":
        """Those that ended before then and that the carrier has a recording of, but for those under legal hold."""
        held = CallStream.objects.filter(
            attempt=OuterRef("pk"), session_id__in=CallSession.objects.filter(is_held=True).values("pk")
        )
        return self.filter(~Exists(held), ended_at__lt=before).exclude(recording_sid="")

    def unheard_of(self, since: datetime) -> "CallAttemptQuerySet":
        """Live ones of which neither a callback nor a question to the carrier told anything since."""
        asked = self.live().exclude(status__in=(AttemptStatus.DIALING, AttemptStatus.UNKNOWN))
        return asked.filter(heard_at__lt=since)


class CallAttempt(models.Model):
    """One call through a carrier: stored before the carrier hears of it, then in the carrier's own words."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dial_key = models.CharField(
        max_length=40, unique=True, default=make_dial_key, editable=False, help_text="Names the attempt in callbacks."
    )
    kind = models.CharField(max_length=10, choices=choices(AttemptKind), default=AttemptKind.CONTACT)
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="legs",
        help_text="The call whose caller a colleague is asked to take.",
    )
    order = models.CharField(
        "operator's order",
        max_length=20,
        blank=True,
        choices=choices(OperatorOrder),
        help_text="Done at the next step.",
    )
    direction = models.CharField(max_length=10, choices=choices(Direction), default=Direction.OUTBOUND)
    to_e164 = models.CharField("to", max_length=16, validators=[E164])
    from_e164 = models.CharField("from", max_length=16, blank=True, help_text="Empty: an inbound call withheld it.")
    carrier = models.CharField(max_length=50)
    carrier_sid = models.CharField("carrier's id", max_length=64, blank=True)
    status = models.CharField(max_length=20, choices=choices(AttemptStatus), default=AttemptStatus.DIALING)
    sequence = models.IntegerField(default=-1, help_text="SequenceNumber of the latest callback that counted.")
    agent_version = models.ForeignKey(
        AgentVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="attempts"
    )
    variables = models.JSONField(default=dict, blank=True)
    # Without a constraint in the database: the recorder stores the session a moment after its stream has begun.
    session = models.ForeignKey(
        CallSession, null=True, blank=True, on_delete=models.SET_NULL, related_name="attempts", db_constraint=False
    )
    answered_by = models.CharField(max_length=30, blank=True, help_text="The carrier's answering machine detection.")
    answered_kind = models.CharField(
        "who answered", max_length=20, blank=True, choices=choices(AnsweredBy), help_text="As our own ears decided."
    )
    error = models.CharField(max_length=500, blank=True, help_text="Why the carrier did not do it, in its own words.")
    error_code = models.PositiveIntegerField(null=True, blank=True)
    is_refused = models.BooleanField("refused for good", default=False, help_text="The carrier would refuse it again.")
    created_at = models.DateTimeField()
    heard_at = models.DateTimeField(help_text="When the carrier last said anything about the call.")
    missed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the carrier's list was first found without a call that is unknown."
    )
    ringing_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    duration_seconds = models.PositiveIntegerField(null=True, blank=True, help_text="As the carrier bills it.")
    recording_sid = models.CharField("carrier's recording", max_length=64, blank=True)
    recording_url = models.URLField("carrier's recording at", max_length=500, blank=True)
    recording_seconds = models.PositiveIntegerField(null=True, blank=True)

    objects = CallAttemptQuerySet.as_manager()

    if TYPE_CHECKING:
        agent_version_id: UUID | None
        session_id: UUID | None
        parent_id: UUID | None
        streams: RelatedManager["CallStream"]

    class Meta:
        """The newest first."""

        verbose_name = "telephone call"
        ordering = ("-created_at", "-id")
        indexes = (
            # The admin's list.
            models.Index(fields=["-created_at", "-id"], name="attempt_newest"),
            # The sweep's questions; live calls are few.
            models.Index(fields=["heard_at"], name="attempt_live", condition=Q(status__in=LIVE)),
            # What campaigns have on the line; SQLite sees this condition in a question, and no list of statuses.
            models.Index(fields=["carrier"], name="attempt_on_the_line", condition=Q(ended_at__isnull=True)),
            # The daily cap of a caller ID.
            models.Index(fields=["from_e164", "-created_at"], name="attempt_from"),
            # Whom a caller was called by.
            models.Index(fields=["to_e164", "-created_at"], name="attempt_to"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["to_e164"],
                condition=Q(status__in=LIVE, direction=Direction.OUTBOUND),
                name="attempt_one_live_per_number",
            ),
            models.UniqueConstraint(
                fields=["carrier", "carrier_sid"], condition=~Q(carrier_sid=""), name="attempt_once_per_carrier_id"
            ),
            models.CheckConstraint(
                condition=Q(status__in=LIVE, ended_at__isnull=True) | Q(status__in=OVER, ended_at__isnull=False),
                name="attempt_over_has_an_end",
            ),
        )

    def __str__(self) -> str:
        """Give the number and the moment."""
        return f"{self.person_e164 or 'withheld number'} at {self.created_at:%Y-%m-%d %H:%M:%S}"

    @property
    def person_e164(self) -> str:
        """The other party's number; empty where it was withheld."""
        return self.from_e164 if self.direction == Direction.INBOUND else self.to_e164

    @property
    def own_e164(self) -> str:
        """Our number on this call."""
        return self.to_e164 if self.direction == Direction.INBOUND else self.from_e164

    @property
    def is_over(self) -> bool:
        """Whether nothing is on the line, as far as anybody told."""
        return self.status in OVER


class CallStreamQuerySet(QuerySet["CallStream"]):
    """Streams by what hangs on them."""

    def newest_on_the_line(self) -> "CallStreamQuerySet":
        """The newest stream of each call that was answered and that the carrier has not called over."""
        later = CallStream.objects.filter(attempt=OuterRef("attempt"), number__gt=OuterRef("number"))
        on_the_line = self.filter(attempt__status=AttemptStatus.IN_PROGRESS).exclude(attempt__carrier_sid="")
        # Who has been put through needs no stream of ours.
        talking = on_the_line.exclude(attempt__transfers__status=TransferStatus.CONNECTED)
        alone = talking.exclude(attempt__briefing__status__in=(TransferStatus.ACCEPTED, TransferStatus.CONNECTED))
        return alone.filter(~Exists(later)).order_by("issued_at")


class CallStream(models.Model):
    """One media stream of a call, from the TwiML that asks for it. Its token opens it once."""

    attempt = models.ForeignKey(CallAttempt, on_delete=models.CASCADE, related_name="streams")
    number = models.PositiveIntegerField(help_text="Counts from 1 within the call; 2 and more go on with it.")
    issued_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True, help_text="When its token was used up.")
    session_id = models.UUIDField(null=True, blank=True, help_text="The conversation that it carried.")
    carrier_sid = models.CharField("carrier's id", max_length=64, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    objects = CallStreamQuerySet.as_manager()

    if TYPE_CHECKING:
        attempt_id: UUID

    class Meta:
        """In the order in which they were asked for."""

        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=["attempt", "number"], name="stream_once"),)

    def __str__(self) -> str:
        """Give the number."""
        return f"Stream {self.number}"


class Suppression(models.Model):
    """A number that nobody dials any more, with the proof of why. It holds for the whole installation."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    e164 = models.CharField("number", max_length=16, unique=True, validators=[E164])
    source = models.CharField(
        max_length=20, choices=choices(SuppressionSource), default=SuppressionSource.OPERATOR, editable=False
    )
    proof = models.TextField(help_text="What was said or done, where and when.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """The newest first."""

        verbose_name = "suppressed number"
        ordering = ("-created_at", "-id")
        # The admin's list.
        indexes = (models.Index(fields=["-created_at", "-id"], name="suppression_newest"),)
        constraints = (
            models.CheckConstraint(condition=Q(e164__startswith="+"), name="suppression_is_e164"),
            models.CheckConstraint(condition=~Q(proof=""), name="suppression_has_a_proof"),
        )

    def __str__(self) -> str:
        """Give the number."""
        return self.e164
