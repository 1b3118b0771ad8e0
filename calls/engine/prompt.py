"""Texts with variables, and the language model's context within its token budget."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from calls.engine.agent import AgentSpec
from calls.engine.events import Message
from calls.engine.scripts import is_emoji, is_spaceless
from calls.errors import MissingVariableError

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][\w.-]*)\s*(?:\|([^{}]*))?\}\}")

TELEPHONE_TEXTS = ("opening", "voicemail_message", "screening_answer", "opt_out_goodbye", "objection_line")
"""The texts of ``AgentSpec.telephone`` that may hold variables; its notice holds none."""

_ON_THE_TELEPHONE = """\
Whatever is said above: you are an AI on the telephone. Whoever asks whether you are a person, a robot, a recording or \
an AI is told the truth at once: you are an AI assistant. Never claim or hint that you are human."""

_MESSAGE_OVERHEAD = 4.0
"""Tokens that a chat format spends on each message beside its text."""

_RATIO_BOUNDS = (0.4, 3.0)
_RATIO_STEP = 0.5
"""How much of a newly reported ratio is believed at once."""


def render(text: str, variables: Mapping[str, str]) -> str:
    """Replace ``{{name}}`` and ``{{name|default}}`` by values, in one pass: a value is never looked into again.

    An empty value gives way to a default. Raises ``MissingVariableError`` where there is neither value nor default.
    """

    def value(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        if name in variables and (variables[name] or default is None):
            return variables[name]
        if default is None:
            raise MissingVariableError(name)
        return default.strip()

    return _VARIABLE.sub(value, text)


def variable_names(text: str) -> dict[str, str | None]:
    """Give the variables that a text uses, each with its default; None: one use has none, so it must be given."""
    names: dict[str, str | None] = {}
    for name, default in ((match[1], match[2]) for match in _VARIABLE.finditer(text)):
        names[name] = default.strip() if default is not None and names.get(name, "") is not None else None
    return names


def render_spec(spec: AgentSpec, variables: Mapping[str, str]) -> AgentSpec:
    """Render every text of an agent that may be spoken or read by the model. Raises ``MissingVariableError``."""

    def fill(text: str) -> str:
        return render(text, variables)

    silence = msgspec.structs.replace(
        spec.silence,
        reprompts=tuple(fill(line) for line in spec.silence.reprompts),
        goodbye=fill(spec.silence.goodbye),
    )
    telephone = msgspec.structs.replace(
        spec.telephone,
        **{name: fill(getattr(spec.telephone, name)) for name in TELEPHONE_TEXTS},
    )
    lines = msgspec.structs.replace(
        spec.transfer_lines,
        **{name: fill(getattr(spec.transfer_lines, name)) for name in spec.transfer_lines.__struct_fields__},
    )
    intents = tuple(msgspec.structs.replace(intent, answer=fill(intent.answer)) for intent in spec.intents)
    return msgspec.structs.replace(
        spec,
        prompt=fill(spec.prompt),
        opening=fill(spec.opening),
        goodbye=fill(spec.goodbye),
        max_duration_goodbye=fill(spec.max_duration_goodbye),
        fallback_answer=fill(spec.fallback_answer),
        silence=silence,
        telephone=telephone,
        transfer_lines=lines,
        intents=intents,
    )


def prompt_of(spec: AgentSpec, *, is_telephone: bool) -> str:
    """Give the model's instructions; on a telephone the law has some of its own."""
    if not is_telephone or not spec.prompt:
        return spec.prompt
    return f"{spec.prompt.rstrip()}\n\n{_ON_THE_TELEPHONE}"


# --- tokens -----------------------------------------------------------------------------------------------------------


def _character_tokens(character: str) -> float:
    if character < "\u0250":
        return 0.25  # Latin
    if character < "\u0590":
        return 0.4  # Greek, Cyrillic, Armenian
    if is_emoji(character):
        return 2.0
    if character < "\u0e00":
        return 0.5  # Hebrew, Arabic, the Indic scripts
    return 1.0 if is_spaceless(character) else 0.5


def estimate_text(text: str) -> float:
    """Estimate the tokens of a text by its scripts: four Latin letters a token, one Chinese character a token."""
    if text.isascii():
        return len(text) / 4
    return sum(map(_character_tokens, text))


def estimate_message(message: Message) -> float:
    """Estimate the tokens of one message, with its tool requests."""
    requests = sum(
        estimate_text(request.name + request.arguments) + _MESSAGE_OVERHEAD for request in message.tool_requests
    )
    return estimate_text(message.content) + requests + _MESSAGE_OVERHEAD


class TokenEstimate:
    """An estimate that learns: the provider's reported usage says how far it was off for this call's texts."""

    def __init__(self) -> None:
        self.ratio = 1.0

    def learn(self, estimated: float, reported: int) -> None:
        """Take what the provider counted for messages that were estimated (without the ratio)."""
        if estimated <= 0 or reported <= 0:
            return
        low, high = _RATIO_BOUNDS
        seen = min(max(reported / estimated, low), high)
        self.ratio += _RATIO_STEP * (seen - self.ratio)

    def of(self, messages: Sequence[Message]) -> float:
        """Estimate the tokens of these messages."""
        return self.ratio * sum(map(estimate_message, messages))


def build_context(
    prompt: str, turns: Sequence[tuple[Message, ...]], *, budget: int, estimate: TokenEstimate
) -> tuple[Message, ...]:
    """Give the prompt and as many of the newest turns as the budget of tokens holds.

    A turn is kept or dropped whole, so a request for a tool is never parted from its answer. The newest turn always
    stays, even where it and the prompt alone are beyond the budget.
    """
    system = (Message(role="system", content=prompt),) if prompt else ()
    left = budget - estimate.of(system)
    kept: list[tuple[Message, ...]] = []
    for turn in reversed(turns):
        left -= estimate.of(turn)
        if left < 0 and kept:
            break
        kept.append(turn)
    return (*system, *(message for turn in reversed(kept) for message in turn))
