"""From a stream of text deltas to pieces that are spoken: the first a clause, later ones whole sentences.

The first piece is short because the caller waits for it; later ones are whole because a synthesiser intones a whole
sentence better than its parts.
"""

import re
from collections.abc import Iterator

from calls.engine.scripts import is_emoji

BREAK = "||BREAK||"
"""A prompt may tell its model to write this between pieces that shall be spoken apart."""

_FIRST_CLAUSE = 14
"""Shortest first clause in characters: shorter ones sound torn off."""
_FIRST_LIMIT = 90
_LIMIT = 280
"""A piece longer than this is cut at a clause, else at a space, so that speech never waits for the end of an essay."""

_ENDS = ".!?…。！？｡؟۔।॥"
_GLUED_ENDS = "。！？｡।॥"
"""Ends of sentences behind which no space is written."""
_CLOSERS = "\"'”’»)]}」』）】*_`"
_CLAUSE_ENDS = ",;:–—，、；：،؛"
_GLUED_CLAUSE_ENDS = "，、；："

_ABBREVIATIONS = frozenset(
    """
    dr mr mrs ms prof rev hon st sr jr vs etc eg ie approx dept est fig inc ltd co corp no nos vol ext tel ave blvd rd
    apt min max jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun al ca cf bzw usw nr str phd
    """.split()
)
_ENDING_ABBREVIATIONS = frozenset({"am", "pm", "etc", "inc", "ltd", "co", "corp", "jr", "sr", "us", "uk", "usw", "phd"})
"""Abbreviations that often close a sentence: a capital behind them begins a new one."""

_LIST_NUMBER = re.compile(r"\s*(?:\d{1,3}|[a-zA-Z])\Z")
_LAST_TOKEN = re.compile(r"\S+\Z")

_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_LINE_START = re.compile(r"^\s*(?:#{1,6}\s+|[-*+•]\s+|>\s+)", re.MULTILINE)
_FENCE = re.compile(r"```\w*")
_EMPHASIS = re.compile(r"\*\*|__|~~|`|(?<![\w*])[*_](?=\S)|(?<=\S)[*_](?![\w*])")


def speakable(text: str) -> str:
    """Take away what cannot be spoken: markdown, emoji, markers, line breaks. May leave nothing."""
    text = _LINE_START.sub("", _FENCE.sub("", text.replace(BREAK, " ")))
    text = _EMPHASIS.sub("", _LINK.sub(r"\1", text))
    text = " ".join("".join(character for character in text if not is_emoji(character)).split())
    return text if any(character.isalnum() for character in text) else ""


def is_question(sentence: str) -> bool:
    """Whether a sentence asks something."""
    return sentence.rstrip("\"'”’) ").endswith(("?", "？", "؟"))


class MarkerFilter:
    """Takes the break markers out of a stream, also where one is split over several deltas."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, delta: str) -> list[str | None]:
        """Give the text that is certain to hold no marker; None stands where a marker was."""
        parts = (self._held + delta).split(BREAK)
        self._held = _marker_start(parts[-1])
        parts[-1] = parts[-1][: len(parts[-1]) - len(self._held)]
        return _with_breaks(parts)

    def finish(self) -> str:
        """The stream is over: what looked like a marker's beginning was text."""
        held, self._held = self._held, ""
        return held


def _marker_start(text: str) -> str:
    """Give the end of the text that may be the beginning of a marker."""
    for length in range(min(len(BREAK) - 1, len(text)), 0, -1):
        if BREAK.startswith(text[-length:]):
            return text[-length:]
    return ""


def _with_breaks(parts: list[str]) -> list[str | None]:
    pieces: list[str | None] = []
    for number, part in enumerate(parts):
        if number:
            pieces.append(None)
        if part:
            pieces.append(part)
    return pieces


class SentenceCutter:
    """Cuts one reply. ``feed`` and ``finish`` give the pieces that became whole, ready to be spoken."""

    def __init__(self, *, is_first: bool = True) -> None:
        self._buffer = ""
        self._is_first = is_first

    def feed(self, text: str) -> list[str]:
        """Take further text."""
        self._buffer += text
        return [piece for piece in self._cut() if piece]

    def cut(self) -> list[str]:
        """Cut here, whatever the text (at a marker, at the end)."""
        rest, self._buffer = self._buffer, ""
        piece = speakable(rest)
        if piece:
            self._is_first = False
        return [piece] if piece else []

    def _cut(self) -> Iterator[str]:
        while end := self._boundary():
            piece = speakable(self._buffer[:end])
            self._buffer = self._buffer[end:]
            if piece:
                self._is_first = False
            yield piece

    def _boundary(self) -> int:
        """Give the length of the piece that can be cut off now; 0: wait for more."""
        text = self._buffer
        limit = _FIRST_LIMIT if self._is_first else _LIMIT
        for at, character in enumerate(text[:limit]):
            if character == "\n" and text[:at].strip():
                return at + 1
            if character in _ENDS and (end := _sentence_end(text, at)):
                return end
            if self._is_first and character in _CLAUSE_ENDS and (end := _clause_end(text, at)) >= _FIRST_CLAUSE:
                return end
        return _forced_end(text, limit) if len(text) > limit else 0


def _sentence_end(text: str, at: int) -> int:
    """Give where the sentence ends whose end mark stands at ``at``; 0: it does not, or that is not known yet."""
    if at and text[at - 1] in _ENDS:
        return 0  # the run of marks was judged at its first
    end = at + 1
    while end < len(text) and (text[end] in _ENDS or text[end] in _CLOSERS):
        end += 1
    is_glued = any(mark in _GLUED_ENDS for mark in text[at:end])
    if end == len(text) or not (is_glued or text[end].isspace()):
        return 0
    if text[at] == "…" or text[at:end].startswith(".."):
        return _end_before_capital(text, end)
    if is_glued or text[at] != ".":
        return end
    return _end_after_dot(text, at, end)


def _end_after_dot(text: str, at: int, end: int) -> int:
    """A dot ends a sentence unless it belongs to an abbreviation, an initial or a list's number."""
    line = text[:at].rsplit("\n", 1)[-1]
    if _LIST_NUMBER.match(line):
        return 0
    found = _LAST_TOKEN.search(text[:at])
    word = found[0].lstrip("(\"'“‘[*_") if found else ""
    plain = word.replace(".", "").lower()
    if plain in _ENDING_ABBREVIATIONS and (plain in _ABBREVIATIONS or "." in word):
        return _end_before_capital(text, end)
    is_initial = len(word) == 1 and word.isalpha() and word != "I"
    is_dotted = "." in word and all(len(part) == 1 and part.isalpha() for part in word.split("."))
    if is_initial or is_dotted or plain in _ABBREVIATIONS:
        return 0
    return end


def _end_before_capital(text: str, end: int) -> int:
    """Where the mark alone does not tell, a capital behind it does."""
    rest = text[end:].lstrip()
    return end if rest and not rest[0].islower() and not rest[0].isdigit() else 0


def _clause_end(text: str, at: int) -> int:
    """Give where the clause ends whose mark stands at ``at``; 0: none ends here (``1,000``, ``10:30``)."""
    end = at + 1
    if text[at] in _GLUED_CLAUSE_ENDS:
        return end if end < len(text) else 0
    return end if end < len(text) and text[end].isspace() else 0


def _forced_end(text: str, limit: int) -> int:
    """Cut an overlong text at its last clause within the limit, else at its last space, else at the limit."""
    for at in range(limit, limit // 3, -1):
        if text[at] in _CLAUSE_ENDS and _clause_end(text, at):
            return at + 1
    space = text.rfind(" ", 1, limit)
    return space + 1 if space > 0 else limit


def clause_start(text: str, heard: int) -> int:
    """Give where the clause begins that was cut after ``heard`` characters."""
    if heard >= len(text):
        return len(text)
    start = 0
    for at in range(heard):
        end = 0
        if text[at] in _CLAUSE_ENDS:
            end = _clause_end(text, at)
        elif text[at] in _ENDS:
            end = _sentence_end(text, at)
        if start < end <= heard:
            start = end
    while start < len(text) and text[start].isspace():
        start += 1
    return start
