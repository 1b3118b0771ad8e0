from typing import Any

import msgspec
import pytest

from calls.engine.agent import AgentSpec
from calls.engine.prompt import render_spec
from calls.engine.toolspec import Destination, HttpTool, TransferLines
from calls.enums import TransferKind

TOOL: dict[str, Any] = {"name": "find_order", "description": "Find an order.", "url": "https://shop.example/orders"}


def test_a_tool_needs_a_name_a_description_and_an_address() -> None:
    assert msgspec.convert(TOOL, HttpTool) == HttpTool(**TOOL)
    assert msgspec.convert(TOOL, HttpTool).parameters == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Find order"),
        ("description", ""),
        ("url", "ftp://shop.example/"),
        ("url", "https://user:secret@shop.example/"),
        ("url", "https://shop.example/ x"),
        ("method", "DELETE"),
        ("timeout_ms", 60_000),
        ("secret_header", "X-Key: 1"),
    ],
)
def test_what_cannot_be_used_is_named(field: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError, match=rf"http_tools\[0\]\.{field}"):
        msgspec.convert({"name": "Ada", "prompt": "", "http_tools": [TOOL | {field: value}]}, AgentSpec)


@pytest.mark.parametrize("number", ["4420", "+1415555", "+44 20 7946 0000"])
def test_a_destination_is_a_number_of_the_world(number: str) -> None:
    content = {"name": "sales", "e164": "+442079460000", "kind": "warm"}
    assert msgspec.convert(content, Destination).kind is TransferKind.WARM
    with pytest.raises(msgspec.ValidationError, match="e164"):
        msgspec.convert(content | {"e164": number}, Destination)


def test_the_lines_of_a_transfer_have_the_calls_variables() -> None:
    spec = AgentSpec(name="Ada", prompt="", transfer_lines=TransferLines(calling="Wait, {{name}}."))
    assert render_spec(spec, {"name": "Bo"}).transfer_lines == TransferLines(calling="Wait, Bo.")
