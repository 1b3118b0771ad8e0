"""The form of a campaign: days to tick, money as money, retries as a small table."""

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
)

from calls.admin.fields import IndentedJSONField
from campaigns.enums import CampaignStatus, Outcome
from campaigns.findings import FindingsError, check_result_schema
from campaigns.models import Campaign
from campaigns.models.campaigns import default_retry_policy, every_day

if TYPE_CHECKING:
    _Form = forms.ModelForm[Campaign]
else:
    _Form = forms.ModelForm

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
RETRIED = (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.VOICEMAIL, Outcome.FAILED, Outcome.DROPPED)
"""What may be tried again; every other outcome is final."""
_MILLION = 1_000_000
_UNITS = (("hours", 3600), ("minutes", 60), ("seconds", 1))


class WeekdaysField(forms.TypedMultipleChoiceField):
    """Days of the week to tick; stored as numbers from Monday, 0."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            choices=[(str(number), name) for number, name in enumerate(WEEKDAYS)],
            coerce=int,
            widget=UnfoldAdminCheckboxSelectMultipleWidget(),
            error_messages={"required": "Choose at least one day, or the window never opens."},
            **options,
        )

    def prepare_value(self, value: Any) -> Any:
        """Tick what is stored."""
        return [str(day) for day in value] if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the days, whatever their order."""
        return {str(day) for day in initial or []} != {str(day) for day in data or []}


class MicrosField(forms.DecimalField):
    """Money as people write it; stored in millionths."""

    def __init__(self, *, decimal_places: int = 2, required: bool = False, **options: Any) -> None:
        step = "0.01" if decimal_places == 2 else "any"  # noqa: PLR2004 (cents)
        widget = UnfoldAdminDecimalFieldWidget(attrs={"step": step, "min": "0", "inputmode": "decimal"})
        super().__init__(
            min_value=0, max_digits=15, decimal_places=decimal_places, required=required, widget=widget, **options
        )
        self.decimal_places = decimal_places

    def prepare_value(self, value: Any) -> Any:
        """Show millionths as an amount; what was typed stays as it was typed."""
        if not isinstance(value, int):
            return value
        return f"{Decimal(value) / _MILLION:.{self.decimal_places}f}"

    def clean(self, value: Any) -> Any:
        """Give millionths."""
        amount = super().clean(value)
        return None if amount is None else int(amount * _MILLION)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare amounts, not how they are written."""
        try:
            return bool(initial != self.clean(data))
        except forms.ValidationError:
            return True


class RetryWidget(forms.MultiWidget):
    """A table: a row for each outcome with how often, how long after, in which unit."""

    template_name = "admin/campaigns/retry_policy.html"

    def __init__(self) -> None:
        parts: list[forms.Widget] = []
        for outcome in RETRIED:
            row = outcome.replace("_", " ").capitalize()
            units = [(str(seconds), name) for name, seconds in _UNITS]
            parts += [
                UnfoldAdminDecimalFieldWidget(
                    attrs={"min": "0", "max": "20", "step": "1", "aria-label": f"{row}: times"}
                ),
                UnfoldAdminDecimalFieldWidget(attrs={"min": "0", "step": "1", "aria-label": f"{row}: after"}),
                UnfoldAdminSelectWidget(attrs={"aria-label": f"{row}: unit"}, choices=units),
            ]
        super().__init__(parts)

    def decompress(self, value: Any) -> list[Any]:
        """Give the cells, each span in the largest unit that needs no fraction."""
        cells: list[Any] = []
        for outcome in RETRIED:
            stored = (value or {}).get(outcome, {})
            seconds = int(stored.get("after_seconds", 0))
            unit = next(size for _, size in _UNITS if seconds % size == 0 and (seconds or size == _UNITS[1][1]))
            cells += [int(stored.get("retries", 0)), seconds // unit, str(unit)]
        return cells

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Group the cells by outcome."""
        context: dict[str, Any] = super().get_context(name, value, attrs)
        cells = context["widget"]["subwidgets"]
        context["rows"] = [
            (outcome.replace("_", " ").capitalize(), *cells[index * 3 : index * 3 + 3])
            for index, outcome in enumerate(RETRIED)
        ]
        return context


class RetryPolicyField(forms.MultiValueField):
    """How often, and how long after, each outcome is tried again."""

    widget = RetryWidget

    def __init__(self, **options: Any) -> None:
        longest = int(timedelta(days=90).total_seconds())
        fields: list[forms.Field] = []
        for _ in RETRIED:
            fields += [
                forms.IntegerField(min_value=0, max_value=20, required=False),
                forms.IntegerField(min_value=0, max_value=longest, required=False),
                forms.TypedChoiceField(
                    choices=[(str(size), name) for name, size in _UNITS], coerce=int, required=False
                ),
            ]
        super().__init__(fields, required=False, require_all_fields=False, **options)

    def compress(self, data_list: list[Any]) -> dict[str, dict[str, int]]:
        """Give the policy; an outcome that is not tried again is left out."""
        policy = {}
        for index, outcome in enumerate(RETRIED):
            retries, span, unit = data_list[index * 3 : index * 3 + 3] if data_list else (0, 0, 1)
            if retries:
                policy[outcome.value] = {"retries": retries, "after_seconds": (span or 0) * (unit or 1)}
        return policy

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare policies, not cells."""
        try:
            return bool((initial or {}) != self.clean(data))
        except forms.ValidationError:
            return True


def carrier_choices() -> list[tuple[str, str]]:
    """Give the carriers of this installation, the default first."""
    default = settings.CARRIER or "none is set"
    return [("", f"The installation's ({default})"), *((name, name.capitalize()) for name in settings.CARRIERS)]


class CampaignForm(_Form):
    """Checks a campaign as far as a form can; the pre-flight looks at its contacts."""

    weekdays = WeekdaysField(initial=every_day)
    retry_policy = RetryPolicyField(label="Tried again", initial=default_retry_policy)
    budget_micros = MicrosField(label="Budget", help_text="In the currency of the prices; empty: no limit.")
    carrier = forms.ChoiceField(choices=carrier_choices, required=False, widget=UnfoldAdminSelectWidget())
    result_schema = IndentedJSONField(
        initial=dict, help_text="JSON schema of what each call shall yield; empty: only what every call yields."
    )

    class Meta:
        """Services move the status."""

        model = Campaign
        fields = "__all__"
        labels = {  # noqa: RUF012 (Django's way)
            "caller_ids": "Caller IDs",
            "opt_out_number": "Opt-out number",
            "max_concurrent": "Calls at once",
            "max_attempts": "Attempts at most",
        }

    def clean_result_schema(self) -> dict[str, Any]:
        """Give a map; nothing is an empty one."""
        schema = self.cleaned_data["result_schema"] or {}
        if not isinstance(schema, dict):
            message = 'A JSON schema is an object, such as {"type": "object", "properties": {}}.'
            raise forms.ValidationError(message)
        try:
            check_result_schema(schema)
        except FindingsError as error:
            message = f"{error}."
            raise forms.ValidationError(message) from None
        return schema

    def clean(self) -> dict[str, Any]:
        """Refuse a window that ends before it begins, at the field that is wrong."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = cleaned.get("window_start"), cleaned.get("window_end")
        if start and end and end <= start:
            self.add_error("window_end", "The calling window ends before it begins.")
        begins, ends = cleaned.get("starts_at"), cleaned.get("ends_at")
        if begins and ends and ends <= begins:
            self.add_error("ends_at", "The end lies before the start.")
        return cleaned


EDITABLE_WHILE_RUNNING = (
    *("name", "lists", "caller_ids", "starts_at", "ends_at", "window_start", "window_end", "weekdays"),
    *("calls_per_minute", "max_concurrent", "max_attempts", "retry_policy", "budget_micros", "rubric"),
)
"""What takes effect at the next dial and changes nothing that was said to anybody."""


def is_locked(campaign: Campaign | None) -> bool:
    """Whether a campaign was started, so that who calls and in whose name is fixed."""
    return campaign is not None and campaign.status != CampaignStatus.DRAFT
