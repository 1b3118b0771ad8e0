"""An agent that follows its script: it finds the caller's intent and says that intent's answer.

It keeps no state: where the script stands is read from the messages. Rules beside the intents' own: an intent named
``repeat`` adds the last thing the agent said to its answer; the same answer is not given twice in a row in the same
words; words that fit no intent, nor sound like an answer to what was asked, get the ``fallback_answer`` and, if that
did not help, examples of what can be said.
"""

import json
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from calls.engine.agent import AgentSpec, Intent
from calls.engine.events import Message, ToolRequest
from calls.providers.base import GenerationPiece, GenerationRequest, TextDelta
from calls.providers.scripted.intents import NEGATIONS, IntentMatcher, Match, words_of
from calls.providers.scripted.sounds import likeness

_OPENING = "opening"
_REPEAT = "repeat"
_AGAIN = "As I said: "
_NOT_DONE = "Not done:"
"""How the result of a tool begins that did nothing."""
_TOOL_FAILED = "I am sorry, that did not work just now."
_TIE = 0.05
"""Scores this close count as equal; then an intent that belongs to this place of the script goes first."""
_DOUBT = 0.2
"""Words that would end the call unasked are taken for an answer to the question where that fits so nearly as well."""
_ALIKE = 0.75
"""So much of an expected answer has to sound in words that mean nothing ..."""
_LONGEST_GUESS = 8
"""... and are no more than this many: in a long speech something always sounds like something."""
_TELLING_WORDS = 3
"""This many words of an interrupted answer tell which it was."""
_HINTS = 3


class Reply(Struct, frozen=True):
    """What the agent says, and whether it hangs up after it; or the tool that it uses before it says anything."""

    text: str
    ends_call: bool = False
    tool: str = ""
    arguments: Mapping[str, str] = {}


class ScriptedAgent:
    """A ``LanguageModel`` without a model."""

    name = "scripted"

    async def warm_up(self) -> None:
        """Need nothing."""

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationPiece, None]:
        """Stream the reply word by word, then ask for ``end_call`` where the intent ends the call.

        An intent with a tool asks for that first, and says its answer when the tool has done its work.
        """
        reply = Script(request.spec, [tool["name"] for tool in request.tools]).answer(request.messages)
        if reply.tool:
            arguments = json.dumps(dict(reply.arguments))
            yield ToolRequest(call_id=f"{reply.tool}-{len(request.messages)}", name=reply.tool, arguments=arguments)
            return
        for index, word in enumerate(reply.text.split()):
            yield TextDelta(word if index == 0 else f" {word}")
        if reply.ends_call and any(tool["name"] == "end_call" for tool in request.tools):
            yield ToolRequest(call_id=f"end-{len(request.messages)}", name="end_call", arguments="{}")

    async def aclose(self) -> None:
        """Hold nothing."""


class Script:
    """An agent's intents as the rules of a conversation."""

    def __init__(self, spec: AgentSpec, tools: Collection[str] = ()) -> None:
        self._tools = tools
        self._intents = spec.intents
        self._fallback = spec.fallback_answer
        self._is_english = spec.language.lower().startswith("en")
        self._matcher = _matcher(spec.intents)

    def answer(self, messages: Sequence[Message]) -> Reply:
        """Give the reply to what the caller said last, or to what a tool made of it."""
        messages, result = _before_tool(messages)
        agent = [message.content for message in messages if message.role == "assistant" and message.content.strip()]
        last = agent[-1] if agent else ""
        said = _unanswered(messages)
        intent = self._choose(said, self._stage(agent))
        if intent is None:
            return Reply(self._ask_again(last))
        if intent.tool in self._tools and result is None:
            words = said[-1] if said else ""
            arguments = {name: value.replace("{words}", words) for name, value in intent.arguments.items()}
            return Reply("", tool=intent.tool, arguments=arguments)
        if result is not None and result.startswith(_NOT_DONE):
            return Reply(_TOOL_FAILED if self._is_english else self._fallback)
        text = intent.answer.replace("{result}", result or "")
        if intent.name == _REPEAT:
            text = f"{text} {self._without_repeat(last, text)}".strip()
        elif self._is_english and words_of(text) == words_of(last):
            text = _AGAIN + text
        return Reply(text, intent.ends_call)

    def _choose(self, utterances: Sequence[str], stage: frozenset[str]) -> Intent | None:
        """Take the last utterance by itself; only where it means nothing, all that was not answered together."""
        for text in (*utterances[-1:], " ".join(utterances)):
            fitting = [
                match
                for match in self._matcher.rank(text)
                if not match.intent.after or stage.intersection(match.intent.after)
            ]
            if fitting:
                return _best(fitting)
        return self._guess(utterances[-1], stage) if utterances and self._is_english else None

    def _guess(self, said: str, stage: frozenset[str]) -> Intent | None:
        """Take words that mean nothing for the answer to the question that they sound like; it never ends the call."""
        heard = words_of(said)
        if len(heard) > _LONGEST_GUESS:
            return None
        asked = [intent for intent in self._intents if stage.intersection(intent.after) and not intent.ends_call]
        alike = [
            (max((_sounds(heard, words_of(example)) for example in intent.examples), default=0.0), -place, intent)
            for place, intent in enumerate(asked)
        ]
        best = max(alike, default=None, key=lambda found: found[:2])
        return best[2] if best is not None and best[0] >= _ALIKE else None

    def _stage(self, agent: Sequence[str]) -> frozenset[str]:
        """Names of the intents whose answer the agent gave last (several may share one answer)."""
        for text in reversed(agent):
            said = words_of(text.removeprefix(_AGAIN))
            lengths = {
                intent.name: _common_start(said, words_of(intent.answer))
                for intent in self._intents
                if intent.name != _REPEAT
            }
            longest = max(lengths.values(), default=0)
            if longest:
                return frozenset(name for name, length in lengths.items() if length == longest)
        return frozenset({_OPENING})

    def _ask_again(self, last: str) -> str:
        """Say honestly that nothing was understood; the second time in a row say what would be."""
        examples = [intent.examples[0] for intent in self._intents if intent.examples and not intent.after]
        if not self._is_english or not examples or words_of(last) != words_of(self._fallback):
            return self._fallback
        hints = examples[:: -(-len(examples) // _HINTS)]
        return f"I still did not understand. You could say, for example: {', or: '.join(hints)}."

    def _without_repeat(self, last: str, answer: str) -> str:
        return last.removeprefix(_AGAIN).removeprefix(answer).strip()


@lru_cache(maxsize=64)
def _matcher(intents: tuple[Intent, ...]) -> IntentMatcher:
    return IntentMatcher(intents)


def _best(fitting: Sequence[Match]) -> Intent:
    first = fitting[0]
    if first.intent.ends_call and not first.intent.after:
        asked = (each.intent for each in fitting if each.intent.after and each.score >= first.score - _DOUBT)
        return next((intent for intent in asked if not intent.ends_call), first.intent)
    close = [match.intent for match in fitting if match.score >= first.score - _TIE]
    return next((intent for intent in close if intent.after), close[0])


def _sounds(heard: Sequence[str], example: Sequence[str]) -> float:
    """How much the words sound like the example; a yes never sounds like a no."""
    is_same_way = NEGATIONS.isdisjoint(heard) == NEGATIONS.isdisjoint(example)
    return likeness(heard, example) if is_same_way else 0.0


def _before_tool(messages: Sequence[Message]) -> tuple[Sequence[Message], str | None]:
    """Part what was said from the answer of a tool that was asked for last; None: there is none."""
    if not messages or messages[-1].role != "tool":
        return messages, None
    asked = max(at for at, message in enumerate(messages) if message.tool_requests)
    return messages[:asked], messages[-1].content


def _unanswered(messages: Sequence[Message]) -> list[str]:
    """What the caller said since the agent last spoke."""
    found: list[str] = []
    for message in reversed(messages):
        if message.role == "assistant" and message.content.strip():
            break
        if message.role == "user":
            found.append(message.content)
    return found[::-1]


def _common_start(said: Sequence[str], answer: Sequence[str]) -> int:
    """How many words they share from the start, if one is the start of the other and long enough to tell; else 0."""
    length = min(len(said), len(answer))
    if length < min(_TELLING_WORDS, len(answer)) or said[:length] != answer[:length]:
        return 0
    return length
