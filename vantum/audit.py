"""Who changed what: the values before and after, written beside Django's own record of admin changes.

Django's ``LogEntry`` holds which fields changed; here each gets its values. What may be a secret is named, not shown.
"""

import json
import re
from collections.abc import Collection, Iterable
from datetime import date, datetime, time
from typing import Any

from django.db.models import Model, QuerySet
from django.forms import BaseForm, PasswordInput
from django.forms.models import model_to_dict

_SECRET = re.compile(r"password|secret|token|api_key|signing|hash")
_HIDDEN = "(not shown)"
_LONGEST = 2000

Values = dict[str, list[Any]]
"""Field to its value before and after."""


def form_values(form: BaseForm, hidden: Collection[str] = ()) -> Values:
    """Give the fields that a valid form changes, each with its value before and after.

    Those in ``hidden``, those typed into a password field and those named like a secret are named only.
    """
    typed_unseen = {name for name, field in form.fields.items() if isinstance(field.widget, PasswordInput)}
    hidden = {*hidden, *typed_unseen}
    pairs = {
        name: _pair(name, form.initial.get(name), form.cleaned_data.get(name), hidden) for name in form.changed_data
    }
    # Some fields call their value changed when it is only written in another way.
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1] or pair[0] == _HIDDEN}


def row_values(row: Model, hidden: Collection[str] = ()) -> Values:
    """Give all fields of a row that is about to be deleted; those in ``hidden`` are named only."""
    filled = {name: value for name, value in model_to_dict(row).items() if value not in (None, "")}
    return {name: _pair(name, value, None, hidden) for name, value in filled.items()}


def values_of(change_message: str) -> Values:
    """Give the values out of a stored message; a message without any has none."""
    try:
        entries = json.loads(change_message)
    except ValueError:
        return {}
    found: Values = {}
    for entry in entries if isinstance(entries, list) else []:
        for part in entry.values() if isinstance(entry, dict) else ():
            found |= part.get("values", {}) if isinstance(part, dict) else {}
    return found


def _pair(name: str, before: Any, after: Any, hidden: Collection[str]) -> list[Any]:
    if name in hidden or _SECRET.search(name):
        return [_HIDDEN, _HIDDEN]
    return [_plain(before), _plain(after)]


def _plain(value: Any) -> Any:
    """Give a value as JSON has it, rows by their names; long texts are cut."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else f"{value[:_LONGEST]} …"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _HIDDEN if _SECRET.search(str(key)) else _plain(item) for key, item in value.items()}
    if isinstance(value, QuerySet) or (isinstance(value, Iterable) and not isinstance(value, Model)):
        return [_plain(item) for item in value]
    return str(value)
