"""Secrets of the agents' HTTP tools: written, replaced and deleted here, and never shown."""

from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin
from unfold.widgets import UnfoldAdminPasswordWidget

from calls.models import Secret
from calls.models.secrets import one_line
from vantum.admin_bases import ModelAdmin
from vantum.sealing import SealError

if TYPE_CHECKING:
    _Form = forms.ModelForm[Secret]
else:
    _Form = forms.ModelForm


class SecretForm(_Form):
    """Takes a value; an empty one leaves the stored value as it is."""

    value = forms.CharField(
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        required=False,
        validators=[one_line],
        help_text="Sent as it is, such as: Bearer abc123. It is not shown again; empty keeps what is stored.",
    )

    class Meta:
        """The value is write-only: a password widget renders none."""

        model = Secret
        fields = ("name",)

    def clean_value(self) -> str:
        """Keep the stored value where none was written."""
        written = str(self.cleaned_data.get("value") or "")
        if not written and not self.instance.sealed:
            message = "Write the value."
            raise forms.ValidationError(message)
        if written:
            self.instance.value = written
        return written


@admin.register(Secret)
class SecretAdmin(ModelAdmin[Secret]):
    """Names, and when each was changed."""

    form = SecretForm
    fields = ("name", "value")
    secret_fields = ("value",)
    list_display = ("name", "changed_at", "is_readable")
    search_fields = ("name",)

    @admin.display(description="can be read", boolean=True)
    def is_readable(self, secret: Secret) -> bool:
        """Say whether the key that seals it is still the one of now."""
        try:
            return bool(secret.value)
        except SealError:
            return False
