"""One question to a language model, answered as JSON of a given schema: for work behind the call, never on it.

OpenAI's structured outputs (https://platform.openai.com/docs/guides/structured-outputs) through its SDK; servers that
speak the same (vLLM, Ollama) take the schema too.
"""

from collections.abc import Mapping
from typing import Any

import httpx2
import openai
from django.conf import settings

from calls.enums import Role
from calls.providers.openai import translate
from calls.providers.resilience import Guard

_CONNECT_SECONDS = 5.0


def ask(instructions: str, material: str, schema: Mapping[str, Any], *, name: str, model: str, seconds: float) -> str:
    """Give the model's answer, which has the form of ``schema`` as far as the server keeps to it; check it.

    Blocks for at most about ``seconds``. Raises ``ProviderError``; its text never holds the question.
    """
    guard = Guard("openai", Role.LLM)
    timeout = httpx2.Timeout(seconds, connect=_CONNECT_SECONDS)
    try:
        with openai.OpenAI(
            api_key=settings.OPENAI_API_KEY or "none",
            base_url=settings.OPENAI_BASE_URL,
            max_retries=0,  # the row is tried again later, which a Retry-After does not hold up
            timeout=timeout,
        ) as client:
            answer = client.chat.completions.create(
                model=model,
                messages=[{"role": "system", "content": instructions}, {"role": "user", "content": material}],
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": name, "strict": True, "schema": dict(schema)},
                },
            )
    except (openai.APIError, httpx2.HTTPError) as error:
        raise translate(guard, error) from error
    return _text_of(answer.choices[0] if answer.choices else None, guard)


def _text_of(choice: Any, guard: Guard) -> str:
    if choice is None or choice.finish_reason == "content_filter" or choice.message.refusal:
        message = "the answer was withheld"
        raise guard.rejected(message)
    if choice.finish_reason == "length" or not choice.message.content:
        message = "the answer came incomplete"
        raise guard.unavailable(message)
    return str(choice.message.content)
