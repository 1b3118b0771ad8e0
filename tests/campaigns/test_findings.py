import json
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from campaigns.enums import Disposition, Sentiment
from campaigns.findings import ActionItem, Findings, FindingsError, answer_schema, check_result_schema, read_findings

WANTED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "roof": {"type": "string", "enum": ["flat", "tilted"]},
        "people": {"type": "integer", "minimum": 1, "default": 2},
        "heating": {"type": "object", "properties": {"kind": {"type": "string", "maxLength": 9}}},
    },
    "required": ["roof"],
}
ANSWER: dict[str, Any] = {
    "disposition": "scheduled",
    "summary": "Agreed on Tuesday.",
    "sentiment": "positive",
    "interest": 90,
    "topics": ["price"],
    "action_items": [{"text": "Come on Tuesday.", "owner": "business"}],
    "fields": {"roof": "flat", "people": None, "heating": {"kind": None}},
    "quality_score": 80,
    "quality_reasons": ["turn 3 was kind"],
}


def objects_in(schema: Any) -> list[dict[str, Any]]:
    """Every object schema, at whatever depth."""
    if isinstance(schema, list):
        return [found for part in schema for found in objects_in(part)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if schema.get("type") == "object" else []
    return own + [found for part in schema.values() for found in objects_in(part)]


def test_the_schema_for_the_model_is_strict_at_every_depth() -> None:
    schema = answer_schema(WANTED, has_rubric=True)
    Draft202012Validator.check_schema(schema)
    closed = [
        (found["additionalProperties"], found["required"] == list(found["properties"])) for found in objects_in(schema)
    ]
    assert closed == [(False, True)] * 4
    text = json.dumps(schema)
    assert [word for word in ("default", "maxLength") if word in text] == []


def test_what_may_be_missing_may_be_null_and_what_is_required_may_not() -> None:
    fields = answer_schema(WANTED, has_rubric=False)["properties"]["fields"]["properties"]
    assert fields["roof"] == {"type": "string", "enum": ["flat", "tilted"]}
    assert fields["people"] == {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}


def test_without_a_rubric_there_is_no_score() -> None:
    scores = [answer_schema({}, has_rubric=has)["properties"]["quality_score"]["type"] for has in (True, False)]
    assert scores == ["integer", "null"]


def test_an_answer_of_the_schema_is_read_and_its_nulls_are_left_out() -> None:
    wanted = {**WANTED, "properties": {name: WANTED["properties"][name] for name in ("roof", "people")}}
    answer = ANSWER | {"fields": {"roof": "flat", "people": None}}
    assert read_findings(json.dumps(answer), wanted) == Findings(
        disposition=Disposition.SCHEDULED,
        summary="Agreed on Tuesday.",
        sentiment=Sentiment.POSITIVE,
        interest=90,
        topics=("price",),
        action_items=(ActionItem(text="Come on Tuesday.", owner="business"),),
        fields={"roof": "flat"},
        quality_score=80,
        quality_reasons=("turn 3 was kind",),
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"disposition": "sold"}, "disposition"),
        ({"interest": 101}, "interest"),
        ({"interest": "high"}, "interest"),
        ({"summary": ""}, "summary"),
        ({"surprise": 1}, "surprise"),
        ({"action_items": [{"text": "x", "owner": "nobody"}]}, "owner"),
        ({"fields": {"roof": "round"}}, "fields, at roof"),
        ({"fields": {"people": 3}}, "'roof' is a required property"),
    ],
)
def test_an_answer_that_breaks_the_schema_is_refused_by_field(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FindingsError, match=complaint):
        read_findings(json.dumps(ANSWER | change), WANTED)


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"disposition": "other"}'])
def test_what_is_no_answer_at_all_is_refused(text: str) -> None:
    with pytest.raises(FindingsError):
        read_findings(text, {})


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        ({"type": "array"}, "outermost"),
        ({"type": "object"}, "properties"),
        ({"type": "object", "properties": {"a": {"type": "wood"}}}, r"at properties\.a\.type"),
        ({"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}]}}}, "oneOf cannot be used"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_with_the_place(schema: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FindingsError, match=complaint):
        check_result_schema(schema)


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    check_result_schema({"type": "object", "properties": {"not": {"type": "string"}, "if": {"type": "string"}}})


def test_no_schema_asks_for_nothing() -> None:
    check_result_schema({})
    answer = msgspec.structs.replace(read_findings(json.dumps(ANSWER | {"fields": {}}), {}), topics=())
    assert answer.fields == {}
