"""Which intent a caller's words mean: word overlap with the examples, rare words counting more.

The score of an example is the cosine of the two bags of words, each word weighted by how few intents use it. So "well,
how much is it then" means ``price`` although half of its words are noise, and "the" means nothing.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from calls.engine.agent import Intent

MIN_SCORE = 0.5
"""Below it the words fit no intent."""
MIN_SCORE_TO_END = 0.55
"""The same for an intent that ends the call: hanging up on a misunderstanding is worse than asking again."""
NEGATIONS = frozenset(("no", "not", "never", "neither"))
"""An example that ends the call and has one of these is not meant by words without any: "no time" is not "time"."""
_LONG_EXAMPLE = 3
"""From this many words on, an example that ends the call must share more than one word with what was said."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_FILLERS = frozenset("uh um uhm er erm hm hmm oh ah well so just please actually like then and".split())
_SUFFIXES = (
    ("n't", " not"),
    ("'re", " are"),
    ("'ve", " have"),
    ("'ll", " will"),
    ("'m", " am"),
    ("'d", " would"),
    ("'s", " is"),
)
_WHOLE = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "let's": "let us",
    "yep": "yes",
    "yup": "yes",
    "nope": "no",
    "ok": "okay",
    "bye-bye": "bye bye",
    "gonna": "going to",
    "wanna": "want to",
}
_UNKNOWN_WEIGHT = 3.0
"""What a word weighs that stands in no example: about as much as one that several intents use."""
_MIN_STEM = 4
_WINDOW = 8
"""Longer speeches are also looked at in parts of this many words: "call me later" may stand inside a long one."""
_PART_DISCOUNT = 0.85


class Match(Struct, frozen=True, gc=False):
    """An intent and how well its best example fits (0 to 1)."""

    intent: Intent
    score: float


def words_of(text: str) -> list[str]:
    """Split into lower-case words without punctuation; contractions are written out."""
    plain = text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    found = []
    for word in _WORD.findall(plain):
        found += _expand(word).split()
    return found


def _expand(word: str) -> str:
    if word in _WHOLE:
        return _WHOLE[word]
    for suffix, written_out in _SUFFIXES:
        if word.endswith(suffix):
            return word.removesuffix(suffix) + written_out
    return word


def _stems(text: str) -> list[str]:
    words = words_of(text)
    kept = [word for word in words if word not in _FILLERS] or words
    return [_stem(word) for word in kept]


def _stem(word: str) -> str:
    is_plural = len(word) >= _MIN_STEM and word.endswith("s") and not word.endswith("ss")
    return word[:-1] if is_plural else word


def _may_end(said: frozenset[str], example: frozenset[str]) -> bool:
    """Whether enough of an example was said for it to end a call."""
    if example & NEGATIONS and not said & NEGATIONS:
        return False
    return len(example) < _LONG_EXAMPLE or len(said & example) > 1


class IntentMatcher:
    """Ranks an agent's intents for what a caller said. Made once per script."""

    def __init__(self, intents: Iterable[Intent]) -> None:
        examples = [(intent, [frozenset(_stems(example)) for example in intent.examples]) for intent in intents]
        users = Counter(word for _, stems in examples for word in frozenset[str]().union(*stems))
        self._weights = {word: math.log(1 + len(examples) / count) ** 2 for word, count in users.items()}
        self._examples = [(intent, [(words, self._weigh(words)) for words in stems]) for intent, stems in examples]

    def rank(self, text: str) -> list[Match]:
        """Give the intents that fit, the best first; equals keep the script's order."""
        stems = _stems(text)
        best = self._scores(frozenset(stems))
        if len(stems) > _WINDOW:
            for start in range(0, len(stems) - _WINDOW // 2, _WINDOW // 2):
                part = self._scores(frozenset(stems[start : start + _WINDOW]))
                best = [max(whole, score * _PART_DISCOUNT) for whole, score in zip(best, part, strict=True)]
        matches = [Match(intent, score) for (intent, _), score in zip(self._examples, best, strict=True)]
        fitting = [m for m in matches if m.score >= (MIN_SCORE_TO_END if m.intent.ends_call else MIN_SCORE)]
        return sorted(fitting, key=lambda match: -match.score)

    def _scores(self, said: frozenset[str]) -> list[float]:
        """Give each intent's score, in the order of the script."""
        weight = self._weigh(said)
        return [
            max(
                (
                    self._score(said, weight, words, other)
                    for words, other in examples
                    if not intent.ends_call or _may_end(said, words)
                ),
                default=0.0,
            )
            for intent, examples in self._examples
        ]

    def _score(self, said: frozenset[str], said_weight: float, example: frozenset[str], weight: float) -> float:
        common = said & example
        return self._weigh(common) / math.sqrt(said_weight * weight) if common else 0.0

    def _weigh(self, words: frozenset[str]) -> float:
        return math.fsum(self._weights.get(word, _UNKNOWN_WEIGHT) for word in words)
