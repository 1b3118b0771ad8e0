"""The kill test can fail: what it looks for is found where it is."""

from collections import Counter

import pytest

from tests.bench.killing.callee import Callee, Stream
from tests.bench.killing.modem import Demodulator, modulate
from tests.bench.killing.report import Ledger, failures, lost_turns
from tests.simulators.twilio import Reply, SimulatedCall, TwilioSimulator

ATTEMPT = "0193000000007000800000000000a001"


@pytest.mark.parametrize("size", [1, 160, 10_000])
def test_words_come_back_out_of_their_sound_however_it_is_cut(size: int) -> None:
    said = ["Hello.", "Größe, 你好", "x" * 200]
    sound = b"\xff" * 50 + b"".join(map(modulate, said)) + modulate("broken off")[:600] + modulate("The end.")
    modem, heard = Demodulator(), list[str]()
    for at in range(0, len(sound), size):
        heard += modem.feed(sound[at : at + size])
    assert heard == [*said, "The end."]


def person() -> Callee:
    """A call of two streams: one answer heard on each, the second one cut off by a break a moment later."""
    with TwilioSimulator(lambda *_: Reply(204, "")) as twilio:
        call = SimulatedCall(twilio, {"To": "+15005560000", "From": "+15005550006"})
    callee = Callee(call, seed=0, exchanges=1)
    first = Stream(f"{ATTEMPT}.1:x", 0.0, 0.5, first_audio_at=1.0, broke_at=10.0, ended_at=10.0)
    second = Stream(f"{ATTEMPT}.2:x", 10.0, 10.5, first_audio_at=12.0, ended_at=20.0)
    callee.streams = [first, second]
    callee.heard = [(5.0, 0, "Hello."), (9.9, 0, "Heard word1."), (15.0, 1, "Sorry, I lost you.")]
    callee.answered, callee.ended_at = ["word2"], 20.0
    return callee


def whole(callee: Callee) -> Ledger:
    """What a database says that has everything."""
    ledger = Ledger(1, is_settled=True, dialled=Counter({"+15005560000": 1}))
    ledger.turns = {
        callee.call.sid: Counter(
            {("agent", "Hello."): 1, ("agent", "Sorry, I lost you. What was it?"): 1, ("caller", "word1 word2"): 1}
        )
    }
    ledger.attempt_closed_at = {callee.call.sid: 21.0}
    ledger.session_closed_at = {f"{ATTEMPT}.1": 15.0, f"{ATTEMPT}.2": 21.0}
    return ledger


def test_a_call_that_survived_has_no_failures() -> None:
    callee = person()
    assert (lost_turns(whole(callee), callee), failures(whole(callee), [callee])) == ([], [])


def test_each_loss_is_named() -> None:
    callee = person()
    twice, lost, late, slow, live = (whole(callee) for _ in range(5))
    twice.dialled["+15005560000"] = 2
    del lost.turns[callee.call.sid]["caller", "word1 word2"]
    late.session_closed_at[f"{ATTEMPT}.1"] = 71.0
    live.is_settled = False
    assert failures(twice, [callee]) == ["1 numbers dialled twice"]
    assert failures(lost, [callee]) == ["1 finished turns lost, such as [('caller', 'word2')]"]
    assert failures(late, [callee]) == ["1 calls or conversations not closed within 60 s"]
    del late.attempt_closed_at[callee.call.sid]
    assert failures(late, [callee]) == ["2 calls or conversations not closed within 60 s"]
    assert failures(live, [callee]) == ["something is on the line for ever"]
    callee.streams[1].first_audio_at = 75.0
    assert failures(slow, [callee]) == ["1 calls resumed later than 60 s"]
