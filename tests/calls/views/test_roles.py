from typing import Any

import pytest

from calls.engine.agent import ProviderChoice
from calls.enums import Role
from calls.views.roles import RoleFacts, describe_roles, has_local_roles


def defaults(settings: Any, **names: str) -> None:
    settings.DEFAULT_PROVIDERS = {"stt": "local", "llm": "local", "tts": "local", **names}


def test_local_parts_say_what_they_cannot_do_and_which_key_is_better(settings: Any) -> None:
    defaults(settings)
    facts = describe_roles()
    assert [(fact.role, fact.provider, fact.better_with, fact.problem) for fact in facts] == [
        ("stt", "PocketSphinx, on this machine", "DEEPGRAM_API_KEY", ""),
        ("llm", "Scripted agent, on this machine", "OPENAI_API_KEY", ""),
        ("tts", "espeak-ng, on this machine", "CARTESIA_API_KEY", ""),
    ]
    assert "one word in four is wrong" in facts[0].limits
    assert has_local_roles(facts)


def test_a_provider_without_its_key_is_a_problem_with_a_remedy(settings: Any) -> None:
    defaults(settings, llm="openai")
    settings.OPENAI_API_KEY = ""
    settings.OPENAI_BASE_URL = "https://api.openai.com/v1"
    thinking = describe_roles()[1]
    assert thinking.provider == "OpenAI"
    assert "set OPENAI_API_KEY" in thinking.problem


def test_an_agents_own_choice_goes_before_the_default(settings: Any) -> None:
    defaults(settings)
    settings.CARTESIA_API_KEY = "k"
    speaking = describe_roles(ProviderChoice(tts="cartesia"))[2]
    assert (speaking.provider, speaking.problem, speaking.better_with) == ("Cartesia", "", "")


def test_a_provider_of_ones_own_is_shown_by_its_path(settings: Any) -> None:
    defaults(settings, stt="acme.ears.Ear")
    assert describe_roles()[0] == RoleFacts(
        role=Role.STT,
        task="Hearing",
        explanation="speech to text",
        provider="acme.ears.Ear",
        limits="A provider of your own.",
    )


@pytest.mark.parametrize("role", list(Role))
def test_every_provider_of_the_settings_has_words(settings: Any, role: Role) -> None:
    for name in settings.PROVIDERS[role]:
        defaults(settings, **{role: name})
        fact = next(fact for fact in describe_roles() if fact.role == role)
        assert fact.provider != name
        assert fact.limits != "A provider of your own."
