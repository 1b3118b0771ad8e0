"""How written words are read: the agent's list applied to a sentence, and undone in the times of its words. Pure."""

import re
from collections.abc import Iterable, Mapping

from calls.engine.events import Word


class Reading:
    """One sentence as it is given to a synthesiser.

    ``spoken`` is the text with the agent's pronunciations in place of its words (whole words, in any case). Word times
    come back for what was spoken; ``restore`` gives them to the words as they are written, which is what was heard and
    is stored.
    """

    def __init__(self, text: str, pronunciations: Mapping[str, str]) -> None:
        units = list(_units(text, pronunciations))
        self.spoken = " ".join(spoken for _, spoken in units)
        self._expected = [
            (word, written if not number else "")
            for written, spoken in units
            for number, word in enumerate(spoken.split())
        ]
        self._is_changed = any(written != spoken for written, spoken in units)
        self._at = 0

    @property
    def is_speakable(self) -> bool:
        """Whether anything in it makes a sound."""
        return any(character.isalnum() for character in self.spoken)

    def restore(self, words: Iterable[Word]) -> tuple[Word, ...]:
        """Give further timed words of the sentence their written form; called with all of them in order, in any pieces.

        From the first word that is not the expected one (the synthesiser counts words otherwise) they are given as they
        come.
        """
        restored: list[Word] = []
        for word in words:
            if not self._is_changed or not self._is_next(word):
                self._is_changed = False
                restored.append(word)
                continue
            written = self._expected[self._at][1]
            self._at += 1
            if written:
                restored.append(Word(written, word.start_ms, word.end_ms))
            elif restored:
                restored[-1] = Word(restored[-1].text, restored[-1].start_ms, word.end_ms)
        return tuple(restored)

    def _is_next(self, word: Word) -> bool:
        return self._at < len(self._expected) and _bare(self._expected[self._at][0]) == _bare(word.text)


def _units(text: str, pronunciations: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Cut into (written, spoken): a word with its punctuation, or the several words that one entry replaces."""
    if not pronunciations:
        yield from ((word, word) for word in text.split())
        return
    readings = {word.casefold(): reading for word, reading in pronunciations.items()}
    longest_first = sorted(map(re.escape, pronunciations), key=len, reverse=True)
    entry = re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.IGNORECASE)
    unit = re.compile(rf"(?:{entry.pattern}|\S)+", re.IGNORECASE)
    for match in unit.finditer(text):
        written = match.group()
        yield written, entry.sub(lambda found: readings[found.group().casefold()], written)


def _bare(word: str) -> str:
    return "".join(character for character in word.casefold() if character.isalnum())
