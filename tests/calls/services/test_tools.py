from typing import Any

import pytest
from pytest_django.fixtures import Settings

from calls.engine.agent import AgentSpec
from calls.models import Secret
from calls.services import AgentFieldError, problems_of, spec_of
from calls.services.tools import find_secret, tool_problems
from vantum.sealing import seal

TOOL = {"name": "find_order", "description": "Find an order.", "url": "https://shop.example/orders"}
PLACE = {"name": "sales", "e164": "+442079460000"}


def content(**fields: Any) -> dict[str, Any]:
    return {"name": "Ada", "prompt": "", **fields}


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"http_tools": [TOOL, TOOL]}, "http_tools[0].name", "there is another tool named 'find_order'"),
        ({"http_tools": [TOOL | {"name": "end_call"}]}, "http_tools[0].name", "there is another tool named 'end_call'"),
        (
            {"http_tools": [TOOL | {"secret": "shop"}]},
            "http_tools[0].secret",
            "a secret needs the header that it is sent in, and a header its secret",
        ),
        (
            {"http_tools": [TOOL | {"parameters": {"type": "object", "properties": {"number": {"type": "text"}}}}]},
            "http_tools[0].parameters",
            "no JSON schema: 'text' is not valid under any of the given schemas - at properties/number/type",
        ),
        (
            {"http_tools": [TOOL | {"parameters": {"type": "array"}}]},
            "http_tools[0].parameters",
            'expected {"type": "object", ...}: arguments have names',
        ),
        (
            {"http_tools": [TOOL | {"parameters": {"type": "object", "anyOf": [{"$ref": "http://other.example/"}]}}]},
            "http_tools[0].parameters",
            "a $ref may only point into the same schema",
        ),
        (
            {"destinations": [PLACE, PLACE | {"name": "Sales"}]},
            "destinations[0].name",
            "there is another destination named 'sales'",
        ),
    ],
)
def test_tools_that_cannot_be_used_are_refused_at_their_field(fields: Any, path: str, reason: str) -> None:
    with pytest.raises(AgentFieldError) as caught:
        spec_of(content(**fields))
    assert (caught.value.path, caught.value.reason) == (path, reason)


def test_every_problem_of_a_definition_is_told_at_its_column() -> None:
    problems = problems_of(content(http_tools=[TOOL, TOOL], destinations=[PLACE | {"e164": "sales"}]))
    assert [problem.column for problem in problems] == ["destinations", "http_tools"]


def test_tools_that_can_be_used_have_no_problem() -> None:
    spec = spec_of(content(http_tools=[TOOL | {"secret": "shop", "secret_header": "X-Key"}], destinations=[PLACE]))
    assert list(tool_problems(spec)) == []
    assert list(tool_problems(AgentSpec(name="Ada", prompt=""))) == []


@pytest.mark.django_db
def test_a_secret_is_found_by_its_name() -> None:
    Secret.objects.create(name="shop", sealed=seal("Bearer abc"))
    assert (find_secret("shop"), find_secret("other")) == ("Bearer abc", None)


@pytest.mark.django_db
def test_a_secret_of_another_key_is_none_and_the_log_says_what_to_do(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    Secret.objects.create(name="shop", sealed=seal("Bearer abc"))
    settings.SECRETS_KEY = "another"
    assert find_secret("shop") is None
    assert "the secret shop cannot be read" in caplog.text
    assert "SECRETS_OLD_KEYS" in caplog.text
