"""How often a campaign must have called each number, worked out again from what the carrier saw. Pure.

It shares no code with the product: the policy is written down here once more, and the outcomes are the carrier's.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

MOST_ATTEMPTS = 3
RETRIES: Mapping[str, tuple[int, float]] = {
    "busy": (2, 3.0),
    "no_answer": (2, 5.0),
    "failed": (1, 4.0),
    "dropped": (1, 2.0),
}
"""Outcome to how often, and how many seconds later, it is tried again; what is not named is final."""


def as_columns() -> dict[str, dict[str, int]]:
    """Give the policy as a campaign stores it."""
    return {name: {"retries": times, "after_seconds": int(after)} for name, (times, after) in RETRIES.items()}


@dataclass(frozen=True)
class Seen:
    """One call at the carrier, on its clock. ``outcomes``: what it may count as; more than one where a kill hit it."""

    sid: str
    placed_at: float
    ended_at: float
    outcomes: frozenset[str]


def judge(calls: Sequence[Seen]) -> str:
    """Say what is wrong with the calls to one number, the earliest first; empty: nothing."""
    if any(before.ended_at > after.placed_at for before, after in pairwise(calls)):
        return "dialled twice at once"
    if _fits(calls, Counter()):
        return ""
    if any(_fits(calls[:most], Counter()) for most in range(len(calls))):
        return "dialled beyond the policy"
    return "called less often than the policy wants, or too early"


def _fits(calls: Sequence[Seen], before: Counter[str]) -> bool:
    """Whether the policy explains these calls, all of them and no more, after what has been ``before``."""
    if not calls:
        return False
    call, rest = calls[0], calls[1:]
    for outcome in call.outcomes:
        times, after = RETRIES.get(outcome, (0, 0.0))
        goes_on = before.total() + 1 < MOST_ATTEMPTS and before[outcome] < times
        if goes_on != bool(rest):
            continue
        if not rest or (rest[0].placed_at >= call.ended_at + after and _fits(rest, before + Counter([outcome]))):
            return True
    return False
