from types import SimpleNamespace

from calls.engine.events import EagerEndOfTurn, EndOfTurn, TranscriptReceived, TurnResumed
from calls.providers.deepgram.audiolog import AudioLog
from calls.providers.deepgram.dialects import Flux, Nova
from tests.calls.providers.hearing import PCM8


def test_the_log_drops_the_oldest_and_counts_only_what_was_never_sent() -> None:
    log = AudioLog(PCM8, limit_seconds=1.0)
    log.append(bytes(16_000))
    assert len(log.take(0.25)) == 4000
    assert log.append(bytes(3000)) == 0
    assert log.append(bytes(3000)) == 2000
    assert (log.base, log.cursor, log.head, log.dropped_ms) == (6000, 6000, 22_000, 125.0)


def test_the_log_keeps_what_was_not_sent_even_when_it_is_released() -> None:
    log = AudioLog(PCM8)
    log.append(bytes(range(100)))
    log.take(0.001)
    log.release(60)
    assert (log.base, log.cursor) == (16, 16)
    log.take(1.0)
    log.release(60)
    log.rewind()
    assert log.take(1.0) == bytes(range(60, 100))


def turn_info(event: str, transcript: str = "", end: float = 1.0, words: tuple[tuple[str, float], ...] = ()) -> object:
    spoken = [SimpleNamespace(word=word, end=at, confidence=1.0) for word, at in words]
    return SimpleNamespace(type="TurnInfo", event=event, transcript=transcript, audio_window_end=end, words=spoken)


def test_a_turn_longer_than_the_log_keeps_its_first_words() -> None:
    flux = Flux()
    flux.read(turn_info("StartOfTurn", "one two", words=(("one", 0.5), ("two", 21.0))))
    flux.reconnect(10.0, 12.0)
    assert flux.read(turn_info("EndOfTurn", "two three")) == ([EndOfTurn("one two three")], 1.0)


def test_a_turn_that_the_replay_does_not_find_again_ends_with_the_words_heard() -> None:
    flux = Flux()
    flux.read(turn_info("StartOfTurn", "one two"))
    flux.reconnect(0.0, 1.0)
    assert flux.read(turn_info("Update", "", end=1.5)) == ([], None)
    assert flux.read(turn_info("Update", "", end=2.0)) == ([EndOfTurn("one two")], 0.5)


def test_an_eager_end_is_not_repeated_by_a_replay() -> None:
    flux = Flux()
    flux.read(turn_info("StartOfTurn", "one"))
    assert flux.read(turn_info("EagerEndOfTurn", "one")) == ([EagerEndOfTurn("one")], None)
    flux.reconnect(0.0, 1.0)
    assert flux.read(turn_info("StartOfTurn", "one")) == ([], None)
    assert flux.read(turn_info("EagerEndOfTurn", "one")) == ([], None)
    assert flux.read(turn_info("EagerEndOfTurn", "one two")) == ([TurnResumed(), EagerEndOfTurn("one two")], None)


def test_an_event_that_flux_learns_later_is_passed_over() -> None:
    assert Flux().read(turn_info("Sneeze")) == ([], None)


def test_an_utterance_end_settles_what_no_speech_final_did() -> None:
    nova = Nova()
    best = SimpleNamespace(transcript="hello", confidence=None)
    results = SimpleNamespace(
        type="Results", is_final=True, speech_final=False, from_finalize=None, start=0.0, duration=1.0,
        channel=SimpleNamespace(alternatives=[best]),
    )  # fmt: skip
    assert nova.read(results) == ([TranscriptReceived("hello", is_final=True)], 1.0)
    end = SimpleNamespace(type="UtteranceEnd")
    assert nova.read(end) == ([TranscriptReceived("", is_final=True, is_settled=True)], None)
    assert nova.read(end) == ([], None)
