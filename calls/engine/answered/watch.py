"""The signals about who answered, put together: words, timing, the beep and the carrier's verdict.

In doubt it is a person. A machine is believed when two signals agree; the judgement is firm, so that something may be
done that a person must not suffer (hanging up, speaking a message), once its greeting is over as well.
"""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from calls.engine.answered.wording import Cues, read_cues
from calls.engine.endpointing import words_of
from calls.enums import AnsweredBy

_GAP_MS = 1000.0
"""Shorter pauses are inside of one speech."""
_LONG_MS = 3000.0
"""So long nobody speaks who has just taken a call, without waiting for an answer; some people do."""
_VERY_LONG_MS = 5000.0
_CARRIER_BEEP = "machine_end_beep"
_BEEP_WITHIN_MS = 7000.0
"""A mailbox beeps so soon after its greeting."""
_OVERLAP_MS = 100.0
"""A voice detector may hear the beginning of the beep as voice."""
_BEEP_HZ = (380.0, 1700.0)
"""Kitchens, tills and smoke alarms beep higher than mailboxes."""
_QUIET_AFTER_BEEP_MS = 1000.0
"""Who picks up at the beep says so by then."""
_QUIET_AFTER_CARRIER_MS = 1500.0
_QUIET_AFTER_QUESTION_MS = 800.0
_QUIET_IN_DOUBT_MS = 3500.0
"""A person who sounded like a mailbox and is not answered asks whether anybody is there by then."""
_PLAIN_SCORE = 2
_MENU_MS = 6000.0
"""A menu has its callers listen for at least so long."""
_SERIES_MS = 4000.0
"""Beeps closer than this are a series: a mailbox's is alone."""
QUIET_MS = 2000.0
"""Silence after which a greeting is over, where no beep comes."""


class Signal(StrEnum):
    """What can speak for a machine."""

    WORDS = "words"
    TIMING = "timing"
    BEEP = "beep"
    CARRIER = "carrier"


class Judgement(Struct, frozen=True):
    """Who seems to have answered. ``signals`` agree with it; ``is_firm``: it may be acted upon."""

    kind: AnsweredBy = AnsweredBy.HUMAN
    signals: frozenset[Signal] = frozenset()
    cues: tuple[str, ...] = ()
    is_firm: bool = False

    @property
    def is_suspicious(self) -> bool:
        """Whether what was heard does not sound like a person, although nothing may be done about it yet."""
        return self.kind.is_machine


class AnswerWatch:
    """Listens to one answered call. Times in milliseconds of received audio since the answer."""

    def __init__(self) -> None:
        self._until_ms = 0.0
        self._speech_from_ms: float | None = None
        self._speech_until_ms = 0.0
        self._longest_ms = 0.0
        self._spoken_ms = 0.0
        self._past: list[str] = []
        self._pieces: tuple[str, ...] = ()
        self._cues = Cues()
        self._beeps: list[float] = []
        self._carrier = ""

    # --- what comes in ----------------------------------------------------------------------------------------------

    def hear(self, until_ms: float, voiced_until_ms: float, voiced_ms: float) -> None:
        """Take the audio clock and the state of voice activity (``AudioHeard``)."""
        self._until_ms = max(self._until_ms, until_ms)
        if voiced_until_ms <= self._speech_until_ms:
            return
        began = voiced_until_ms - voiced_ms
        if self._speech_from_ms is None or began - self._speech_until_ms > _GAP_MS:
            self._speech_from_ms = began
        self._spoken_ms += voiced_until_ms - max(self._speech_until_ms, began)
        self._speech_until_ms = voiced_until_ms
        self._longest_ms = max(self._longest_ms, voiced_until_ms - self._speech_from_ms)

    def read(self, pieces: Sequence[str]) -> None:
        """Take the words of the utterance so far, in the pieces in which the recogniser closed them."""
        if tuple(pieces) != self._pieces:
            self._pieces = tuple(pieces)
            self._cues = read_cues([*self._past, *self._pieces])

    def end_utterance(self) -> None:
        """What was read is said; the next words are another utterance."""
        self._past += self._pieces
        self._pieces = ()

    def note_beep(self, hz: float, ended_ms: float) -> None:
        """A single tone with silence behind it was heard."""
        if _BEEP_HZ[0] <= hz <= _BEEP_HZ[1]:
            self._beeps.append(ended_ms)

    def note_carrier(self, answered_by: str) -> None:
        """Take the carrier's own verdict, in its words."""
        self._carrier = answered_by

    def anew(self) -> "AnswerWatch":
        """Give a watch that knows nothing but what time it is: somebody else may speak now."""
        watch = AnswerWatch()
        watch._until_ms, watch._speech_until_ms = self._until_ms, self._speech_until_ms
        return watch

    # --- questions --------------------------------------------------------------------------------------------------

    @property
    def cues(self) -> Cues:
        """What the words say."""
        return self._cues

    @property
    def carrier(self) -> str:
        """The carrier's verdict, in its words; empty: there is none yet."""
        return self._carrier

    @property
    def text(self) -> str:
        """All words so far, in lower case without punctuation."""
        return " ".join(words_of(" ".join([*self._past, *self._pieces])))

    @property
    def latest(self) -> str:
        """The words of the latest utterance alone."""
        return " ".join(words_of(" ".join(self._pieces or self._past[-1:])))

    @property
    def is_carriers_machine(self) -> bool:
        """Whether the carrier says that this is a machine, and no person has plainly spoken."""
        return self._carrier.startswith("machine") and not self._cues.is_of_a_person

    @property
    def has_words(self) -> bool:
        """Whether any words were recognised."""
        return self._cues.has_words

    @property
    def is_of_a_person(self) -> bool:
        """Whether a person has plainly spoken, or the carrier says so and nothing speaks against it."""
        return self._cues.is_of_a_person or (self._carrier == "human" and not self._cues.kind.is_machine)

    @property
    def quiet_ms(self) -> float:
        """For how long nobody has spoken."""
        return self._until_ms - self._speech_until_ms

    @property
    def has_spoken(self) -> bool:
        """Whether any voice was heard."""
        return self._speech_from_ms is not None

    @property
    def is_past_the_beep(self) -> bool:
        """Whether a beep came last, ours or the carrier's, so that the mailbox records."""
        return self._has_beeped or self._carrier == _CARRIER_BEEP

    @property
    def _has_beeped(self) -> bool:
        """Whether a beep ended a greeting: nobody has spoken since."""
        if not self._beeps or not self.has_spoken:
            return False
        return -_OVERLAP_MS <= self._beeps[-1] - self._speech_until_ms <= _BEEP_WITHIN_MS

    def judge(self) -> Judgement:
        """Say who it is, as far as can be told."""
        cues = self._cues
        signals = set()
        if cues.kind.is_machine:
            signals.add(Signal.WORDS)
        if self._longest_ms >= _LONG_MS:
            signals.add(Signal.TIMING)
        if self._has_beeped:
            signals.add(Signal.BEEP)
        if self._carrier.startswith("machine"):
            signals.add(Signal.CARRIER)
        if cues.leaning is not None and self._may_lean(signals):
            signals.add(Signal.WORDS)
            return Judgement(cues.leaning, frozenset(signals), cues.names, is_firm=self.quiet_ms >= QUIET_MS)
        if cues.kind.is_machine:
            is_firm = self._may_believe(cues, signals) and self._is_greeting_over(cues.kind)
            return Judgement(cues.kind, frozenset(signals), cues.names, is_firm=is_firm)
        if cues.is_of_a_person or Signal.BEEP not in signals:
            return Judgement(cues=cues.names)
        return self._judge_beep()

    def _may_lean(self, signals: set[Signal]) -> bool:
        """Whether carrier and a long speech say machine, and a word says which, where a recogniser lost the others.

        A mailbox is not believed so: its beep will come. An assistant is only told who is calling.
        """
        is_heard = self._cues.leaning is AnsweredBy.SCREENING or (
            self._cues.leaning is AnsweredBy.IVR and self._spoken_ms >= _MENU_MS
        )
        return is_heard and {Signal.TIMING, Signal.CARRIER} == signals

    def _may_believe(self, cues: Cues, signals: set[Signal]) -> bool:
        """Whether enough agrees with a machine's words."""
        has_tone = Signal.BEEP in signals or self._carrier == _CARRIER_BEEP
        if cues.kind is AnsweredBy.SCREENING:
            # Nobody suffers from hearing who is calling and why.
            is_asking = cues.is_assistants and {Signal.TIMING, Signal.CARRIER} <= signals
            return has_tone or is_asking or (cues.is_clean and (cues.is_sure or Signal.CARRIER in signals))
        if has_tone or not cues.is_clean or cues.kind is AnsweredBy.VOICEMAIL:
            return has_tone or (cues.is_clean and len(signals) > 1)
        return Signal.CARRIER in signals or self._spoken_ms >= _MENU_MS

    def _is_greeting_over(self, kind: AnsweredBy) -> bool:
        if kind is AnsweredBy.SCREENING:
            return self.quiet_ms >= _QUIET_AFTER_QUESTION_MS
        if self._has_beeped:
            return self._until_ms - self._beeps[-1] >= _QUIET_AFTER_BEEP_MS
        if self._carrier == _CARRIER_BEEP:
            return self.quiet_ms >= _QUIET_AFTER_CARRIER_MS
        is_plain = self._carrier.startswith("machine") and self._cues.score > _PLAIN_SCORE
        return self.quiet_ms >= (QUIET_MS if is_plain or kind is AnsweredBy.IVR else _QUIET_IN_DOUBT_MS)

    def _judge_beep(self) -> Judgement:
        """A lone beep behind words that say nothing: with the carrier's word for it, or after a very long speech."""
        last = self._beeps[-1]
        if len(self._beeps) > 1 and last - self._beeps[-2] < _SERIES_MS:
            return Judgement()
        signals = {Signal.BEEP}
        if self._carrier == _CARRIER_BEEP:
            signals.add(Signal.CARRIER)
        if self._longest_ms >= _VERY_LONG_MS:
            signals.add(Signal.TIMING)
        if len(signals) == 1:
            return Judgement()
        is_firm = self._until_ms - last >= _QUIET_AFTER_BEEP_MS
        return Judgement(AnsweredBy.VOICEMAIL, frozenset(signals), is_firm=is_firm)
