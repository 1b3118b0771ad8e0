"""What a call came to: the shape of the answer that a judge gives, as a strict JSON schema, and its reading.

Pure. The schema is of the kind that structured outputs take: every property is required, nothing else is allowed, and
what may be missing is null (https://platform.openai.com/docs/guides/structured-outputs).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from msgspec import Meta, Struct

from campaigns.enums import Disposition, Sentiment

Percent = Annotated[int, Meta(ge=0, le=100)]
_Line = Annotated[str, Meta(max_length=500)]

_UNSAID = {"default", "examples", "title", "$schema", "$id", "minLength", "maxLength", "uniqueItems", "format"}
"""What strict mode does not take, or takes only in part; the answer is checked against it afterwards."""
_UNUSABLE = {"allOf", "oneOf", "not", "if", "then", "else", "patternProperties", "$ref", "dependentSchemas"}


class FindingsError(ValueError):
    """A judge's answer, or the schema of a campaign's results, cannot be used; the text says where and why."""


class ActionItem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that somebody has to do after the call."""

    text: _Line
    owner: Literal["business", "caller"]


class Findings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a judge says of one call. ``fields`` are what the campaign asks for; ``quality_score`` needs a rubric."""

    disposition: Disposition
    summary: Annotated[str, Meta(min_length=1, max_length=2000)]
    sentiment: Sentiment
    interest: Percent
    """0: none at all, 100: the caller has agreed to what the call is about."""
    topics: Annotated[tuple[Annotated[str, Meta(max_length=100)], ...], Meta(max_length=20)] = ()
    action_items: Annotated[tuple[ActionItem, ...], Meta(max_length=20)] = ()
    fields: dict[str, Any] = {}
    quality_score: Percent | None = None
    quality_reasons: Annotated[tuple[_Line, ...], Meta(max_length=20)] = ()


def answer_schema(result_schema: Mapping[str, Any], *, has_rubric: bool) -> dict[str, Any]:
    """Give the strict schema that a model's answer must have, with the campaign's own fields inside.

    Raises ``FindingsError`` for a ``result_schema`` that cannot be made strict.
    """
    check_result_schema(result_schema)
    score: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 100}
    properties = {
        "disposition": {"type": "string", "enum": [word.value for word in Disposition]},
        "summary": {"type": "string"},
        "sentiment": {"type": "string", "enum": [word.value for word in Sentiment]},
        "interest": score,
        "topics": {"type": "array", "items": {"type": "string"}},
        "action_items": {
            "type": "array",
            "items": _closed({"text": {"type": "string"}, "owner": {"type": "string", "enum": ["business", "caller"]}}),
        },
        "fields": _strict(dict(result_schema)) if result_schema else _closed({}),
        "quality_score": score if has_rubric else {"type": "null"},
        "quality_reasons": {"type": "array", "items": {"type": "string"}},
    }
    return _closed(properties)


def check_result_schema(schema: Mapping[str, Any]) -> None:
    """Raise ``FindingsError`` for what cannot be a campaign's schema of results; an empty one asks for nothing."""
    if not schema:
        return
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        message = f"at {_place(error.absolute_path)}: {error.message}"
        raise FindingsError(message) from None
    if schema.get("type") != "object" or not schema.get("properties"):
        message = 'the outermost "type" is to be "object", with its "properties"'
        raise FindingsError(message)
    if used := sorted(_UNUSABLE & _keywords(schema)):
        message = f"{', '.join(used)} cannot be used here; describe plain objects, arrays, texts, numbers and enums"
        raise FindingsError(message)


def read_findings(text: str | bytes, result_schema: Mapping[str, Any]) -> Findings:
    """Read a judge's answer. Raises ``FindingsError`` that says which field is wrong."""
    try:
        findings = msgspec.json.decode(text, type=Findings)
    except msgspec.DecodeError as error:
        raise FindingsError(str(error)) from None
    if result_schema:
        wanted = {name: value for name, value in findings.fields.items() if value is not None}
        problem = next(Draft202012Validator(result_schema).iter_errors(wanted), None)
        if problem is not None:
            message = f"fields, at {_place(problem.absolute_path)}: {problem.message}"
            raise FindingsError(message)
        findings = msgspec.structs.replace(findings, fields=wanted)
    return findings


def _place(path: Any) -> str:
    return ".".join(str(part) for part in path) or "the top"


def _closed(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Give an object that has exactly these properties."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Make a schema strict all the way down: what was optional may be null instead of missing."""
    plain = {key: value for key, value in schema.items() if key not in _UNSAID}
    if "properties" in plain:
        needed = set(plain.get("required", ()))
        properties = {
            name: _strict(part) if name in needed else _nullable(_strict(part))
            for name, part in plain["properties"].items()
        }
        plain |= _closed(properties)
    if isinstance(plain.get("items"), Mapping):
        plain["items"] = _strict(plain["items"])
    return plain


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _keywords(schema: Any) -> set[str]:
    """Give the keywords used in a schema; names of properties are none."""
    if isinstance(schema, list):
        return set[str]().union(*map(_keywords, schema))
    if not isinstance(schema, Mapping):
        return set()
    found = set(schema)
    for key, value in schema.items():
        found |= set[str]().union(*map(_keywords, value.values())) if key == "properties" else _keywords(value)
    return found
