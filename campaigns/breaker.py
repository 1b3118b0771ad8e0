"""When a campaign must stop by itself: its carrier errs, its calls are cut short, fewer and fewer answer. Pure.

Each check needs a number of calls before it says anything, so that a bad start of five is none. A trip carries its
figures: whoever resumes the campaign sees them, and from then on only newer calls are judged.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from campaigns.enums import Outcome

RATED = frozenset(Outcome) - {Outcome.NOT_DIALLED, Outcome.INVALID_NUMBER}
"""The telephone rang, or was tried to."""
PICKED_UP = frozenset(
    {Outcome.ANSWERED, Outcome.CALLBACK, Outcome.WRONG_NUMBER, Outcome.OPTED_OUT, Outcome.DROPPED, Outcome.VOICEMAIL}
)
LIVE_ANSWERS = PICKED_UP - {Outcome.VOICEMAIL}
"""A person said hello."""

CARRIER_SAMPLE, CARRIER_SHARE = 20, 0.5
SHORT_SAMPLE, SHORT_SHARE, SHORT_SECONDS = 20, 0.5, 6.0
RATE_SAMPLE, RATE_BASE, RATE_FALL, LEAST_RATE = 50, 100, 0.5, 0.1
ABANDONED_SAMPLE, ABANDONED_SHARE, FIRST_AUDIO_SECONDS = 50, 0.02, 2.0
"""The law allows 3 % of a campaign's live answers in 30 days (47 CFR 64.1200(a)(7)); 2 % leaves time to act."""
ABANDONED_DAYS = 30


class Seen(Struct, frozen=True, kw_only=True):
    """One settled attempt, as the breaker looks at it."""

    at: datetime
    outcome: Outcome
    talk_seconds: float | None = None
    """From the answer to the end; None: nobody answered."""
    first_audio_seconds: float | None = None
    """From the answer to the agent's first sound; None: there was none."""


class Trip(Struct, frozen=True):
    """Why a campaign is paused, with the figures."""

    reason: str
    evidence: dict[str, Any]


def judge(attempts: Sequence[Seen], now: datetime) -> Trip | None:
    """Look at a campaign's settled attempts, the oldest first. None: let it go on."""
    return (
        _judge_carrier(attempts[-CARRIER_SAMPLE:])
        or _judge_abandoned([seen for seen in attempts if seen.at > now - timedelta(days=ABANDONED_DAYS)])
        or _judge_short(attempts)
        or _judge_rate(attempts)
    )


def _share(part: int, whole: int) -> float:
    return round(part / whole, 3)


def _judge_carrier(latest: Sequence[Seen]) -> Trip | None:
    if len(latest) < CARRIER_SAMPLE:
        return None
    errors = sum(seen.outcome in {Outcome.NOT_DIALLED, Outcome.FAILED} for seen in latest)
    if errors < CARRIER_SHARE * len(latest):
        return None
    return Trip("The carrier fails.", {"calls": len(latest), "errors": errors, "share": _share(errors, len(latest))})


def _judge_abandoned(attempts: Sequence[Seen]) -> Trip | None:
    live = [seen for seen in attempts if seen.outcome in LIVE_ANSWERS]
    late = [seen for seen in live if seen.first_audio_seconds is None or seen.first_audio_seconds > FIRST_AUDIO_SECONDS]
    if len(live) < ABANDONED_SAMPLE or len(late) < ABANDONED_SHARE * len(live):
        return None
    evidence = {"answers": len(live), "abandoned": len(late), "share": _share(len(late), len(live))}
    return Trip("Too many who answered heard nothing for two seconds.", evidence)


def _judge_short(attempts: Sequence[Seen]) -> Trip | None:
    live = [seen for seen in attempts if seen.outcome in LIVE_ANSWERS][-SHORT_SAMPLE:]
    short = [seen for seen in live if seen.talk_seconds is not None and seen.talk_seconds < SHORT_SECONDS]
    if len(live) < SHORT_SAMPLE or len(short) < SHORT_SHARE * len(live):
        return None
    evidence = {"answers": len(live), "short": len(short), "share": _share(len(short), len(live))}
    return Trip(f"Too many hang up within {SHORT_SECONDS:g} seconds.", evidence)


def _judge_rate(attempts: Sequence[Seen]) -> Trip | None:
    rated = [seen for seen in attempts if seen.outcome in RATED]
    latest, before = rated[-RATE_SAMPLE:], rated[:-RATE_SAMPLE]
    if len(before) < RATE_BASE:
        return None
    now, then = (_share(sum(seen.outcome in PICKED_UP for seen in some), len(some)) for some in (latest, before))
    if then < LEAST_RATE or now > then * RATE_FALL:
        return None
    return Trip("The answer rate has fallen.", {"latest_calls": len(latest), "latest_rate": now, "rate_before": then})
