"""The voice of one reply: sentences in, audio at the wire's format out, sentence by sentence."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from calls.engine.events import Event, ReplyFailed, SentenceTimed
from calls.enums import Role
from calls.errors import AudioError, ProviderError
from calls.providers.base import SentenceAudio, SentenceEnded, SentenceWords, SpeechContext, SpeechStream
from calls.wire.audio import AudioFormat, Converter, silence

_CANCEL_SECONDS = 0.5


class SentenceBuffer:
    """Audio of one sentence that waits to be sent."""

    def __init__(self) -> None:
        self.audio = bytearray()
        self.is_complete = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send now."""
        return not self.audio

    def take(self, size: int) -> bytes:
        """Remove and give the first ``size`` bytes, or all there are."""
        chunk = bytes(self.audio[:size])
        del self.audio[:size]
        return chunk


class ReplyVoice:
    """One reply on its way from text to audio. It may be made before the reply is committed, and is sent only after."""

    def __init__(
        self,
        reply: int,
        output: AudioFormat,
        *,
        receive: Callable[[Event], None],
        note_failure: Callable[[ProviderError], None],
        on_audio: Callable[[], None],
        on_conversion_error: Callable[[AudioError], None],
    ) -> None:
        self.reply = reply
        self.is_committed = False
        self.is_started = False
        self.is_text_complete = False
        self.sentences: dict[int, SentenceBuffer] = {}
        self.next_sentence = 0
        self._output = output
        self._receive = receive
        self._note_failure = note_failure
        self._on_audio = on_audio
        self._on_conversion_error = on_conversion_error
        self._tier = 0
        self._stream: SpeechStream | None = None
        self._converter: Converter | None = None
        self._said: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue()  # bounded by the reply's own token limit

    def change_tier(self, tier: int) -> bool:
        """Begin anew where this is another synthesiser than before; True when a task of ``run`` has to stop for it."""
        if tier == self._tier:
            return False
        self._tier = tier
        self._stream = None
        self._converter = None
        self._said = asyncio.Queue()
        self.sentences.clear()
        self.is_text_complete = False
        return True

    def say(self, sentence: int, text: str, stream: SpeechStream) -> bool:
        """Queue a sentence for ``stream``; True when this needs a task running ``run``."""
        is_first = self._stream is None
        self._stream = stream
        self.sentences[sentence] = SentenceBuffer()
        self._said.put_nowait((sentence, text))
        return is_first

    def lay(self, sentence: int, audio: bytes) -> None:
        """Put a sentence whose audio is at hand, at the wire's format."""
        buffer = self.sentences[sentence] = SentenceBuffer()
        buffer.audio += audio
        buffer.is_complete = True
        self._on_audio()

    def end_text(self) -> None:
        """No further sentence follows."""
        self.is_text_complete = True
        self._said.put_nowait(None)
        self._on_audio()

    @property
    def current(self) -> SentenceBuffer | None:
        """The sentence that is to be sent now."""
        return self.sentences.get(self.next_sentence)

    @property
    def is_all_sent(self) -> bool:
        """Whether nothing is left and nothing more will come."""
        return self.is_text_complete and self.next_sentence >= len(self.sentences)

    async def run(self) -> None:
        """Synthesise until the text has ended. A failure is an event; a cancellation stops the provider too."""
        stream, queue = self._stream, self._said
        if stream is None:
            return
        try:
            await stream.connect()
            await self._synthesise(stream, queue)
        except* ProviderError as group:
            if isinstance(error := group.exceptions[0], ProviderError):
                self._note_failure(error)
                # The engine's answer may cancel the very task that tells it, so everything else was done before.
                self._receive(ReplyFailed(self.reply, Role.TTS, str(error), error.retryable))

    async def _synthesise(self, stream: SpeechStream, queue: "asyncio.Queue[tuple[int, str] | None]") -> None:
        context = stream.begin(self.reply)
        try:
            async with asyncio.TaskGroup() as tasks:
                feeding = tasks.create_task(self._feed(context, queue))
                await self._collect(context, stream)
                feeding.cancel()
        finally:
            with suppress(ProviderError, TimeoutError):
                async with asyncio.timeout(_CANCEL_SECONDS):
                    await context.cancel()

    async def _feed(self, context: SpeechContext, queue: "asyncio.Queue[tuple[int, str] | None]") -> None:
        while (item := await queue.get()) is not None:
            await context.say(*item)
        await context.finish()

    async def _collect(self, context: SpeechContext, stream: SpeechStream) -> None:
        async for piece in context.pieces():
            buffer = self.sentences.get(piece.sentence)
            if buffer is None:
                continue
            if isinstance(piece, SentenceAudio):
                buffer.audio += self._convert(piece.audio, stream.format)
            elif isinstance(piece, SentenceWords):
                self._receive(SentenceTimed(self.reply, piece.sentence, piece.words))
            elif isinstance(piece, SentenceEnded):
                if self._converter is not None:
                    buffer.audio += self._converter.flush()
                    self._converter = None
                buffer.is_complete = True
            self._on_audio()

    def _convert(self, audio: bytes, made: AudioFormat) -> bytes:
        """Bring audio to the wire's format; a piece that cannot be converted becomes silence of its length."""
        if made == self._output:
            return audio
        if self._converter is None:
            self._converter = Converter(made, self._output)
        try:
            return self._converter.feed(audio)
        except AudioError as error:
            self._on_conversion_error(error)
            return silence(self._output, made.duration_ms(len(audio)))
