from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from calls.errors import ProviderRejectedError, ProviderTimeoutError, ProviderUnavailableError
from calls.providers import openai_structured
from tests.simulators.faults import Fault
from tests.simulators.openai import OpenAISimulator, Reply
from tests.simulators.threaded import running

SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


@pytest.fixture
def simulator(settings: Settings) -> Iterator[OpenAISimulator]:
    with running(OpenAISimulator()) as server:
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = server.url, "key"
        yield server


def ask(seconds: float = 5) -> str:
    return openai_structured.ask("Judge.", "A call.", SCHEMA, name="judgement", model="gpt-x", seconds=seconds)


def test_the_question_carries_its_schema_and_the_answer_is_text(simulator: OpenAISimulator) -> None:
    simulator.replies.append(Reply('{"a": 1}'))
    assert ask() == '{"a": 1}'
    assert simulator.requests == [
        {
            "model": "gpt-x",
            "messages": [{"role": "system", "content": "Judge."}, {"role": "user", "content": "A call."}],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "judgement", "strict": True, "schema": SCHEMA},
            },
        }
    ]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(status=401), ProviderRejectedError),
        (Fault(status=429, error="insufficient_quota"), ProviderRejectedError),
        (Fault(status=429), ProviderUnavailableError),
        (Fault(status=500), ProviderUnavailableError),
        (Fault(unfinished=True), ProviderUnavailableError),
    ],
)
def test_a_failure_says_whether_a_later_try_may_succeed(
    simulator: OpenAISimulator, fault: Fault, error: type[Exception]
) -> None:
    simulator.faults.append(fault)
    with pytest.raises(error) as caught:
        ask()
    assert "A call." not in str(caught.value)
    assert len(simulator.requests) == 1


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(simulator: OpenAISimulator) -> None:
    simulator.faults.append(Fault(hang=True))
    with pytest.raises(ProviderTimeoutError):
        ask(seconds=0.2)


def test_a_withheld_answer_is_a_refusal(simulator: OpenAISimulator) -> None:
    simulator.replies.append(Reply("no", finish_reason="content_filter"))
    with pytest.raises(ProviderRejectedError, match="withheld"):
        ask()
