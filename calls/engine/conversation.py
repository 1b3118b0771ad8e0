"""Whose turn it is: the state machine of one call. ``receive`` decides; the runner performs what comes out."""

from collections.abc import Callable
from typing import Any

from calls.engine import events as ev
from calls.engine.agent import AgentSpec
from calls.engine.answering import TEXT_EVENTS, Answering
from calls.engine.asides import KeysPressed, LineGiven
from calls.engine.endpointing import is_backchannel, is_same_words
from calls.engine.hearing import Ear, Utterance
from calls.engine.heeding import Heeding
from calls.engine.history import Earlier, History
from calls.engine.interruptions import Interruptions
from calls.engine.phonecall import OPT_OUT_KEY, AnswererDetected, BeepHeard
from calls.engine.prompt import prompt_of
from calls.engine.reception import Reception
from calls.engine.reply import Purpose
from calls.engine.resuming import go_on
from calls.engine.silence import SilenceWatch
from calls.engine.stage import Stage, Transitions
from calls.enums import CancelReason, ConversationState, Direction, EndReason, ErrorCode, SuppressionSource

INITIALIZING, LISTENING, THINKING, RESPONDING, INTERRUPTED, ENDED = ConversationState

TRANSITIONS: Transitions = {
    # before CallStarted; an opening makes the agent think first
    INITIALIZING: frozenset({LISTENING, THINKING, ENDED}),
    # the caller has the floor
    LISTENING: frozenset({THINKING, ENDED}),
    # a reply is certain, nothing of it was heard; the caller may go on and take it back, or hold it up with a sound
    THINKING: frozenset({RESPONDING, LISTENING, INTERRUPTED, ENDED}),
    # from the first audio sent until the last was played; an apology or farewell makes the agent think again
    RESPONDING: frozenset({LISTENING, INTERRUPTED, THINKING, ENDED}),
    # the caller made a sound: words lead to listening, none let the rest be spoken
    INTERRUPTED: frozenset({LISTENING, THINKING, ENDED}),
    ENDED: frozenset(),
}

_LAST_EVENTS = ev.TranscriptReceived | ev.EndOfTurn | ev.TimePassed | ev.Disconnected
"""What still matters once the line is gone."""


class Conversation:
    """One call. ``now`` is in seconds of one monotonic clock and never goes back.

    ``spec``: the agent, its texts already rendered. ``fallback_lines``: what is said in the first, second and third
    failing turn in a row. ``llm_tiers``, ``tts_tiers``: how many providers there are, fallbacks counted.
    ``turn_budget_seconds``: wall time in which a reply must be heard. ``earlier``: what was said before this line.
    ``telephone``: who called whom; None: it is no telephone call. ``protects_opening``: nobody interrupts it.
    """

    def __init__(
        self,
        spec: AgentSpec,
        *,
        fallback_lines: tuple[str, str, str],
        llm_tiers: int = 1,
        tts_tiers: int = 1,
        turn_budget_seconds: float = 4.0,
        earlier: Earlier = Earlier(),  # noqa: B008 (frozen)
        telephone: Direction | None = None,
        protects_opening: bool = False,
    ) -> None:
        self._spec = spec
        self._last_line = fallback_lines[2]
        self._history = History(prompt_of(spec, is_telephone=telephone is not None), spec.context_tokens, earlier)
        self._stage = Stage(spec, self._history, TRANSITIONS)
        self._ear = Ear(spec.endpointing, spec.language)
        self._agent = Answering(
            self._stage,
            fallback_lines=fallback_lines,
            llm_tiers=llm_tiers,
            tts_tiers=tts_tiers,
            turn_budget_seconds=turn_budget_seconds,
        )
        self._floor = Interruptions(self._stage, self._ear, self._agent)
        shared, take = (self._stage, self._agent, self._ear), self._take_words
        self._reception = Reception(*shared, direction=telephone, protects_opening=protects_opening, take_words=take)
        self._heeding = Heeding(*shared, self._reception, take_words=take)
        self._left: EndReason | None = None
        self._floor_ms = -1.0
        self._silence = SilenceWatch(spec.silence)
        self._due: float | None = None
        self._on = self._listeners()

    @property
    def state(self) -> ConversationState:
        """Where the conversation is."""
        return self._stage.state

    @property
    def listens_for_beep(self) -> bool:
        """Whether ``BeepHeard`` would say something now."""
        return self._reception.listens_for_beep

    @property
    def turns(self) -> tuple[ev.SpokenTurn, ...]:
        """The finished turns, as they were recorded."""
        return tuple(self._history.turns)

    @property
    def messages(self) -> tuple[ev.Message, ...]:
        """The finished turns as the model remembers them."""
        return self._history.messages

    def receive(self, event: ev.Event, now: float) -> list[ev.Action]:
        """Take one event and give what is to be done about it, in order. After ``Finish`` nothing more comes."""
        stage = self._stage
        is_early = stage.state is INITIALIZING and not isinstance(event, ev.CallStarted | ev.Disconnected)
        if is_early or stage.state is ENDED or (self._left is not None and not isinstance(event, _LAST_EVENTS)):
            return []
        stage.now = now
        if stage.is_due(self._due):
            self._check_time()
        elif isinstance(event, ev.AudioHeard) and not self._reception.is_attentive and self._ear.pass_by(event, now):
            return []
        if self.state is not ENDED:
            self._on[type(event)](event)
        if self.state is not ENDED:
            self._check_time()
        self._due = self._find_due()
        return stage.take_actions()

    def _listeners(self) -> dict[type, Callable[[Any], None]]:
        agent = self._agent
        return {
            ev.CallStarted: self._start,
            ev.CallResumed: self._resume_call,
            ev.TimePassed: lambda _: None,
            ev.HangUpRequested: self._hang_up,
            ev.Disconnected: self._disconnect,
            ev.InputEnded: lambda _: self._ear.end_input(),
            ev.InterruptRequested: self._stop_agent,
            ev.TextTyped: self._read_typed,
            ev.AudioHeard: self._hear,
            ev.SpeechStarted: lambda _: self._silence.note_sign(self._stage.now),
            ev.TranscriptReceived: self._read,
            ev.EagerEndOfTurn: self._read_turn,
            ev.TurnResumed: lambda _: agent.discard_guess(),
            ev.EndOfTurn: self._read_turn,
            ev.RecognitionFailed: self._lose_recogniser,
            **dict.fromkeys(TEXT_EVENTS, agent.read),
            ev.ReplyFailed: agent.read_failure,
            ev.SentenceTimed: agent.note_words,
            ev.AudioSent: agent.note_audio,
            ev.SentenceSent: agent.note_sentence_sent,
            ev.ReplySent: agent.note_sent,
            ev.PlayedOut: agent.note_played,
            KeysPressed: self._read_keys,
            BeepHeard: self._reception.note_beep,
            AnswererDetected: self._reception.note_detection,
            LineGiven: self._say_given,
        }

    # --- the call ---------------------------------------------------------------------------------------------------

    def _start(self, event: ev.CallStarted) -> None:
        if self.state is not INITIALIZING:
            return
        self._history.began_at = self._stage.now
        self._silence.note_sign(self._stage.now)
        self._ear.start(self._stage.now, detects_turns=event.detects_turns)
        self._reception.start(opening=event.opening, goes_on=go_on(self._agent, self._history, self._reception))

    def _resume_call(self, _: ev.CallResumed) -> None:
        self._ear.resume_input(self._stage.now)
        self._silence.note_sign(self._stage.now)
        if self._reception.may_open and self.state is LISTENING and not self._ear.has_speech:
            self._reception.open()

    def _hang_up(self, _: ev.HangUpRequested) -> None:
        if not self._agent.cut_farewell(CancelReason.HANG_UP):
            self._part(self._spec.goodbye, EndReason.CALLER_ENDED, CancelReason.HANG_UP)

    def _stop_agent(self, _: ev.InterruptRequested) -> None:
        if not self._agent.cut_farewell(CancelReason.REQUESTED):
            self._floor.take_floor(CancelReason.REQUESTED)

    def _say_given(self, event: LineGiven) -> None:
        if not self._agent.is_parting:
            self._stage.is_held = event.holds
            self._part(event.text, event.ends, CancelReason.SUPERSEDED)

    def _part(self, line: str, ending: EndReason | None, cancel: CancelReason) -> None:
        """Say a line before anything else; with an ``ending`` the call is over when it was played."""
        self._agent.stop(cancel)
        self._take_words()
        self._agent.say(line, Purpose.LINE if ending is None else Purpose.FAREWELL, ends_call=ending)

    def _disconnect(self, event: ev.Disconnected) -> None:
        """The line is gone. The caller's last words may still be with the recogniser: they are a turn, unanswered."""
        said = self._agent.reply if event.reason is EndReason.SHUTDOWN else None  # a goodbye has a reason of its own
        self._agent.stop(CancelReason.HANG_UP)
        is_first, self._left = self._left is None, event.reason
        if is_first and event.reason is EndReason.CALLER_DISCONNECTED and self._ear.is_awaited:
            self._ear.end_input()
            self._stage.move(LISTENING)
        else:
            self._leave((said and said.ends_call) or event.reason)

    def _leave(self, reason: EndReason) -> None:
        self._heeding.heed_last()
        self._take_words()
        self._stage.finish(reason)

    def _lose_recogniser(self, event: ev.RecognitionFailed) -> None:
        code = ErrorCode.CONNECTION if event.connecting else ErrorCode.STT
        self._stage.emit(ev.ReportError(code, event.message, retryable=False))
        if not self._agent.is_parting:
            self._part(self._last_line, EndReason.PROVIDER_FAILED, CancelReason.FAILED)

    def _read_keys(self, event: KeysPressed) -> None:
        if event.keys == OPT_OUT_KEY and self._reception.is_telephone:
            self._heeding.opt_out(SuppressionSource.KEY)
        else:
            self._read_typed(event)

    def _read_typed(self, event: ev.TextTyped | KeysPressed) -> None:
        text = event.text.strip()
        if not text or self._agent.is_parting:
            return
        self._floor.take_floor(CancelReason.SUPERSEDED)
        self._take_words()
        if isinstance(event, ev.TextTyped):
            self._silence.note_typing()
        self._answer(self._ear.take_typed(text, self._stage.now))

    # --- hearing ----------------------------------------------------------------------------------------------------

    def _hear(self, event: ev.AudioHeard) -> None:
        self._ear.hear(event, self._stage.now)
        self._reception.hear(event.until_ms, event.voiced_until_ms, event.voiced_ms)
        if self._ear.voiced_ms:
            self._silence.note_voice(self._stage.now)
        self._floor.note_sound()
        self._floor.weigh()

    def _read(self, event: ev.TranscriptReceived) -> None:
        if self._ear.read(event, self._stage.now):
            self._note_words()
        elif self._left is None:
            self._heeding.heed()  # the same words may be certain now

    def _read_turn(self, event: ev.EagerEndOfTurn | ev.EndOfTurn) -> None:
        is_ended = isinstance(event, ev.EndOfTurn)
        if self._ear.read_turn(event.text, event.confidence, self._stage.now, is_ended=is_ended):
            self._note_words()
        if not is_ended and self.state is LISTENING and self._ear.text:
            self._agent.prepare(self._ear.text)

    def _note_words(self) -> None:
        """The words of the utterance have changed."""
        ear, guess = self._ear, self._agent.guess
        self._silence.note_sign(self._stage.now)
        if ear.text:
            self._show(ear, is_final=False)
        if guess is not None and not is_same_words(guess.caller, ear.text):
            self._agent.discard_guess()
        self._reception.read()
        if self._left is None and not self._heeding.heed():
            self._floor.weigh()

    # --- the end of an utterance ------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Look whether the caller has probably, or certainly, finished."""
        ear, now = self._ear, self._stage.now
        ear.update(now)
        if ear.take_flush(now):
            self._stage.emit(ev.FlushRecogniser())
        if ear.has_speech and ear.is_over(now):
            self._end_utterance()
        elif self.state is LISTENING and self._left is None and ear.is_eager(now) and self._is_for_the_agent():
            self._agent.prepare(ear.text)
        if self.state is LISTENING and self._floor.is_unanswered and not ear.has_speech:
            self._floor.is_unanswered = False
            self._agent.answer()

    def _end_utterance(self) -> None:
        if self.state is RESPONDING:
            self._floor.weigh()  # they may have waited for the end of the notice
        if self._left is not None:
            self._leave(self._left)
        elif self._heeding.heed(is_over=True) or self._keeps_waiting():
            return
        elif self._reception.is_silent or self._floor.is_parting_word():
            self._part_ways()
        elif self.state is LISTENING and self._ear.text and self._is_for_the_agent():
            self._answer(self._ear.take(self._stage.now))
        elif self._agent.is_parting and self._floor.has_real_words():
            self._take_words()
        else:
            self._drop_utterance()

    def _keeps_waiting(self) -> bool:
        """Whether these words are dealt with once the notice was heard."""
        reply = self._agent.reply
        return reply is not None and reply.is_protected(self._stage.now) and self._floor.has_real_words()

    def _part_ways(self) -> None:
        """Keep words that nobody answers; where both have said goodbye the call is over."""
        ends = self._agent.suspended.ends_call if self._agent.suspended is not None else None
        self._agent.confirm_interruption()
        self._take_words()
        if ends is not None:
            self._stage.finish(ends)

    def _is_for_the_agent(self) -> bool:
        """Whether a person says it, and more than "I am listening" while the agent still spoke."""
        if self._reception.is_silent:
            return False
        is_new = bool(self._agent.question) or self._ear.speech_until_ms > self._floor_ms
        return is_new or not is_backchannel(self._ear.text, self._spec.language)

    def _answer(self, utterance: Utterance) -> None:
        self._floor.is_unanswered = False
        self._silence.note_turn()
        self._reception.note_turn()
        self._keep(utterance)
        self._agent.answer(utterance)

    def _take_words(self) -> None:
        """What was said so far is a turn of its own, answered or not."""
        if (utterance := self._ear.take(self._stage.now)).text:
            self._keep(utterance)

    def _keep(self, utterance: Utterance) -> None:
        self._show(utterance, is_final=True)
        self._stage.emit(self._history.add_caller(utterance))

    def _drop_utterance(self) -> None:
        """A noise, or words that only say that the caller listens, make no turn."""
        if (utterance := self._ear.take(self._stage.now)).text:
            self._show(utterance, is_final=True)
            self._stage.note("backchannel", utterance=utterance.number)

    def _show(self, said: Ear | Utterance, *, is_final: bool) -> None:
        self._stage.emit(ev.ShowTranscript(said.number, said.text, is_final, said.confidence, said.duration_ms))

    # --- time -------------------------------------------------------------------------------------------------------

    def next_timeout(self) -> float | None:
        """When ``TimePassed`` must come at the latest; None: nothing is waited for."""
        return self._due

    def _find_due(self) -> float | None:
        if self.state is ENDED:
            return None
        due = [self._silence_ends_at(), self._longest(), self._floor.resume_due(), self._heeding.next_timeout()]
        due += [self._agent.next_timeout(), None if self._keeps_waiting() else self._ear.next_timeout()]
        due.append(self._reception.next_timeout() if self._left is None else None)
        return min((at for at in due if at is not None), default=None)

    def _longest(self) -> float | None:
        return None if self._agent.is_parting else self._history.answered_at + self._spec.max_duration_seconds

    def _silence_ends_at(self) -> float | None:
        """When the agent asks whether anybody is there. Who closed his microphone is not asked."""
        is_waiting = self.state is LISTENING and not self._ear.has_speech and not self._ear.is_input_ended
        is_held = self._stage.is_held or self._reception.is_silent
        return self._silence.ends_at(self._stage.entered_at) if is_waiting and not is_held else None

    def _check_time(self) -> None:
        """Do what is due."""
        if self._stage.is_due(self._longest()):
            self._part(self._spec.max_duration_goodbye, EndReason.MAX_DURATION, CancelReason.SUPERSEDED)
        was_speaking = self.state is RESPONDING
        self._attend()
        if self.state is ENDED:
            return
        self._agent.check_time()
        if was_speaking and self.state is LISTENING:
            self._floor_ms = self._ear.until_ms
        self._ear.expect_answer(self._agent.question)
        if self._floor.check_resume():
            self._drop_utterance()
            self._agent.resume()
        if self.state is not ENDED:
            self._listen()
            self._check_silence()

    def _attend(self) -> None:
        """Do what only a telephone call asks for."""
        if self._stage.is_due(self._heeding.next_timeout()):
            self._agent.stop(CancelReason.SUPERSEDED)
            self._leave(EndReason.OPTED_OUT)
        elif self._left is None and (reason := self._reception.attend()) is not None:
            self._leave(reason)
        self._floor.is_person_sought = self._reception.is_seeking
        if self._reception.owes_answer:
            self._reception.owes_answer, self._floor.is_unanswered = False, True

    def _check_silence(self) -> None:
        if not self._stage.is_due(self._silence_ends_at()):
            return
        if (line := self._silence.take_reprompt(self._stage.now)) is not None:
            self._agent.say(line, Purpose.LINE)
        else:
            self._agent.say(self._spec.silence.goodbye, Purpose.LINE, ends_call=EndReason.SILENCE)
