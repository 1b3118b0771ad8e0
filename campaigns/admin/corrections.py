"""The form in which a person says what the judge should have said. Unchanged fields are no corrections."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from calls.admin.fields import IndentedJSONField, LinesField
from calls.models.choices import choices
from campaigns.enums import Disposition, Sentiment
from campaigns.models.analysis import CORRECTABLE


class Judgement(Protocol):
    """What the form needs of a judgement."""

    def corrected(self) -> dict[str, Any]:
        """Give each field as it counts."""


class CorrectionForm(forms.Form):
    """Begins with the values that count now."""

    disposition = forms.ChoiceField(choices=choices(Disposition), widget=UnfoldAdminSelectWidget)
    summary = forms.CharField(max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}))
    sentiment = forms.ChoiceField(choices=choices(Sentiment), widget=UnfoldAdminSelectWidget)
    interest = forms.IntegerField(
        min_value=0, max_value=100, widget=UnfoldAdminIntegerFieldWidget, help_text="0: none, 100: has agreed."
    )
    topics = LinesField(help_text="One a line.")
    action_items = IndentedJSONField(
        help_text='A list such as [{"text": "Send the offer.", "owner": "business"}] (or "caller").'
    )
    fields_found = IndentedJSONField(label="Fields", help_text="What the campaign asks for, as JSON.")
    quality_score = forms.IntegerField(
        required=False, min_value=0, max_value=100, widget=UnfoldAdminIntegerFieldWidget, help_text="0 to 100."
    )
    note = forms.CharField(
        required=False, max_length=500, widget=UnfoldAdminTextInputWidget, help_text="Why; kept with the correction."
    )

    def __init__(self, typed: Mapping[str, Any] | None = None, *, analysis: Judgement) -> None:
        self._values = analysis.corrected()
        # A form's own ``fields`` are its fields, so this one has another name on the page.
        super().__init__(typed, initial={_on_the_page(name): value for name, value in self._values.items()})

    def changes(self) -> dict[str, Any]:
        """Give the values that are not those from before."""
        given = {name: self.cleaned_data[_on_the_page(name)] for name in CORRECTABLE}
        given["fields"] = given["fields"] or {}
        return {name: value for name, value in given.items() if _plain(value) != _plain(self._values[name])}

    def add_error(self, field: str | None, error: Any) -> None:
        """Take an error of a column, too."""
        super().add_error(_on_the_page(field) if field else None, error)


def _on_the_page(name: str) -> str:
    return "fields_found" if name == "fields" else name


def _plain(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
