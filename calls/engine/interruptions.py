"""When the caller stops the agent, and when what he did turns out to have been no interruption."""

from msgspec import Struct

from calls.engine.agent import AgentSpec
from calls.engine.answered import is_greeting
from calls.engine.answering import Answering
from calls.engine.endpointing import is_backchannel, is_farewell
from calls.engine.hearing import Ear
from calls.engine.reply import Purpose, Reply
from calls.engine.stage import Stage
from calls.enums import CancelReason, ConversationState


class Resumption(Struct):
    """When the unheard rest is spoken, in seconds of the call's clock: ``at``, put off by sounds to ``by``."""

    at: float = 0.0
    by: float = 0.0


class Interruptions:
    """Weighs what the caller does while the agent thinks or speaks."""

    def __init__(self, stage: Stage, ear: Ear, agent: Answering) -> None:
        self._stage = stage
        self._ear = ear
        self._agent = agent
        self._resume = Resumption()
        self._is_deaf_to_voice = False
        self.is_unanswered = False
        """Whether the answer to the last turn was taken back, and no new words came for it."""
        self.is_person_sought = False
        """Whether nobody knows who took the call: a greeting's voice alone does not stop the first words."""

    @property
    def _spec(self) -> AgentSpec:
        return self._stage.spec

    def note_sound(self) -> None:
        """Audio came in: put the resumption off while there is a voice, and right behind it."""
        if self._ear.voiced_ms:
            # What was said may still become words: nobody is spoken over, nor right behind his last sound.
            silent_at = self._stage.now + self._spec.endpointing.patience_ms / 1000
            self._resume.at = min(max(self._resume.at, silent_at), self._resume.by)
        else:
            self._is_deaf_to_voice = False

    # --- words ------------------------------------------------------------------------------------------------------

    @property
    def _current(self) -> Reply | None:
        return self._agent.reply or self._agent.suspended

    def has_real_words(self) -> bool:
        """Whether the caller said more than that he is listening, or there."""
        text, reply = self._ear.text, self._current
        if not text:
            return False
        is_asked = reply is not None and (reply.is_unheard_answer or bool(reply.heard_question(self._stage.now)))
        if reply is not None and reply.purpose is Purpose.OPENING and is_greeting(text):
            return False
        return not is_backchannel(text, self._spec.language, is_asked=is_asked)

    def is_parting_word(self) -> bool:
        """Whether the caller says goodbye while the agent says his own."""
        reply = self._current
        return reply is not None and reply.ends_call is not None and is_farewell(self._ear.text)

    def _is_voice_enough(self) -> bool:
        """Whether the voice alone, without words, stops the agent."""
        reply = self._agent.reply
        if self.is_person_sought and reply is not None and reply.purpose is Purpose.OPENING:
            return False
        return not self._is_deaf_to_voice and self._ear.is_interrupting(self._spec.barge_in)

    # --- decisions --------------------------------------------------------------------------------------------------

    def weigh(self) -> None:
        """The caller makes himself heard: decide whether the agent stops."""
        agent, state = self._agent, self._stage.state
        if agent.is_parting or (agent.reply is not None and agent.reply.is_protected(self._stage.now)):
            return
        if state is ConversationState.INTERRUPTED:
            if self.has_real_words() and not self.is_parting_word():
                suspended = agent.suspended
                self.is_unanswered = suspended is not None and suspended.is_unheard_answer
                agent.confirm_interruption()
        elif state is ConversationState.RESPONDING:
            is_meant = self.has_real_words() and not self.is_parting_word()
            if is_meant or self._is_voice_enough():
                self._interrupt(self._spec.barge_in.false_interruption_ms, may_be_false=not is_meant)
        elif state is ConversationState.THINKING:
            self._weigh_going_on()

    def _interrupt(self, wait_ms: float, *, may_be_false: bool) -> None:
        self._agent.interrupt(CancelReason.BARGE_IN, may_be_false=may_be_false)
        at = self._stage.now + wait_ms / 1000
        self._resume = Resumption(at, at + self._spec.silence.reprompt_after_seconds)

    def _weigh_going_on(self) -> None:
        """Nothing of the reply was heard yet: who goes on speaking takes it back, and his words become one turn.

        A voice without words only holds it up: it may be a noise, and the model is not asked twice for that.
        """
        reply = self._agent.reply
        is_answer = reply is not None and reply.is_unheard_answer
        if self.has_real_words() and not self.is_parting_word():
            self._agent.withdraw(CancelReason.BARGE_IN)
            self.is_unanswered = is_answer
        elif is_answer and self._is_voice_enough():
            self._interrupt(self._spec.endpointing.patience_ms, may_be_false=True)

    def resume_due(self) -> float | None:
        """When the rest is to be spoken; None: nothing waits for that."""
        return self._resume.at if self._stage.state is ConversationState.INTERRUPTED else None

    def check_resume(self) -> bool:
        """Speak the rest, where the sound brought no words; True when it did."""
        if not self._stage.is_due(self.resume_due()):
            return False
        self._is_deaf_to_voice = self._ear.voiced_ms > 0
        return True

    def take_floor(self, reason: CancelReason) -> None:
        """Have the agent stop, whatever it does."""
        agent, state = self._agent, self._stage.state
        if state is ConversationState.RESPONDING:
            agent.interrupt(reason, may_be_false=False)
        elif state is ConversationState.THINKING:
            agent.withdraw(reason)
        agent.confirm_interruption()
        self.is_unanswered = False
