"""Secrets of the agents' HTTP tools: written, replaced and deleted here, and never shown."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from unfold.widgets import UnfoldAdminPasswordWidget

from calls.models import Secret
from vantum.admin_bases import ModelAdmin

if TYPE_CHECKING:
    _Form = forms.ModelForm[Secret]
else:
    _Form = forms.ModelForm


class SecretForm(_Form):
    """Takes a value; an empty one leaves the stored value as it is."""

    value = forms.CharField(
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        required=False,
        help_text="Sent as it is, such as: Bearer abc123. It is not shown again; empty keeps what is stored.",
    )

    class Meta:
        """The value is write-only: a password widget renders none."""

        model = Secret
        fields = ("name", "value")

    def clean_value(self) -> str:
        """Keep the stored value where none was written."""
        written = str(self.cleaned_data.get("value") or "").strip()
        if not written and not self.instance.value:
            message = "Write the value."
            raise forms.ValidationError(message)
        return written or self.instance.value

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.pop("value", None)


@admin.register(Secret)
class SecretAdmin(ModelAdmin[Secret]):
    """Names, and when each was changed."""

    form = SecretForm
    secret_fields = ("value",)
    list_display = ("name", "changed_at")
    search_fields = ("name",)
