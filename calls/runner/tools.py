"""The tools that a model may ask for, as JSON-schema function descriptions."""

from collections.abc import Mapping
from typing import Any

END_CALL: Mapping[str, Any] = {
    "name": "end_call",
    "description": (
        "End the phone call. Use it when the caller says goodbye, or when everything is settled. "
        "Say the goodbye in the argument; it is spoken before the line is closed."
    ),
    "parameters": {
        "type": "object",
        "properties": {
            "goodbye": {"type": "string", "description": "The last words to the caller, one short sentence."}
        },
        "required": ["goodbye"],
        "additionalProperties": False,
    },
}

TOOLS: Mapping[str, Mapping[str, Any]] = {"end_call": END_CALL}
"""Every tool by its name; ``AgentSpec.tools`` names those that an agent may use."""


def describe(names: tuple[str, ...]) -> tuple[Mapping[str, Any], ...]:
    """Give the descriptions of the named tools; a name that is no tool any more is left out."""
    return tuple(TOOLS[name] for name in names if name in TOOLS)
