"""The agent's side: replies from the request to the model until the last word was played, and their failures."""

from calls.engine.asides import ToolDelayed
from calls.engine.drafting import Drafting
from calls.engine.events import (
    AudioSent,
    Cancel,
    CompleteReply,
    Discard,
    EndSpeech,
    PlayedOut,
    ReplyDelta,
    ReplyFailed,
    ReplyGenerated,
    ReplySent,
    ReplyToolRequested,
    ReportError,
    SentenceSent,
    SentenceTimed,
    ShowLatency,
    ShowToken,
    ToolReturned,
)
from calls.engine.hearing import Utterance
from calls.engine.reply import Outcome, Purpose, Reply
from calls.engine.stage import Stage
from calls.enums import CancelReason, ConversationState, EndReason, ErrorCode, Role

TEXT_EVENTS = (ReplyDelta, ReplyToolRequested, ToolReturned, ToolDelayed, ReplyGenerated)
_TOOL_TIMED_OUT = "The tool did not answer in time."
_TOOL_SECONDS = 35.0
"""Tools have time limits of their own; this one is for a runner that forgot to answer."""


class Answering:
    """Decides about the agent's replies: what is said, what was heard of it, and what follows from both."""

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
        self._drafts = Drafting(stage)
        self._failures = 0
        self.question = ""
        """The question with which the reply ended that was heard last, or in which it was cut; empty: none."""

    @property
    def reply(self) -> Reply | None:
        """The reply that is certain, from its commit until it was played."""
        return self._drafts.reply

    @property
    def guess(self) -> Reply | None:
        """The reply that is made on the suspicion that the caller has finished."""
        return self._drafts.guess

    @property
    def suspended(self) -> Reply | None:
        """The reply that was interrupted by what may have been no interruption."""
        return self._drafts.suspended

    # --- text -------------------------------------------------------------------------------------------------------

    def prepare(self, text: str) -> None:
        """Make a reply on the suspicion that these are the caller's last words."""
        self._drafts.prepare(text)

    def discard_guess(self) -> None:
        """The caller went on: the reply on suspicion is worth nothing."""
        self._drafts.discard_guess()

    def answer(self, utterance: Utterance | None = None) -> None:
        """Answer the last turn of the history; ``utterance`` is that turn where it was said just now."""
        self._drafts.answer(utterance)
        self._look()

    def say(self, text: str, purpose: Purpose, *, ends_call: EndReason | None = None, protected: int = 0) -> None:
        """Speak a fixed line, of which so many pieces must be heard. One without words is over at once."""
        if not self._drafts.say(text, purpose, ends_call, protected):
            self._go_to_what_follows(ends_call)

    def read(self, event: ReplyDelta | ReplyToolRequested | ToolReturned | ToolDelayed | ReplyGenerated) -> None:
        """Take a piece of a reply's text, or what belongs to it (``TEXT_EVENTS``)."""
        drafts = self._drafts
        match event:
            case ReplyDelta():
                drafts.read_delta(event)
            case ReplyToolRequested():
                drafts.read_tool_request(event)
            case ToolReturned():
                drafts.read_tool_result(event)
            case ToolDelayed():
                drafts.fill_wait(event)
            case ReplyGenerated():
                drafts.end_text(event)
        self._look()

    def _look(self) -> None:
        """Deal with a reply whose text came to an end without words."""
        reply = self._drafts.reply
        if reply is None or reply.outcome is None:
            return
        outcome, reply.outcome = reply.outcome, None
        if outcome is Outcome.OVER:
            self._close(reply)
        else:
            self._fail(reply, Role.LLM, "the model said nothing", retryable=True)

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
            is_first = not reply.is_started and not reply.is_resumed
            reply.note_audio(event.sentence, event.duration_ms, self._stage.now)
            if is_first and reply.turn_latency is not None:
                self._stage.emit(ShowLatency(reply.number, reply.turn_latency))
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
        self._drafts.reply = None
        self.question = reply.heard_question(self._stage.now)
        self._record(reply, interrupted=reply.is_cut_off)
        if reply.failure is not None:
            self._apologise(reply.failure)
            return
        if reply.purpose is Purpose.ANSWER:
            self._failures = 0
        self._go_to_what_follows(reply.ends_call)

    def _go_to_what_follows(self, ends_call: EndReason | None) -> None:
        if ends_call is not None:
            self._stage.finish(ends_call)
        else:
            self._stage.move(ConversationState.LISTENING)

    def _stop(self, reply: Reply, reason: CancelReason, *, keeps_text: bool = False) -> None:
        heard = reply.own_heard_text(self._stage.now)
        self._stage.emit(Cancel(reply.number, reason, heard, keeps_text=keeps_text))
        # A resumed reply is still fed by the generation of the number that was cancelled.
        if not keeps_text and not reply.is_generated and reply.generation != reply.number:
            self._stage.emit(Discard(reply.generation))

    def stop(self, reason: CancelReason) -> None:
        """Stop everything the agent says or is about to say; what was heard stays."""
        self.discard_guess()
        self.confirm_interruption()
        if (reply := self.reply) is not None:
            self._drafts.reply = None
            reply.freeze(self._stage.now)
            self._stop(reply, reason)
            self._record(reply, interrupted=True)

    @property
    def is_parting(self) -> bool:
        """Whether the last words are being said, which nobody can interrupt."""
        return self.reply is not None and self.reply.purpose is Purpose.FAREWELL

    def cut_farewell(self, reason: CancelReason) -> bool:
        """End the call at once where only its last words are left to be played; False where they are not."""
        reply = self.reply
        if reply is None or not self.is_parting:
            return False
        self.stop(reason)
        self._go_to_what_follows(reply.ends_call)
        return True

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
        kind, played = "barge_in" if reply.is_started else "reply_held", round(reply.clock.played_ms(now))
        self._stage.note(kind, reply=reply.number, reason=reason.value, played_ms=played)
        self._drafts.reply, self._drafts.suspended = None, reply
        self._stage.move(ConversationState.INTERRUPTED)
        if not may_be_false:
            self.confirm_interruption()

    def confirm_interruption(self) -> None:
        """The interruption was meant: the turn ends with what was heard."""
        if (reply := self.suspended) is None:
            return
        self._drafts.suspended = None
        self.question = reply.heard_question(self._stage.now)
        if reply.keeps_text and not reply.is_generated:
            self._stage.emit(Discard(reply.generation))
        self._record(reply, interrupted=True)
        self._stage.move(ConversationState.LISTENING)

    def resume(self) -> None:
        """The interruption was none: speak what was not heard, without asking the model again."""
        if (reply := self.suspended) is None:
            return
        self._drafts.suspended = None
        self._stage.note("false_interruption", reply=reply.number)
        rest = reply.rest(self._drafts.next_number())
        if not rest.has_sentences and rest.is_generated and rest.open_step is None:
            self._record(reply, interrupted=False)
            self._go_to_what_follows(reply.ends_call)
            return
        self._stage.move(ConversationState.THINKING)
        self._drafts.commit(rest)
        if rest.has_sentences:
            self._stage.emit(ShowToken(rest.number, rest.own_text))
        self._look()

    def withdraw(self, reason: CancelReason) -> None:
        """Take back a reply of which nothing was heard."""
        if (reply := self.reply) is not None:
            self._drafts.reply = None
            self._stop(reply, reason)
            self._record(reply, interrupted=True)
            self._stage.note("reply_withdrawn", reply=reply.number)
        self._stage.move(ConversationState.LISTENING)

    # --- failures ---------------------------------------------------------------------------------------------------

    def read_failure(self, event: ReplyFailed) -> None:
        """A provider failed at a reply."""
        reply = self._drafts.making(event.reply) if event.role is Role.LLM else self._sounding(event.reply)
        if self.guess is not None and event.reply == self.guess.number:
            self._stage.emit(Discard(self.guess.number))
            self._drafts.guess = None
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
            self._drafts.go_on(reply)
            self._look()
        else:
            self._stage.emit(ReportError(code, message, retryable))
            self._give_up(reply, code)

    def _keep_heard(self, reply: Reply, code: ErrorCode) -> None:
        """A part was heard, so nothing is repeated: what was made is played, then the agent says sorry."""
        reply.failure = code
        reply.is_cut_off = code is ErrorCode.TTS or not reply.has_sentences
        if not reply.is_cut_off:
            reply.drop_unfinished_text()
            reply.is_generated = True
            reply.progress_at = self._stage.now
            if reply.open_step is None:
                self._drafts.go_on(reply)
                self._look()
            elif not reply.is_speech_ended:
                reply.is_speech_ended = True
                self._stage.emit(EndSpeech(reply.number))

    def _ask_fallback_model(self, reply: Reply) -> None:
        self._stage.note("fallback_provider", role=Role.LLM.value, reply=reply.number)
        self._stop(reply, CancelReason.FAILED)
        budget_from = reply.budget_from
        again = reply.restart(self._drafts.next_number(), reply.tier + 1)
        again.is_committed = True
        self._drafts.generate(again)
        self._drafts.commit(again)
        again.budget_from = budget_from
        self._look()

    def _give_up(self, reply: Reply, code: ErrorCode) -> None:
        """Nothing of this reply will be heard."""
        self._stop(reply, CancelReason.FAILED)
        self._drafts.reply = None
        self._record(reply, interrupted=True)
        if reply.purpose is Purpose.ANSWER:
            self._apologise(code)
        else:
            self._go_to_what_follows(reply.ends_call)

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
        if reply.is_started or reply.is_waiting_for_tools:
            budget = _TOOL_SECONDS if reply.is_waiting_for_tools else self._budget
            return max(reply.progress_at, reply.budget_from, reply.clock.ends_at or 0.0) + budget
        return reply.budget_from + self._budget / (2 if self._may_hedge(reply) else 1)

    def check_time(self) -> None:
        """Do what is due."""
        reply = self.reply
        if reply is None or not self._stage.is_due(self.next_timeout()):
            return
        if reply.is_sent or reply.is_cut_off:
            self._close(reply)
        elif reply.is_waiting_for_tools:
            reply.time_out_tools(_TOOL_TIMED_OUT)
            self._drafts.go_on(reply)
            self._look()
        else:
            role = Role.LLM if reply.is_waiting_for_text else Role.TTS
            may_retry = self._may_hedge(reply)
            self._fail(reply, role, "no answer within the turn's time", retryable=True, may_retry=may_retry)
