"""The operator's tools: whether an agent's definition of them can be used, and the secrets that they send."""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

from calls.engine.agent import AgentSpec
from calls.enums import BuiltInTool
from calls.models import Secret
from vantum.sealing import SealError

logger = logging.getLogger(__name__)


def tool_problems(spec: AgentSpec) -> Iterator[tuple[str, str]]:
    """Give what is wrong with tools and destinations beyond their fields' own rules, as paths and reasons."""
    names = Counter([*BuiltInTool, *(tool.name for tool in spec.http_tools)])
    for number, tool in enumerate(spec.http_tools):
        path = f"http_tools[{number}]"
        if names[tool.name] > 1:
            yield f"{path}.name", f"there is another tool named '{tool.name}'"
        if bool(tool.secret) != bool(tool.secret_header):
            yield f"{path}.secret", "a secret needs the header that it is sent in, and a header its secret"
        if reason := _schema_problem(tool.parameters):
            yield f"{path}.parameters", reason
    places = Counter(destination.name.casefold() for destination in spec.destinations)
    for number, destination in enumerate(spec.destinations):
        if places[destination.name.casefold()] > 1:
            yield f"destinations[{number}].name", f"there is another destination named '{destination.name}'"


def _schema_problem(schema: dict[str, Any]) -> str:
    # Agents without tools of their own do without the library.
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 (see above)

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = "/".join(map(str, error.absolute_path))
        return f"no JSON schema: {error.message}" + (f" - at {place}" if place else "")
    if schema.get("type") != "object":
        return 'expected {"type": "object", ...}: arguments have names'
    if any(not reference.startswith("#") for reference in _references(schema)):
        return "a $ref may only point into the same schema"
    return ""


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(reference := part.get("$ref"), str):
            yield reference
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def find_secret(name: str) -> str | None:
    """Give a secret's value; None where there is none of that name, or none that can be read, which the log says."""
    secret = Secret.objects.filter(name=name).first()
    try:
        return None if secret is None else secret.value
    except SealError as error:
        logger.error("the secret %s cannot be read: %s", name, error)  # noqa: TRY400 (it says all that there is)
        return None
