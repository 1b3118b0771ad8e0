"""What the words of whoever answered say about who it is."""

import re
from collections.abc import Sequence

from msgspec import Struct

from calls.engine.answered.phrases import GREETING, LIKELY, OF_A_PERSON, SURE
from calls.engine.endpointing import words_of
from calls.enums import AnsweredBy

_SURE_SCORE = 2
"""From this score on the words are a signal: one sure phrase, or two likely ones."""
_OFFER_CHARACTERS = 45
"""A machine's phrase so close behind a question is part of it: do you want to leave a message?"""
_REPEATED_WORDS = 4
_ORDER = (AnsweredBy.SCREENING, AnsweredBy.IVR, AnsweredBy.VOICEMAIL)
_QUESTIONS = frozenset(("offers_help", "asks_the_caller"))
_QUESTIONS_BEFORE = {AnsweredBy.VOICEMAIL: _QUESTIONS, AnsweredBy.SCREENING: frozenset(("offers_help",))}
"""An assistant too asks who this is before it asks for the name; a menu offers nothing."""
_OF_ASSISTANTS = {*_QUESTIONS, "speaks_of_others", "deals_with_it", "connects"}
_PLAIN_SCORE = 3
_AGAIN = "says_it_again"
_GREETING = "greeting"

_KEY_ASKED = re.compile(r"\bpress (?:the )?(?:number |digit |key )?(\w+)")
_KEYS = {
    **{word: str(digit) for digit, word in enumerate("zero one two three four five six seven eight nine".split())},
    **{str(digit): str(digit) for digit in range(10)},
    "won": "1",
    "to": "2",
    "too": "2",
    "tree": "3",
    "for": "4",
    "star": "*",
    "pound": "#",
    "hash": "#",
}


class Cues(Struct, frozen=True):
    """What words say. ``names``: the kinds of phrases that were found, for the record; never the words themselves.

    ``is_clean``: nothing in them is said by people only, so that they may be believed with less beside them.
    ``is_sure``: a phrase is among them that hardly a person says. ``score``: two for each kind of such, one for others.
    """

    kind: AnsweredBy = AnsweredBy.HUMAN
    names: tuple[str, ...] = ()
    is_clean: bool = True
    is_assistants: bool = False
    """Whether an assistant asks so too, where people are all that speaks against it."""
    is_sure: bool = False
    score: int = 0
    leaning: AnsweredBy | None = None
    """Where the words alone are too few: the machine that one likely phrase among them speaks for, and nobody else."""
    has_words: bool = False

    @property
    def is_of_a_person(self) -> bool:
        """Whether a person has plainly spoken."""
        return self.kind is AnsweredBy.HUMAN and bool(self.names)


class _Cue(Struct, frozen=True):
    at: int
    kind: AnsweredBy
    name: str
    weight: int


def read_cues(pieces: Sequence[str]) -> Cues:
    """Weigh what was recognised so far, piece by piece as the recogniser closed them.

    What was said last counts: a person who picks up while the machine talks is a person, and a machine that says
    hello first is a machine.
    """
    spoken = [words for piece in pieces if (words := words_of(piece))]
    text = " ".join(" ".join(words) for words in spoken)
    if not text:
        return Cues()
    people = [*_people(text), *_greetings(spoken)]
    machines = _machines(text)
    if _is_plain_screening(machines):
        people = [cue for cue in people if cue.name not in _OF_ASSISTANTS]
    machines = [cue for cue in machines if not _is_offered(cue, people)]
    if _is_repeated(spoken):
        machines += [_Cue(len(text), kind, _AGAIN, 1) for kind in {cue.kind for cue in machines}]
    kind = _heaviest(machines)
    if kind is None:
        names = tuple(sorted({cue.name for cue in people}))
        leaning = machines[0].kind if machines and not people else None
        return Cues(AnsweredBy.HUMAN, names, is_clean=not people, leaning=leaning, has_words=True)
    of_kind = [cue for cue in machines if cue.kind is kind]
    last_person = max((cue.at for cue in people), default=-1)
    if last_person > max(cue.at for cue in of_kind):
        return Cues(AnsweredBy.HUMAN, tuple(sorted({cue.name for cue in people})), is_clean=False, has_words=True)
    against = {cue.name for cue in people} - {_GREETING}
    is_sure = any(cue.weight >= _SURE_SCORE or cue.name == _AGAIN for cue in of_kind)
    names = tuple(sorted({cue.name for cue in of_kind}))
    score = _score(of_kind)
    return Cues(
        kind,
        names,
        is_clean=not against,
        is_assistants=kind is AnsweredBy.SCREENING and against <= _OF_ASSISTANTS,
        is_sure=is_sure,
        score=score,
        has_words=True,
    )


def is_greeting(text: str) -> bool:
    """Whether the words are what a person says who takes a call, and ask nothing."""
    cues = read_cues([text])
    return cues.kind is AnsweredBy.HUMAN and cues.names == (_GREETING,)


def asked_key(text: str) -> str | None:
    """Give the key of a telephone that the words ask for first; None: they ask for none."""
    asked = _KEY_ASKED.search(text)
    return _KEYS.get(asked[1]) if asked else None


def _machines(text: str) -> list[_Cue]:
    return [
        _Cue(match.start(), kind, name, weight)
        for weight, level in ((2, SURE), (1, LIKELY))
        for kind, blocks in level.items()
        for name, pattern in blocks.items()
        for match in pattern.finditer(text)
    ]


def _people(text: str) -> list[_Cue]:
    return [
        _Cue(match.start(), AnsweredBy.HUMAN, name, 1)
        for name, pattern in OF_A_PERSON.items()
        for match in pattern.finditer(text)
    ]


def _greetings(spoken: Sequence[list[str]]) -> list[_Cue]:
    """Find the pieces that are nothing but a greeting."""
    cues, at = [], 0
    for words in spoken:
        piece = " ".join(words)
        if GREETING.fullmatch(piece):
            cues.append(_Cue(at, AnsweredBy.HUMAN, _GREETING, 1))
        at += len(piece) + 1
    return cues


def _is_plain_screening(machines: Sequence[_Cue]) -> bool:
    """Whether an assistant says what it is in one way that is sure and in another; then its questions are its own."""
    found = [cue for cue in machines if cue.kind is AnsweredBy.SCREENING]
    return any(cue.weight >= _SURE_SCORE for cue in found) and _score(found) >= _PLAIN_SCORE


def _is_offered(cue: _Cue, people: Sequence[_Cue]) -> bool:
    """Whether a person asks with these words, rather than a machine says them."""
    questions = _QUESTIONS_BEFORE.get(cue.kind, frozenset())
    return any(person.name in questions and 0 < cue.at - person.at <= _OFFER_CHARACTERS for person in people)


def _is_repeated(spoken: Sequence[list[str]]) -> bool:
    """Whether a whole sentence came twice in the same words."""
    long = [tuple(words) for words in spoken if len(words) >= _REPEATED_WORDS]
    return len(set(long)) < len(long)


def _score(cues: Sequence[_Cue]) -> int:
    """Add up the weights, each name once and as its surest phrase counts."""
    return sum({cue.name: cue.weight for cue in sorted(cues, key=lambda cue: cue.weight)}.values())


def _heaviest(cues: Sequence[_Cue]) -> AnsweredBy | None:
    """Give the kind of machine that the phrases speak for; None where they are too few."""
    scores = {kind: _score([cue for cue in cues if cue.kind is kind]) for kind in _ORDER}
    surest = {kind: max((cue.weight for cue in cues if cue.kind is kind), default=0) for kind in _ORDER}
    best = max(_ORDER, key=lambda kind: (scores[kind], surest[kind]))
    return best if scores[best] >= _SURE_SCORE else None
