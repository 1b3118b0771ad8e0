import pytest

from calls.engine.agent import Endpointing
from calls.engine.events import AudioHeard, TranscriptReceived
from calls.engine.hearing import Ear


def ear(*, detects_turns: bool = False, **settings: int) -> Ear:
    made = Ear(Endpointing(**settings), "en-US")
    made.start(0.0, detects_turns=detects_turns)
    return made


def speak(made: Ear, until_ms: float = 1000, voiced_until_ms: float | None = None, voiced_ms: float = 500) -> None:
    """Let the audio clock stand at ``until_ms``, and the wall clock with it."""
    voiced_until = until_ms if voiced_until_ms is None else voiced_until_ms
    made.hear(AudioHeard(until_ms, voiced_until, voiced_ms), until_ms / 1000)
    made.update(until_ms / 1000)


def silence(made: Ear, until_ms: float) -> None:
    made.hear(AudioHeard(until_ms, 1000, 0), until_ms / 1000)
    made.update(until_ms / 1000)


def read(made: Ear, text: str, now: float = 1.0, *, final: bool = False, settled: bool = False) -> bool:
    return made.read(TranscriptReceived(text, final, 0.8, settled), now)


def test_finals_and_the_newest_interim_make_the_text() -> None:
    made = ear()
    speak(made)
    assert read(made, "I want")
    assert read(made, "I want a table.", final=True)
    assert read(made, "For")
    assert read(made, "For two")
    assert made.text == "I want a table. For two"


def test_a_transcript_that_says_nothing_new_changes_nothing() -> None:
    made = ear()
    speak(made)
    read(made, "Hello")
    assert not read(made, "Hello")
    assert not read(made, "", final=False, settled=True)


def test_confidence_is_weighed_by_length() -> None:
    made = ear()
    made.read(TranscriptReceived("aaaa", is_final=True, confidence=1.0), 1.0)
    made.read(TranscriptReceived("bb", is_final=True, confidence=0.4), 1.0)
    assert made.confidence == pytest.approx(0.8)
    assert ear().confidence == 1.0


def test_patience_counts_audio_and_not_the_wall_clock() -> None:
    made = ear(patience_ms=600)
    speak(made)
    read(made, "Hello there.", final=True, settled=True)
    made.hear(AudioHeard(1500, 1000, 0), 60.0)
    made.update(60.0)
    assert not made.is_over(60.0)
    made.hear(AudioHeard(1600, 1000, 0), 60.1)
    made.update(60.1)
    assert made.is_over(60.1)


def test_a_settled_final_ends_the_wait_and_never_the_patience() -> None:
    made = ear(patience_ms=600)
    speak(made)
    read(made, "Hello there.", final=True, settled=True)
    silence(made, 1500)
    assert not made.is_over(1.5)


def test_after_the_patience_the_recogniser_is_waited_for() -> None:
    made = ear(patience_ms=600, recogniser_wait_ms=900)
    speak(made)
    read(made, "Hello there")
    silence(made, 1600)
    assert not made.is_over(1.6)
    assert made.next_timeout() == pytest.approx(2.5)
    assert made.is_over(2.5)


def test_unfinished_words_are_given_more_patience() -> None:
    made = ear(patience_ms=600, unfinished_patience_ms=1400)
    speak(made)
    read(made, "My number is", final=True, settled=True)
    silence(made, 2300)
    assert not made.is_over(2.3)
    silence(made, 2400)
    assert made.is_over(2.4)


def test_the_recogniser_is_asked_once_in_each_pause() -> None:
    made = ear(patience_ms=600, eager_ms=250)
    speak(made)
    read(made, "Hello there")
    silence(made, 1200)
    assert not made.take_flush(1.2)
    silence(made, 1260)
    assert made.take_flush(1.26)
    assert not made.take_flush(1.26)
    silence(made, 1700)
    assert not made.take_flush(1.7)
    speak(made, 2000)
    silence_from = 2700
    made.hear(AudioHeard(silence_from, 2000, 0), 2.7)
    made.update(2.7)
    assert made.take_flush(2.7)


def test_a_recogniser_that_said_its_last_word_is_not_asked() -> None:
    made = ear(patience_ms=600, eager_ms=250)
    speak(made)
    read(made, "Hello there.", final=True, settled=True)
    silence(made, 1700)
    assert not made.take_flush(1.7)


def test_a_voice_without_words_is_asked_for_when_the_patience_ran_out() -> None:
    made = ear(patience_ms=600, eager_ms=250)
    speak(made)
    silence(made, 1300)
    assert not made.take_flush(1.3)
    silence(made, 1600)
    assert made.take_flush(1.6)


def test_a_settled_answer_covers_only_what_was_heard_when_it_was_asked_for() -> None:
    made = ear(patience_ms=200)
    speak(made)
    read(made, "Hello")
    silence(made, 1300)
    assert made.take_flush(1.3)
    speak(made, 1400, voiced_ms=100)
    read(made, "Hello there.", 1.45, final=True, settled=True)
    made.hear(AudioHeard(1700, 1400, 0), 1.7)
    made.update(1.7)
    assert not made.is_settled
    assert not made.is_over(1.7)


def test_without_any_further_audio_the_wall_clock_ends_the_turn() -> None:
    made = ear(patience_ms=600, recogniser_wait_ms=900)
    speak(made)
    read(made, "Hello there")
    assert made.next_timeout() == pytest.approx(2.0)
    made.update(2.0)
    assert made.take_flush(2.0)
    assert made.next_timeout() == pytest.approx(2.9)
    assert made.is_over(2.9)


def test_a_closed_microphone_needs_no_patience() -> None:
    made = ear()
    speak(made)
    read(made, "and", final=True, settled=True)
    made.end_input()
    made.update(1.0)
    assert made.is_over(1.0)


def test_audio_opens_the_microphone_again() -> None:
    made = ear()
    made.end_input()
    speak(made)
    assert not made.is_input_ended


def test_words_that_voice_detection_missed_are_given_patience_too() -> None:
    made = ear(patience_ms=600)
    made.hear(AudioHeard(5000, 0, 0), 5.0)
    read(made, "hello there", 5.0)
    made.update(5.0)
    assert not made.is_eager(5.0)
    made.hear(AudioHeard(5600, 0, 0), 5.6)
    made.update(5.6)
    assert made.is_eager(5.6)
    assert made.next_timeout() == pytest.approx(6.5)


def test_an_utterance_has_its_own_place_in_time() -> None:
    made = ear()
    speak(made, 1000, voiced_ms=400)
    read(made, "Hello.", final=True, settled=True)
    silence(made, 1600)
    utterance = made.take(1.6)
    assert (utterance.number, utterance.text) == (1, "Hello.")
    assert utterance.confidence == pytest.approx(0.8)
    assert utterance.began_at == pytest.approx(0.6)
    assert utterance.ended_at == pytest.approx(1.0)
    assert utterance.duration_ms == pytest.approx(400)
    assert made.number == 2


def test_taking_leaves_nothing_behind() -> None:
    made = ear()
    speak(made)
    read(made, "Hello.", final=True, settled=True)
    made.take(1.5)
    assert (made.text, made.has_speech, made.next_timeout()) == ("", False, None)


def test_a_noise_takes_no_number() -> None:
    made = ear()
    speak(made)
    assert made.take(2.0).text == ""
    assert made.number == 1


@pytest.mark.parametrize(
    ("final", "rest"),
    [
        ("I want a table.", ""),
        ("I want a stable.", ""),
        ("I want a table for two.", "for two."),
        ("i WANT a table, please", "please"),
        ("Something else entirely here", ""),
        ("", ""),
    ],
)
def test_the_late_final_of_words_already_used_gives_only_what_is_new(final: str, rest: str) -> None:
    made = ear()
    speak(made)
    read(made, "I want a table")
    silence(made, 2600)
    made.take(2.6)
    read(made, final, 2.7, final=True)
    assert made.text == rest


def test_new_speech_after_used_words_is_kept_whole() -> None:
    made = ear()
    speak(made)
    read(made, "I want a table")
    silence(made, 2600)
    made.take(2.6)
    speak(made, 3000, voiced_ms=300)
    read(made, "Nothing like before", 3.0)
    assert made.text == "Nothing like before"


def test_used_words_are_recognised_without_spaces_too() -> None:
    made = ear()
    speak(made)
    read(made, "我想预订")
    made.take(2.6)
    read(made, "我想预订一张桌子。", 2.7, final=True)
    assert made.text == "一张桌子。"


def test_used_words_are_forgotten_when_the_recogniser_went_on() -> None:
    made = ear()
    speak(made)
    read(made, "yes")
    made.take(2.6)
    read(made, "", 2.7)
    speak(made, 4000, voiced_ms=200)
    read(made, "yes", 4.0)
    assert made.text == "yes"


def test_voice_counts_only_since_the_last_utterance() -> None:
    made = ear()
    speak(made, 1000, voiced_ms=500)
    made.take(1.0)
    made.hear(AudioHeard(1020, 1000, 520), 1.02)
    assert made.new_voice_ms == 0.0
    made.hear(AudioHeard(1100, 1080, 600), 1.1)
    assert made.new_voice_ms == 80.0


def test_a_voice_is_wordless_as_long_as_it_brings_no_other_words() -> None:
    made = ear()
    speak(made, 1000, voiced_ms=500)
    assert made.wordless_ms == 500.0
    read(made, "uh-huh")
    speak(made, 1300, voiced_ms=800)
    read(made, "Uh-huh.", now=1.3, final=True)
    assert made.wordless_ms == 300.0


def test_a_turn_detecting_recogniser_ends_the_turn_itself() -> None:
    made = ear(detects_turns=True)
    speak(made)
    made.read_turn("Hello there", 0.7, 1.0, is_ended=False)
    silence(made, 4000)
    assert not made.is_over(4.0)
    assert not made.is_eager(4.0)
    made.read_turn("Hello there.", 0.9, 4.0, is_ended=True)
    assert made.is_over(4.0)
    assert made.take(4.0).text == "Hello there."


def test_a_turn_detecting_recogniser_that_never_ends_is_not_waited_for_for_ever() -> None:
    made = ear(detects_turns=True)
    speak(made)
    read(made, "Hello there")
    silence(made, 7000)
    assert made.take_flush(7.0)
    assert made.is_over(7.9)


def test_the_end_of_a_turn_already_taken_is_none() -> None:
    made = ear(detects_turns=True)
    speak(made)
    read(made, "Hello there")
    made.take(3.0)
    made.read_turn("Hello there.", 0.9, 3.1, is_ended=True)
    assert not made.is_over(3.1)
    assert made.text == ""


def test_a_typed_turn_is_numbered_like_a_spoken_one() -> None:
    made = ear()
    typed = made.take_typed("Hi", 3.0)
    assert (typed.number, typed.text, typed.began_at, typed.ended_at, made.number) == (1, "Hi", 3.0, 3.0, 2)


def test_audio_without_a_voice_passes_by_and_moves_the_clock() -> None:
    made = ear()
    assert [made.pass_by(AudioHeard(20, 0, 0), 0.02), made.pass_by(AudioHeard(40, 0, 0), 0.04)] == [True, True]
    assert made.until_ms == 40


@pytest.mark.parametrize(
    "heard", [AudioHeard(60, 60, 20), AudioHeard(60, 40, 0), AudioHeard(60, 0, 20)], ids=["voice", "ended", "begun"]
)
def test_audio_with_a_voice_does_not_pass_by(heard: AudioHeard) -> None:
    made = ear()
    assert not made.pass_by(heard, 0.06)
    assert made.until_ms == 0


def test_silence_behind_what_was_said_does_not_pass_by() -> None:
    made = ear()
    speak(made)
    silence(made, 1500)
    assert not made.pass_by(AudioHeard(1520, 1000, 0), 1.52)
    made.take(1.6)
    assert made.pass_by(AudioHeard(1620, 1000, 0), 1.62)
    made.end_input()
    assert not made.pass_by(AudioHeard(1640, 1000, 0), 1.64)
