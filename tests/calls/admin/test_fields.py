import pytest
from django.core.exceptions import ValidationError

from calls.admin.fields import IndentedJSONField, LinesField, PairsField


def test_lines_become_a_list_and_back() -> None:
    field = LinesField()
    assert field.prepare_value(["a", "b c"]) == "a\nb c"
    assert field.clean(" a \r\n\n b c ") == ["a", "b c"]
    assert field.clean("") == []
    assert field.prepare_value("typed") == "typed"
    assert [field.has_changed(["a"], "a \n"), field.has_changed(["a"], "b")] == [False, True]


def test_pairs_become_a_map_and_back() -> None:
    field = PairsField()
    assert field.prepare_value({"SQL": "sequel", "a": "b"}) == "SQL = sequel\na = b"
    assert field.clean("SQL = sequel\n x=y=z ") == {"SQL": "sequel", "x": "y=z"}
    assert [field.has_changed({"a": "b"}, "a=b"), field.has_changed({}, "a=b"), field.has_changed({}, "a")] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("line", ["SQL", "= sequel", "SQL ="])
def test_half_a_pair_is_named(line: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PairsField().clean(f"a = b\n{line}")
    assert caught.value.messages == [f"'{line}' is not of the form: written = spoken"]


def test_json_is_shown_for_people_and_kept_as_typed_when_it_is_wrong() -> None:
    field = IndentedJSONField()
    assert field.prepare_value([{"name": "grüße"}]) == '[\n  {\n    "name": "grüße"\n  }\n]'
    assert field.prepare_value("[wrong") == "[wrong"
    assert field.clean("") == []
