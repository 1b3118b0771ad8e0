"""The three Protocols behind which every provider stands, and what passes through them.

A provider object exists once per process (``registry``) and opens one stream per call. Its methods never block the
event loop; its exceptions are ``ProviderError``. Streams end themselves cleanly when their task is cancelled.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from calls.engine.agent import AgentSpec, VoiceActivity
from calls.engine.events import (
    EagerEndOfTurn,
    EndOfTurn,
    Message,
    SpeechStarted,
    ToolRequest,
    TranscriptReceived,
    TurnResumed,
    Usage,
    Word,
)
from calls.wire.audio import AudioFormat
from calls.wire.vad import VoiceReport as VoiceReport  # noqa: PLC0414 (others take it from here)

# --- speech to text ---------------------------------------------------------------------------------------------------


class RecognitionOptions(Struct, frozen=True, kw_only=True):
    """What a call needs from a recogniser."""

    format: AudioFormat
    spec: AgentSpec
    language: str = "en-US"
    is_telephone: bool = False
    """Whether machines may answer, and people ask for what the engine itself has to understand."""

    @classmethod
    def on_line(
        cls, line: AudioFormat, recogniser: "SpeechToText", spec: AgentSpec, *, language: str, is_telephone: bool
    ) -> "RecognitionOptions":
        """Say what a call needs whose audio comes as ``line``: as it is where the recogniser takes it so."""
        target = line if recogniser.accepts(line) else recogniser.preferred
        return cls(format=target, spec=spec, language=language, is_telephone=is_telephone)


RecognitionEvent = SpeechStarted | TranscriptReceived | EagerEndOfTurn | TurnResumed | EndOfTurn


class RecognitionStream(Protocol):
    """The recogniser's ear for one call."""

    detects_turns: bool
    dropped_ms: float
    """Audio thrown away because the queue to the provider was full (oldest first)."""
    reconnects: int
    """How often the connection was replaced; nothing said meanwhile is lost."""

    async def connect(self) -> None:
        """Open the connection; raises ``ProviderError``. Audio heard before is kept and sent after."""

    def hear(self, audio: bytes) -> None:
        """Take audio in the format of the options. Never blocks: bounded queue, drops the oldest and counts it."""

    def voice_changed(self, *, is_speech: bool) -> None:
        """Take a hint of our own voice activity detection; a recogniser with its own ignores it."""

    def finalize(self) -> None:
        """Ask for the final words of all audio heard so far, followed by a settled transcript."""

    def events(self) -> AsyncIterator[RecognitionEvent]:
        """What is recognised, until ``aclose``. Raises ``ProviderError`` when the provider is lost for good."""

    async def aclose(self) -> None:
        """Close within one second, whatever the provider does."""


class SpeechToText(Protocol):
    """A recogniser, once per process."""

    name: str

    def accepts(self, audio: AudioFormat) -> bool:
        """Whether it takes this format as it is; else the caller converts to ``preferred``."""

    preferred: AudioFormat

    def open(self, options: RecognitionOptions) -> RecognitionStream:
        """Make a stream; nothing is connected yet."""

    async def aclose(self) -> None:
        """Free what the process holds for it."""


@runtime_checkable
class AwaitsCalls(Protocol):
    """A recogniser that can be connected before its call is there."""

    async def await_call(self, options: RecognitionOptions) -> None:
        """Hold a connection for a call that may be answered soon; ``connect`` of a stream with equal options takes it.

        Returns when it is taken; cancelling this closes it. Raises ``ProviderError`` where it fails or is lost.
        """


# --- language model ---------------------------------------------------------------------------------------------------


class GenerationRequest(Struct, frozen=True, kw_only=True):
    """One reply to make. ``tools`` are JSON-schema function descriptions (name, description, parameters)."""

    messages: tuple[Message, ...]
    spec: AgentSpec
    tools: tuple[Mapping[str, Any], ...] = ()
    language: str = "en-US"


class TextDelta(Struct, frozen=True, gc=False):
    """A piece of the reply's text."""

    text: str


GenerationPiece = TextDelta | ToolRequest | Usage


class LanguageModel(Protocol):
    """A language model, once per process."""

    name: str

    async def warm_up(self) -> None:
        """Do what can be done before the first request (imports, a pooled connection)."""

    def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationPiece, None]:
        """Stream one reply. Closing the iterator (``aclose``) or cancelling its task closes the request at once.

        Raises ``ProviderError``; also when the stream ended without a finish reason.
        """

    async def aclose(self) -> None:
        """Close the pool."""


# --- text to speech ---------------------------------------------------------------------------------------------------


class SpeechOptions(Struct, frozen=True, kw_only=True):
    """What a call needs from a synthesiser: ``format`` is the wire's own, to be produced as it is where possible."""

    format: AudioFormat
    spec: AgentSpec
    language: str = "en-US"
    voice: str = ""


class SentenceAudio(Struct, frozen=True, gc=False):
    """Audio of a sentence, in the stream's ``format``."""

    sentence: int
    audio: bytes


class SentenceWords(Struct, frozen=True, gc=False):
    """Word times of a sentence, from the start of its audio."""

    sentence: int
    words: tuple[Word, ...]


class SentenceEnded(Struct, frozen=True, gc=False):
    """All audio of the sentence was given."""

    sentence: int


SpeechPiece = SentenceAudio | SentenceWords | SentenceEnded


class SpeechContext(Protocol):
    """The voice of one reply: sentences in, pieces out in their order."""

    async def say(self, sentence: int, text: str) -> None:
        """Queue one sentence. Raises ``ProviderError``."""

    async def finish(self) -> None:
        """No further sentence follows; ``pieces`` ends after the last one's ``SentenceEnded``."""

    def pieces(self) -> AsyncIterator[SpeechPiece]:
        """Audio as it is made. Raises ``ProviderError``; never blocks for ever when the provider goes away."""

    async def cancel(self) -> None:
        """Stop generating; ``pieces`` ends. Idempotent."""


class SpeechStream(Protocol):
    """The synthesiser's voice for one call."""

    format: AudioFormat
    """What ``SentenceAudio`` holds: the format asked for, or another one that the runner converts."""

    async def connect(self) -> None:
        """Open or take a warm connection; raises ``ProviderError``."""

    def begin(self, reply: int) -> SpeechContext:
        """A fresh context for one reply."""

    async def aclose(self) -> None:
        """Close within one second."""


class TextToSpeech(Protocol):
    """A synthesiser, once per process."""

    name: str

    def open(self, options: SpeechOptions) -> SpeechStream:
        """Make a stream; nothing is connected yet."""

    async def aclose(self) -> None:
        """Free what the process holds for it."""


# --- voice activity ---------------------------------------------------------------------------------------------------


class VoiceStream(Protocol):
    """Voice activity of one call. Audio is PCM16 at the rate given to ``open``."""

    def hear(self, pcm: bytes) -> None:
        """Take audio; verdicts come through the callback, in order, on the event loop."""

    def close(self) -> None:
        """No further callback comes."""


class VoiceDetector(Protocol):
    """The voice activity model, once per process."""

    def open(self, rate: int, settings: VoiceActivity, on_report: Callable[[VoiceReport], None]) -> VoiceStream:
        """``on_report(VoiceReport)`` is called on the loop for each verdict (a window of about 32 ms)."""
