"""Which sentence a piece of a context's audio belongs to. Pure.

Every sentence is followed by a manual flush, after which Cartesia counts ``flush_id`` up
(https://docs.cartesia.ai/use-the-api/tts-websocket/context-flushing-and-flush-i-ds). With buffering switched off it may
count more often than we flush, so ids are compared with the one before and never computed with.
"""

from collections.abc import Sequence

from calls.engine.events import Word
from calls.providers.base import SentenceAudio, SentenceEnded, SentenceWords, SpeechPiece
from calls.providers.pronunciation import Reading
from calls.wire.audio import AudioFormat

_TOLERANCE_MS = 100.0


class Ledger:
    """The sentences of one reply in their order, and where its audio has got to."""

    def __init__(self, audio: AudioFormat) -> None:
        self._format = audio
        self._sentences: list[tuple[int, Reading]] = []
        self._at = 0
        self._flush_id: int | None = None
        self._has_begun = False
        self._before_ms = 0.0
        self._total_ms = 0.0
        self._word_offset_ms: float | None = None

    def add(self, sentence: int, reading: Reading) -> None:
        """Expect a sentence; one without a sound is passed over in its turn."""
        self._sentences.append((sentence, reading))

    def restart(self) -> None:
        """Expect everything again, on another connection. Only before the first audio."""
        self._has_begun = False
        self._flush_id = None

    @property
    def is_waiting(self) -> bool:
        """Whether audio is owed."""
        return any(reading.is_speakable for _, reading in self._sentences[self._at :])

    @property
    def has_audio(self) -> bool:
        """Whether anything of the reply was heard."""
        return self._total_ms > 0

    def hear(self, flush_id: int | None, audio: bytes) -> list[SpeechPiece]:
        """Place a chunk of audio."""
        pieces = self._move_to(flush_id)
        if self._at < len(self._sentences):
            self._total_ms += self._format.duration_ms(len(audio))
            pieces.append(SentenceAudio(self._sentences[self._at][0], audio))
        return pieces

    def time(self, flush_id: int | None, words: Sequence[Word]) -> list[SpeechPiece]:
        """Place word times. Cartesia counts them from the start of the context, we from that of the sentence."""
        pieces = self._move_to(flush_id)
        if self._at < len(self._sentences) and words:
            if self._word_offset_ms is None:
                is_from_context = words[0].start_ms >= self._before_ms - _TOLERANCE_MS
                self._word_offset_ms = self._before_ms if is_from_context else 0.0
            offset = self._word_offset_ms
            own = (Word(word.text, max(0.0, word.start_ms - offset), max(0.0, word.end_ms - offset)) for word in words)
            sentence, reading = self._sentences[self._at]
            pieces.append(SentenceWords(sentence, reading.restore(own)))
        return pieces

    def flushed(self, flush_id: int | None) -> list[SpeechPiece]:
        """End the sentence whose audio is complete; a flush of nothing ends none."""
        if self._has_begun and (flush_id == self._flush_id or self._flush_id is None):
            return self._end()
        return []

    def finished(self) -> list[SpeechPiece]:
        """End what is left, with the context."""
        pieces: list[SpeechPiece] = []
        while self._at < len(self._sentences):
            pieces += self._end()
        return pieces

    def _move_to(self, flush_id: int | None) -> list[SpeechPiece]:
        pieces: list[SpeechPiece] = []
        if self._has_begun and flush_id is not None and flush_id != self._flush_id:
            pieces += self._end()
        if not self._has_begun:
            pieces += self._skip_silent()
            self._has_begun = self._at < len(self._sentences)
            self._flush_id = flush_id
        return pieces

    def _skip_silent(self) -> list[SpeechPiece]:
        pieces: list[SpeechPiece] = []
        while self._at < len(self._sentences) and not self._sentences[self._at][1].is_speakable:
            pieces += self._end()
        return pieces

    def _end(self) -> list[SpeechPiece]:
        ended = SentenceEnded(self._sentences[self._at][0]) if self._at < len(self._sentences) else None
        self._at += 1
        self._has_begun = False
        self._flush_id = None
        self._before_ms = self._total_ms
        self._word_offset_ms = None
        return [] if ended is None else [ended]
