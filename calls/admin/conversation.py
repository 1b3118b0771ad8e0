"""What the page of a call shows, made from its rows: bubbles with latency bars, a timeline, facts, the waveform."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.urls import reverse

from calls.enums import Door, EventKind, Speaker, label
from calls.models import CallEvent, CallSession, Recording, Turn

BAR_UNITS = 1000
"""Width of a latency bar's drawing."""
_PARTS = (
    ("endpointing", "end of speech decided"),
    ("stt", "waiting for the words"),
    ("llm", "language model"),
    ("tts", "synthesis"),
)


class Segment(NamedTuple):
    """One part of a latency bar, in units of its drawing."""

    name: str
    x: int
    width: int


class Bubble(NamedTuple):
    """One turn on the page."""

    turn: Turn
    side: str
    time: str
    seek_seconds: float
    confidence: str
    segments: list[Segment]
    latency: str
    is_here: bool = True
    """Whether it was said on the stream whose page this is: its sound is here."""
    stream: int = 0
    """The number of the stream that begins with it; 0: none does."""
    stream_url: str = ""


class Fact(NamedTuple):
    """One line of the table of facts; ``url`` may be empty."""

    name: str
    value: str
    url: str = ""


def clock(ms: float) -> str:
    """Give a time within a call: 83456 ms is 1:23.4."""
    tenths = int(ms) // 100
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def bubbles(turns: list[Turn], sessions: Sequence[UUID] = (), here: UUID | None = None) -> list[Bubble]:
    """Give the turns as they are shown; all latency bars have one scale.

    ``sessions``: the conversations of the call, a stream each; ``here``: the one whose page this is.
    """
    longest = max([_bar_length(turn) for turn in turns], default=0)
    shown = [_bubble(turn, longest)._replace(is_here=here in {None, turn.session_id}) for turn in turns]
    if len(sessions) > 1:
        for at, (bubble, before) in enumerate(zip(shown, [None, *turns], strict=False)):
            session_id = bubble.turn.session_id
            if before is None or before.session_id != session_id:
                url = reverse("admin:calls_callsession_change", args=[session_id])
                shown[at] = bubble._replace(stream=sessions.index(session_id) + 1, stream_url=url)
    return shown


def _bubble(turn: Turn, longest: int) -> Bubble:
    return Bubble(
        turn=turn,
        side=turn.speaker,
        time=clock(turn.started_ms),
        seek_seconds=turn.started_ms / 1000,
        confidence="" if turn.confidence is None else f"{turn.confidence:.0%}",
        segments=_segments(turn, longest),
        latency=_spoken_latency(turn),
    )


def _parts(turn: Turn) -> list[tuple[str, str, int]]:
    parts = {name: getattr(turn, f"{name}_ms") or 0 for name, _ in _PARTS}
    # Waiting for the words is a part of deciding that the speech has ended; side by side they must not count twice.
    parts["endpointing"] = max(parts["endpointing"] - parts["stt"], 0)
    return [(name, words, parts[name]) for name, words in _PARTS]


def _bar_length(turn: Turn) -> int:
    return max(sum(ms for _, _, ms in _parts(turn)), turn.total_ms or 0)


def _segments(turn: Turn, longest: int) -> list[Segment]:
    segments, x = [], 0
    for name, _, ms in _parts(turn):
        if ms and longest:
            width = max(round(ms * BAR_UNITS / longest), 1)
            segments.append(Segment(name, x, width))
            x += width
    return segments


def _spoken_latency(turn: Turn) -> str:
    """Say in words what the bar shows."""
    if turn.total_ms is None:
        return ""
    parts = ", ".join(f"{words} {ms}" for _, words, ms in _parts(turn) if ms)
    return f"Answered after {turn.total_ms} ms" + (f" ({parts})" if parts else "")


class TimelineEntry(NamedTuple):
    """One event on the page."""

    time: str
    kind: str
    detail: str


def timeline(events: list[CallEvent]) -> list[TimelineEntry]:
    """Give the events as they are shown."""
    return [
        TimelineEntry(
            clock(event.at_ms),
            event.kind.replace("_", " "),
            ", ".join(
                f"{name.replace('_', ' ')}: {value}"
                for name, value in event.detail.items()
                if value not in ([], {}, "", None)
            ),
        )
        for event in events
    ]


def facts(session: CallSession) -> list[Fact]:
    """Give what is known about the call as a whole; what is not known is left out."""
    version = session.agent_version
    agent_url = reverse("admin:calls_agent_change", args=[session.agent_id]) if session.agent_id else ""
    version_url = reverse("admin:calls_agentversion_change", args=[version.pk]) if version else ""
    lines = [
        Fact("Agent", str(session.agent or ""), agent_url),
        Fact("Version", f"v{version.number}" if version else "", version_url),
        Fact("Came in by", session.get_door_display()),
        Fact("User", str(session.user or "")),
        Fact("Language", session.language),
        Fact("Campaign", session.campaign_id),
        Fact("Lasted", "" if session.duration_ms is None else clock(session.duration_ms)),
        Fact("Ended", session.get_end_reason_display()),
        Fact("Median latency", _ms(session.latency_median_ms)),
        Fact("95 % answered within", _ms(session.latency_p95_ms)),
        *(Fact(f"{{{{{name}}}}}", str(value)) for name, value in session.variables.items()),
        *_speech(session.totals),
        *(
            Fact(name.replace("_", " ").capitalize(), str(value))
            for name, value in session.totals.items()
            if value and not name.startswith(tuple(Speaker))
        ),
        Fact("Process", session.instance),
    ]
    return [line for line in lines if line.value]


def _speech(totals: dict[str, Any]) -> list[Fact]:
    """Say how long each side spoke, and its share of all speech."""
    return [
        Fact(f"{label(speaker)} spoke", f"{clock(totals[f'{speaker}_ms'])} ({totals.get(f'{speaker}_share', 0):.0%})")
        for speaker in Speaker
        if f"{speaker}_ms" in totals
    ]


def _ms(value: int | None) -> str:
    return "" if value is None else f"{value} ms"


def recording_note(session: CallSession, recording: Recording | None, events: list[CallEvent]) -> str:
    """Say what is wrong with the recording; empty when nothing is."""
    stopped = next((event for event in events if event.kind == EventKind.RECORDING_STOPPED), None)
    if stopped is not None:
        reason = stopped.detail.get("reason", "the disk failed")
        return f"The recording stopped at {clock(stopped.at_ms)}: {reason}. The call went on."
    if recording is None:
        return "" if session.is_live else "There is no recording of this call."
    if recording.missing_ms:
        return f"{recording.missing_ms / 1000:.1f} s of sound are missing."
    if not recording.complete:
        return "The process died during the call: up to 2 s of sound may be missing at the end."
    return ""


def waveform(recording: Recording | None, turns: list[Turn]) -> dict[str, Any]:
    """Give what the page's script draws."""
    return {
        "durationMs": recording.duration_ms if recording else 0,
        "peaks": recording.peaks if recording else [],
        "turns": [
            {"startMs": turn.started_ms, "endMs": turn.ended_ms, "isAgent": turn.speaker == Speaker.AGENT}
            for turn in turns
        ],
    }


def title(session: CallSession) -> str:
    """Give the heading."""
    return f"{label(Door(session.door))} call with {session.agent or 'no agent'}"
