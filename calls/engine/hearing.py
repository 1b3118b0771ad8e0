"""The caller's side: audio times and transcripts put together to utterances."""

from msgspec import Struct

from calls.engine.agent import BargeIn, Endpointing
from calls.engine.endpointing import eager_ms, is_same_words, patience_ms, words_of
from calls.engine.events import AudioHeard, TranscriptReceived
from calls.engine.scripts import join_pieces

STALL_SECONDS = 1.0
"""Without audio for this long the client has stopped sending, and the missing audio counts as silence. Clients send
chunks of up to 256 ms."""

_UNSEEN_SPEECH_MS = 1500.0
"""Words that come this long after the last voiced audio were spoken without voice activity detection noticing."""

_TURN_LIMIT_MS = 6000.0
"""Silence after which a recogniser that detects turns itself is no longer waited for."""

_TOLERANCE = 1e-6


class Utterance(Struct, frozen=True):
    """What the caller said, taken out of the ear. Times in seconds of the call's clock; ``duration_ms`` of audio.

    ``waited_ms``: wall time spent waiting for the recogniser after the patience had run out.
    """

    number: int
    text: str
    confidence: float
    began_at: float
    ended_at: float
    duration_ms: float
    waited_ms: float


class Ear:
    """What has been heard since the last utterance was taken. Decides nothing: it answers questions."""

    def __init__(self, settings: Endpointing, language: str) -> None:
        self._settings = settings
        self._language = language
        self.detects_turns = False
        self.number = 1
        self.until_ms = 0.0
        self._voiced_until_ms = 0.0
        self.voiced_ms = 0.0
        self._consumed_ms = 0.0
        self._worded_ms = 0.0
        self._sign_at = 0.0
        self._question = ""
        self._known: list[str] = []
        self.is_input_ended = False
        self._clear(0.0)

    def _clear(self, now: float) -> None:
        """Begin a new utterance."""
        self._finals: list[tuple[str, float]] = []
        self._interim = ""
        self._interim_confidence = 1.0
        self._words_until_ms = 0.0
        self._settled_ms = -1.0
        self._flushed_ms: float | None = None
        self._is_flush_open = False
        self._patience_over_at: float | None = None
        self._began_at: float | None = None
        self._ended_at = now
        self.is_turn_ended = False
        self._weigh_words()

    def _weigh_words(self) -> None:
        """Work out what depends on the words alone, once for each change: audio comes fifty times a second."""
        pieces = [*self._finals, (self._interim, self._interim_confidence)]
        weights = sum(len(text) for text, _ in pieces)
        self.text = join_pieces([text for text, _ in pieces if text])
        """All words of the utterance so far."""
        self.confidence = sum(len(text) * sure for text, sure in pieces) / weights if weights else 1.0
        """Mean confidence of the words, weighed by their length."""
        self._patience = patience_ms(self.text, self._settings, self._language, question=self._question)
        self._eager = eager_ms(self.text, self._settings, self._language, question=self._question)

    # --- what comes in ----------------------------------------------------------------------------------------------

    def start(self, now: float, *, detects_turns: bool) -> None:
        """The call begins."""
        self.detects_turns = detects_turns
        self._sign_at = now
        self._clear(now)

    def expect_answer(self, question: str) -> None:
        """Judge the words as an answer to what the agent asked last, if anything."""
        if question != self._question:
            self._question = question
            self._weigh_words()

    def resume_input(self, now: float) -> None:
        """The input begins anew."""
        self.is_input_ended = False
        self._sign_at = now

    def end_input(self) -> None:
        """The microphone was closed: nothing more will come."""
        self.is_input_ended = True

    def hear(self, event: AudioHeard, now: float) -> None:
        """Take the state of the audio clock and of voice activity."""
        if event.until_ms > self.until_ms:
            self.is_input_ended = False
        self.until_ms = max(event.until_ms, self.until_ms)
        self.voiced_ms = max(event.voiced_ms, 0.0)
        self._sign_at = now
        if event.voiced_until_ms > self._voiced_until_ms:
            self._voiced_until_ms = event.voiced_until_ms
            if event.voiced_until_ms > self._consumed_ms:
                self._ended_at = now - max(self.until_ms - event.voiced_until_ms, 0.0) / 1000
                if self._began_at is None:
                    self._began_at = self._ended_at - self.voiced_ms / 1000

    def pass_by(self, event: AudioHeard, now: float) -> bool:
        """Take audio that changes nothing: nobody speaks or has spoken. False: it may change something, ``hear`` it.

        Most of a call's audio is of this kind, and it comes fifty times a second.
        """
        if event.voiced_ms > 0 or self.voiced_ms or event.voiced_until_ms > self._voiced_until_ms:
            return False
        if self.has_speech or self.is_input_ended:
            return False
        self.until_ms = max(event.until_ms, self.until_ms)
        self._sign_at = now
        return True

    def read(self, event: TranscriptReceived, now: float) -> bool:
        """Take a transcript; True when it changed the words."""
        before = self.text
        text = self._new_words(event.text.strip())
        if event.is_final:
            self._known = []
            if text:
                self._finals.append((text, event.confidence))
            self._interim = ""
        elif text or not event.is_settled:
            self._interim, self._interim_confidence = text, event.confidence
        if event.is_settled:
            self._settle()
        return self._note_words(before, now)

    def read_turn(self, text: str, confidence: float, now: float, *, is_ended: bool) -> bool:
        """Take a whole turn from a recogniser that detects turns; True when it changed the words."""
        before = self.text
        text = self._new_words(text.strip())
        if is_ended:
            self._known = []
            self._finals, self._interim = ([(text, confidence)] if text else []), ""
            self._settle()
            self.is_turn_ended = bool(text)
        else:
            self._finals = []
            self._interim, self._interim_confidence = text, confidence
        return self._note_words(before, now)

    def _settle(self) -> None:
        self._settled_ms = self._flushed_ms if self._is_flush_open and self._flushed_ms is not None else self.until_ms
        self._is_flush_open = False
        if self._interim:
            self._finals.append((self._interim, self._interim_confidence))
            self._known, self._interim = words_of(self._interim), ""

    def _note_words(self, before: str, now: float) -> bool:
        self._weigh_words()
        after = self.text
        if is_same_words(before, after):
            return after != before
        self._worded_ms = self.until_ms
        is_seen = self._voiced_until_ms > self._consumed_ms
        if after and (not is_seen or self.until_ms - self.speech_until_ms > _UNSEEN_SPEECH_MS):
            self._words_until_ms = self.until_ms
            self._ended_at = now
        self._began_at = self._began_at if self._began_at is not None else now
        self._sign_at = now
        return True

    def _new_words(self, text: str) -> str:
        """Take away the words that an earlier turn already used: the recogniser's final text of them comes late."""
        rest = _without(text, self._known) if self._known else text
        if rest is None:
            rest = text if self._voiced_until_ms > self._consumed_ms else ""
        if not text or rest == text:
            self._known = []  # the recogniser has gone on to other words
        return rest

    # --- questions --------------------------------------------------------------------------------------------------

    @property
    def pieces(self) -> tuple[str, ...]:
        """The words of the utterance so far, in the pieces in which the recogniser closed them."""
        pieces = (*(text for text, _ in self._finals), self._interim)
        return tuple(text for text in pieces if text)

    @property
    def is_worded(self) -> bool:
        """Whether there are words, none of which may still change."""
        return bool(self.text) and not self._interim

    @property
    def speech_until_ms(self) -> float:
        """Audio time at which the caller was last known to speak."""
        return max(self._voiced_until_ms, self._words_until_ms)

    @property
    def new_voice_ms(self) -> float:
        """Speech of the current run that belongs to no earlier utterance."""
        return self._voice_since(self._consumed_ms)

    @property
    def wordless_ms(self) -> float:
        """Speech of the current run since the recogniser last heard other words in it."""
        return self._voice_since(max(self._consumed_ms, self._worded_ms))

    def _voice_since(self, since_ms: float) -> float:
        return min(self.voiced_ms, max(self._voiced_until_ms - since_ms, 0.0))

    def is_interrupting(self, settings: BargeIn) -> bool:
        """Whether the voice alone, without words, is enough to stop the agent."""
        if not self.voiced_ms:
            return False
        if settings.interrupt_after_ms:
            return self.new_voice_ms >= settings.interrupt_after_ms
        return self.wordless_ms >= settings.wordless_limit_ms

    @property
    def has_speech(self) -> bool:
        """Whether there is something to deal with: words, or a voice whose words may still come."""
        return bool(self.text) or self._voiced_until_ms > self._consumed_ms

    @property
    def is_settled(self) -> bool:
        """Whether no further words will come for what was spoken."""
        return self.is_turn_ended or (not self._interim and self._settled_ms >= self.speech_until_ms)

    @property
    def is_awaited(self) -> bool:
        """Whether the recogniser still owes words for what was spoken."""
        return self.has_speech and not self.is_settled

    @property
    def duration_ms(self) -> float:
        """Length of the utterance in wall time, as an interim transcript shows it."""
        return 0.0 if self._began_at is None else max(self._ended_at - self._began_at, 0.0) * 1000

    def _silence_ms(self) -> float:
        return max(self.until_ms - self.speech_until_ms, 0.0)

    def _is_silent_for(self, needed_ms: float, now: float) -> bool:
        """Whether so much silence has passed, in audio time; in wall time where audio no longer comes."""
        if self.is_input_ended or self._silence_ms() >= needed_ms:
            return True
        return now >= self._silent_from(needed_ms) - _TOLERANCE

    def _silent_from(self, needed_ms: float) -> float:
        """When, without any further audio, so much silence will have passed."""
        return self._sign_at + max(STALL_SECONDS, (needed_ms - self._silence_ms()) / 1000)

    def _patience_ms(self) -> float:
        if not self.detects_turns or not self.text:
            return self._patience
        # A stall of the audio ends the wait sooner: such a recogniser follows the audio clock and would never answer.
        return self._silence_ms() + 1.0 if self._silence_ms() < _TURN_LIMIT_MS else 0.0

    def is_eager(self, now: float) -> bool:
        """Whether the caller has probably finished, so that a reply is worth preparing."""
        if not self.text or self._eager is None or self.detects_turns:
            return False
        return self._is_silent_for(self._eager, now)

    def update(self, now: float) -> None:
        """Note when the patience ran out, or that the caller went on."""
        if not self.has_speech or not self._is_silent_for(self._patience_ms(), now):
            self._patience_over_at = None
        elif self._patience_over_at is None:
            self._patience_over_at = now

    def take_flush(self, now: float) -> bool:
        """Whether the recogniser should be asked for its final words now; True once for each pause."""
        if self._patience_over_at is None and not (self._interim and self.is_eager(now)):
            return False
        is_asked = self._flushed_ms is not None and self._flushed_ms >= self.speech_until_ms
        if is_asked or self.is_settled:
            return False
        self._flushed_ms = self.until_ms
        self._is_flush_open = True
        return True

    def is_over(self, now: float) -> bool:
        """Whether the caller has finished, and the recogniser has said all it will be waited for."""
        if self.is_turn_ended:
            return True
        if self._patience_over_at is None:
            return False
        return self.is_settled or now >= self._wait_ends_at(self._patience_over_at) - _TOLERANCE

    def _wait_ends_at(self, patience_over_at: float) -> float:
        return patience_over_at + self._settings.recogniser_wait_ms / 1000

    def next_timeout(self) -> float | None:
        """When something changes without an event."""
        if not self.has_speech:
            return None
        if self._patience_over_at is not None:
            return self._wait_ends_at(self._patience_over_at)
        return self._silent_from(self._patience_ms())

    # --- taking -----------------------------------------------------------------------------------------------------

    def take(self, now: float) -> Utterance:
        """Take the utterance out: what is heard from now on belongs to the next one."""
        waited = now - self._patience_over_at if self._patience_over_at is not None else 0.0
        ended = min(self._ended_at, now)
        began = min(self._began_at if self._began_at is not None else ended, ended)
        utterance = Utterance(
            number=self.number,
            text=self.text,
            confidence=self.confidence,
            began_at=began,
            ended_at=ended,
            duration_ms=(ended - began) * 1000,
            waited_ms=waited * 1000,
        )
        if self._interim:
            self._known = words_of(self._interim)
        if utterance.text:
            self.number += 1
        self._consumed_ms = max(self.until_ms, self._voiced_until_ms)
        self._clear(now)
        return utterance

    def take_typed(self, text: str, now: float) -> Utterance:
        """Number a typed turn like a spoken one."""
        utterance = Utterance(
            number=self.number,
            text=text,
            confidence=1.0,
            began_at=now,
            ended_at=now,
            duration_ms=0.0,
            waited_ms=0.0,
        )
        self.number += 1
        return utterance


def _without(text: str, known: list[str]) -> str | None:
    """Give the text behind the known words with which it begins; None where it does not begin with them.

    A final text may differ from the interim one in some words: half of them in their places are enough.
    """
    compact = "".join(known)
    reached = ""
    for at, character in enumerate(text):
        if len(reached) >= len(compact):
            break
        reached += "".join(words_of(character)) if character not in "'’" else "'"
        if reached == compact:
            return text[at + 1 :].lstrip(" ,.;:!?-")
    tokens = text.split()
    matches = sum(words_of(token) == [word] for token, word in zip(tokens, known, strict=False))
    return " ".join(tokens[len(known) :]) if matches * 2 >= len(known) else None
