"""The text side of the agent's replies: asking the model, cutting its words into speech, calling its tools."""

import json

from calls.engine.asides import ToolDelayed
from calls.engine.endpointing import is_same_words
from calls.engine.events import (
    CallTool,
    Commit,
    Discard,
    EndSpeech,
    Generate,
    ReplyDelta,
    ReplyGenerated,
    ReplyToolRequested,
    ShowToken,
    ToolRequest,
    ToolReturned,
    Usage,
)
from calls.engine.hearing import Utterance
from calls.engine.reply import Outcome, Purpose, Reply
from calls.engine.sentences import BREAK
from calls.engine.stage import Stage
from calls.enums import ConversationState, EndReason

END_CALL = "end_call"


class Drafting:
    """Holds the agent's replies: at most one that is certain, one on suspicion, and one that was interrupted."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.reply: Reply | None = None
        self.guess: Reply | None = None
        self.suspended: Reply | None = None
        self._guessed = ""
        self._guesses = 0
        self._last_number = 0

    def next_number(self) -> int:
        """Number a new reply."""
        self._last_number += 1
        return self._last_number

    def prepare(self, text: str) -> None:
        """Make a reply on the suspicion that these are the caller's last words."""
        limit = self._stage.spec.endpointing.max_speculations
        if self.guess is not None or self._guesses >= limit or is_same_words(text, self._guessed):
            return
        self._guesses += 1
        self._guessed = text
        self.guess = Reply(self.next_number(), Purpose.ANSWER, caller=text)
        self.generate(self.guess)

    def discard_guess(self) -> None:
        """The caller went on: the reply on suspicion is worth nothing."""
        if self.guess is not None:
            self._stage.emit(Discard(self.guess.number))
            self._stage.note("speculation_discarded", reply=self.guess.number)
            self.guess = None
            self._guessed = ""

    def answer(self, utterance: Utterance | None = None) -> None:
        """Answer the last turn of the history; ``utterance`` is that turn where it was said just now."""
        stage, guess = self._stage, self.guess
        if guess is not None and utterance is not None and is_same_words(guess.caller, utterance.text):
            reply, self.guess = guess, None
        else:
            self.discard_guess()
            reply = Reply(self.next_number(), Purpose.ANSWER)
        self._guesses, self._guessed = 0, ""
        reply.timing.decided_at = stage.now
        if utterance is not None:
            reply.timing.speech_ended_at = utterance.ended_at
            reply.timing.waited_ms = utterance.waited_ms
        stage.move(ConversationState.THINKING)
        if reply is not guess:
            self.generate(reply)
        self.commit(reply)

    def say(self, text: str, purpose: Purpose, ends_call: EndReason | None, protected: int = 0) -> bool:
        """Speak a fixed line, of which so many pieces must be heard; False when it has no words."""
        if not text.replace(BREAK, "").strip():
            return False
        reply = Reply(self.next_number(), purpose)
        reply.add_line(text)
        reply.ends_call, reply.protected = ends_call, protected
        self._stage.move(ConversationState.THINKING)
        self.commit(reply)
        self._stage.emit(ShowToken(reply.number, reply.text))
        return True

    def generate(self, reply: Reply) -> None:
        """Ask the model for this reply, or for what follows its tools."""
        history = self._stage.history
        caller = "" if reply.is_committed else reply.caller
        reply.generation = reply.number
        reply.is_generated = False
        reply.is_model_silent = True
        reply.budget_from = self._stage.now
        reply.asked = history.context(caller=caller, reply=reply.made_messages())
        if reply.timing.generate_at is None:
            reply.timing.generate_at = self._stage.now
        is_guess = reply is self.guess
        self._stage.emit(Generate(reply.number, reply.asked, speculative=is_guess, tier=reply.tier))

    def commit(self, reply: Reply) -> None:
        """The reply is certain: it may be shown and heard."""
        self.reply = reply
        reply.is_committed = True
        reply.budget_from = self._stage.now
        self._stage.emit(Commit(reply.number), *(ShowToken(reply.number, text) for text in reply.held_tokens))
        reply.held_tokens = []
        for step in reply.tool_steps:
            for request in tuple(step.requests):
                self._call_tool(reply, request)
        self.go_on(reply)

    def making(self, generation: int) -> Reply | None:
        """Find the reply that this generation's text belongs to."""
        made = (self.reply, self.guess, self.suspended)
        return next((reply for reply in made if reply is not None and reply.generation == generation), None)

    def read_delta(self, event: ReplyDelta) -> None:
        """Take generated text."""
        reply = self.making(event.reply)
        if reply is None or reply.is_generated:
            return
        reply.is_model_silent = False
        if reply.timing.first_delta_at is None:
            reply.timing.first_delta_at = self._stage.now
        self._show(reply, reply.add_text(event.text))
        self.go_on(reply)

    def _show(self, reply: Reply, text: str) -> None:
        if not text or reply is self.suspended:
            return
        if reply.is_committed:
            self._stage.emit(ShowToken(reply.number, text))
        else:
            reply.held_tokens.append(text)

    def end_text(self, event: ReplyGenerated) -> None:
        """The model has finished."""
        reply = self.making(event.reply)
        if reply is None:
            return
        if event.usage is not None:
            self._add_usage(reply, event.usage)
        if reply.is_generated:
            return
        self._show(reply, reply.close_text())
        reply.is_generated = True
        reply.is_model_silent = False
        self.go_on(reply)

    def _add_usage(self, reply: Reply, usage: Usage) -> None:
        self._stage.history.learn_usage(reply.asked, usage)
        before = reply.usage or Usage()
        reply.usage = Usage(
            prompt_tokens=before.prompt_tokens + usage.prompt_tokens,
            completion_tokens=before.completion_tokens + usage.completion_tokens,
        )

    def go_on(self, reply: Reply) -> None:
        """Do what the reply's text so far allows: speak, ask the model again, end the speech."""
        if reply is self.suspended:
            return
        self._stage.emit(*reply.take_sentences(self._stage.now))
        if not reply.is_committed or not reply.is_generated or reply.is_speech_ended:
            return
        step = reply.open_step
        if step is not None and reply.ends_call is None:
            if step.is_answered:
                self.generate(reply)
        elif reply.has_sentences:
            reply.is_speech_ended = True
            self._stage.emit(EndSpeech(reply.number))
        elif reply.ends_call is not None or reply.is_resumed:
            reply.outcome = Outcome.OVER
        else:
            reply.outcome = Outcome.NOTHING_SAID

    def read_tool_request(self, event: ReplyToolRequested) -> None:
        """The model asks for a tool."""
        reply = self.making(event.reply)
        if reply is None or reply.is_generated:
            return
        reply.is_model_silent = False
        self._show(reply, reply.ask_tool(event.request))
        if reply is self.reply:
            self._call_tool(reply, event.request)
        self.go_on(reply)

    def _call_tool(self, reply: Reply, request: ToolRequest) -> None:
        if request.call_id in reply.called or reply.ends_call is not None:
            return
        reply.called.add(request.call_id)
        reply.budget_from = self._stage.now
        if request.name == END_CALL and END_CALL in self._stage.spec.tools:
            self._end_call(reply, request)
        else:
            self._stage.emit(CallTool(reply.number, request))

    def _end_call(self, reply: Reply, request: ToolRequest) -> None:
        """The model hangs up: its goodbye is the last thing that is spoken."""
        goodbye = _goodbye(request.arguments)
        if not goodbye and not reply.text:
            goodbye = self._stage.spec.goodbye
        self._end_with(reply, goodbye, EndReason.AGENT_SAID_GOODBYE)

    def _end_with(self, reply: Reply, words: str, reason: EndReason | None) -> None:
        """Have the reply end with these words, where they are new, and with a reason the call when they were played."""
        if words and not is_same_words(reply.text[-len(words) :], words):
            reply.add_line(words)
            self._stage.emit(ShowToken(reply.number, words))
        reply.ends_call = reason
        reply.is_generated = True

    def read_tool_result(self, event: ToolReturned) -> None:
        """A tool answered."""
        for reply in (self.reply, self.suspended):
            if reply is not None and event.reply in reply.names:
                reply.answer_tool(event.request.call_id, event.result)
                if event.last is not None and reply.ends_call is None:
                    self._stage.is_held = event.last.holds
                    self._end_with(reply, event.last.text, event.last.ends)
                self.go_on(reply)

    def fill_wait(self, event: ToolDelayed) -> None:
        """A tool takes its time: say so once, where nothing else is about to be said."""
        reply = self.reply
        if reply is not None and event.reply in reply.names and reply.is_waiting_for_tools and event.text.strip():
            reply.fill_wait(event.text)
            self._stage.emit(ShowToken(reply.number, event.text))
            self.go_on(reply)


def _goodbye(arguments: str) -> str:
    """Read the last words out of the tool's arguments, which a model may have written badly."""
    try:
        decoded = json.loads(arguments or "{}")
    except ValueError:
        return ""
    goodbye = decoded.get("goodbye") if isinstance(decoded, dict) else None
    return goodbye.strip() if isinstance(goodbye, str) else ""
