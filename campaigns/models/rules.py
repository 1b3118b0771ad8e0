"""What the law asks for, as dated rows that an operator can edit, and copies of the public do-not-call lists."""

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q, QuerySet
from uuid_utils.compat import uuid7

from calls.models.attempts import E164
from calls.models.choices import choices
from campaigns.compliance import ParameterError, Rule, read_parameters
from campaigns.enums import CampaignKind, RuleKind


class ComplianceRuleQuerySet(QuerySet["ComplianceRule"]):
    """Rules by when they hold."""

    def in_force(self, day: date) -> "ComplianceRuleQuerySet":
        """Those that hold on a day."""
        begun = self.filter(is_enabled=True, effective_from__lte=day)
        return begun.filter(Q(effective_until__isnull=True) | Q(effective_until__gte=day))


class ComplianceRule(models.Model):
    """One rule of one jurisdiction. ``campaigns.compliance`` reads it and says which parameters each kind takes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    jurisdiction = models.CharField(
        max_length=6, help_text="ISO 3166: US, US-FL; US-* and * stand in for missing ones."
    )
    kind = models.CharField(max_length=30, choices=choices(RuleKind))
    applies_to = models.CharField(
        max_length=20, choices=choices(CampaignKind), blank=True, help_text="Empty: campaigns of every kind."
    )
    parameters = models.JSONField(default=dict, blank=True)
    effective_from = models.DateField()
    effective_until = models.DateField(null=True, blank=True, help_text="The last day; empty: until further notice.")
    citation = models.CharField(max_length=300, blank=True, help_text="Where it is written.")
    note = models.TextField(blank=True)
    is_enabled = models.BooleanField("enabled", default=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ComplianceRuleQuerySet.as_manager()

    class Meta:
        """By place and kind."""

        verbose_name = "compliance rule"
        ordering = ("jurisdiction", "kind", "-effective_from", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(effective_until__isnull=True) | Q(effective_until__gte=F("effective_from")),
                name="rule_ends_after_its_start",
            ),
        )

    def __str__(self) -> str:
        """Give place and kind."""
        return f"{self.jurisdiction}: {self.kind.replace('_', ' ')}"

    def clean(self) -> None:
        """Refuse parameters that the gate could not use, and say which one it is."""
        if self.kind not in set(RuleKind):
            return
        try:
            read_parameters(RuleKind(self.kind), self.parameters)
        except ParameterError as error:
            raise ValidationError({"parameters": str(error)}) from None

    def as_rule(self) -> Rule:
        """Give the row as the gate reads it. Raises ``ParameterError``."""
        return Rule(
            jurisdiction=self.jurisdiction,
            kind=RuleKind(self.kind),
            parameters=read_parameters(RuleKind(self.kind), self.parameters),
            effective_from=self.effective_from,
            applies_to=CampaignKind(self.applies_to) if self.applies_to else None,
            effective_until=self.effective_until,
            citation=self.citation,
        )


class DoNotCallList(models.Model):
    """One downloaded copy of a public list, such as the FTC's registry. Its age decides whether sales may dial."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    jurisdiction = models.CharField(max_length=6, default="US")
    version_date = models.DateField(help_text="The day whose state the copy has.")
    is_complete = models.BooleanField("complete", default=False, editable=False, help_text="All rows are in.")
    row_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """The newest first."""

        verbose_name = "do-not-call list"
        ordering = ("-version_date", "-id")
        constraints = (models.UniqueConstraint(fields=["name", "version_date"], name="dnclist_once"),)

    def __str__(self) -> str:
        """Give name and day."""
        return f"{self.name} of {self.version_date}"


class DoNotCallNumber(models.Model):
    """A number on one copy of a public list."""

    list = models.ForeignKey(DoNotCallList, on_delete=models.CASCADE, related_name="numbers")
    e164 = models.CharField(max_length=16, validators=[E164])

    if TYPE_CHECKING:
        list_id: UUID

    class Meta:
        """The gate asks by number."""

        constraints = (models.UniqueConstraint(fields=["e164", "list"], name="dncnumber_once"),)

    def __str__(self) -> str:
        """Give the number."""
        return self.e164
