"""The speech process: sentences in, audio and word times out. It ends when its socket is closed.

One thread reads requests, so that a stop reaches a synthesis that is under way; the main thread speaks.
"""

import re
import signal
from collections.abc import Sequence
from queue import SimpleQueue
from socket import socket
from threading import Thread

import msgspec
import numpy as np
from numpy.typing import NDArray

from calls.engine.events import Word
from calls.providers.local.espeak import RATE, Espeak, WordStart
from calls.providers.local.frames import Say, Spoken, Stop, frame, receive_frame
from calls.providers.local.process import READY
from calls.providers.pronunciation import Reading
from calls.wire.audio import encode, resample_whole

Levels = NDArray[np.float32]
"""Root mean square of each 10 ms."""

_decoder: "msgspec.msgpack.Decoder[Say | Stop]" = msgspec.msgpack.Decoder(Say | Stop)
_WINDOW = RATE // 100
_AUDIBLE = 150.0
"""Root mean square of a 10 ms window that is not silence."""
_FADE = RATE // 250
_PAUSES_MS = {".": 220, "!": 220, "?": 220, ":": 160, ";": 160, ",": 120}
_PAUSE_MS = 60
"""Silence after a sentence by its last character, so that sentences do not run into each other."""


class VoiceWorker:
    """Answers requests one after the other."""

    def __init__(self, connection: socket) -> None:
        self._connection = connection
        self._espeak = Espeak()
        self._requests: SimpleQueue[Say | None] = SimpleQueue()
        self._current = 0
        self._stopped: set[int] = set()

    def run(self) -> None:
        """Serve until the other side is gone."""
        Thread(target=self._read, daemon=True).start()
        self._connection.sendall(READY)
        while (say := self._requests.get()) is not None:
            self._current = say.request
            if say.request not in self._stopped:
                spoken = self._speak(say)
                if say.request not in self._stopped:
                    self._connection.sendall(frame(spoken))
            self._stopped.discard(say.request)

    def _read(self) -> None:
        while (message := receive_frame(self._connection, _decoder)) is not None:
            if isinstance(message, Say):
                self._requests.put(message)
            elif message.request >= self._current:
                self._stopped.add(message.request)
        self._stopped.add(self._current)
        self._requests.put(None)

    def _speak(self, say: Say) -> Spoken:
        reading = Reading(say.text, say.pronunciations)
        voice = self._espeak.find_voice(say.voices)
        pcm, starts = self._espeak.synthesise(reading.spoken, voice, lambda: say.request in self._stopped)
        pcm, cut_ms = _trim(pcm)
        starts = [WordStart(start.position, start.at_ms - cut_ms) for start in starts]
        words = reading.restore(time_words(reading.spoken, starts, _levels(pcm)))
        pause_ms = _PAUSES_MS.get(say.text.rstrip()[-1:], _PAUSE_MS)
        pcm = _fade(pcm) + bytes(2 * (RATE * pause_ms // 1000))
        return Spoken(say.request, encode(resample_whole(pcm, RATE, say.rate), say.encoding), words)


def time_words(text: str, starts: Sequence[WordStart], levels: Levels) -> tuple[Word, ...]:
    """Give every word of ``text`` its time.

    A word ends where it is last audible before the next one begins; one that is not spoken (a dash) takes no time.
    """
    tokens = list(re.finditer(r"\S+", text))
    begins: dict[int, float] = {}
    for start in starts:
        index = next((i for i, token in enumerate(tokens) if start.position < token.end()), None)
        if index is not None:
            begins.setdefault(index, max(start.at_ms, 0.0))
    words: list[Word] = []
    total_ms = len(levels) * 10.0
    for index, token in enumerate(tokens):
        if index not in begins:
            at = words[-1].end_ms if words else 0.0
            words.append(Word(token[0], at, at))
            continue
        until = min((begins[later] for later in begins if later > index), default=total_ms)
        words.append(Word(token[0], begins[index], _last_audible(levels, begins[index], until)))
    return tuple(words)


def _last_audible(levels: Levels, begin_ms: float, until_ms: float) -> float:
    window = levels[int(begin_ms // 10) : int(until_ms // 10)]
    audible = np.flatnonzero(window > _AUDIBLE)
    return until_ms if not len(audible) else min((begin_ms // 10 + int(audible[-1]) + 1) * 10.0, until_ms)


def _levels(pcm: bytes) -> Levels:
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    whole = samples[: len(samples) // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
    levels: Levels = np.sqrt((whole**2).mean(axis=1))
    return levels


def _trim(pcm: bytes) -> tuple[bytes, float]:
    """Cut silence off both ends; also give how much of the beginning went, in milliseconds."""
    audible = np.flatnonzero(_levels(pcm) > _AUDIBLE)
    if not len(audible):
        return b"", 0.0
    first = max(int(audible[0]) - 1, 0)
    return pcm[first * _WINDOW * 2 : (int(audible[-1]) + 2) * _WINDOW * 2], first * 10.0


def _fade(pcm: bytes) -> bytes:
    """Take the edge off the first and last 4 ms, which would click."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    size = min(_FADE, len(samples) // 2)
    ramp = np.linspace(0.0, 1.0, size, dtype=np.float32)
    samples[:size] *= ramp
    samples[len(samples) - size :] *= ramp[::-1]
    return samples.astype("<i2").tobytes()


def main() -> None:
    """Serve the socket that is the standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; our parent closes the socket
    with socket(fileno=0) as connection:
        VoiceWorker(connection).run()


if __name__ == "__main__":
    main()
