"""The kill test of a campaign can fail: its policy is held against calls, and each breach has its name."""

from collections import Counter

import pytest

from campaigns.pacing import read_retry_policy
from tests.bench.killing.campaign import Books, Subscriber, breaches
from tests.bench.killing.policy import Seen, as_columns, judge
from tests.bench.killing.site import FIRST_NUMBER
from tests.simulators.twilio import Reply, SimulatedCall, TwilioSimulator


def calls(*outcomes: str, apart: float = 20.0, lasting: float = 1.0) -> list[Seen]:
    """Calls to one number one after the other; ``a/b`` may count as either."""
    return [
        Seen(f"CA{index}", index * apart, index * apart + lasting, frozenset(outcome.split("/")))
        for index, outcome in enumerate(outcomes)
    ]


@pytest.mark.parametrize(
    "outcomes",
    [
        ("answered",),
        ("busy", "no_answer", "answered"),
        ("busy", "busy", "busy"),
        ("failed", "failed"),
        ("answered/dropped",),
        ("answered/dropped", "answered"),
        ("answered/dropped", "answered/dropped"),
        ("busy", "answered/dropped", "busy"),
    ],
)
def test_calls_that_the_policy_explains_are_in_order(outcomes: tuple[str, ...]) -> None:
    assert judge(calls(*outcomes)) == ""


@pytest.mark.parametrize("outcomes", [("answered", "answered"), ("busy",) * 4, ("failed",) * 3, ("dropped",) * 3])
def test_a_call_too_many_is_beyond_the_policy(outcomes: tuple[str, ...]) -> None:
    assert judge(calls(*outcomes)) == "dialled beyond the policy"


@pytest.mark.parametrize("outcomes", [(), ("busy",), ("no_answer", "busy"), ("failed",), ("dropped",)])
def test_a_number_that_was_left_is_called_too_seldom(outcomes: tuple[str, ...]) -> None:
    assert judge(calls(*outcomes)) == "called less often than the policy wants, or too early"


def test_a_retry_before_its_time_is_seen() -> None:
    assert judge(calls("busy", "answered", apart=4.0)) == ""
    assert judge(calls("busy", "answered", apart=3.9)) == "called less often than the policy wants, or too early"


def test_two_calls_at_once_are_seen_whatever_they_came_to() -> None:
    assert judge(calls("busy", "answered", lasting=21.0)) == "dialled twice at once"


def test_the_campaign_takes_the_policy_as_it_is_written_here() -> None:
    assert set(read_retry_policy(as_columns())) == {"busy", "no_answer", "failed", "dropped"}


def whole() -> Books:
    """Two contacts, one of whom was called twice."""
    books = Books(2)
    first, again, other = calls("busy", "answered", "answered")
    books.calls = {f"+{FIRST_NUMBER}": [first, again], f"+{FIRST_NUMBER + 1}": [other]}
    books.attempts = [("CA0", "busy", True), ("CA1", "answered", True), ("CA2", "answered", True)]
    books.attempts += [("", "not_dialled", True)]
    books.members = Counter({("finished", "reached"): 2})
    return books


def test_books_that_agree_have_no_breach() -> None:
    assert breaches(whole()) == {}


def test_each_breach_is_named() -> None:
    stranded, short, open_, unknown, doubled, other, nobody = (whole() for _ in range(7))
    stranded.members = Counter({("finished", "reached"): 1, ("calling", ""): 1})
    short.members = Counter({("finished", "reached"): 1})
    open_.attempts[0] = ("CA0", "busy", False)
    unknown.attempts.pop(0)
    doubled.attempts.append(("CA1", "answered", True))
    other.attempts[1] = ("CA1", "dropped", True)
    del nobody.calls[f"+{FIRST_NUMBER + 1}"]
    differs = "the carrier's calls are not the settled attempts"
    assert breaches(stranded) == {"stranded": ["calling "]}
    assert breaches(short) == {"contacts missing": ["1"]}
    assert breaches(open_) == {"not settled": ["CA0"], "settled as something else": ["CA0"]}
    assert breaches(unknown) == {differs: ["CA0"], "settled as something else": ["CA0"]}
    assert breaches(doubled) == {differs: ["CA1"]}
    assert breaches(other) == {"settled as something else": ["CA1"]}
    assert breaches(nobody) == {
        "called less often than the policy wants, or too early": ["560001"],
        differs: ["CA2"],
    }


def test_only_a_kill_in_its_midst_leaves_open_what_an_answered_call_counts_as() -> None:
    with TwilioSimulator(lambda *_: Reply(204, "")) as twilio:
        callee = Subscriber(SimulatedCall(twilio, {"To": "+15005560000", "From": "+15005550006"}), seed=1, exchanges=0)
    callee.answered_at, callee.ended_at = 10.0, 20.0
    assert Books(1, web_killed_at=[9.9, 22.1]).outcomes_of(callee) == {"dropped"}
    callee.heard = [(12.0, 0, "Hello.")]
    assert Books(1, web_killed_at=[9.9, 22.1]).outcomes_of(callee) == {"answered"}
    assert Books(1, web_killed_at=[21.9]).outcomes_of(callee) == {"answered", "dropped"}
    callee.answered_at, callee.outcome = None, "no-answer"
    assert Books(1, web_killed_at=[15.0]).outcomes_of(callee) == {"no_answer"}
