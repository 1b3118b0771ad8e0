"""One call's side of the recorder: the runner's ``Sink``."""

import itertools
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import msgspec

from calls.engine.events import SpokenTurn
from calls.enums import OBJECTION, EndReason, EventKind, Speaker
from calls.recorder.audio import AudioTrack, Sound, Taped
from calls.recorder.counting import count, count_totals
from calls.recorder.facts import (
    AgentAttached,
    CallEnded,
    CallOpened,
    Fact,
    RecordingClosed,
    now_utc,
)
from calls.recorder.journal import Journal
from calls.recorder.writer import Writer
from calls.runner.ports import CallTotals
from calls.services import EventFact, TurnFact
from calls.services.cleaning import clean_json, clean_text


def recording_path(session_id: UUID) -> str:
    """Give the place of a call's wav file below ``settings.RECORDINGS_DIR``: 256 folders share the files."""
    return str(PurePosixPath(session_id.hex[-2:], f"{session_id}.wav"))


class CallSink:
    """Takes a call's facts and sound. No method blocks or raises; after ``finish`` nothing more is taken."""

    def __init__(
        self,
        session_id: UUID,
        *,
        journal: Journal,
        writer: Writer,
        track: AudioTrack | None,
        close_track: Callable[[AudioTrack], None],
        rate: int,
        clock: Callable[[], float],
    ) -> None:
        self.session_id = session_id
        self._journal = journal
        self._writer = writer
        self._track = track
        self._close_track = close_track
        self._rate = rate
        self._clock = clock
        self._began = clock()
        self._seq = itertools.count()
        self._is_mute = False
        self._ended: CallEnded | None = None
        self.on_event: Callable[[str, Mapping[str, Any]], None] = _ignore
        """Told of each event when it is recorded; must not wait."""
        if track is not None:
            track.on_failure = self._recording_stopped
            track.on_closed = self._recording_closed

    def open(self, fact: CallOpened) -> None:
        """Say that the call began; the first fact of its journal."""
        self._append(fact)

    def attach(
        self,
        *,
        agent_id: UUID | None,
        version_id: UUID | None,
        language: str = "",
        variables: Mapping[str, Any] | None = None,
        campaign_id: str = "",
    ) -> None:
        """Say who answers and with what; a later word replaces an earlier one."""
        fact = AgentAttached(
            session_id=self.session_id,
            agent_id=agent_id,
            version_id=version_id,
            language=clean_text(language),
            variables=clean_json(variables or {}),
            campaign_id=clean_text(campaign_id),
        )
        self._keep(fact)

    def record_turn(self, turn: SpokenTurn) -> None:
        """Append a finished turn to the journal now and to the database soon."""
        self._keep(TurnFact(self.session_id, msgspec.structs.replace(turn, text=clean_text(turn.text))))

    def record_event(self, kind: str, at_ms: int, detail: Mapping[str, Any]) -> None:
        """Append a fact. ``at_ms``: wall milliseconds since the call began."""
        self._keep(self._event(kind, at_ms, detail))
        self.on_event(kind, detail)

    def record_audio(self, side: Speaker, at_ms: float, pcm: bytes, rate: int) -> None:
        """Lay PCM16 at its place in the recording. ``at_ms``: when its first sample sounded, since the call began."""
        if self._track is not None and not self._is_mute and self._ended is None and pcm:
            self._track.give(Sound(side, at_ms, pcm, rate))

    def stop_recording(self, at_ms: int) -> None:
        """Lay no sound of this call any more; what was laid before stays. A second call does nothing."""
        if not self._is_mute:
            self._is_mute = True
            self.record_event(EventKind.RECORDING_STOPPED, at_ms, {"reason": OBJECTION})

    def cut_agent_audio(self, at_ms: float) -> None:
        """Take back agent audio that was laid at or after ``at_ms``: it was never played."""
        if self._track is not None and self._ended is None:
            self._track.cut_agent(at_ms)

    def finish(self, reason: EndReason, totals: CallTotals) -> None:
        """The call is over: it is ended in the database once its sound is on the disk. A second call does nothing."""
        if self._ended is not None:
            return
        ended = CallEnded(
            session_id=self.session_id,
            reason=reason,
            ended_at=now_utc(),
            duration_ms=self._elapsed_ms(),
            totals=msgspec.to_builtins(totals),
        )
        self._journal.append(ended)
        self._ended = ended
        count_totals(totals)
        if self._track is None:
            self._end(ended)
        else:
            self._close_track(self._track)

    def _keep(self, fact: Fact) -> None:
        if self._ended is None:
            self._append(fact)
            count(fact)

    def _append(self, fact: Fact) -> None:
        self._journal.append(fact)
        self._writer.put(self._journal, fact)

    def _event(self, kind: str, at_ms: int, detail: Mapping[str, Any]) -> EventFact:
        return EventFact(self.session_id, next(self._seq), clean_text(kind), at_ms, clean_json(detail))

    def _elapsed_ms(self) -> int:
        return round((self._clock() - self._began) * 1000)

    def _end(self, ended: CallEnded) -> None:
        self._journal.is_complete = True
        self._writer.put(self._journal, ended)

    # --- on the audio thread --------------------------------------------------------------------------------------

    def _recording_stopped(self, failure: str) -> None:
        self._append(self._event(EventKind.RECORDING_STOPPED, self._elapsed_ms(), {"reason": failure}))

    def _recording_closed(self, taped: Taped) -> None:
        ended = self._ended
        if ended is None:
            return
        if taped.duration_ms is not None:
            recording = RecordingClosed(
                session_id=self.session_id,
                path=recording_path(self.session_id),
                rate=self._rate,
                duration_ms=taped.duration_ms,
                missing_ms=taped.missing_ms,
                complete=not taped.failure and not taped.missing_ms,
            )
            self._append(recording)
        self._end(ended)


def _ignore(_kind: str, _detail: Mapping[str, Any]) -> None:
    """Nobody asked."""
