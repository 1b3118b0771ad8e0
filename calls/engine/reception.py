"""A call on the telephone: its first words, who took it, and the wishes that no model is asked about."""

import re
from collections.abc import Callable
from enum import Enum, auto

from msgspec import Struct

from calls.engine.answered import REFUSAL, AnswerWatch, Judgement, asked_key
from calls.engine.answering import Answering
from calls.engine.hearing import Ear
from calls.engine.openings import FirstWords
from calls.engine.phonecall import AnswererDetected, BeepHeard, SendDigits
from calls.engine.reply import Purpose
from calls.engine.stage import Stage
from calls.enums import (
    AnsweredBy,
    CancelReason,
    ConversationState,
    Direction,
    EndReason,
    EventKind,
    OpeningWaits,
    VoicemailPolicy,
)

_GREETING_BY_SECONDS = 1.5
"""Who takes a call has begun to speak by then, or waits for us."""
_GREETING_OVER_MS = 500.0
_LONGEST_GREETING_SECONDS = 5.0
_WATCH_SECONDS = 25.0
_SUSPECT_SECONDS = 60.0
"""For so long what the carrier calls a machine is watched: a menu says everything three times."""
_KNOWN_TURNS = 2
"""After so many turns nobody wonders any more."""
_DOUBT_MS = 5000.0
"""What sounded like a machine and then says nothing for so long is spoken to: in doubt it is a person."""
_PERSON_QUIET_MS = 500.0
_UNCLEAR_QUIET_MS = 1500.0
_WAIT_SECONDS = 60.0
"""So long an assistant may take to fetch its person."""
_ANSWERS = 2
_ON_ITS_WAY = re.compile(r"\b(?:moment|minute|wait|hold|stay|connect\w*|thank you|thanks|checking|one sec\w*|line)\b")
_OF_REFUSALS = {"speaks_of_others"}


class Phase(Enum):
    """Where the question of who answered stands."""

    OFF = auto()
    """Nobody asks it: no call of ours, a call that goes on, or it is settled."""
    SEEKING = auto()
    HOLDING = auto()
    """It sounds like a machine: the agent keeps silent, and nothing is done yet that a person would suffer from."""
    WAITING = auto()
    """A machine has had its answer, and a person may come."""
    LEAVING = auto()
    """The message is being spoken to a mailbox."""


_SILENT = (Phase.HOLDING, Phase.WAITING, Phase.LEAVING)


class Waits(Struct):
    """Moments in seconds of the call's clock."""

    began_at: float = 0.0
    greeting: bool = False
    answered_at: float = 0.0


class Reception:
    """Decides what the first minute of a telephone call is; on any other call it speaks the opening and is done.

    ``take_words`` makes a turn of what was heard so far.
    """

    def __init__(
        self,
        stage: Stage,
        agent: Answering,
        ear: Ear,
        *,
        direction: Direction | None,
        take_words: Callable[[], None],
        protects_opening: bool = False,
    ) -> None:
        self._stage = stage
        self._agent = agent
        self._ear = ear
        self._take_words = take_words
        self._direction = direction
        self.words = FirstWords.of(stage.spec, is_telephone=direction is not None, is_protected=protects_opening)
        self.phase = Phase.OFF
        self.is_opened = False
        """Whether the first words were spoken, as far as the other side let them be."""
        self.owes_answer = False
        """Whether what was said last is to be answered after all."""
        self._is_opening = False
        self._is_noticed = False
        self._may_open = True
        self._waits = Waits()
        self._watch = AnswerWatch()
        self._utterance = ear.number
        self._turns = 0
        self._known: AnsweredBy | None = None
        self._machine = Judgement()
        self._answers = 0
        self._is_repeated = False
        self._is_trusted = False

    # --- what others ask --------------------------------------------------------------------------------------------

    @property
    def is_telephone(self) -> bool:
        """Whether this is a call on the telephone."""
        return self._direction is not None

    @property
    def may_open(self) -> bool:
        """Whether the first words are still to come, on a call that began without them."""
        return self._may_open and bool(self.words.text)

    def unheard(self) -> tuple[str, int]:
        """Give what of the first words the other side has not heard, and how many pieces of it must be."""
        if self.is_opened or not (self._is_opening or self._waits.greeting):
            return "", 0
        if self._is_noticed:
            return self.words.opening, 0
        return self.words.text, self.words.protected

    @property
    def is_silent(self) -> bool:
        """Whether the agent keeps silent whatever is said: a machine says it."""
        return self._waits.greeting or self.phase in _SILENT

    @property
    def is_seeking(self) -> bool:
        """Whether nobody knows yet who answered."""
        return self.phase is Phase.SEEKING and self._known is None

    @property
    def listens_for_beep(self) -> bool:
        """Whether a mailbox's beep would say something."""
        return self.phase is not Phase.OFF

    @property
    def is_attentive(self) -> bool:
        """Whether silence says something too."""
        return self.phase is not Phase.OFF or self._is_opening

    def next_timeout(self) -> float | None:
        """When something is due although nothing is heard."""
        if self._agent.is_parting:
            return None
        if self._waits.greeting:
            longest = _LONGEST_GREETING_SECONDS if self._watch.has_spoken else _GREETING_BY_SECONDS
            return self._waits.began_at + longest
        if self.phase is Phase.WAITING:
            return self._waits.answered_at + _WAIT_SECONDS
        return None

    # --- what comes in ----------------------------------------------------------------------------------------------

    def start(self, *, opening: bool, goes_on: bool) -> None:
        """The call begins. One that ``goes_on`` has said its first words, and nobody wonders who it is."""
        self._waits.began_at = self._stage.now
        if goes_on:
            self._may_open = False
            return
        if opening and self._direction is Direction.OUTBOUND:
            self.phase = Phase.SEEKING
            self._waits.greeting = self._stage.spec.telephone.opening_waits is OpeningWaits.GREETING
        if opening and not self._waits.greeting:
            self.open()
        else:
            self._stage.move(ConversationState.LISTENING)

    def open(self, text: str = "", protected: int = 0) -> None:
        """Speak the first words, or others in their place."""
        if not text:
            text, protected = self.words.text, self.words.protected
        self._waits.greeting, self._may_open = False, False
        purpose = Purpose.OPENING if self.is_telephone or protected else Purpose.LINE
        self._agent.say(text, purpose, protected=protected)
        self._is_opening = self.is_telephone and self._agent.reply is not None
        self.is_opened = not self._is_opening

    def give_notice(self, then: str, *, owes_answer: bool) -> bool:
        """Speak the notice, which the line has cut, and ``then`` in the opening's place; False: there is none."""
        if not self.is_telephone or not self.words.protected:
            return False
        self.words = FirstWords(self.words.notice, then)
        self.owes_answer = owes_answer
        self.open()
        return True

    def hear(self, until_ms: float, voiced_until_ms: float, voiced_ms: float) -> None:
        """Take the audio clock and voice activity."""
        self._note_first_words()
        if self.phase is not Phase.OFF:
            self._watch.hear(until_ms, voiced_until_ms, voiced_ms)

    def read(self) -> None:
        """The words in the ear have changed."""
        self._note_first_words()
        if self.phase is Phase.OFF:
            return
        if self._ear.number != self._utterance:
            self._utterance = self._ear.number
            self._watch.end_utterance()
        self._watch.read(self._ear.pieces)

    def note_beep(self, event: BeepHeard) -> None:
        """A tone was heard; over the message it says that the message began too early."""
        self._watch.note_beep(event.hz, event.ended_ms)
        if self.phase is Phase.LEAVING and not self._is_repeated:
            self._is_repeated = True
            self._agent.stop(CancelReason.SUPERSEDED)
            self._leave_message()

    def note_detection(self, event: AnswererDetected) -> None:
        """The carrier has made up its mind."""
        self._watch.note_carrier(event.answered_by)

    def note_turn(self) -> None:
        """The other side said something that the agent answers."""
        self._turns += 1

    # --- what is due ------------------------------------------------------------------------------------------------

    def attend(self) -> EndReason | None:
        """Do what is due; gives a reason where the call is to be left without a word."""
        self._note_first_words()
        if self.phase is Phase.OFF or self.phase is Phase.LEAVING or self._agent.is_parting:
            return None
        judgement = self._watch.judge()
        if judgement.is_firm:
            return self._deal_with(judgement)
        if judgement.is_suspicious and not self._is_trusted:
            self._hold(judgement)
        elif self.phase is Phase.HOLDING:
            self._release()
        if self.phase is Phase.HOLDING and self._watch.quiet_ms >= _DOUBT_MS:
            self._is_trusted = True
            self._release()
        if self.phase is Phase.WAITING:
            return self._wait_for_person()
        if self._waits.greeting and self.phase is Phase.SEEKING:
            self._wait_for_greeting()
        elif self.phase is Phase.SEEKING:
            self._look_for_person()
        return None

    def _note_first_words(self) -> None:
        """Note what has been heard; before anything is made of a voice, which may stop the rest of it."""
        agent, now = self._agent, self._stage.now
        reply = agent.reply
        if self.is_telephone and reply is not None and reply.protected and not reply.is_protected(now):
            reply.protected, self._is_noticed = 0, True
            began = now if reply.turn_began_at is None else reply.turn_began_at
            at_ms = self._stage.history.at_ms
            self._stage.note(EventKind.NOTICE_PLAYED, began_ms=at_ms(began), ended_ms=at_ms(now))
        if self._is_opening and Purpose.OPENING not in {made.purpose for made in (reply, agent.suspended) if made}:
            self._is_opening, self.is_opened = False, True

    def _wait_for_greeting(self) -> None:
        is_over = self._watch.has_spoken and self._watch.quiet_ms >= _GREETING_OVER_MS
        if is_over or self._stage.is_due(self.next_timeout()):
            self._take_words()
            self.open()

    def _look_for_person(self) -> None:
        """Note that a person answered once that is plain, and stop asking once it is beyond doubt."""
        watch, waited = self._watch, self._stage.now - self._waits.began_at
        is_person = watch.is_of_a_person and watch.quiet_ms >= _PERSON_QUIET_MS
        if self._known is None and (is_person or self._turns or waited >= _WATCH_SECONDS):
            self._settle(Judgement(cues=watch.cues.names))
        is_plain = self._turns >= _KNOWN_TURNS or waited >= _WATCH_SECONDS
        if is_plain and (waited >= _SUSPECT_SECONDS or not watch.is_carriers_machine):
            self.phase = Phase.OFF

    def _settle(self, judgement: Judgement) -> None:
        self._known = judgement.kind
        self._stage.note(
            EventKind.ANSWERED,
            by=judgement.kind.value,
            signals=sorted(judgement.signals),
            cues=list(judgement.cues),
            carrier=self._watch.carrier,
        )

    # --- machines ---------------------------------------------------------------------------------------------------

    def _fall_silent(self) -> None:
        self._agent.stop(CancelReason.SUPERSEDED)
        self._is_opening, self._waits.greeting = False, False
        self._stage.move(ConversationState.LISTENING)

    def _hold(self, judgement: Judgement) -> None:
        if self.phase is Phase.SEEKING:
            self._fall_silent()
            self.phase = Phase.HOLDING
            self._stage.note("machine_suspected", by=judgement.kind.value, cues=list(judgement.cues))

    def _release(self) -> None:
        """It was a person: speak the first words, if they were not heard, else answer what was said."""
        self.phase = Phase.SEEKING
        if self.is_opened:
            self.owes_answer = True
        else:
            self._take_words()
            self.open()

    def _deal_with(self, judgement: Judgement) -> EndReason | None:
        manners = self._stage.spec.telephone
        self._fall_silent()
        if judgement.kind is not self._known:
            self._settle(judgement)
        self._machine = judgement
        if judgement.kind is AnsweredBy.VOICEMAIL:
            if manners.voicemail is not VoicemailPolicy.LEAVE_MESSAGE or not manners.voicemail_message.strip():
                return EndReason.MACHINE_ANSWERED
            self._leave_message()
            return None
        self._answers += 1
        if judgement.kind is AnsweredBy.IVR:
            if not manners.ivr_digits or self._answers > _ANSWERS:
                return EndReason.MACHINE_ANSWERED
            self._press(manners.ivr_digits)
        elif self._answers <= _ANSWERS:
            self._answer_screening()
        self._await_person()
        return None

    def _leave_message(self) -> None:
        self.phase = Phase.LEAVING
        self._take_words()
        message = self._stage.spec.telephone.voicemail_message
        self._agent.say(message, Purpose.FAREWELL, ends_call=EndReason.VOICEMAIL_LEFT)

    def _answer_screening(self) -> None:
        """Press the key that was asked for, where no name was; else say who is calling and why."""
        key = asked_key(self._watch.text)
        self._take_words()
        if key is not None and "asks_name" not in self._machine.cues:
            self._press(key)
            return
        self._agent.say(self._stage.spec.telephone.screening_answer or self.words.text, Purpose.LINE)

    def _press(self, digits: str) -> None:
        self._take_words()
        self._stage.emit(SendDigits(digits))
        self._stage.note("digits_sent", digits=digits)

    def _await_person(self) -> None:
        """Listen anew: what comes now is another voice, or the machine's next words."""
        self.phase = Phase.WAITING
        self._waits.answered_at = self._stage.now
        self._watch = self._watch.anew()
        self._utterance = self._ear.number

    def _wait_for_person(self) -> EndReason | None:
        watch = self._watch
        if self._stage.is_due(self.next_timeout()):
            self.phase = Phase.OFF
        elif self._agent.reply is not None:
            return None
        elif REFUSAL.search(watch.text) and not {*watch.cues.names} - _OF_REFUSALS:
            if watch.quiet_ms >= _UNCLEAR_QUIET_MS and len(self._machine.signals) > 1:
                return EndReason.SCREENING_REFUSED
        elif self._is_person_there():
            self._welcome()
        return None

    def _is_person_there(self) -> bool:
        """Whether somebody has spoken who is no machine that asks for patience, and waits for an answer."""
        watch = self._watch
        if watch.is_of_a_person:
            return watch.quiet_ms >= _PERSON_QUIET_MS
        return watch.has_words and watch.quiet_ms >= _UNCLEAR_QUIET_MS and not _ON_ITS_WAY.search(watch.latest)

    def _welcome(self) -> None:
        """A person has come to the telephone."""
        self._settle(Judgement(cues=self._watch.cues.names))
        self.phase = Phase.SEEKING
        self._take_words()
        self.open()
