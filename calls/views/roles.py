"""Which provider does what, in the words of somebody who sets an installation up."""

from collections.abc import Iterable
from typing import NamedTuple

from django.conf import settings
from msgspec import Struct

from calls.engine.agent import ProviderChoice
from calls.enums import Role
from calls.providers import registry

_TASKS = {
    Role.STT: ("Hearing", "speech to text"),
    Role.LLM: ("Thinking", "what to answer"),
    Role.TTS: ("Speaking", "text to speech"),
}


class _Words(NamedTuple):
    """A provider's name to show, and what it does and does not do."""

    name: str
    limits: str


_KNOWN = {
    "calls.providers.deepgram.Deepgram": _Words(
        "Deepgram", "Streaming recognition with turn detection. Audio is sent to Deepgram."
    ),
    "calls.providers.openai.OpenAI": _Words(
        "OpenAI",
        "Streaming chat with tools; any compatible server by OPENAI_BASE_URL. The conversation is sent there.",
    ),
    "calls.providers.cartesia.Cartesia": _Words(
        "Cartesia", "Natural speech over a warm connection. Text is sent to Cartesia."
    ),
    "calls.providers.local.LocalSpeechToText": _Words(
        "PocketSphinx, on this machine",
        "English only. It knows the words of the agent's script best. Of free speech about one word in four is wrong, "
        "more over a poor microphone or for a synthetic voice.",
    ),
    "calls.providers.scripted.ScriptedAgent": _Words(
        "Scripted agent, on this machine",
        "No language model: it answers by the intents of the agent's script, and says so when it did not understand.",
    ),
    "calls.providers.local.LocalTextToSpeech": _Words(
        "espeak-ng, on this machine", "Robotic but clear, in many languages, and without delay."
    ),
    "calls.providers.scripted.ScriptedSpeechToText": _Words("Scripted ear", "For tests: hears what a test tells it."),
    "calls.providers.scripted.ScriptedTextToSpeech": _Words("Scripted voice", "For tests: tones in place of words."),
}
"""By dotted path."""

_BETTER = {Role.STT: "DEEPGRAM_API_KEY", Role.LLM: "OPENAI_API_KEY", Role.TTS: "CARTESIA_API_KEY"}
"""The key that replaces what a role does without one."""


class RoleFacts(Struct, frozen=True, kw_only=True):
    """One role of a call: who fills it, with which limits, what is missing, and which key would improve it."""

    role: str
    task: str
    explanation: str
    provider: str
    limits: str
    problem: str = ""
    better_with: str = ""


def describe_roles(choice: ProviderChoice | None = None) -> list[RoleFacts]:
    """Give hearing, thinking and speaking for an agent's choice; without one for the installation's defaults."""
    choice = choice or ProviderChoice()
    problems = {problem.role: problem.remedy for problem in registry.missing(settings, choice)}
    return [_describe(role, getattr(choice, role) or settings.DEFAULT_PROVIDERS[role], problems) for role in Role]


def has_local_roles(facts: Iterable[RoleFacts]) -> bool:
    """Whether a key would make something better."""
    return any(fact.better_with for fact in facts)


def _describe(role: Role, name: str, problems: dict[Role, str]) -> RoleFacts:
    task, explanation = _TASKS[role]
    path = settings.PROVIDERS[role].get(name, name)
    words = _KNOWN.get(path, _Words(name, "A provider of your own."))
    is_keyless = name in {"local", "scripted"}
    return RoleFacts(
        role=role,
        task=task,
        explanation=explanation,
        provider=words.name,
        limits=words.limits,
        problem=problems.get(role, ""),
        better_with=_BETTER[role] if is_keyless else "",
    )
