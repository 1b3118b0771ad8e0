"""What a tool is, and how its arguments are read."""

import json
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from calls.engine.asides import LineGiven
from calls.errors import ToolRefusedError

A = TypeVar("A", bound=Struct)

_MAX_ARGUMENTS = 20_000


class Outcome(Struct, frozen=True, kw_only=True):
    """What a tool did. ``result`` is for the model; ``last`` is said in its stead, and may end the call.

    ``detail`` goes into the call's log. ``is_final``: what was done ends the call, also where the caller has cut in.
    """

    result: str
    last: LineGiven | None = None
    detail: Mapping[str, Any] = {}
    is_final: bool = False


class Tool(Protocol):
    """One thing the model may ask for. ``seconds``: its time limit. ``filler``: what is said while it takes long."""

    @property
    def name(self) -> str:
        """As the model names it."""

    @property
    def seconds(self) -> float:
        """Wall time after which it is given up."""

    @property
    def filler(self) -> str:
        """Said once where it takes longer than about a second; empty: nothing."""

    def describe(self) -> Mapping[str, Any]:
        """Give name, description and the arguments' JSON schema."""

    async def use(self, arguments: str) -> Outcome:
        """Do it. Raises ``ToolRefusedError``, whose text tells the model what to do about it."""


def describe(name: str, description: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Describe a tool whose arguments are all required."""
    return {
        "name": name,
        "description": description,
        "parameters": {
            "type": "object",
            "properties": dict(properties),
            "required": list(properties),
            "additionalProperties": False,
        },
    }


def read_arguments(arguments: str) -> dict[str, Any]:
    """Decode arguments, which a model may have written badly. Raises ``ToolRefusedError``."""
    message = "the arguments are no JSON object; write them anew"
    if len(arguments) > _MAX_ARGUMENTS:
        message = f"the arguments are longer than {_MAX_ARGUMENTS} characters; shorten them"
        raise ToolRefusedError(message)
    try:
        decoded = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        raise ToolRefusedError(message) from None
    if not isinstance(decoded, dict):
        raise ToolRefusedError(message)
    return decoded


def read_as(arguments: str, kind: type[A]) -> A:
    """Read the arguments of a built-in tool. Raises ``ToolRefusedError`` that names the argument."""
    try:
        return msgspec.convert(read_arguments(arguments), kind)
    except msgspec.ValidationError as error:
        raise ToolRefusedError(str(error)) from None
