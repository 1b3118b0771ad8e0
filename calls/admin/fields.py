"""Form fields for lists and maps that people write line by line."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget


def _area(rows: int) -> forms.Widget:
    area: forms.Widget = UnfoldAdminTextareaWidget(attrs={"rows": rows})
    return area


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    def __init__(self, *, rows: int = 4, **options: Any) -> None:
        super().__init__(required=False, widget=_area(rows), **options)

    def prepare_value(self, value: Any) -> Any:
        """Show a list as lines."""
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Read the lines; empty ones do not count."""
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what the lines say."""
        return bool(self.to_python(self.prepare_value(initial)) != self.to_python(data))


class PairsField(LinesField):
    """A map of texts, ``written = spoken`` on each line."""

    def prepare_value(self, value: Any) -> Any:
        """Show a map as lines."""
        return "\n".join(f"{name} = {said}" for name, said in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        """Read the lines. Raises ``ValidationError`` that names the one without an equals sign."""
        pairs = {}
        for line in super().to_python(value):
            name, separator, said = (part.strip() for part in line.partition("="))
            if not (name and separator and said):
                message = f"'{line}' is not of the form: written = spoken"
                raise ValidationError(message)
            pairs[name] = said
        return pairs

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what the lines say; lines that cannot be read are a change."""
        try:
            return bool(initial != self.to_python(data))
        except ValidationError:
            return True


class IndentedJSONField(forms.JSONField):
    """JSON that a person can read."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=_area(12), **options)

    def to_python(self, value: Any) -> Any:
        """Read it; nothing is an empty list."""
        return super().to_python(value) or []

    def prepare_value(self, value: Any) -> Any:
        """Show it indented; what was typed and could not be read stays as it was typed."""
        return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
