"""The recogniser's side in this process: it cuts a caller's audio into utterances and sends them to the call's worker.

What is an utterance follows our own voice activity detection. The audio of an utterance is kept until its words are
there, so that a worker that dies is replaced and hears it again.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, send_fds, socketpair

import msgspec
from django.conf import settings
from msgspec import Struct

from calls.engine.answered import STANDING_SENTENCES
from calls.engine.events import TranscriptReceived
from calls.enums import Role
from calls.errors import ProviderError, ProviderRejectedError, ProviderUnavailableError
from calls.providers.base import RecognitionEvent, RecognitionOptions
from calls.providers.local.frames import Finish, Hear, Heard, Listen, frame, read_frame
from calls.providers.local.process import SharedProcess
from calls.wire.audio import AudioFormat

log = logging.getLogger(__name__)

_NAME = "local"
_MODULE = "calls.providers.local.hearing_worker"
_FORMAT = AudioFormat()
_BYTES_PER_MS = 32
_PRE_ROLL_MS = 400
"""Audio from before voice activity was noticed: it holds the first sound of the first word."""
_PAUSE_MS = 300
"""Quiet audio after which an utterance is finished; the words are then there before the engine's patience ends."""
_LONGEST_MS = 20_000
"""A longer utterance is cut, so that what is kept of it stays bounded."""
_QUEUE_MS = 10_000
"""Audio that may wait for the worker; beyond it the oldest is dropped."""
_MAX_DEATHS = 3
"""So many workers may die in one call before the recogniser counts as lost."""
_CALLS_PER_CORE = 8
_decoder = msgspec.msgpack.Decoder(Heard)


class LocalSpeechToText:
    """PocketSphinx as a ``SpeechToText``. English only."""

    name = _NAME
    preferred = _FORMAT

    def __init__(self) -> None:
        self._workers = CallWorkers()

    def accepts(self, audio: AudioFormat) -> bool:
        """Take PCM16 at 16 kHz, the models' own rate."""
        return audio == _FORMAT

    async def warm_up(self) -> None:
        """Load the models."""
        await self._workers.warm_up()

    def open(self, options: RecognitionOptions) -> "LocalRecognitionStream":
        """Make a call's ear."""
        return LocalRecognitionStream(self._workers, options)

    async def aclose(self) -> None:
        """End the recogniser's process. Workers of calls end with their streams."""
        await self._workers.aclose()


class CallWorkers:
    """The process that holds the models, and the worker that it makes of itself for each call."""

    def __init__(self) -> None:
        self._process = SharedProcess(_MODULE, package="pocketsphinx", provider=_NAME, role=Role.STT)
        self._free = _CALLS_PER_CORE * (os.cpu_count() or 1)

    async def warm_up(self) -> None:
        """Start the process."""
        await self._process.take()

    def lost(self, message: str) -> ProviderError:
        """Make the error for a recogniser that is gone."""
        return self._process.unavailable(message)

    async def lease(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Give a connection to a new worker; ``give_back`` it. Raises ``ProviderError``."""
        if not self._free:
            message = "as many calls as this machine can hear locally are on the line"
            raise self._process.unavailable(message)
        self._free -= 1
        try:
            try:
                return await self._fork()
            except ProviderUnavailableError:  # it has just died, or hangs
                return await self._fork()
        except BaseException:
            self._free += 1
            raise

    async def _fork(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        child = await self._process.take()
        ours, theirs = socketpair(AF_UNIX, SOCK_STREAM)
        ours.settimeout(0)
        with theirs:
            try:
                send_fds(child.connection, [b"c"], [theirs.fileno()])
            except OSError:
                ours.close()
                await self._process.discard(child)
                message = "the recogniser's process does not answer"
                raise self._process.unavailable(message) from None
        return await asyncio.open_connection(sock=ours)

    def give_back(self, writer: asyncio.StreamWriter) -> None:
        """Let the worker go."""
        writer.close()
        self._free += 1

    async def aclose(self) -> None:
        """End the process."""
        await self._process.aclose()


class _Utterance(Struct):
    """Audio whose words are not there yet. ``is_over``: no more of it follows."""

    number: int
    audio: bytearray
    is_over: bool = False
    quiet_ms: float = 0.0


class LocalRecognitionStream:
    """One call's ear."""

    detects_turns = False

    def __init__(self, workers: CallWorkers, options: RecognitionOptions) -> None:
        self._workers = workers
        self._language = options.language
        self._listen = _listen(options)
        self.dropped_ms = 0.0
        self.reconnects = 0
        self._before = bytearray()
        self._is_voiced = False
        self._count = 0
        self._current: _Utterance | None = None
        self._unanswered: dict[int, _Utterance] = {}
        self._outbox: deque[Hear | Finish] = deque()
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._events: asyncio.Queue[RecognitionEvent | BaseException | None] = asyncio.Queue()  # a few per second
        self._connected: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._running: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Get a worker. Raises ``ProviderError``, also for a language other than English."""
        if self._language.split("-")[0].lower() != "en":
            message = f"the local recogniser knows English, not {self._language}; choose another with STT_PROVIDER"
            raise ProviderRejectedError(message, provider=_NAME, role=Role.STT)
        self._connected = await self._workers.lease()
        self._running = asyncio.create_task(self._run())
        self._running.add_done_callback(self._report_end)

    def _report_end(self, task: "asyncio.Task[None]") -> None:
        self._events.put_nowait(None if task.cancelled() else task.exception())

    # --- from audio to utterances -------------------------------------------------------------------------------------

    def hear(self, audio: bytes) -> None:
        """Add the audio to the utterance, or keep it in case that one has begun."""
        if self._current is None and self._is_voiced:
            self._begin()
        if self._current is None:
            self._before += audio
            del self._before[: -_PRE_ROLL_MS * _BYTES_PER_MS]
            return
        utterance = self._current
        self._extend(utterance, audio)
        if not self._is_voiced:
            utterance.quiet_ms += len(audio) / _BYTES_PER_MS
        if utterance.quiet_ms >= _PAUSE_MS or len(utterance.audio) >= _LONGEST_MS * _BYTES_PER_MS:
            self._end(utterance)

    def voice_changed(self, *, is_speech: bool) -> None:
        """Begin an utterance with speech; a pause in it may end it."""
        self._is_voiced = is_speech
        if self._current is not None:
            self._current.quiet_ms = 0.0
        elif is_speech:
            self._begin()

    def finalize(self) -> None:
        """Ask for the words of what was said until now. Where nothing is open, say so at once."""
        if self._current is not None:
            self._end(self._current)
        elif not self._unanswered:
            self._events.put_nowait(TranscriptReceived("", is_final=True, is_settled=True))

    def _begin(self) -> None:
        self._count += 1
        self._current = _Utterance(self._count, bytearray())
        self._unanswered[self._count] = self._current
        audio = bytes(self._before)
        self._before.clear()
        if audio:
            self._extend(self._current, audio)

    def _extend(self, utterance: _Utterance, audio: bytes) -> None:
        utterance.audio += audio
        self._send(Hear(utterance.number, audio))

    def _end(self, utterance: _Utterance) -> None:
        utterance.is_over = True
        self._current = None
        self._send(Finish(utterance.number))

    def _send(self, message: Hear | Finish) -> None:
        self._outbox.append(message)
        if isinstance(message, Hear):
            self._waiting_bytes += len(message.pcm)
        while self._waiting_bytes > _QUEUE_MS * _BYTES_PER_MS:
            oldest = next(waiting for waiting in self._outbox if isinstance(waiting, Hear))
            self._outbox.remove(oldest)
            self._waiting_bytes -= len(oldest.pcm)
            self.dropped_ms += len(oldest.pcm) / _BYTES_PER_MS
        self._wake.set()

    # --- the worker ---------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Talk to one worker after the other. Raises ``ProviderError`` when too many have died."""
        for death in range(_MAX_DEATHS + 1):
            if self._connected is None:
                self._connected = await self._workers.lease()
                self.reconnects += 1
            reader, writer = self._connected
            try:
                writer.write(frame(self._listen))
                async with asyncio.TaskGroup() as tasks:
                    feeding = tasks.create_task(self._feed(writer))
                    await self._collect(reader)
                    feeding.cancel()
            finally:
                self._connected = None
                self._workers.give_back(writer)
            log.warning("a call's recogniser worker has died (%d); a new one hears the utterance again", death + 1)
            self._say_again()
        message = "the recogniser's worker died again and again"
        raise self._workers.lost(message)

    async def _feed(self, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):  # the reader sees the end
            while True:
                while self._outbox:
                    message = self._outbox.popleft()
                    if isinstance(message, Hear):
                        self._waiting_bytes -= len(message.pcm)
                    writer.write(frame(message))
                    await writer.drain()
                self._wake.clear()
                await self._wake.wait()

    async def _collect(self, reader: asyncio.StreamReader) -> None:
        while (heard := await read_frame(reader, _decoder)) is not None:
            if heard.is_final:
                self._unanswered.pop(heard.utterance, None)
            is_settled = heard.is_final and not self._unanswered
            self._events.put_nowait(
                TranscriptReceived(heard.text, heard.is_final, heard.confidence, is_settled=is_settled),
            )

    def _say_again(self) -> None:
        """Queue all audio whose words are not there yet for the next worker."""
        self._outbox.clear()
        self._waiting_bytes = 0
        for utterance in self._unanswered.values():
            self._send(Hear(utterance.number, bytes(utterance.audio)))
            if utterance.is_over:
                self._send(Finish(utterance.number))

    # --- the call -----------------------------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[RecognitionEvent]:
        """Give transcripts until ``aclose``; raises ``ProviderError`` when no worker lives."""
        while (event := await self._events.get()) is not None:
            if isinstance(event, BaseException):
                raise event
            yield event

    async def aclose(self) -> None:
        """Let the worker go and end ``events``."""
        running, self._running = self._running, None
        if running is None:
            self._events.put_nowait(None)
            return
        running.cancel()
        with suppress(asyncio.CancelledError, ProviderError):
            await running
        if self._connected is not None:  # the task was cancelled before it began
            self._workers.give_back(self._connected[1])
            self._connected = None


def _listen(options: RecognitionOptions) -> Listen:
    """Give what the recogniser may know beforehand: the agent as shipped and the engine's own, nothing of any call."""
    spec = options.spec
    examples = [example for intent in spec.intents for example in intent.examples]
    answers = [intent.answer for intent in spec.intents]
    standing = STANDING_SENTENCES if options.is_telephone else ()
    return Listen(
        sentences=(*dict.fromkeys(examples), *spec.key_terms) if examples else (),
        context=(spec.opening, *answers, *standing),
        pronunciations=spec.pronunciations,
        cache=str(Path(settings.DATA_DIR) / "local-models"),
    )
