"""How much two phrases sound alike: what a recogniser on a bad line makes of words keeps most of their consonants.

Letters become broad classes of sound (a "t" is heard as a "d", a "p" as a "b"), vowels go, and what is left is compared
by how many of its sounds have to change. English spelling only.
"""

import re
from collections.abc import Sequence

_SILENT = re.compile(r"[^A-Z]+")
"""Vowels, and what is hardly heard: "h", "w", "y"."""
_SPELLINGS = (
    (re.compile(r"tion|tch|sh|ch|c(?=[eiy])|[jsxz]+"), "S"),
    (re.compile(r"th|[td]+"), "T"),
    (re.compile(r"[ckgq]+"), "K"),
    (re.compile(r"ph|[fv]+"), "F"),
    (re.compile(r"[bp]+"), "P"),
    (re.compile(r"[mn]+"), "N"),
    (re.compile(r"[lr]+"), "L"),
)
_FEWEST_SOUNDS = 3
"""Shorter phrases sound like too many others."""


def likeness(heard: Sequence[str], meant: Sequence[str]) -> float:
    """Say how much of ``meant`` (0 to 1) sounds in its best place among the words heard; both in lower case."""
    wanted = _sounds(meant)
    if len(wanted) < _FEWEST_SOUNDS:
        return 0.0
    best = 0.0
    for size in range(max(len(meant) - 1, 1), len(meant) + 2):
        for start in range(max(len(heard) - size, 0) + 1):
            part = _sounds(heard[start : start + size])
            best = max(best, 1 - _changes(part, wanted) / max(len(part), len(wanted)))
    return best


def _sounds(words: Sequence[str]) -> str:
    return "".join(_of_word(word) for word in words)


def _of_word(word: str) -> str:
    # The classes are capitals, so that one rule does not read what another has written.
    for spelling, sound in _SPELLINGS:
        word = spelling.sub(sound, word)
    return _SILENT.sub("", word)


def _changes(first: str, second: str) -> int:
    """Count the sounds that are missing, too many or others."""
    row = list(range(len(second) + 1))
    for at, sound in enumerate(first, 1):
        before, row[0] = row[0], at
        for place, other in enumerate(second, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (sound != other))
    return row[-1]
