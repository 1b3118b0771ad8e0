"""A recogniser that knows beforehand what will be said: each stretch of sound is the next utterance of its script.

Everything counts audio time, so the same audio gives the same events at the same bytes, however fast it is fed.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import cycle

import numpy as np

from calls.engine.events import SpeechStarted, TranscriptReceived
from calls.enums import AudioEncoding
from calls.providers.base import RecognitionEvent, RecognitionOptions
from calls.wire.audio import AudioFormat, decode

_FRAME_MS = 20
_LOUD = 32768 * 10 ** (-45 / 20)
"""Root mean square from which a frame is speech: -45 dBFS."""
_ONSET_MS = 60
_WORD_MS = 240
"""An interim shows one word more each time this much was voiced."""
_PAUSE_MS = 400
"""Silence that ends an utterance."""


class ScriptedSpeechToText:
    """A ``SpeechToText`` that hears ``utterances`` in their order, again from the first after the last.

    Without any it hears the first example of each of the agent's intents.
    """

    name = "scripted"
    preferred = AudioFormat()

    def __init__(self, utterances: Sequence[str] = ()) -> None:
        self._utterances = tuple(utterances)

    def accepts(self, audio: AudioFormat) -> bool:
        """Take every format: the loudness of a frame is enough."""
        del audio
        return True

    def open(self, options: RecognitionOptions) -> "ScriptedRecognitionStream":
        """Begin the script anew."""
        examples = (intent.examples[0] for intent in options.spec.intents if intent.examples)
        return ScriptedRecognitionStream(options.format, cycle(self._utterances or tuple(examples) or ("hello",)))

    async def aclose(self) -> None:
        """Hold nothing."""


class ScriptedRecognitionStream:
    """One call's place in the script."""

    detects_turns = False
    dropped_ms = 0.0
    reconnects = 0

    def __init__(self, audio: AudioFormat, utterances: Iterator[str]) -> None:
        self._encoding = audio.encoding
        self._samples = audio.rate * _FRAME_MS // 1000
        self._frame_bytes = self._samples * (2 if audio.encoding is AudioEncoding.PCM16 else 1)
        self._utterances = utterances
        self._pending = bytearray()
        self._words: list[str] = []
        self._shown = 0
        self._loud_ms = 0
        self._quiet_ms = 0
        self._events: asyncio.Queue[RecognitionEvent | None] = asyncio.Queue()  # at most one per 20 ms of audio

    async def connect(self) -> None:
        """Need no connection."""

    def hear(self, audio: bytes) -> None:
        """Judge the audio frame by frame; what is left of it waits for the next piece."""
        self._pending += audio
        while len(self._pending) >= self._frame_bytes:
            frame = bytes(self._pending[: self._frame_bytes])
            del self._pending[: self._frame_bytes]
            self._hear_frame(is_loud=_is_loud(decode(frame, self._encoding)))

    def _hear_frame(self, *, is_loud: bool) -> None:
        if is_loud:
            self._loud_ms += _FRAME_MS
            self._quiet_ms = 0
            self._show_words()
        elif self._words:
            self._quiet_ms += _FRAME_MS
            if self._quiet_ms >= _PAUSE_MS:
                self._end_utterance()
        else:
            self._loud_ms = 0

    def _show_words(self) -> None:
        if not self._words and self._loud_ms >= _ONSET_MS:
            self._words = next(self._utterances).split()
            self._events.put_nowait(SpeechStarted())
        shown = min(self._loud_ms // _WORD_MS, len(self._words))
        if shown > self._shown:
            self._shown = shown
            self._events.put_nowait(TranscriptReceived(" ".join(self._words[:shown]), is_final=False))

    def _end_utterance(self) -> None:
        self._events.put_nowait(TranscriptReceived(" ".join(self._words), is_final=True, is_settled=True))
        self._words = []
        self._shown = self._loud_ms = self._quiet_ms = 0

    def voice_changed(self, *, is_speech: bool) -> None:
        """Ignore the hint: loudness decides."""

    def finalize(self) -> None:
        """Give the whole utterance now; without one, say that nothing more comes."""
        if self._words:
            self._end_utterance()
        else:
            self._events.put_nowait(TranscriptReceived("", is_final=True, is_settled=True))

    async def events(self) -> AsyncIterator[RecognitionEvent]:
        """Give what was heard until the stream is closed."""
        while (event := await self._events.get()) is not None:
            yield event

    async def aclose(self) -> None:
        """End ``events``."""
        self._events.put_nowait(None)


def _is_loud(pcm: bytes) -> bool:
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    return bool(np.sqrt(np.mean(samples**2)) >= _LOUD)
