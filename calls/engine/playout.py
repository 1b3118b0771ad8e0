"""What the far end has played: the clock of sent audio, and the words that fit into it."""

from collections.abc import Iterable

from calls.engine.events import Word
from calls.engine.scripts import is_spaceless

_DEFAULT_MS_PER_CHARACTER = 65.0
"""English speech at about 15 characters a second; used until a whole sentence has shown the voice's own pace."""


class PlaybackClock:
    """How much of the audio that was sent has been played.

    Most clients report nothing back, so playing is assumed to begin when audio is sent and to go on as long as there
    is audio. An underrun pauses it: later audio begins to play when it is sent. ``now`` is in seconds, durations in
    milliseconds.
    """

    def __init__(self) -> None:
        self.total_ms = 0.0
        self._ends_at: float | None = None

    @property
    def ends_at(self) -> float | None:
        """When all sent audio will have been played; None while nothing was sent."""
        return self._ends_at

    def add(self, duration_ms: float, now: float) -> None:
        """Audio of this length was sent."""
        begins = now if self._ends_at is None else max(self._ends_at, now)
        self._ends_at = begins + duration_ms / 1000
        self.total_ms += duration_ms

    def remaining_ms(self, now: float) -> float:
        """How long until all sent audio was played."""
        if self._ends_at is None:
            return 0.0
        return min(max(self._ends_at - now, 0.0) * 1000, self.total_ms)

    def played_ms(self, now: float) -> float:
        """How much of the sent audio has been played."""
        return self.total_ms - self.remaining_ms(now)

    def correct(self, played_ms: float, now: float) -> None:
        """The far end says how much it has played: believe it, and count on from there."""
        if self._ends_at is not None:
            self._ends_at = now + max(self.total_ms - max(played_ms, 0.0), 0.0) / 1000

    def reset(self) -> None:
        """Forget everything: what was sent has been cleared."""
        self.total_ms = 0.0
        self._ends_at = None


class SpokenSentence:
    """One sentence on its way to the caller's ear."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sent_ms = 0.0
        self.is_sent = False
        self.words: list[Word] = []

    def length_ms(self, ms_per_character: float) -> float:
        """How long the sentence sounds; an estimate while not all of its audio is there."""
        if self.is_sent:
            return self.sent_ms
        return max(self.sent_ms, len(self.text) * ms_per_character)

    def heard(self, played_ms: float, ms_per_character: float) -> int:
        """Count the characters of the words whose end lies within the first ``played_ms`` of this sentence."""
        if self.is_sent and played_ms >= self.sent_ms - 0.5:
            return len(self.text)
        if self.words:
            return _end_of_words(self.text, [word.text for word in self.words if word.end_ms <= played_ms])
        length = self.length_ms(ms_per_character)
        share = played_ms / length if length > 0 else 0.0
        return round_down_to_word(self.text, int(len(self.text) * min(share, 1.0) + 1e-6))


def heard_characters(sentences: Iterable[SpokenSentence], played_ms: float) -> list[int]:
    """Say for each sentence how many of its characters were heard after ``played_ms`` of the reply's audio."""
    sentences = list(sentences)
    pace = _pace(sentences)
    counts = []
    left = played_ms
    for sentence in sentences:
        is_reached = left > 0 and sentence.sent_ms > 0
        counts.append(sentence.heard(min(left, sentence.sent_ms), pace) if is_reached else 0)
        left -= sentence.sent_ms
    return counts


def _pace(sentences: list[SpokenSentence]) -> float:
    """Milliseconds per character of what this voice has said so far in this reply."""
    whole = [sentence for sentence in sentences if sentence.is_sent and sentence.text and sentence.sent_ms]
    characters = sum(len(sentence.text) for sentence in whole)
    return sum(sentence.sent_ms for sentence in whole) / characters if characters else _DEFAULT_MS_PER_CHARACTER


def _end_of_words(text: str, words: list[str]) -> int:
    """Find where the last of these spoken words ends in the text.

    The synthesiser may spell a word otherwise than the text does ("5" and "five"): such a word stands for the next one
    of the text.
    """
    folded = text.lower()  # as long as the text for all that is spoken here; casefold would change lengths
    cursor = 0
    for word in words:
        plain = word.strip().strip(".,;:!?\"'").lower()
        if not plain:
            continue
        found = folded.find(plain, cursor, cursor + len(plain) + 12)
        cursor = found + len(plain) if found >= 0 else _next_word_end(text, cursor)
    return _with_punctuation(text, min(cursor, len(text)))


def _next_word_end(text: str, start: int) -> int:
    while start < len(text) and text[start].isspace():
        start += 1
    while start < len(text) and not text[start].isspace():
        start += 1
    return start


def _with_punctuation(text: str, end: int) -> int:
    """Take the punctuation behind a heard word along."""
    if end == 0:
        return 0
    while end < len(text) and not text[end].isspace() and not text[end].isalnum():
        end += 1
    return end


def round_down_to_word(text: str, characters: int) -> int:
    """Give the greatest count of characters up to ``characters`` at which a word ends.

    Scripts that are written without spaces may be cut behind any character.
    """
    if characters >= len(text):
        return len(text)
    end = max(characters, 0)
    while end > 0 and not _may_cut(text, end):
        end -= 1
    return len(text[:end].rstrip())


def _may_cut(text: str, end: int) -> bool:
    return text[end].isspace() or is_spaceless(text[end]) or is_spaceless(text[end - 1])
