from datetime import UTC, datetime, timedelta

from campaigns.breaker import Seen, Trip, judge
from campaigns.enums import Outcome

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
BUSY, ANSWERED, NO_ANSWER = Outcome.BUSY, Outcome.ANSWERED, Outcome.NO_ANSWER


def seen(outcome: Outcome, *, talk: float | None = None, first_audio: float | None = 1.0, days: int = 0) -> Seen:
    talked = 60.0 if talk is None and outcome is ANSWERED else talk
    at = NOW - timedelta(days=days, minutes=1)
    return Seen(at=at, outcome=outcome, talk_seconds=talked, first_audio_seconds=first_audio)


def test_a_healthy_campaign_goes_on() -> None:
    assert judge([seen(outcome) for outcome in [ANSWERED, BUSY, NO_ANSWER, Outcome.VOICEMAIL] * 100], NOW) is None
    assert judge([], NOW) is None


def test_a_carrier_that_errs_half_of_the_time_stops_it() -> None:
    bad = [seen(Outcome.NOT_DIALLED)] * 6 + [seen(Outcome.FAILED)] * 4
    assert judge([seen(BUSY)] * 10 + bad, NOW) == Trip("The carrier fails.", {"calls": 20, "errors": 10, "share": 0.5})
    assert judge([seen(BUSY)] * 11 + bad[1:], NOW) is None
    assert judge(bad, NOW) is None


def test_short_calls_stop_it() -> None:
    good, short = [seen(ANSWERED)] * 10, [seen(ANSWERED, talk=5.9)] * 10
    assert judge(good + short, NOW) == Trip(
        "Too many hang up within 6 seconds.", {"answers": 20, "short": 10, "share": 0.5}
    )
    assert judge(good + short[1:] + good[:1], NOW) is None
    assert judge(short, NOW) is None


def test_a_falling_answer_rate_stops_it_and_a_low_one_does_not() -> None:
    half, few = [seen(ANSWERED), seen(NO_ANSWER)], [seen(NO_ANSWER)] * 3 + [seen(ANSWERED)]
    assert judge(half * 50 + few * 12 + [seen(NO_ANSWER)] * 2, NOW) == Trip(
        "The answer rate has fallen.", {"latest_calls": 50, "latest_rate": 0.24, "rate_before": 0.5}
    )
    assert judge(half * 75, NOW) is None
    rare = [seen(ANSWERED)] * 9 + [seen(NO_ANSWER)] * 91
    assert judge(rare + [seen(NO_ANSWER)] * 50, NOW) is None
    assert judge(half * 49 + [seen(NO_ANSWER)] * 50, NOW) is None


def test_two_in_a_hundred_who_hear_nothing_for_two_seconds_stop_it() -> None:
    late, silent = seen(ANSWERED, first_audio=2.1), seen(ANSWERED, first_audio=None)
    good = [seen(ANSWERED, first_audio=2.0)]
    assert judge([late, silent] + good * 98, NOW) == Trip(
        "Too many who answered heard nothing for two seconds.", {"answers": 100, "abandoned": 2, "share": 0.02}
    )
    assert judge([late] + good * 98, NOW) is None
    assert judge([late] + good * 48, NOW) is None
    assert judge([seen(ANSWERED, first_audio=9, days=31)] * 5 + good * 98, NOW) is None
