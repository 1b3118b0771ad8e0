"""Speech that was made before: the fallback lines. So an apology sounds even without a synthesiser.

Lines live in memory, bounded by bytes, the least used going first, and in files under ``DATA_DIR/speech``, so that a
fresh process has them at once. A file that cannot be written (a full disk) or read costs only the next synthesis.
"""

import asyncio
import hashlib
import logging
import os
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec
from django.conf import settings
from msgspec import Struct

from calls.engine.events import Word
from calls.enums import Role
from calls.errors import ProviderTimeoutError, ProviderUnavailableError
from calls.providers.base import SentenceAudio, SentenceWords, SpeechOptions, SpeechStream, TextToSpeech
from calls.wire.audio import decode, encode, resample_whole

log = logging.getLogger(__name__)

_MEMORY_BYTES = 32 * 1024 * 1024
_DISK_BYTES = 256 * 1024 * 1024
_LINE_SECONDS = 15.0
"""How long one whole line may take to be made."""


class SpokenLine(Struct, frozen=True):
    """A whole line: audio in the format it was asked for, and when its words sound (empty if nobody says)."""

    audio: bytes
    words: tuple[Word, ...] = ()


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(SpokenLine)


class SpeechCache:
    """Whole lines by what makes them sound as they do. One per event loop; the files are shared by all processes."""

    def __init__(self, folder: Path, *, memory_bytes: int = _MEMORY_BYTES, disk_bytes: int = _DISK_BYTES) -> None:
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._disk_bytes = disk_bytes
        self._lines: OrderedDict[str, SpokenLine] = OrderedDict()
        self._held_bytes = 0
        self._making: dict[str, asyncio.Task[SpokenLine]] = {}

    @classmethod
    def from_settings(cls) -> "SpeechCache":
        """Give the cache under ``settings.DATA_DIR``."""
        return cls(Path(settings.DATA_DIR) / "speech")

    def get(self, tts: TextToSpeech, options: SpeechOptions, text: str) -> bytes | None:
        """Give the line's audio if it is in memory. Never touches the disk."""
        line = self._recall(line_key(tts, options, text))
        return None if line is None else line.audio

    def words(self, tts: TextToSpeech, options: SpeechOptions, text: str) -> tuple[Word, ...]:
        """Give the word times of a line in memory, from the start of its audio; empty when unknown."""
        line = self._lines.get(line_key(tts, options, text))
        return () if line is None else line.words

    async def make(self, tts: TextToSpeech, options: SpeechOptions, text: str, *, keep: bool = True) -> bytes:
        """Give the line's audio from memory, from disk, or by synthesising it now; raises ``ProviderError``.

        Callers who want the same line at the same time share one synthesis. ``keep``: whether it may lie on the disk;
        what is said to one person only must not.
        """
        key = line_key(tts, options, text)
        if (line := self._recall(key)) is not None:
            return line.audio
        if key not in self._making:
            task = asyncio.create_task(self._find_or_make(key, tts, options, text, keep=keep))
            self._making[key] = task
            task.add_done_callback(lambda _: self._making.pop(key, None))
        return (await asyncio.shield(self._making[key])).audio

    async def _find_or_make(
        self, key: str, tts: TextToSpeech, options: SpeechOptions, text: str, *, keep: bool
    ) -> SpokenLine:
        line = await asyncio.to_thread(self._read, key) if keep else None
        if line is None:
            line = await _synthesise(tts, options, text)
            if keep:
                await asyncio.to_thread(self._write, key, line)
        self._remember(key, line)
        return line

    def _recall(self, key: str) -> SpokenLine | None:
        line = self._lines.get(key)
        if line is not None:
            self._lines.move_to_end(key)
        return line

    def _remember(self, key: str, line: SpokenLine) -> None:
        self._forget(key)
        self._lines[key] = line
        self._held_bytes += len(line.audio)
        while self._held_bytes > self._memory_bytes:
            self._forget(next(iter(self._lines)))

    def _forget(self, key: str) -> None:
        if (line := self._lines.pop(key, None)) is not None:
            self._held_bytes -= len(line.audio)

    # --- the files, touched only in threads -------------------------------------------------------------------------

    def _read(self, key: str) -> SpokenLine | None:
        path = self._folder / key
        try:
            line = _decoder.decode(path.read_bytes())
        except (OSError, msgspec.MsgspecError):
            return None
        with suppress(OSError):
            os.utime(path)  # the sweep drops what was not used for longest
        return line

    def _write(self, key: str, line: SpokenLine) -> None:
        """Write beside and rename, so that no reader ever sees half a line."""
        temporary: Path | None = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self._folder, prefix=".", delete=False) as file:
                temporary = Path(file.name)
                file.write(_encoder.encode(line))
            temporary.replace(self._folder / key)
            self._sweep()
        except OSError as error:
            log.warning("a spoken line could not be kept on disk: %s", error)
            if temporary is not None:
                with suppress(OSError):
                    temporary.unlink()

    def _sweep(self) -> None:
        files = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another process sweeps too
                stat = path.stat()
                files.append((stat.st_mtime, stat.st_size, path))
        surplus = sum(size for _, size, _ in files) - self._disk_bytes
        for _, size, path in sorted(files):
            if surplus <= 0:
                return
            path.unlink(missing_ok=True)
            surplus -= size


def line_key(tts: TextToSpeech, options: SpeechOptions, text: str) -> str:
    """Name a line by all that changes its sound: SHA-256 in hexadecimal."""
    parts = (
        text,
        tts.name,
        getattr(tts, "model", ""),
        options.voice or options.spec.voice,
        options.language,
        options.format.encoding.value,
        options.format.rate,
        sorted(options.spec.pronunciations.items()),
    )
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


async def _synthesise(tts: TextToSpeech, options: SpeechOptions, text: str) -> SpokenLine:
    stream = tts.open(options)
    try:
        async with asyncio.timeout(_LINE_SECONDS):
            await stream.connect()
            audio, words = await _speak(stream, text)
    except TimeoutError:
        message = f"a line took longer than {_LINE_SECONDS:.0f} s"
        raise ProviderTimeoutError(message, provider=tts.name, role=Role.TTS) from None
    finally:
        await stream.aclose()
    if not audio:
        message = "a line came back without audio"
        raise ProviderUnavailableError(message, provider=tts.name, role=Role.TTS)
    if stream.format != options.format:
        audio = encode(
            resample_whole(decode(audio, stream.format.encoding), stream.format.rate, options.format.rate),
            options.format.encoding,
        )
    return SpokenLine(audio, words)


async def _speak(stream: SpeechStream, text: str) -> tuple[bytes, tuple[Word, ...]]:
    context = stream.begin(0)
    audio = bytearray()
    words: list[Word] = []
    try:
        await context.say(0, text)
        await context.finish()
        async for piece in context.pieces():
            if isinstance(piece, SentenceAudio):
                audio += piece.audio
            elif isinstance(piece, SentenceWords):
                words.extend(piece.words)
    finally:
        await context.cancel()
    return bytes(audio), tuple(words)
