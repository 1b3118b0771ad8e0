"""What was said: the finished turns as they are stored, and as the language model reads them."""

from msgspec import Struct

from calls.engine.events import Latency, Message, Record, SpokenTurn, Usage
from calls.engine.hearing import Utterance
from calls.engine.prompt import TokenEstimate, build_context, estimate_message
from calls.enums import Speaker


class Earlier(Struct, frozen=True):
    """What was said on the call's earlier lines, numbered from 0, and what the agent says first on the new one.

    ``seconds``: how long the call had lasted when the new line began. ``is_noticed``: whether the notice, where there
    is one, was heard to its end.
    """

    turns: tuple[SpokenTurn, ...] = ()
    resume_line: str = ""
    seconds: float = 0.0
    is_noticed: bool = True


class History:
    """The finished turns of one call. A turn is in here as it was heard, or not at all."""

    def __init__(self, prompt: str, budget: int, earlier: Earlier = Earlier()) -> None:  # noqa: B008 (frozen)
        self.turns: list[SpokenTurn] = list(earlier.turns)
        self.resume_line = earlier.resume_line
        self.is_noticed = earlier.is_noticed
        self._earlier_seconds = earlier.seconds
        self._prompt = prompt
        self._budget = budget
        self._entries: list[tuple[Message, ...]] = []
        self._estimate = TokenEstimate()
        self.began_at = 0.0
        self._remember(earlier.turns)

    def _remember(self, said: tuple[SpokenTurn, ...]) -> None:
        """Have the model know earlier turns; of what the agent was saying when the line went, nothing."""
        if said and said[-1].speaker is Speaker.AGENT and said[-1].interrupted:
            said = said[:-1]
        for turn in said:
            if turn.speaker is Speaker.CALLER:
                self._entries[self._last_caller() :] = [(self._user(turn.text),)]
            else:
                self._entries.append((Message(role="assistant", content=turn.text),))

    @property
    def answered_at(self) -> float:
        """When the call began, on whichever line; in seconds of this line's clock."""
        return self.began_at - self._earlier_seconds

    @property
    def is_unanswered(self) -> bool:
        """Whether the caller said something that nobody has answered."""
        return self._last_caller() < len(self._entries)

    def at_ms(self, at: float) -> int:
        """Give a moment of the call's clock in milliseconds since the call began."""
        return max(round((at - self.began_at) * 1000), 0)

    def add_caller(self, utterance: Utterance) -> Record:
        """Add what the caller said. Right behind words that were not answered it goes on with them."""
        self._entries[self._last_caller() :] = [(self._user(utterance.text),)]
        turn = SpokenTurn(
            index=len(self.turns),
            speaker=Speaker.CALLER,
            text=utterance.text,
            started_ms=self.at_ms(utterance.began_at),
            ended_ms=self.at_ms(utterance.ended_at),
            confidence=utterance.confidence,
        )
        self.turns.append(turn)
        return Record(turn)

    def add_agent(
        self,
        messages: tuple[Message, ...],
        text: str,
        *,
        began_at: float,
        ended_at: float,
        interrupted: bool,
        latency: Latency | None,
        usage: Usage | None,
    ) -> Record | None:
        """Add what was heard of the agent, with the tools it used; None where nothing was heard."""
        if messages:
            self._entries.append(messages)
        if not text:
            return None
        turn = SpokenTurn(
            index=len(self.turns),
            speaker=Speaker.AGENT,
            text=text,
            started_ms=self.at_ms(began_at),
            ended_ms=self.at_ms(ended_at),
            interrupted=interrupted,
            latency=latency,
            usage=usage,
        )
        self.turns.append(turn)
        return Record(turn)

    def _last_caller(self) -> int:
        """Give the index of the entry that further words of the caller would go on with."""
        is_open = bool(self._entries) and self._entries[-1][0].role == "user"
        return len(self._entries) - (1 if is_open else 0)

    def _user(self, text: str) -> Message:
        before = [entry[0].content for entry in self._entries[self._last_caller() :]]
        return Message(role="user", content=" ".join([*before, text]))

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages of the conversation, without the prompt and unpruned."""
        return tuple(message for entry in self._entries for message in entry)

    def context(self, *, caller: str = "", reply: tuple[Message, ...] = ()) -> tuple[Message, ...]:
        """Give what the model reads: the prompt, the newest turns, and what is not a turn yet.

        ``caller``: words that will become a turn if they were the last; ``reply``: the part of a reply that exists.
        """
        entries = list(self._entries)
        if caller:
            entries[self._last_caller() :] = [(self._user(caller),)]
        if reply and entries:
            entries[-1] = (*entries[-1], *reply)
        elif reply:
            entries = [reply]
        return build_context(self._prompt, entries, budget=self._budget, estimate=self._estimate)

    def learn_usage(self, messages: tuple[Message, ...], usage: Usage) -> None:
        """Correct the estimate of tokens by what the provider counted for these messages."""
        self._estimate.learn(sum(map(estimate_message, messages)), usage.prompt_tokens)
