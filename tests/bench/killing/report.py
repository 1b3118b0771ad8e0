"""What a kill test found: the person's side of every call against what is stored."""

import sys
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from tests.bench.killing.callee import Callee, Stream
from tests.bench.killing.site import Site

LIMIT_SECONDS = 60.0
"""Within this time a call that lost its process goes on, or is closed with its reason."""
AUDIBLE_SECONDS = 0.5
"""A turn counts as finished when it was heard to its end so long before the break: marks are on their way, and the
agent's own clock has to find the turn over."""

_GIVEN_UP = {"apology", "no TwiML"}


@dataclass
class Ledger:
    """What was done, and what the database says in the end. Streams are named ``attempt.number``."""

    calls: int
    most_kills: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    hit: int = 0
    dialled: Counter[str] = field(default_factory=Counter)
    attempt_closed_at: dict[str, float] = field(default_factory=dict)
    session_closed_at: dict[str, float] = field(default_factory=dict)
    is_settled: bool = False
    turns: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def read(self, site: Site) -> None:
        """Read the stored turns of each call by the carrier's id, and how everything ended."""
        said = site.rows(
            "SELECT a.carrier_sid, t.speaker, t.text FROM calls_turn t"
            " JOIN calls_callstream s ON s.session_id = t.session_id JOIN calls_callattempt a ON a.id = s.attempt_id"
        )
        for sid, speaker, text in said:
            self.turns.setdefault(sid, Counter())[speaker, text] += 1
        self.statuses = Counter(dict(site.rows("SELECT status, count(*) FROM calls_callattempt GROUP BY status")))
        self.reasons = Counter(
            dict(site.rows("SELECT end_reason, count(*) FROM calls_callsession GROUP BY end_reason"))
        )


def stream_name(attempt: str | UUID, number: str | int) -> str:
    """Give the one name of a stream, however a database or a token writes its attempt."""
    return f"{UUID(str(attempt)).hex}.{number}"


def lost_turns(ledger: Ledger, callee: Callee) -> list[tuple[str, str]]:
    """Give the turns that were finished on the person's side and are not stored."""
    finished: Counter[tuple[str, str]] = Counter()
    for at, number, text in callee.heard:
        broke_at = callee.streams[number].ended_at
        if broke_at is None or broke_at - at >= AUDIBLE_SECONDS:
            finished["agent", text] += 1
    finished.update(("caller", text) for text in callee.answered)
    stored = _joined(ledger.turns.get(callee.call.sid, Counter()))
    return list((finished - stored).elements())


def _joined(turns: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """Count each piece of a turn of several: the words of a caller whom nobody answered yet, the agent's sentences."""
    pieces: Counter[tuple[str, str]] = Counter()
    for (speaker, text), count in turns.items():
        pieces[speaker, text] += count
        if speaker == "caller":
            pieces.update({(speaker, word): count for word in text.split() if word != text})
        else:
            whole = text.replace(". ", ".|").split("|")
            pieces.update({(speaker, piece): count for piece in whole if piece != text})
    return pieces


def resumptions(callees: list[Callee]) -> list[tuple[Stream, Stream]]:
    """Give each stream that broke with the one that followed."""
    return [
        (before, after)
        for callee in callees
        for before, after in zip(callee.streams, callee.streams[1:], strict=False)
        if before.broke_at is not None
    ]


def closings(ledger: Ledger, callees: list[Callee]) -> dict[str, float | None]:
    """Give, for each call that is over at the carrier, how long after it was closed here; None: never."""
    taken: dict[str, float | None] = {}
    for callee in callees:
        if callee.ended_at is not None:
            at = ledger.attempt_closed_at.get(callee.call.sid)
            taken[callee.call.sid] = None if at is None else max(at - callee.ended_at, 0.0)
        for stream in callee.streams:
            if stream.ended_at is None or stream.first_audio_at is None:
                continue
            name = stream_name(*stream.token.split(":")[0].split("."))
            at = ledger.session_closed_at.get(name)
            taken[name] = None if at is None else max(at - stream.ended_at, 0.0)
    return taken


def resume_seconds(before: Stream, after: Stream) -> float | None:
    """Give the seconds from the break to the first audio of the next stream."""
    if before.broke_at is None or after.first_audio_at is None:
        return None
    return after.first_audio_at - before.broke_at


def failures(ledger: Ledger, callees: list[Callee]) -> list[str]:
    """Say what was not survived."""
    twice = [number for number, count in ledger.dialled.items() if count > 1]
    lost = [turn for callee in callees for turn in lost_turns(ledger, callee)]
    late = [name for name, taken in closings(ledger, callees).items() if taken is None or taken > LIMIT_SECONDS]
    slow = [taken for pair in resumptions(callees) if (taken := resume_seconds(*pair)) and taken > LIMIT_SECONDS]
    wrong = {
        f"{len(twice)} numbers dialled twice": twice,
        f"{len(lost)} finished turns lost, such as {lost[:3]}": lost,
        f"{len(late)} calls or conversations not closed within {LIMIT_SECONDS:g} s": late,
        f"{len(slow)} calls resumed later than {LIMIT_SECONDS:g} s": slow,
        "something is on the line for ever": () if ledger.is_settled else ("live",),
    }
    return [words for words, found in wrong.items() if found]


def show(ledger: Ledger, callees: list[Callee]) -> None:
    """Print the figures."""
    pairs = resumptions(callees)
    resumed = [taken for pair in pairs if (taken := resume_seconds(*pair)) is not None]
    heard = [(after, after.first_audio_at) for _, after in pairs if after.first_audio_at is not None]
    closed = [taken for taken in closings(ledger, callees).values() if taken is not None]
    given_up = sum(callee.outcome in _GIVEN_UP for callee in callees)
    twice = sum(count > 1 for count in ledger.dialled.values())
    lines = {
        "killed": kills(ledger.killed, ledger.most_kills),
        "numbers called": f"{len(ledger.dialled)} of {ledger.calls}, twice: {twice}",
        "streams hit by a kill": f"{ledger.hit}",
        "streams that broke": f"{len(pairs) + given_up}, went on {len(resumed)}, call ended with an apology {given_up}",
        "break to first audio": _spread(resumed),
        "request to first audio": _spread([at - after.asked_at for after, at in heard]),
        "TwiML to first audio": _spread([at - after.told_at for after, at in heard]),
        "over to closed here": _spread(closed),
        "turns finished, lost": f"{sum(len(c.heard) + len(c.answered) for c in callees)}, "
        f"{sum(len(lost_turns(ledger, callee)) for callee in callees)}",
        "how calls ended": ", ".join(f"{name} {n}" for name, n in Counter(c.outcome for c in callees).most_common()),
        "attempts": ", ".join(f"{name} {count}" for name, count in ledger.statuses.most_common()),
        "conversations": ", ".join(f"{name} {count}" for name, count in ledger.reasons.most_common()),
    }
    for name, value in lines.items():
        sys.stdout.write(f"{name:<24}{value}\n")


def kills(killed: Counter[str], most: int) -> str:
    """Say who was killed, and how often of how often it was meant to be."""
    each = ", ".join(f"{name} {count}" for name, count in sorted(killed.items()))
    return f"{killed.total()} of {most} at most: {each or 'nobody'}"


def _spread(values: list[float]) -> str:
    if not values:
        return "none"
    ordered = sorted(values)
    at = [ordered[min(int(len(ordered) * share), len(ordered) - 1)] for share in (0.5, 0.95)]
    return f"p50 {at[0]:.2f} s, p95 {at[1]:.2f} s, most {ordered[-1]:.2f} s, of {len(ordered)}"
