"""A call to drive by hand: the far end, the caller and the providers are a few short methods, time is a number."""

from typing import Any, TypeVar

import pytest
from msgspec.structs import replace

from calls.engine import events as ev
from calls.engine.agent import AgentSpec, BargeIn, Endpointing, Silence
from calls.engine.conversation import Conversation
from calls.enums import ConversationState, Speaker

LINES = ("Say that again?", "One moment, please.", "We will call back. Goodbye.")
FRAME_MS = 20.0

A = TypeVar("A")


def agent(**fields: Any) -> AgentSpec:
    """An agent with the defaults of the product."""
    return AgentSpec(**{"name": "Ada", "prompt": "Be kind.", "goodbye": "Thank you. Goodbye."} | fields)


class Scene:
    """One conversation with everything that came out of it."""

    def __init__(self, spec: AgentSpec | None = None, *, opening: str = "", start: bool = True, **options: Any) -> None:
        detects_turns = options.pop("detects_turns", False)
        spoken = replace(spec or agent(), opening=opening)
        self.conversation = Conversation(spoken, fallback_lines=LINES, **options)
        self.now = 100.0
        self.audio_ms = 0.0
        self.voiced_until_ms = 0.0
        self.actions: list[ev.Action] = []
        if start:
            self.send(ev.CallStarted(opening=bool(opening), detects_turns=detects_turns))

    # --- driving ----------------------------------------------------------------------------------------------------

    def send(self, event: ev.Event) -> list[ev.Action]:
        """Tell the engine; give what it does about it."""
        actions = self.conversation.receive(event, self.now)
        self.actions += actions
        return actions

    def wait(self, seconds: float) -> list[ev.Action]:
        """Let wall time pass without any audio; timers fire when they are due."""
        actions = []
        ends = self.now + seconds
        for _ in range(1000):
            due = self.conversation.next_timeout()
            if due is None or due > ends:
                break
            self.now = max(due, self.now)
            actions += self.send(ev.TimePassed())
        else:
            pytest.fail("a timer that is due stays due")
        self.now = ends
        return actions

    def hear(self, seconds: float, *, voiced: bool = False) -> list[ev.Action]:
        """Let caller audio arrive, frame by frame."""
        actions = []
        for number in range(1, round(seconds * 1000 / FRAME_MS) + 1):
            actions += self.wait(FRAME_MS / 1000)
            self.audio_ms += FRAME_MS
            if voiced:
                self.voiced_until_ms = self.audio_ms
            voiced_ms = number * FRAME_MS if voiced else 0.0
            actions += self.send(ev.AudioHeard(self.audio_ms, self.voiced_until_ms, voiced_ms))
        return actions

    def words(
        self, text: str, *, final: bool = False, settled: bool = False, confidence: float = 1.0
    ) -> list[ev.Action]:
        """Give a transcript."""
        return self.send(ev.TranscriptReceived(text, final, confidence, settled))

    def final(self, text: str) -> list[ev.Action]:
        """Give the recogniser's last word on everything said."""
        return self.words(text, final=True, settled=True)

    def say(self, text: str, *, silence: float = 0.7) -> list[ev.Action]:
        """Have the caller say something and fall silent."""
        actions = self.hear(0.4, voiced=True) + self.words(text)
        actions += self.hear(0.1) + self.final(text)
        return actions + self.hear(silence - 0.1)

    def write(self, *deltas: str, reply: int | None = None, done: bool = True, usage: ev.Usage | None = None) -> None:
        """Have the model write."""
        number = self.generates[-1].reply if reply is None else reply
        for delta in deltas:
            self.send(ev.ReplyDelta(number, delta))
        if done:
            self.send(ev.ReplyGenerated(number, usage))

    def sound(self, reply: int, *durations_ms: float, sent: bool = True) -> None:
        """Have whole sentences of a reply sent, each of its length."""
        for sentence, duration in enumerate(durations_ms):
            self.send(ev.AudioSent(reply, sentence, duration))
            self.send(ev.SentenceSent(reply, sentence))
        if sent:
            self.send(ev.ReplySent(reply))

    def answer(self, text: str, duration_ms: float = 1000.0) -> int:
        """Have the model write one sentence, and send its audio; give the reply's number."""
        number = self.generates[-1].reply
        self.write(text, reply=number)
        spoken = [action for action in self.of(ev.Speak) if action.reply == number]
        self.sound(number, *[duration_ms] * len(spoken))
        return number

    # --- looking ----------------------------------------------------------------------------------------------------

    @property
    def state(self) -> ConversationState:
        """Where the conversation is."""
        return self.conversation.state

    def of(self, kind: type[A]) -> list[A]:
        """All actions of a kind."""
        return [action for action in self.actions if isinstance(action, kind)]

    @property
    def generates(self) -> list[ev.Generate]:
        """All requests to the model."""
        return self.of(ev.Generate)

    @property
    def spoken(self) -> list[tuple[int, str]]:
        """All that was handed to the synthesiser, with the reply's number."""
        return [(action.reply, action.text) for action in self.of(ev.Speak)]

    @property
    def states(self) -> list[ConversationState]:
        """All states that were reached."""
        return [action.after for action in self.of(ev.ShowState)]

    @property
    def turns(self) -> list[tuple[Speaker, str, bool]]:
        """What was recorded."""
        return [(action.turn.speaker, action.turn.text, action.turn.interrupted) for action in self.of(ev.Record)]

    @property
    def history(self) -> list[tuple[str, str]]:
        """What the model remembers."""
        return [(message.role, message.content) for message in self.conversation.messages]

    @property
    def notes(self) -> list[str]:
        """The kinds of recorded facts."""
        return [action.kind for action in self.of(ev.RecordEvent)]


__all__ = ["FRAME_MS", "LINES", "BargeIn", "Endpointing", "Scene", "Silence", "agent"]
