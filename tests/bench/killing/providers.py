"""A recogniser, a model and a voice that lose nothing by themselves: what is missing in the end, a kill took."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from calls.engine.events import SpeechStarted, ToolRequest, TranscriptReceived
from calls.enums import AudioEncoding
from calls.providers.base import (
    GenerationPiece,
    GenerationRequest,
    RecognitionEvent,
    RecognitionOptions,
    SentenceAudio,
    SentenceEnded,
    SpeechOptions,
    SpeechPiece,
    TextDelta,
)
from calls.wire.audio import AudioFormat
from tests.bench.killing.modem import Demodulator, modulate

LINE = AudioFormat(encoding=AudioEncoding.MULAW, rate=8000)
GOODBYE = "goodbye"
RESUME_LINE = "Sorry, I lost you."


def echo(text: str) -> str:
    """What the agent answers."""
    return f"Heard {text}."


class Ear:
    """A ``SpeechToText`` that reads the words out of the bytes."""

    name = "modem"
    preferred = LINE

    def accepts(self, audio: AudioFormat) -> bool:
        """Take the line's own format."""
        return audio == LINE

    def open(self, options: RecognitionOptions) -> "EarStream":
        """Begin to listen."""
        del options
        return EarStream()

    async def aclose(self) -> None:
        """Hold nothing."""


class EarStream:
    """One call's ear."""

    detects_turns = False
    dropped_ms = 0.0
    reconnects = 0

    def __init__(self) -> None:
        self._modem = Demodulator()
        self._events: asyncio.Queue[RecognitionEvent | None] = asyncio.Queue()

    async def connect(self) -> None:
        """Need no connection."""

    def hear(self, audio: bytes) -> None:
        """Give each text when its last byte is here."""
        for text in self._modem.feed(audio):
            self._events.put_nowait(SpeechStarted())
            self._events.put_nowait(TranscriptReceived(text, is_final=True, is_settled=True))

    def voice_changed(self, *, is_speech: bool) -> None:
        """Ignore the hint."""

    def finalize(self) -> None:
        """Say that nothing more comes."""
        self._events.put_nowait(TranscriptReceived("", is_final=True, is_settled=True))

    async def events(self) -> AsyncIterator[RecognitionEvent]:
        """Give what was heard until closed."""
        while (event := await self._events.get()) is not None:
            yield event

    async def aclose(self) -> None:
        """End ``events``."""
        self._events.put_nowait(None)


class Echo:
    """A ``LanguageModel`` that repeats what it was told, and hangs up after a goodbye."""

    name = "echo"

    async def warm_up(self) -> None:
        """Need nothing."""

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationPiece, None]:
        """Answer the caller's last words."""
        said = [message.content for message in request.messages if message.role == "user"]
        last = said[-1].split()[-1] if said else "nothing"
        yield TextDelta(echo(last))
        if last.startswith(GOODBYE):
            yield ToolRequest(call_id=f"end-{len(said)}", name="end_call", arguments="{}")

    async def aclose(self) -> None:
        """Hold nothing."""


class Voice:
    """A ``TextToSpeech`` whose audio says its text in so many bytes."""

    name = "modem"

    def open(self, options: SpeechOptions) -> "VoiceStream":
        """Speak the line's format, whatever is asked for."""
        del options
        return VoiceStream()

    async def aclose(self) -> None:
        """Hold nothing."""


class VoiceStream:
    """One call's voice."""

    format = LINE

    async def connect(self) -> None:
        """Need no connection."""

    def begin(self, reply: int) -> "VoiceContext":
        """Begin a reply."""
        del reply
        return VoiceContext()

    async def aclose(self) -> None:
        """Hold nothing."""


class VoiceContext:
    """One reply."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[SpeechPiece | None] = asyncio.Queue()

    async def say(self, sentence: int, text: str) -> None:
        """Speak at once."""
        self._pieces.put_nowait(SentenceAudio(sentence, modulate(text)))
        self._pieces.put_nowait(SentenceEnded(sentence))

    async def finish(self) -> None:
        """End ``pieces`` after what was said."""
        self._pieces.put_nowait(None)

    async def pieces(self) -> AsyncIterator[SpeechPiece]:
        """Give what was spoken."""
        while (piece := await self._pieces.get()) is not None:
            yield piece

    async def cancel(self) -> None:
        """Drop what was not taken yet."""
        while not self._pieces.empty():
            self._pieces.get_nowait()
        self._pieces.put_nowait(None)
