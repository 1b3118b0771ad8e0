"""What the parts of the engine share: the state of the call, the time of the event, and what is to be done."""

from collections.abc import Mapping

from calls.engine.agent import AgentSpec
from calls.engine.events import Action, Finish, RecordEvent, ShowState
from calls.engine.history import History
from calls.enums import ConversationState, EndReason

Transitions = Mapping[ConversationState, frozenset[ConversationState]]

_TOLERANCE = 1e-6
"""Seconds by which a timer may fire early: sums of floating-point times are not exact."""


class Stage:
    """One call's state and outgoing actions. Only the engine's own parts hold it."""

    def __init__(self, spec: AgentSpec, history: History, transitions: Transitions) -> None:
        self.spec = spec
        self.history = history
        self.state = ConversationState.INITIALIZING
        self.entered_at = 0.0
        self.is_held = False  # the caller waits for something, and knows it
        self.now = 0.0
        self._transitions = transitions
        self._actions: list[Action] = []

    def is_due(self, at: float | None) -> bool:
        """Whether this moment has come."""
        return at is not None and self.now >= at - _TOLERANCE

    def emit(self, *actions: Action) -> None:
        """Have these done, in their order."""
        self._actions += actions

    def note(self, kind: str, **detail: object) -> None:
        """Have a fact recorded; never with words of the caller."""
        self.emit(RecordEvent(kind, detail))

    def move(self, after: ConversationState) -> None:
        """Go to a state. Raises ``ValueError`` where the transition table does not allow it."""
        before = self.state
        if after is before:
            return
        if after not in self._transitions[before]:
            message = f"no transition from {before} to {after}"
            raise ValueError(message)
        self.state = after
        self.entered_at = self.now
        self.emit(ShowState(before, after))

    def finish(self, reason: EndReason) -> None:
        """End the conversation; nothing follows."""
        self.move(ConversationState.ENDED)
        self.emit(Finish(reason))

    def take_actions(self) -> list[Action]:
        """Give and forget what is to be done."""
        actions, self._actions = self._actions, []
        return actions
