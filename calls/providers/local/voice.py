"""The synthesiser's side in this process: it asks the speech process and hands on what comes back.

All calls share one speech process, which speaks a sentence in a few milliseconds; it is started when first needed and
again when it dies.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count

import msgspec

from calls.enums import Role
from calls.errors import ProviderTimeoutError, ProviderUnavailableError
from calls.providers.base import SentenceAudio, SentenceEnded, SentenceWords, SpeechOptions, SpeechPiece
from calls.providers.local.frames import Say, Spoken, Stop, frame, read_frame
from calls.providers.local.process import ChildProcess, SharedProcess
from calls.wire.audio import AudioFormat

log = logging.getLogger(__name__)

_NAME = "local"
_MODULE = "calls.providers.local.voice_worker"
_SENTENCE_SECONDS = 5.0
_ATTEMPTS = 2
"""A sentence that the speech process died over is tried once more with a new one."""
_decoder: "msgspec.msgpack.Decoder[Spoken]" = msgspec.msgpack.Decoder(Spoken)


class LocalTextToSpeech:
    """espeak-ng as a ``TextToSpeech``.

    A voice or language that espeak-ng does not have falls back to the agent's own, then to American English.
    """

    name = _NAME

    def __init__(self) -> None:
        self._voices = VoiceProcess()

    async def warm_up(self) -> None:
        """Start the speech process."""
        await self._voices.ensure_started()

    def open(self, options: SpeechOptions) -> "LocalSpeechStream":
        """Make a call's voice; it speaks the format asked for."""
        return LocalSpeechStream(self._voices, options)

    async def aclose(self) -> None:
        """End the speech process."""
        await self._voices.aclose()


class VoiceProcess:
    """The one speech process and the requests that it has not answered yet."""

    def __init__(self) -> None:
        self._process = SharedProcess(
            _MODULE, package="espeakng_loader", provider=_NAME, role=Role.TTS, on_start=self._connect
        )
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._requests = count(1)
        self._unanswered: dict[int, asyncio.Future[Spoken]] = {}

    async def ensure_started(self) -> None:
        """Start the process unless it runs. Raises ``ProviderError``."""
        await self._process.take()

    async def _connect(self, child: ChildProcess) -> None:
        reader, self._writer = await asyncio.open_connection(sock=child.connection)
        self._reading = asyncio.create_task(self._read(child, reader, self._writer))

    async def _read(self, child: ChildProcess, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand out answers until the process is gone."""
        try:
            while (spoken := await read_frame(reader, _decoder)) is not None:
                answer = self._unanswered.pop(spoken.request, None)
                if answer is not None and not answer.done():
                    answer.set_result(spoken)
            log.warning("the speech process has ended; the next sentence starts a new one")
            await self._process.discard(child)
        finally:
            writer.close()
            unanswered, self._unanswered = self._unanswered, {}
            for answer in unanswered.values():
                if not answer.done():
                    answer.set_exception(self._process.unavailable("the speech process ended in the middle"))

    async def speak(self, text: str, options: SpeechOptions) -> Spoken:
        """Give the sentence. Raises ``ProviderError``; cancelling stops the synthesis."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._ask(text, options)
            except ProviderTimeoutError:
                raise
            except ProviderUnavailableError:
                log.info("saying a sentence again with a new speech process")
        return await self._ask(text, options)

    async def _ask(self, text: str, options: SpeechOptions) -> Spoken:
        child = await self._process.take()
        writer = self._writer
        if writer is None:  # pragma: no cover (taking the process connects it)
            message = "the speech process is not connected"
            raise self._process.unavailable(message)
        request = next(self._requests)
        answer: asyncio.Future[Spoken] = asyncio.get_running_loop().create_future()
        self._unanswered[request] = answer
        writer.write(frame(_say(request, text, options)))
        try:
            async with asyncio.timeout(_SENTENCE_SECONDS):
                return await answer
        except TimeoutError:
            child.kill()
            message = f"a sentence took longer than {_SENTENCE_SECONDS:.0f} s"
            raise ProviderTimeoutError(message, provider=_NAME, role=Role.TTS) from None
        except asyncio.CancelledError:
            writer.write(frame(Stop(request)))
            raise
        finally:
            self._unanswered.pop(request, None)

    async def aclose(self) -> None:
        """End the process."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        await self._process.aclose()


def _say(request: int, text: str, options: SpeechOptions) -> Say:
    spec = options.spec
    return Say(
        request=request,
        text=text,
        voices=(options.voice, spec.voice, options.language, spec.language),
        pronunciations=spec.pronunciations,
        encoding=options.format.encoding,
        rate=options.format.rate,
    )


class LocalSpeechStream:
    """One call's voice."""

    def __init__(self, voices: VoiceProcess, options: SpeechOptions) -> None:
        self._voices = voices
        self._options = options
        self.format: AudioFormat = options.format

    async def connect(self) -> None:
        """See that the speech process runs."""
        await self._voices.ensure_started()

    def begin(self, reply: int) -> "LocalSpeechContext":
        """Begin a reply."""
        del reply
        return LocalSpeechContext(self._voices, self._options)

    async def aclose(self) -> None:
        """Hold nothing: the process is everybody's."""


class LocalSpeechContext:
    """The voice of one reply: each sentence is made when ``pieces`` reaches it, whole."""

    def __init__(self, voices: VoiceProcess, options: SpeechOptions) -> None:
        self._voices = voices
        self._options = options
        self._sentences: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue()  # bounded by the reply's length
        self._speaking: asyncio.Task[Spoken] | None = None
        self._is_cancelled = False

    async def say(self, sentence: int, text: str) -> None:
        """Queue one sentence."""
        self._sentences.put_nowait((sentence, text))

    async def finish(self) -> None:
        """End ``pieces`` after the last sentence."""
        self._sentences.put_nowait(None)

    async def pieces(self) -> AsyncIterator[SpeechPiece]:
        """Give each sentence's word times, audio and end. Raises ``ProviderError``."""
        while not self._is_cancelled and (said := await self._sentences.get()) is not None:
            sentence, text = said
            if self._is_cancelled:
                return
            self._speaking = asyncio.create_task(self._voices.speak(text, self._options))
            try:
                spoken = await self._speaking
            except asyncio.CancelledError:
                if self._is_cancelled and not _is_cancelling():
                    return
                self._speaking.cancel()
                raise
            yield SentenceWords(sentence, spoken.words)
            yield SentenceAudio(sentence, spoken.audio)
            yield SentenceEnded(sentence)

    async def cancel(self) -> None:
        """Stop the sentence that is being made and end ``pieces``."""
        self._is_cancelled = True
        if self._speaking is not None:
            self._speaking.cancel()
        self._sentences.put_nowait(None)


def _is_cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
