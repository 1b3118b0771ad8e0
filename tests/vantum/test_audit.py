import json
from datetime import UTC, datetime

import pytest
from django import forms
from django.contrib.auth.models import Group

from vantum.audit import form_values, row_values, values_of


class Form(forms.Form):
    name = forms.CharField()
    api_key = forms.CharField()
    tools = forms.JSONField()
    when = forms.DateTimeField()


def test_only_what_changed_is_kept_and_no_secret() -> None:
    before = {
        "name": "Ann",
        "api_key": "old",
        "tools": {"url": "x", "secret": "s1"},
        "when": datetime(2026, 1, 1, tzinfo=UTC),
    }
    after = {"name": "Ann", "api_key": "new", "tools": '{"url": "y", "secret": "s2"}', "when": "2026-01-02 00:00"}
    form = Form(after, initial=before)
    assert form.is_valid()
    assert form_values(form) == {
        "api_key": ["(not shown)", "(not shown)"],
        "tools": [{"url": "x", "secret": "(not shown)"}, {"url": "y", "secret": "(not shown)"}],
        "when": ["2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"],
    }


def test_what_is_typed_into_a_password_field_or_named_as_hidden_is_not_kept() -> None:
    class Hidden(forms.Form):
        value = forms.CharField(widget=forms.PasswordInput)
        code = forms.CharField()

    form = Hidden({"value": "Bearer abc", "code": "1234"})
    assert form.is_valid()
    assert form_values(form, hidden=("code",)) == {name: ["(not shown)", "(not shown)"] for name in ("value", "code")}


def test_long_texts_are_cut() -> None:
    form = Form({"name": "x" * 5000, "api_key": "k", "tools": "[1]", "when": "2026-01-02"}, initial={"api_key": "k"})
    assert form.is_valid()
    assert len(form_values(form)["name"][1]) == 2002


@pytest.mark.django_db
def test_a_deleted_row_leaves_its_values() -> None:
    group = Group.objects.create(name="Callers")
    assert row_values(group) == {"id": [group.pk, None], "name": ["Callers", None], "permissions": [[], None]}
    assert row_values(group, hidden=("name",))["name"] == ["(not shown)", "(not shown)"]


@pytest.mark.parametrize("message", ["", "Changed name.", "[]", '[{"changed": {"fields": ["name"]}}]', "7", '["x"]'])
def test_a_message_without_values_has_none(message: str) -> None:
    assert values_of(message) == {}


def test_values_are_read_back() -> None:
    message = json.dumps([{"changed": {"fields": ["Name"], "values": {"name": ["a", "b"]}}}])
    assert values_of(message) == {"name": ["a", "b"]}
