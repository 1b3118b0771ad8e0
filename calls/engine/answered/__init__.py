"""Who answered a call that we placed: a person, a mailbox, a call-screening assistant or a menu."""

from calls.engine.answered.phrases import REFUSAL
from calls.engine.answered.vocabulary import STANDING_SENTENCES
from calls.engine.answered.watch import AnswerWatch, Judgement, Signal
from calls.engine.answered.wording import Cues, asked_key, is_greeting, read_cues

__all__ = [
    "REFUSAL",
    "STANDING_SENTENCES",
    "AnswerWatch",
    "Cues",
    "Judgement",
    "Signal",
    "asked_key",
    "is_greeting",
    "read_cues",
]
