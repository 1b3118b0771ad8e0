"""The one thread of a process that lays the sound of all its calls on the disk."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from calls.enums import Speaker
from calls.recorder.tape import Tape

logger = logging.getLogger(__name__)

_ROUND_SECONDS = 0.9
"""How often each call's sound is taken up. Each time costs the event loop a wait for the interpreter, however little
there is to lay; and a call that begins is reached within two rounds."""
_HELD_BACK_MS = 600.0
"""The youngest sound waits: what the agent did not get to say is mostly taken back before it is written. With the round
and the youngest chunk, less than 2 s are missing after a kill -9."""
_MOST_WAITING_BYTES = 1_000_000


class Sound(NamedTuple):
    """PCM16 and when its first sample sounded, in milliseconds since the call began."""

    side: Speaker
    at_ms: float
    pcm: bytes
    rate: int


class Taped(NamedTuple):
    """What became of a call's sound. ``duration_ms``: None without a file; ``failure``: why it stopped, if it did."""

    duration_ms: int | None
    missing_ms: int
    failure: str


class AudioTrack:
    """One call's sound: given on the event loop, taken on the audio thread."""

    def __init__(self, path: Path, rate: int, clock: Callable[[], float]) -> None:
        self._path = path
        self._rate = rate
        self._clock = clock
        self._began = clock()
        self._inbox: deque[Sound | float] = deque()
        # Two counters with one writer each: their difference needs no lock.
        self._bytes_given = self._bytes_taken = 0
        self._dropped_ms = dict.fromkeys(Speaker, 0.0)
        self._until_ms = 0.0
        self._tape: Tape | None = None
        self._failure = ""
        self.on_failure: Callable[[str], None] = _ignore
        self.on_closed: Callable[[Taped], None] | None = None

    # --- on the event loop ----------------------------------------------------------------------------------------

    def give(self, sound: Sound) -> None:
        """Take sound; what the thread cannot take up in time is dropped and counted."""
        self._until_ms = max(self._until_ms, sound.at_ms + _duration_ms(sound))
        if self._failure or self._bytes_given - self._bytes_taken > _MOST_WAITING_BYTES:
            self._dropped_ms[sound.side] += _duration_ms(sound)
            return
        self._bytes_given += len(sound.pcm)
        self._inbox.append(sound)

    def cut_agent(self, at_ms: float) -> None:
        """Take back what the agent did not get to say."""
        self._inbox.append(at_ms)

    # --- on the audio thread --------------------------------------------------------------------------------------

    def work(self) -> None:
        """Lay what came, and flush what is old enough."""
        try:
            self._lay_all()
            if self._tape is not None and not self._failure:
                self._tape.flush((self._clock() - self._began) * 1000 - _HELD_BACK_MS)
        except OSError as error:
            self._fail(error)

    def finish(self) -> Taped:
        """Lay the rest and close the file."""
        self.work()
        duration_ms = None
        if self._tape is not None:
            try:
                self._tape.close()
            except OSError as error:
                self._fail(error)
            duration_ms = self._tape.duration_ms
        missing_ms = max(self._dropped_ms.values())
        if self._failure:
            missing_ms = max(missing_ms, self._until_ms - (duration_ms or 0))
        return Taped(duration_ms, round(missing_ms), self._failure)

    def _lay_all(self) -> None:
        runs: dict[Speaker, _Run] = {}
        while self._inbox:
            item = self._inbox.popleft()
            if isinstance(item, Sound):
                self._bytes_taken += len(item.pcm)
                run = runs.get(item.side)
                if run is None or not run.goes_on_with(item):
                    self._lay(run)
                    run = runs[item.side] = _Run(item)
                run.add(item)
            else:
                self._lay(runs.pop(Speaker.AGENT, None))
                if self._tape is not None and not self._failure:
                    self._tape.cut_agent(item)
        for run in runs.values():
            self._lay(run)

    def _lay(self, run: "_Run | None") -> None:
        if run is None:
            return
        sound = run.whole()
        try:
            if not self._failure:
                if self._tape is None:
                    self._tape = Tape(self._path, self._rate)
                self._tape.lay(*sound)
                return
        except OSError as error:
            self._fail(error)
        self._dropped_ms[sound.side] += _duration_ms(sound)

    def _fail(self, error: OSError) -> None:
        if not self._failure:
            self._failure = type(error).__name__ if error.strerror is None else error.strerror
            self.on_failure(self._failure)


def _ignore(_failure: str) -> None:
    """Nobody asked."""


def _duration_ms(sound: Sound) -> float:
    return len(sound.pcm) * 500 / sound.rate


class _Run:
    """Sound of one side without a gap: one resampling serves all of it."""

    def __init__(self, first: Sound) -> None:
        self._first = first
        self._pieces: list[bytes] = []
        self._until_ms = first.at_ms

    def goes_on_with(self, sound: Sound) -> bool:
        return sound.rate == self._first.rate and abs(sound.at_ms - self._until_ms) < 1

    def add(self, sound: Sound) -> None:
        self._pieces.append(sound.pcm)
        self._until_ms += _duration_ms(sound)

    def whole(self) -> Sound:
        return self._first._replace(pcm=b"".join(self._pieces))


class AudioThread:
    """Goes round the live calls, one at a time with pauses between, so that it never holds the interpreter for long."""

    def __init__(self) -> None:
        self._tracks: dict[AudioTrack, None] = {}
        self._closing: deque[AudioTrack] = deque()
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="recorder-audio", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Close what is to be closed, for at most ``timeout`` seconds; tracks of calls that go on are flushed."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._is_stopping = True
            self._wake.set()
            thread.join(timeout)

    def add(self, track: AudioTrack) -> None:
        """Go by this track from now on."""
        self._tracks[track] = None

    def close(self, track: AudioTrack) -> None:
        """Finish this track soon; its ``on_closed`` is told."""
        self._closing.append(track)
        self._wake.set()

    def _run(self) -> None:
        while not self._is_stopping or self._closing:
            began, tracks = time.monotonic(), list(self._tracks)
            for number, track in enumerate(tracks, 1):
                self._close_waiting()
                if track in self._tracks:
                    self._guarded(track.work)
                # Counted from the round's beginning: what the work takes must not make the rounds longer.
                self._pause(began + _ROUND_SECONDS * number / len(tracks))
            if not tracks:
                self._pause(began + _ROUND_SECONDS)
            self._close_waiting()

    def _pause(self, until: float) -> None:
        """Wait, and close meanwhile what is to be closed."""
        while not self._is_stopping and (seconds := until - time.monotonic()) > 0:
            if self._wake.wait(seconds):
                self._wake.clear()
                self._close_waiting()

    def _close_waiting(self) -> None:
        while self._closing:
            track = self._closing.popleft()
            self._tracks.pop(track, None)
            taped = self._guarded(track.finish) or Taped(None, 0, "internal error")
            if track.on_closed is not None:
                track.on_closed(taped)

    @staticmethod
    def _guarded(work: Callable[[], Taped | None]) -> Taped | None:
        try:
            return work()
        except Exception:
            logger.exception("a recording failed")
            return None
