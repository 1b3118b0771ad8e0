"""What the gate goes by: rules of the law, copies of do-not-call lists, numbers to call from, prices."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import localdate

from calls.admin.fields import IndentedJSONField
from campaigns import services
from campaigns.admin.campaign_form import MicrosField
from campaigns.admin.parts import ReadOnly, micros
from campaigns.models import CallerId, ComplianceRule, Consent, Contact, DoNotCallList, PriceRow
from campaigns.models.contacts import naming
from vantum.admin_bases import ModelAdmin

if TYPE_CHECKING:
    _RuleForm = forms.ModelForm[ComplianceRule]
    _PriceForm = forms.ModelForm[PriceRow]
    _ConsentBase = ModelAdmin[Consent]
else:
    _RuleForm = _PriceForm = forms.ModelForm

    class _ConsentBase(ReadOnly, ModelAdmin):
        """Consents are added on the page of their contact."""


class RuleForm(_RuleForm):
    """A rule with its parameters as readable JSON."""

    parameters = IndentedJSONField(initial=dict, help_text="What each kind takes stands in docs/operations.md.")

    class Meta:
        """All fields."""

        model = ComplianceRule
        fields = "__all__"

    def clean_parameters(self) -> dict[str, object]:
        """Give a map; nothing is an empty one."""
        return dict(self.cleaned_data["parameters"] or {})


@admin.register(ComplianceRule)
class ComplianceRuleAdmin(ModelAdmin[ComplianceRule]):
    """Dated rows: the law changes, and old decisions must stay explicable."""

    form = RuleForm
    list_display = ("jurisdiction", "kind", "applies_to", "effective_from", "effective_until", "is_enabled", "citation")
    list_display_links = ("jurisdiction", "kind")
    list_filter = ("kind", "applies_to", "is_enabled")
    search_fields = ("jurisdiction", "citation")


@admin.register(DoNotCallList)
class DoNotCallListAdmin(ModelAdmin[DoNotCallList]):
    """Copies of public lists, each with the day whose state it has."""

    list_display = ("name", "jurisdiction", "version_date", "row_count", "is_complete", "created_at")
    readonly_fields = ("row_count", "is_complete")
    list_filter = ("jurisdiction",)


@admin.register(CallerId)
class CallerIdAdmin(ModelAdmin[CallerId]):
    """Numbers that campaigns call from."""

    list_display = ("e164", "label", "daily_cap", "is_verified", "attestation", "is_active")
    list_filter = ("is_active", "is_verified")
    search_fields = ("e164", "label")


class PriceForm(_PriceForm):
    """A price as an amount of money."""

    micros = MicrosField(
        label="Price of one minute", decimal_places=6, required=True, help_text="In the installation's currency."
    )

    class Meta:
        """All fields."""

        model = PriceRow
        fields = "__all__"


@admin.register(PriceRow)
class PriceRowAdmin(ModelAdmin[PriceRow]):
    """What things cost from a day on: a new price is a new row, so that old calls keep theirs."""

    form = PriceForm
    list_before_template = "admin/campaigns/prices.html"
    list_display = ("item", "price", "effective_from", "note")
    search_fields = ("item",)

    @admin.display(ordering="micros")
    def price(self, row: PriceRow) -> str:
        """Show the amount, to the millionth where it matters."""
        if row.micros % 10_000 == 0:
            return micros(row.micros)
        return f"{row.micros / 1_000_000:.6f}".rstrip("0") + f" {settings.CURRENCY}"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Say above the list which prices are missing."""
        context = {"currency": settings.CURRENCY, "unpriced": services.unpriced_items(day=localdate())}
        return super().changelist_view(request, {**(extra_context or {}), **context})


@admin.register(Consent)
class ConsentAdmin(_ConsentBase):
    """All consents, to look through."""

    list_display = ("given_at", "contact", "kind", "seller", "source", "revoked_at")
    list_select_related = ("contact",)
    list_defer = ("text", "contact__fields")
    sortable_by = ("given_at",)
    list_filter = ("kind",)
    search_fields = ("contact__e164",)
    search_help_text = "The beginning of a number."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Consent], search_term: str
    ) -> tuple[QuerySet[Consent], bool]:
        """Find by the beginning of the number."""
        del request
        words = search_term.strip()
        if not words:
            return queryset, False
        return naming(queryset, "contact", Contact.objects.numbered(words), "pk"), False
