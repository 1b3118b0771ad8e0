"""The recorder of a process: its instance folder, its two threads, and the sinks of its calls."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.conf import settings

from calls import services
from calls.enums import Door
from calls.recorder.audio import AudioThread, AudioTrack
from calls.recorder.facts import CallOpened, now_utc, store
from calls.recorder.journal import Instance, Journal
from calls.recorder.replay import replay_dead_instances
from calls.recorder.sink import CallSink, recording_path
from calls.recorder.writer import Store, Writer
from vantum.metrics import RECORDER_LAG

logger = logging.getLogger(__name__)


class Recorder:
    """Takes the facts and the sound of a process's calls to the database and the disk, behind the calls."""

    def __init__(self, *, store: Store = store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._instance: Instance | None = None
        self._writer = Writer(store, heartbeat=self._beat)
        self._audio = AudioThread()

    def start(self) -> None:
        """Take a folder and begin; what dead processes left is stored as soon as may be. A second start does nothing.

        Raises ``OSError`` when ``settings.JOURNAL_DIR`` cannot be written.
        """
        with self._lock:
            if self._instance is not None:
                return
            self._instance = Instance.begin(settings.JOURNAL_DIR)
            self._writer.do(partial(replay_dead_instances, settings.JOURNAL_DIR, self._store))
            self._writer.start()
            self._audio.start()
            RECORDER_LAG.set_function(lambda: self._writer.lag_seconds)

    def stop(self, timeout: float) -> bool:
        """Store what waits, for at most ``timeout`` seconds. False: the rest is in the journals, for the next start."""
        with self._lock:
            if self._instance is None:
                return True
            until = self._clock() + timeout
            self._audio.stop(timeout)
            is_drained = self._writer.stop(max(until - self._clock(), 0.1))
            if not is_drained:
                logger.warning("the recorder stopped with facts that only its journals hold")
            self._instance.release()
            self._instance = None
            return is_drained

    def open_call(self, session_id: UUID, door: Door, user_id: int | None) -> CallSink:
        """Note that a call began, and give the sink for its facts. Starts the recorder where nobody did."""
        if self._instance is None:
            self.start()
        instance = self._instance
        if instance is None:
            message = "the recorder was stopped while a call was opened"
            raise RuntimeError(message)
        journal = Journal(instance.folder, session_id)
        track = None
        if settings.RECORD_AUDIO:
            path = settings.RECORDINGS_DIR / recording_path(session_id)
            track = AudioTrack(path, settings.RECORDING_RATE, self._clock)
            self._audio.add(track)
        sink = CallSink(
            session_id,
            journal=journal,
            writer=self._writer,
            track=track,
            close_track=self._audio.close,
            rate=settings.RECORDING_RATE,
            clock=self._clock,
        )
        sink.open(CallOpened(session_id, door, user_id, instance.name, now_utc()))
        return sink

    def _beat(self) -> None:
        if self._instance is not None:
            services.touch_sessions(self._instance.name, at=now_utc())


recorder = Recorder()
"""This process's own."""
