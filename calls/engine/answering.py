"""The agent's side: replies from the request to the model until the last word was played, and their failures."""

import json

from calls.engine.endpointing import is_same_words
from calls.engine.events import (
    AudioSent,
    CallTool,
    Cancel,
    Commit,
    CompleteReply,
    Discard,
    EndSpeech,
    Generate,
    PlayedOut,
    ReplyDelta,
    ReplyFailed,
    ReplyGenerated,
    ReplySent,
    ReplyToolRequested,
    ReportError,
    SentenceSent,
    SentenceTimed,
    ShowToken,
    ToolRequest,
    ToolReturned,
    Usage,
)
from calls.engine.hearing import Utterance
from calls.engine.reply import Purpose, Reply
from calls.engine.stage import Stage
from calls.enums import CancelReason, ConversationState, EndReason, ErrorCode, Role

END_CALL = "end_call"

_TOOL_TIMED_OUT = "The tool did not answer in time."
_TOLERANCE = 1e-6


class Answering:
    """Owns the agent's replies: at most one that is certain, one on suspicion, and one that was interrupted."""

    def __init__(
        self,
        stage: Stage,
        *,
        fallback_lines: tuple[str, str, str],
        llm_tiers: int,
        tts_tiers: int,
        turn_budget_seconds: float,
    ) -> None:
        self._stage = stage
        self._fallback_lines = fallback_lines
        self._llm_tiers = llm_tiers
        self._tts_tiers = tts_tiers
        self._budget = turn_budget_seconds
        self.reply: Reply | None = None
        self.guess: Reply | None = None
        self.suspended: Reply | None = None
        self.was_asking = False
        self._guessed = ""
        self._guesses = 0
        self._failures = 0
        self._last_number = 0

    def _number(self) -> int:
        self._last_number += 1
        return self._last_number

    # --- beginning a reply ------------------------------------------------------------------------------------------

    def prepare(self, text: str) -> None:
        """Make a reply on the suspicion that these are the caller's last words."""
        limit = self._stage.spec.endpointing.max_speculations
        if self.guess is not None or self._guesses >= limit or is_same_words(text, self._guessed):
            return
        self._guesses += 1
        self._guessed = text
        self.guess = Reply(self._number(), Purpose.ANSWER, caller=text)
        self._generate(self.guess)

    def discard_guess(self) -> None:
        """The caller went on: the reply on suspicion is worth nothing."""
        if self.guess is not None:
            self._stage.emit(Discard(self.guess.number))
            self._stage.note("speculation_discarded", reply=self.guess.number)
            self.guess = None

    def answer(self, utterance: Utterance | None = None) -> None:
        """Answer the last turn of the history; ``utterance`` is that turn where it was said just now."""
        stage, guess = self._stage, self.guess
        if guess is not None and utterance is not None and is_same_words(guess.caller, utterance.text):
            reply, self.guess = guess, None
        else:
            self.discard_guess()
            reply = Reply(self._number(), Purpose.ANSWER)
        self._guesses, self._guessed = 0, ""
        reply.timing.decided_at = stage.now
        if utterance is not None:
            reply.timing.speech_ended_at = utterance.ended_at
            reply.timing.waited_ms = utterance.waited_ms
        stage.move(ConversationState.THINKING)
        if reply is not guess:
            self._generate(reply)
        self._commit(reply)

    def say(self, text: str, purpose: Purpose, *, ends_call: EndReason | None = None) -> None:
        """Speak a fixed line. One without words is over at once."""
        reply = Reply(self._number(), purpose)
        reply.add_line(text)
        reply.ends_call = ends_call
        if not reply.has_sentences:
            self._after(reply)
            return
        self._stage.move(ConversationState.THINKING)
        self._commit(reply)
        self._stage.emit(ShowToken(reply.number, reply.text))

    def _generate(self, reply: Reply) -> None:
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

    def _commit(self, reply: Reply) -> None:
        """The reply is certain: it may be shown and heard."""
        self.reply = reply
        reply.is_committed = True
        reply.budget_from = self._stage.now
        self._stage.emit(Commit(reply.number), *(ShowToken(reply.number, text) for text in reply.held_tokens))
        reply.held_tokens = []
        for step in reply.tool_steps:
            for request in tuple(step.requests):
                self._call_tool(reply, request)
        self._go_on(reply)

    # --- text -------------------------------------------------------------------------------------------------------

    def _making(self, generation: int) -> Reply | None:
        """Find the reply that this generation's text belongs to."""
        made = (self.reply, self.guess, self.suspended)
        return next((reply for reply in made if reply is not None and reply.generation == generation), None)

    def read_delta(self, event: ReplyDelta) -> None:
        """Take generated text."""
        reply = self._making(event.reply)
        if reply is None or reply.is_generated:
            return
        reply.is_model_silent = False
        if reply.timing.first_delta_at is None:
            reply.timing.first_delta_at = self._stage.now
        self._show(reply, reply.add_text(event.text))
        self._go_on(reply)

    def _show(self, reply: Reply, text: str) -> None:
        if not text or reply is self.suspended:
            return
        if reply.is_committed:
            self._stage.emit(ShowToken(reply.number, text))
        else:
            reply.held_tokens.append(text)

    def end_text(self, event: ReplyGenerated) -> None:
        """The model has finished."""
        reply = self._making(event.reply)
        if reply is None:
            return
        if event.usage is not None:
            self._add_usage(reply, event.usage)
        if reply.is_generated:
            return
        self._show(reply, reply.close_text())
        reply.is_generated = True
        reply.is_model_silent = False
        self._go_on(reply)

    def _add_usage(self, reply: Reply, usage: Usage) -> None:
        self._stage.history.learn_usage(reply.asked, usage)
        before = reply.usage or Usage()
        reply.usage = Usage(
            prompt_tokens=before.prompt_tokens + usage.prompt_tokens,
            completion_tokens=before.completion_tokens + usage.completion_tokens,
        )

    def _go_on(self, reply: Reply) -> None:
        """Do what the reply's text so far allows: speak, ask the model again, end the speech."""
        if reply is self.suspended:
            return
        self._stage.emit(*reply.take_sentences(self._stage.now))
        if not reply.is_committed or not reply.is_generated or reply.is_speech_ended:
            return
        step = reply.open_step
        if step is not None and reply.ends_call is None:
            if step.is_answered:
                self._generate(reply)
        elif reply.has_sentences:
            reply.is_speech_ended = True
            self._stage.emit(EndSpeech(reply.number))
        elif reply.ends_call is not None or reply.is_resumed:
            self._close(reply)
        else:
            self._fail(reply, Role.LLM, "the model said nothing", retryable=True)

    # --- tools ------------------------------------------------------------------------------------------------------

    def read_tool_request(self, event: ReplyToolRequested) -> None:
        """The model asks for a tool."""
        reply = self._making(event.reply)
        if reply is None or reply.is_generated:
            return
        reply.is_model_silent = False
        self._show(reply, reply.ask_tool(event.request))
        if reply is self.reply:
            self._call_tool(reply, event.request)
        self._go_on(reply)

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
        if goodbye and not is_same_words(reply.text[-len(goodbye) :], goodbye):
            reply.add_line(goodbye)
            self._stage.emit(ShowToken(reply.number, goodbye))
        reply.ends_call = EndReason.AGENT_SAID_GOODBYE
        reply.is_generated = True

    def read_tool_result(self, event: ToolReturned) -> None:
        """A tool answered."""
        for reply in (self.reply, self.suspended):
            if reply is not None and event.reply in reply.names:
                reply.answer_tool(event.request.call_id, event.result)
                self._go_on(reply)

    # --- audio ------------------------------------------------------------------------------------------------------

    def _sounding(self, number: int) -> Reply | None:
        return self.reply if self.reply is not None and self.reply.number == number else None

    def note_words(self, event: SentenceTimed) -> None:
        """The synthesiser says when words sound."""
        for reply in (self.reply, self.guess):
            if reply is not None and reply.number == event.reply:
                reply.note_words(event.sentence, event.words)

    def note_audio(self, event: AudioSent) -> None:
        """A piece of audio was sent."""
        if (reply := self._sounding(event.reply)) is not None:
            reply.note_audio(event.sentence, event.duration_ms, self._stage.now)
            self._stage.move(ConversationState.RESPONDING)

    def note_sentence_sent(self, event: SentenceSent) -> None:
        """All audio of a sentence was sent."""
        if (reply := self._sounding(event.reply)) is not None:
            reply.note_sentence_sent(event.sentence)

    def note_sent(self, event: ReplySent) -> None:
        """All audio of a reply was sent."""
        reply = self._sounding(event.reply)
        if reply is None or reply.is_sent:
            return
        if not reply.is_started:
            self._fail(reply, Role.TTS, "the synthesiser gave no audio", retryable=True)
            return
        reply.note_sent()
        self._stage.emit(CompleteReply(reply.number, reply.own_text, reply.turn_latency))

    def note_played(self, event: PlayedOut) -> None:
        """The far end says what it has played."""
        if (reply := self._sounding(event.reply)) is not None:
            reply.clock.correct(event.played_ms, self._stage.now)

    # --- the end of a reply -----------------------------------------------------------------------------------------

    def _record(self, reply: Reply, *, interrupted: bool) -> None:
        now = self._stage.now
        text = reply.heard_text(now)
        record = self._stage.history.add_agent(
            reply.heard_messages(now),
            text,
            began_at=now if reply.turn_began_at is None else reply.turn_began_at,
            ended_at=now,
            interrupted=interrupted and not (reply.is_generated and text == reply.text),
            latency=reply.turn_latency,
            usage=reply.usage,
        )
        if record is not None:
            self._stage.emit(record)

    def _close(self, reply: Reply) -> None:
        """The reply was played to its end, or as far as there was one."""
        reply.freeze(self._stage.now)
        if reply.is_cut_off:
            self._stop(reply, CancelReason.FAILED)
        self.reply = None
        self.was_asking = reply.is_asking(self._stage.now)
        self._record(reply, interrupted=reply.is_cut_off)
        if reply.failure is not None:
            self._apologise(reply.failure)
            return
        if reply.purpose is Purpose.ANSWER:
            self._failures = 0
        self._after(reply)

    def _after(self, reply: Reply) -> None:
        if reply.ends_call is not None:
            self._stage.finish(reply.ends_call)
        else:
            self._stage.move(ConversationState.LISTENING)

    def _stop(self, reply: Reply, reason: CancelReason, *, keeps_text: bool = False) -> None:
        heard = reply.own_heard_text(self._stage.now)
        self._stage.emit(Cancel(reply.number, reason, heard, keeps_text=keeps_text))
        if not keeps_text:
            self._stop_earlier_generation(reply)

    def _stop_earlier_generation(self, reply: Reply) -> None:
        """A resumed reply is still fed by the generation of the number that was cancelled."""
        if not reply.is_generated and reply.generation != reply.number:
            self._stage.emit(Discard(reply.generation))

    def stop(self, reason: CancelReason) -> None:
        """Stop everything the agent says or is about to say; what was heard stays."""
        self.discard_guess()
        self.confirm_interruption()
        if (reply := self.reply) is not None:
            self.reply = None
            reply.freeze(self._stage.now)
            self._stop(reply, reason)
            self._record(reply, interrupted=True)

    # --- interruptions ----------------------------------------------------------------------------------------------

    def interrupt(self, reason: CancelReason, *, may_be_false: bool) -> None:
        """Stop the reply that is being heard; it stays at hand while the interruption may turn out to be none."""
        reply = self.reply
        if reply is None:
            return
        now = self._stage.now
        reply.freeze(now)
        reply.keeps_text = may_be_false and not reply.is_generated
        self._stop(reply, reason, keeps_text=reply.keeps_text)
        self._stage.note(
            "barge_in", reply=reply.number, reason=reason.value, played_ms=round(reply.clock.played_ms(now))
        )
        self.reply, self.suspended = None, reply
        self._stage.move(ConversationState.INTERRUPTED)
        if not may_be_false:
            self.confirm_interruption()

    def confirm_interruption(self) -> None:
        """The interruption was meant: the turn ends with what was heard."""
        if (reply := self.suspended) is None:
            return
        self.suspended = None
        if reply.keeps_text and not reply.is_generated:
            self._stage.emit(Discard(reply.generation))
        self._record(reply, interrupted=True)
        self._stage.move(ConversationState.LISTENING)

    def resume(self) -> None:
        """The interruption was none: speak what was not heard, without asking the model again."""
        if (reply := self.suspended) is None:
            return
        self.suspended = None
        self._stage.note("false_interruption", reply=reply.number)
        rest = reply.rest(self._number())
        if not rest.has_sentences and rest.is_generated and rest.open_step is None:
            self._record(reply, interrupted=False)
            self._after(reply)
            return
        self._stage.move(ConversationState.THINKING)
        self._commit(rest)
        if self.reply is rest and rest.has_sentences:
            self._stage.emit(ShowToken(rest.number, rest.own_text))

    def withdraw(self, reason: CancelReason) -> None:
        """Take back a reply of which nothing was heard."""
        if (reply := self.reply) is not None:
            self.reply = None
            self._stop(reply, reason)
            self._record(reply, interrupted=True)
            self._stage.note("reply_withdrawn", reply=reply.number)
        self._stage.move(ConversationState.LISTENING)

    # --- failures ---------------------------------------------------------------------------------------------------

    def read_failure(self, event: ReplyFailed) -> None:
        """A provider failed at a reply."""
        reply = self._making(event.reply) if event.role is Role.LLM else self._sounding(event.reply)
        if self.guess is not None and event.reply == self.guess.number:
            self._stage.emit(Discard(self.guess.number))
            self.guess = None
        elif reply is self.suspended and reply is not None:
            reply.drop_unfinished_text()
            reply.is_generated, reply.failure = True, ErrorCode.LLM
        elif reply is not None:
            self._fail(reply, event.role, event.message, retryable=event.retryable)

    def _fail(self, reply: Reply, role: Role, message: str, *, retryable: bool, may_retry: bool = True) -> None:
        """Decide between another provider, what was already heard with an apology after it, and a fixed line."""
        code = ErrorCode.LLM if role is Role.LLM else ErrorCode.TTS
        if reply.is_cut_off or (role is Role.LLM and reply.is_generated and reply.has_sentences):
            return
        if reply.is_started:
            self._stage.emit(ReportError(code, message, retryable))
            self._keep_heard(reply, code)
        elif may_retry and role is Role.LLM and reply.tier + 1 < self._llm_tiers:
            self._ask_fallback_model(reply)
        elif may_retry and role is Role.TTS and reply.tts_tier + 1 < self._tts_tiers:
            self._stage.note("fallback_provider", role=role.value, reply=reply.number)
            reply.speak_again(reply.tts_tier + 1)
            self._go_on(reply)
        else:
            self._stage.emit(ReportError(code, message, retryable))
            self._give_up(reply, code)

    def _keep_heard(self, reply: Reply, code: ErrorCode) -> None:
        """A part was heard, so nothing is repeated: what was made is played, then the agent says sorry."""
        reply.failure = code
        reply.is_cut_off = code is ErrorCode.TTS
        if code is ErrorCode.LLM:
            reply.drop_unfinished_text()
            reply.is_generated = True
            if reply.open_step is None:
                self._go_on(reply)
            elif not reply.is_speech_ended:
                reply.is_speech_ended = True
                self._stage.emit(EndSpeech(reply.number))

    def _ask_fallback_model(self, reply: Reply) -> None:
        self._stage.note("fallback_provider", role=Role.LLM.value, reply=reply.number)
        self._stop(reply, CancelReason.FAILED)
        budget_from = reply.budget_from
        again = reply.restart(self._number(), reply.tier + 1)
        again.is_committed = True
        self._generate(again)
        self._commit(again)
        again.budget_from = budget_from

    def _give_up(self, reply: Reply, code: ErrorCode) -> None:
        """Nothing of this reply will be heard."""
        self._stop(reply, CancelReason.FAILED)
        self.reply = None
        self._record(reply, interrupted=True)
        if reply.purpose is Purpose.ANSWER:
            self._apologise(code)
        else:
            self._after(reply)

    def _apologise(self, code: ErrorCode) -> None:
        """Speak the line for this many failing turns in a row; the last of them ends the call."""
        self._failures += 1
        is_last = self._failures >= len(self._fallback_lines)
        line = self._fallback_lines[min(self._failures, len(self._fallback_lines)) - 1]
        self._stage.note("fallback_spoken", turns=self._failures, code=code.value)
        if is_last:
            self.say(line, Purpose.FAREWELL, ends_call=EndReason.PROVIDER_FAILED)
        else:
            self.say(line, Purpose.APOLOGY)

    # --- time -------------------------------------------------------------------------------------------------------

    def _may_hedge(self, reply: Reply) -> bool:
        """Whether the model is silent and another one could still answer within the budget."""
        return reply.is_model_silent and not reply.is_started and reply.tier + 1 < self._llm_tiers

    def next_timeout(self) -> float | None:
        """When something must happen to the reply without an event."""
        reply = self.reply
        if reply is None:
            return None
        if reply.is_sent or reply.is_cut_off:
            return reply.clock.ends_at
        if reply.is_started:
            return max(reply.progress_at, reply.budget_from, reply.clock.ends_at or 0.0) + self._budget
        return reply.budget_from + self._budget / (2 if self._may_hedge(reply) else 1)

    def check_time(self) -> None:
        """Do what is due."""
        due, reply = self.next_timeout(), self.reply
        if reply is None or due is None or self._stage.now < due - _TOLERANCE:
            return
        step = reply.open_step
        if reply.is_sent or reply.is_cut_off:
            self._close(reply)
        elif step is not None and not step.is_answered and reply.is_generated:
            for request in step.requests:
                reply.answer_tool(request.call_id, _TOOL_TIMED_OUT)
            self._go_on(reply)
        else:
            role = Role.LLM if reply.is_waiting_for_text else Role.TTS
            may_retry = self._may_hedge(reply)
            self._fail(reply, role, "no answer within the turn's time", retryable=True, may_retry=may_retry)


def _goodbye(arguments: str) -> str:
    """Read the last words out of the tool's arguments, which a model may have written badly."""
    try:
        decoded = json.loads(arguments or "{}")
    except ValueError:
        return ""
    goodbye = decoded.get("goodbye") if isinstance(decoded, dict) else None
    return goodbye.strip() if isinstance(goodbye, str) else ""
