import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx2
import pytest
from pytest_django.fixtures import Settings

from calls.engine.agent import AgentSpec
from calls.engine.events import Message, ToolRequest, Usage
from calls.enums import Role
from calls.errors import ProviderError, ProviderRejectedError, ProviderTimeoutError, ProviderUnavailableError
from calls.providers import openai as openai_module
from calls.providers.base import GenerationPiece, GenerationRequest, TextDelta
from calls.providers.openai import OpenAI
from calls.providers.resilience import Guard
from tests.simulators.faults import Fault
from tests.simulators.openai import OpenAISimulator, Reply

SPEC = AgentSpec(name="Ada", prompt="Be kind.")
HELLO = (Message("system", "Be kind."), Message("user", "hello there"))
TOOL = {"name": "end_call", "description": "Ends the call.", "parameters": {"type": "object", "properties": {}}}
ECHO = [TextDelta("You"), TextDelta(" said:"), TextDelta(" hello"), TextDelta(" there")]


@asynccontextmanager
async def model(settings: Settings, simulator: OpenAISimulator) -> AsyncIterator[OpenAI]:
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, settings.OPENAI_MODEL = simulator.url, "key", "gpt-x"
    provider = OpenAI()
    try:
        yield provider
    finally:
        await provider.aclose()


def asking(messages: tuple[Message, ...] = HELLO, spec: AgentSpec = SPEC, **more: Any) -> GenerationRequest:
    return GenerationRequest(messages=messages, spec=spec, **more)


async def answer(provider: OpenAI, request: GenerationRequest | None = None) -> list[GenerationPiece]:
    async with asyncio.timeout(5), aclosing(provider.generate(request or asking())) as pieces:
        return [piece async for piece in pieces]


async def cancelled(simulator: OpenAISimulator) -> bool:
    async with asyncio.timeout(2):
        while not simulator.cancelled:  # noqa: ASYNC110 (polls)
            await asyncio.sleep(0.005)
    return simulator.cancelled == 1


async def test_a_reply_streams_as_text_and_ends_with_its_usage(settings: Settings) -> None:
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        assert await answer(provider) == [*ECHO, Usage(20, 4)]
        assert simulator.headers[0]["authorization"] == "Bearer key"
    assert simulator.requests == [
        {
            "model": "gpt-x",
            "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello there"}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": 300,
            "temperature": 0.6,
        }
    ]


async def test_the_agents_own_model_goes_before_the_settings(settings: Settings) -> None:
    own = AgentSpec(name="Ada", prompt="", model="llama3.2")
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        await answer(provider, asking(spec=own))
    assert simulator.requests[0]["model"] == "llama3.2"


def test_openais_own_models_are_asked_in_their_own_words(settings: Settings) -> None:
    settings.OPENAI_BASE_URL = "https://api.openai.com/v1"
    thinker = AgentSpec(name="Ada", prompt="", model="gpt-5-mini")
    arguments = OpenAI()._arguments(asking(messages=(), spec=thinker))
    assert arguments == {
        "model": "gpt-5-mini",
        "messages": [],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 300,
    }


async def test_a_server_of_ones_own_needs_no_key(settings: Settings) -> None:
    async with OpenAISimulator() as simulator, model(settings, simulator):
        settings.OPENAI_API_KEY = ""
        provider = OpenAI()
        assert (await answer(provider))[-1] == Usage(20, 4)
        await provider.aclose()
        assert simulator.headers[0]["authorization"] == "Bearer none"


async def test_tool_calls_are_put_together_from_their_pieces(settings: Settings) -> None:
    tools = (("call_a", "end_call", '{"reason":"done"}'), ("call_b", "look_up", '{"id": 7}'))
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        simulator.replies.append(Reply("Goodbye.", tools))
        pieces = await answer(provider, asking(tools=(TOOL,)))
    assert pieces == [
        TextDelta("Goodbye."),
        ToolRequest("call_a", "end_call", '{"reason":"done"}'),
        ToolRequest("call_b", "look_up", '{"id": 7}'),
        Usage(20, 1),
    ]
    assert simulator.requests[0]["tools"] == [{"type": "function", "function": TOOL}]


async def test_tool_calls_that_nobody_answered_are_left_out_of_the_context(settings: Settings) -> None:
    asked = ToolRequest("call_a", "look_up", "{}")
    lost = ToolRequest("call_b", "look_up", "{}")
    history = (
        Message("assistant", "", (asked, lost)),
        Message("tool", "found", tool_call_id="call_a"),
        Message("tool", "stray", tool_call_id="call_c"),
        Message("assistant", "One moment.", (lost,)),
        Message("assistant", "", (lost,)),
        Message("user", "and?"),
    )
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        await answer(provider, asking(history))
    call = {"id": "call_a", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    assert simulator.requests[0]["messages"] == [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "found", "tool_call_id": "call_a"},
        {"role": "assistant", "content": "One moment."},
        {"role": "user", "content": "and?"},
    ]


async def test_turns_share_one_connection(settings: Settings) -> None:
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        await provider.warm_up()
        for _ in range(3):
            await answer(provider)
        assert simulator.connections == 1


async def test_warming_up_asks_only_where_no_open_connection_is_idle(settings: Settings) -> None:
    async with OpenAISimulator(token_ms=50) as simulator, model(settings, simulator) as provider:
        await asyncio.gather(*(provider.warm_up() for _ in range(5)))
        await provider.warm_up()
        assert len(simulator.headers) == 1
        async with aclosing(provider.generate(asking())) as pieces:
            await anext(pieces)
            await provider.warm_up()  # the only one is busy
            assert simulator.connections == 2
        for task in simulator._tasks:
            task.cancel()  # the far side closes what nobody uses
        await asyncio.sleep(0.05)
        await provider.warm_up()
        assert (simulator.connections, simulator.live) == (3, 1)


async def test_a_model_that_rests_is_not_warmed_up(settings: Settings) -> None:
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        for _ in range(5):
            provider._guard.breaker.failed(asyncio.get_running_loop().time())
        await provider.warm_up()
        assert simulator.connections == 0


# --- cancelling -------------------------------------------------------------------------------------------------------


async def test_closing_the_iterator_closes_the_request(settings: Settings) -> None:
    async with OpenAISimulator(token_ms=50) as simulator, model(settings, simulator) as provider:
        async with aclosing(provider.generate(asking())) as pieces:
            assert await anext(pieces) == TextDelta("You")
        assert await cancelled(simulator)
        assert simulator.tokens_sent < 4


@pytest.mark.parametrize("first_token_ms", [0, 10_000])
async def test_cancelling_the_task_closes_the_request(settings: Settings, first_token_ms: float) -> None:
    simulator = OpenAISimulator(first_token_ms=first_token_ms, token_ms=10_000)
    async with simulator, model(settings, simulator) as provider:
        task = asyncio.create_task(answer(provider))
        async with asyncio.timeout(2):
            while not simulator.requests:  # noqa: ASYNC110 (polls)
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - started < 0.2
        assert await cancelled(simulator)


async def test_a_cancelled_reply_does_not_count_against_the_provider(settings: Settings) -> None:
    async with OpenAISimulator(token_ms=50) as simulator, model(settings, simulator) as provider:
        for _ in range(10):
            async with aclosing(provider.generate(asking())) as pieces:
                await anext(pieces)
        simulator.token_ms = 0
        assert (await answer(provider))[:4] == ECHO


# --- failing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error", "requests"),
    [
        (Fault(status=400), ProviderRejectedError, 1),
        (Fault(status=401), ProviderRejectedError, 1),
        (Fault(status=404, error="model_not_found"), ProviderRejectedError, 1),
        (Fault(status=429), ProviderUnavailableError, 2),
        (Fault(status=429, error="insufficient_quota"), ProviderRejectedError, 1),
        (Fault(status=500), ProviderUnavailableError, 2),
    ],
)
async def test_a_refusal_is_sorted_and_only_what_may_pass_is_tried_once_more(
    settings: Settings, fault: Fault, error: type[ProviderError], requests: int
) -> None:
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        simulator.faults.extend([fault] * 3)
        started = time.monotonic()
        with pytest.raises(error, match=str(fault.status)):
            await answer(provider)
        assert len(simulator.requests) == requests
        assert time.monotonic() - started < 1


async def test_one_refusal_that_passes_costs_nothing_but_time(settings: Settings) -> None:
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        simulator.faults.append(Fault(status=503))
        assert (await answer(provider))[:4] == ECHO


async def test_nobody_listening_is_unavailable(settings: Settings) -> None:
    async with OpenAISimulator() as simulator:
        pass
    async with model(settings, simulator) as provider:
        with pytest.raises(ProviderUnavailableError):
            await answer(provider)
        with pytest.raises(ProviderUnavailableError):
            await provider.warm_up()


async def test_a_server_that_hangs_costs_only_the_budget(settings: Settings) -> None:
    settings.TURN_BUDGET_SECONDS = 0.6
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        simulator.faults.extend([Fault(hang=True)] * 2)
        started = time.monotonic()
        with pytest.raises(ProviderTimeoutError):
            await answer(provider)
        assert time.monotonic() - started < 0.9
        assert len(simulator.requests) == 2


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (Fault(drop_after=2), "connection"),
        (Fault(drop_after=2, error="server_overloaded"), "server_overloaded"),
        (Fault(drop_after=2, unfinished=True), "ended before its end"),
        (Fault(unfinished=True), "ended before its end"),
    ],
)
async def test_half_an_answer_is_a_failure_and_is_not_asked_for_again(
    settings: Settings, fault: Fault, what: str
) -> None:
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        simulator.faults.append(fault)
        pieces = []
        with pytest.raises(ProviderUnavailableError, match=what):
            async with aclosing(provider.generate(asking())) as stream:
                pieces += [piece async for piece in stream]
        assert len(simulator.requests) == 1


async def test_an_answer_that_stops_in_the_middle_times_out(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_module, "_GAP_SECONDS", 0.2)
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        simulator.faults.append(Fault(drop_after=2, mute_after=0))
        with pytest.raises(ProviderTimeoutError, match="paused"):
            await answer(provider)
        assert await cancelled(simulator)


async def test_a_missing_closing_marker_does_not_matter(settings: Settings) -> None:
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        simulator.faults.append(Fault(no_done=True))
        assert await answer(provider) == [*ECHO, Usage(20, 4)]


async def test_an_answer_cut_by_its_length_is_an_answer(settings: Settings) -> None:
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        simulator.replies.append(Reply("Well", finish_reason="length"))
        assert await answer(provider) == [TextDelta("Well"), Usage(20, 1)]


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_events_are_read_however_the_body_is_cut(size: int) -> None:
    events = ': hi\r\n\r\ndata: {"a": "grün"}\r\n\r\nevent: x\ndata:{"b":1}\n\ndata: 7\n\ndata: [DONE]\n\ndata: no'
    body = events.encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    response = httpx2.Response(200, content=pieces())
    guard = Guard("openai", Role.LLM)
    assert [chunk async for chunk in openai_module._chunks(response, guard)] == [{"a": "grün"}, {"b": 1}]


async def test_a_withheld_answer_is_a_rejection(settings: Settings) -> None:
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        simulator.replies.append(Reply("", finish_reason="content_filter"))
        with pytest.raises(ProviderRejectedError, match="content filter"):
            await answer(provider)


async def test_after_repeated_failures_the_provider_is_left_alone(settings: Settings) -> None:
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        simulator.faults.extend([Fault(status=500)] * 6)
        for _ in range(3):
            with pytest.raises(ProviderUnavailableError):
                await answer(provider)
        asked = len(simulator.requests)
        started = time.monotonic()
        with pytest.raises(ProviderUnavailableError, match="resting"):
            await answer(provider)
        assert (asked, len(simulator.requests)) == (5, 5)
        assert time.monotonic() - started < 0.2


async def test_no_error_repeats_the_prompt(settings: Settings) -> None:
    async with OpenAISimulator() as simulator, model(settings, simulator) as provider:
        simulator.faults.append(Fault(status=400))
        with pytest.raises(ProviderError) as caught:
            await answer(provider)
        assert str(caught.value) == "openai: status 400: error"
