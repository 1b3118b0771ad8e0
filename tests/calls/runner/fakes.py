"""Providers under a test's control: each does exactly what the test says, when it says so."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

from calls.engine.agent import AgentSpec, VoiceActivity
from calls.engine.events import Event
from calls.errors import ProviderError
from calls.providers.base import (
    GenerationPiece,
    GenerationRequest,
    RecognitionEvent,
    RecognitionOptions,
    SentenceAudio,
    SentenceEnded,
    SpeechOptions,
    SpeechPiece,
    VoiceReport,
)
from calls.runner.simulation import CollectingDoor, CollectingSink
from calls.wire.audio import AudioFormat, silence
from calls.wire.echo import EchoGuard


class FakeRecognitionStream:
    def __init__(self, options: RecognitionOptions, *, detects_turns: bool, refusal: ProviderError | None) -> None:
        self.options = options
        self.detects_turns = detects_turns
        self.dropped_ms = 0.0
        self.reconnects = 0
        self.heard = bytearray()
        self.hints: list[bool] = []
        self.finalized = 0
        self.is_closed = False
        self._refusal = refusal
        self._events: asyncio.Queue[RecognitionEvent | ProviderError] = asyncio.Queue()

    async def connect(self) -> None:
        if self._refusal is not None:
            raise self._refusal

    def hear(self, audio: bytes) -> None:
        self.heard += audio

    def voice_changed(self, *, is_speech: bool) -> None:
        self.hints.append(is_speech)

    def finalize(self) -> None:
        self.finalized += 1

    def emit(self, event: RecognitionEvent | ProviderError) -> None:
        self._events.put_nowait(event)

    async def events(self) -> AsyncIterator[RecognitionEvent]:
        while True:
            event = await self._events.get()
            if isinstance(event, ProviderError):
                raise event
            yield event

    async def aclose(self) -> None:
        self.is_closed = True


class FakeRecogniser:
    name = "fake"
    preferred = AudioFormat(rate=16_000)

    def __init__(self, *, detects_turns: bool = False, rates: tuple[int, ...] = (8000, 16_000)) -> None:
        self.detects_turns = detects_turns
        self.refusal: ProviderError | None = None
        self.streams: list[FakeRecognitionStream] = []
        self._rates = rates

    def accepts(self, audio: AudioFormat) -> bool:
        return audio.rate in self._rates

    def open(self, options: RecognitionOptions) -> FakeRecognitionStream:
        self.streams.append(FakeRecognitionStream(options, detects_turns=self.detects_turns, refusal=self.refusal))
        return self.streams[-1]

    async def aclose(self) -> None:
        pass


class FakeModel:
    """Answers each request with the next script: pieces, seconds to wait, or an error to raise."""

    name = "fake"

    def __init__(self, *scripts: Sequence[GenerationPiece | float | ProviderError]) -> None:
        self.scripts = list(scripts)
        self.requests: list[GenerationRequest] = []
        self.closed = 0

    async def warm_up(self) -> None:
        pass

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationPiece, None]:
        self.requests.append(request)
        try:
            for item in self.scripts.pop(0):
                if isinstance(item, ProviderError):
                    raise item
                if isinstance(item, float):
                    await asyncio.sleep(item)
                else:
                    yield item
        finally:
            self.closed += 1

    async def aclose(self) -> None:
        pass


class FakeSpeechContext:
    def __init__(self, owner: "FakeSynthesiser", audio: AudioFormat) -> None:
        self._owner = owner
        self._format = audio
        self._said: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue()
        self.is_cancelled = False

    async def say(self, sentence: int, text: str) -> None:
        self._owner.said.append(text)
        self._said.put_nowait((sentence, text))

    async def finish(self) -> None:
        self._said.put_nowait(None)

    async def pieces(self) -> AsyncIterator[SpeechPiece]:
        while (item := await self._said.get()) is not None or self._owner.is_endless:
            if item is None:
                continue
            sentence, text = item
            await asyncio.sleep(self._owner.delay)
            if self._owner.failures:
                raise self._owner.failures.pop(0)
            audio = silence(self._format, len(text) * self._owner.ms_per_character).replace(b"\0", b"\1")
            half = len(audio) // 4 * 2
            yield SentenceAudio(sentence, audio[:half])
            if self._owner.breaks:
                raise self._owner.breaks.pop(0)
            yield SentenceAudio(sentence, audio[half:])
            yield SentenceEnded(sentence)

    async def cancel(self) -> None:
        self.is_cancelled = True
        self._said.put_nowait(None)


class FakeSpeechStream:
    def __init__(self, owner: "FakeSynthesiser", options: SpeechOptions) -> None:
        self._owner = owner
        self.format = owner.format or options.format
        self.is_closed = False

    async def connect(self) -> None:
        pass

    def begin(self, reply: int) -> FakeSpeechContext:
        self._owner.replies.append(reply)
        self._owner.contexts.append(FakeSpeechContext(self._owner, self.format))
        return self._owner.contexts[-1]

    async def aclose(self) -> None:
        self.is_closed = True


class FakeSynthesiser:
    """Makes 60 ms of audio per character, ``delay`` seconds after it was asked."""

    name = "fake"

    def __init__(self, *, audio: AudioFormat | None = None, delay: float = 0.05) -> None:
        self.format = audio
        self.delay = delay
        self.ms_per_character = 60.0
        self.failures: list[ProviderError] = []
        self.breaks: list[ProviderError] = []
        """Raised in the middle of a sentence."""
        self.is_endless = False
        """Whether it never says that it has finished."""
        self.contexts: list[FakeSpeechContext] = []
        self.said: list[str] = []
        self.replies: list[int] = []
        self.streams: list[FakeSpeechStream] = []

    def open(self, options: SpeechOptions) -> FakeSpeechStream:
        self.streams.append(FakeSpeechStream(self, options))
        return self.streams[-1]

    async def aclose(self) -> None:
        pass


class FakeVoiceStream:
    """Loud frames are speech: the verdict on a frame comes with it."""

    def __init__(self, rate: int, on_report: Callable[[VoiceReport], None]) -> None:
        self._format = AudioFormat(rate=rate)
        self._on_report = on_report
        self._until = self._voiced_until = self._voiced = 0.0

    def hear(self, pcm: bytes) -> None:
        duration = self._format.duration_ms(len(pcm))
        is_speech = any(pcm)
        self._until += duration
        self._voiced = self._voiced + duration if is_speech else 0.0
        if is_speech:
            self._voiced_until = self._until
        self._on_report(VoiceReport(self._until, self._voiced_until, self._voiced, is_speech))

    def close(self) -> None:
        self._on_report = lambda _report: None


class FakeDetector:
    def open(self, rate: int, settings: VoiceActivity, on_report: Callable[[VoiceReport], None]) -> FakeVoiceStream:
        del settings
        return FakeVoiceStream(rate, on_report)


def agent(**changes: object) -> AgentSpec:
    return AgentSpec(**({"name": "Test", "prompt": "Be kind.", "opening": ""} | changes))  # type: ignore[arg-type]


class FakeShell:
    """What a part of the runner sees of it, under the test's control."""

    def __init__(self) -> None:
        self.door = CollectingDoor(self.now)
        self.sink = CollectingSink()
        self.echo = EchoGuard()
        self.events: list[Event] = []
        self.failures: list[ProviderError] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.began = asyncio.get_running_loop().time()

    def receive(self, event: Event) -> None:
        self.events.append(event)

    def note_failure(self, error: ProviderError) -> None:
        self.failures.append(error)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(work))
        return self.tasks[-1]

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def elapsed_ms(self) -> float:
        return (self.now() - self.began) * 1000
