"""What Deepgram's two families of streaming models say, translated into recognition events.

Nova (``/v1/listen``, https://developers.deepgram.com/reference/speech-to-text/listen-streaming) transcribes and leaves
the turns to us. Flux (``/v2/listen``, https://developers.deepgram.com/docs/flux/state) decides itself when a turn has
ended.

Both classes are pure: a message of the SDK in, events and the transcribed audio time out. They outlive a connection, so
that a replay after a reconnect neither repeats nor contradicts what was said before.
"""

from typing import Any, Protocol

from calls.engine.events import EagerEndOfTurn, EndOfTurn, SpeechStarted, TranscriptReceived, TurnResumed
from calls.providers.base import RecognitionEvent

Heard = tuple[list[RecognitionEvent], float | None]
"""Events, and up to which second of this connection's audio nothing has to be replayed (None: unchanged)."""


class Dialect(Protocol):
    """One family's way to speak."""

    detects_turns: bool
    needs_clock: bool
    """Whether silence must flow while the caller sends nothing (there is no KeepAlive)."""
    answers_silence: bool
    """Whether reports come for audio without speech too."""
    stall_seconds: float
    """A connection that takes audio to be answered and says nothing for so long is dead."""

    @property
    def has_open_words(self) -> bool:
        """Whether something was said that is not settled yet, so that the next audio may decide it."""

    def read(self, message: Any) -> Heard:
        """Translate one message; raises ``AttributeError``, ``IndexError`` or ``TypeError`` for an unknown shape."""

    def reconnect(self, held_from: float, replay_seconds: float) -> None:
        """Take note that a new connection begins with the lost one's audio from second ``held_from`` on."""


class Nova:
    """Interim and final results; ``is_settled`` where Deepgram says that an utterance is over."""

    detects_turns = False
    needs_clock = False
    answers_silence = False
    stall_seconds = 5.0

    def __init__(self) -> None:
        self._interim = ""
        self._is_unsettled = False
        self._has_started = False
        self._is_replayed = False

    @property
    def has_open_words(self) -> bool:
        """Whether an interim result, or a final one that settles nothing, was the last."""
        return bool(self._interim) or self._is_unsettled

    def read(self, message: Any) -> Heard:
        """Translate Results, SpeechStarted and UtteranceEnd; everything else says nothing about words."""
        if message.type == "Results":
            return self._read_results(message)
        if message.type == "SpeechStarted":
            is_known, self._is_replayed, self._has_started = self._is_replayed, False, True
            return [] if is_known else [SpeechStarted()], None
        if message.type == "UtteranceEnd" and self._is_unsettled and not self._interim:
            self._is_unsettled = False
            return [TranscriptReceived("", is_final=True, is_settled=True)], None
        return [], None

    def reconnect(self, held_from: float, replay_seconds: float) -> None:  # noqa: ARG002 (the protocol's)
        """Pass over the start of speech that is told again; finals are out, and the next interim replaces the last."""
        self._is_replayed = self._has_started

    def _read_results(self, results: Any) -> Heard:
        best = results.channel.alternatives[0]
        text = best.transcript.strip()
        confidence = 1.0 if best.confidence is None else best.confidence
        if not results.is_final:
            if text == self._interim:
                return [], None
            self._interim = text
            return [TranscriptReceived(text, is_final=False, confidence=confidence)], None
        until = results.start + results.duration
        # The words may all have come in earlier finals: a settling result is passed on even when it is empty.
        is_settled = bool(results.speech_final or results.from_finalize)
        is_news = bool(text or self._interim or results.from_finalize or (is_settled and self._is_unsettled))
        self._interim = ""
        self._is_unsettled = not is_settled and (self._is_unsettled or bool(text))
        if is_settled or not text:
            self._has_started = self._is_replayed = False
        if not is_news:
            return [], until
        return [TranscriptReceived(text, is_final=True, confidence=confidence, is_settled=is_settled)], until


class Flux:
    """Turns: each message carries the whole turn so far, and the model says when it ends."""

    detects_turns = True
    needs_clock = True
    answers_silence = True
    stall_seconds = 3.0

    LEAD_IN_SECONDS = 1.5
    """Audio before the last report that is kept outside a turn: its first syllable may lie there."""
    ORPHAN_SECONDS = 1.0
    """Audio after a replay in which its open turn must show again."""

    def __init__(self) -> None:
        self._is_open = False
        self._text = ""
        self._eager: str | None = None
        self._prefix = ""
        self._words: list[Any] = []
        self._is_replayed = False
        self._replay_seconds = 0.0

    @property
    def has_open_words(self) -> bool:
        """Whether a turn has begun and not ended."""
        return self._is_open

    def read(self, message: Any) -> Heard:
        """Translate one TurnInfo; Connected, Warning and ConfigureSuccess say nothing about words."""
        if message.type != "TurnInfo":
            return [], None
        text = f"{self._prefix} {message.transcript.strip()}".strip()
        read_event = getattr(self, f"_read_{message.event}", None)
        if read_event is None:  # the list of events is open
            return [], None
        events: list[RecognitionEvent] = read_event(message, text)
        if message.event != "EndOfTurn":
            self._words = list(message.words)
        if self._is_open:
            return events, None
        lead_in = 0.0 if message.event == "EndOfTurn" else self.LEAD_IN_SECONDS
        return events, message.audio_window_end - lead_in

    def reconnect(self, held_from: float, replay_seconds: float) -> None:
        """Keep the words of an open turn whose audio is no longer held; the replay brings the others again."""
        lost = [word.word for word in self._words if word.end is not None and word.end <= held_from]
        self._prefix = " ".join(filter(None, [self._prefix, *lost])) if self._is_open else ""
        self._words = []
        self._is_replayed = self._is_open
        self._replay_seconds = replay_seconds

    def _read_StartOfTurn(self, message: Any, text: str) -> list[RecognitionEvent]:  # noqa: N802 (Deepgram's spelling)
        started: list[RecognitionEvent] = [] if self._is_open else [SpeechStarted()]
        self._is_open = True
        self._is_replayed = False
        return started + self._show(message, text)

    def _read_Update(self, message: Any, text: str) -> list[RecognitionEvent]:  # noqa: N802 (as above)
        if self._is_replayed and not message.transcript:
            return self._close_orphan(message)
        if not self._is_open:
            return []
        return self._show(message, text)

    def _read_EagerEndOfTurn(self, message: Any, text: str) -> list[RecognitionEvent]:  # noqa: N802 (as above)
        if self._eager == text:
            return []
        resumed = self._resume()
        self._is_open = True
        self._eager = self._text = text
        return [*resumed, EagerEndOfTurn(text, _confidence(message))]

    def _read_TurnResumed(self, message: Any, text: str) -> list[RecognitionEvent]:  # noqa: N802 (as above)
        return self._resume() + self._show(message, text)

    def _read_EndOfTurn(self, message: Any, text: str) -> list[RecognitionEvent]:  # noqa: N802 (as above)
        self._close()
        return [EndOfTurn(text, _confidence(message))]

    def _show(self, message: Any, text: str) -> list[RecognitionEvent]:
        if text == self._text:
            return []
        self._text = text
        return [TranscriptReceived(text, is_final=False, confidence=_confidence(message))]

    def _resume(self) -> list[RecognitionEvent]:
        if self._eager is None:
            return []
        self._eager = None
        return [TurnResumed()]

    def _close_orphan(self, message: Any) -> list[RecognitionEvent]:
        """End a turn that the lost connection had begun and the replay does not find again: what was heard stands."""
        if message.audio_window_end < self._replay_seconds + self.ORPHAN_SECONDS:
            return []
        text = self._text
        self._close()
        return [EndOfTurn(text)]

    def _close(self) -> None:
        self._is_open = False
        self._is_replayed = False
        self._text = self._prefix = ""
        self._eager = None
        self._words = []


def _confidence(message: Any) -> float:
    """Give the mean confidence of the turn's words."""
    words = message.words
    return sum(word.confidence for word in words) / len(words) if words else 1.0
