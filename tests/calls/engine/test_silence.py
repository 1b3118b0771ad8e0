from calls.engine.agent import Silence
from calls.engine.silence import SilenceWatch


def watch(*reprompts: str, limit: int = 2) -> SilenceWatch:
    return SilenceWatch(Silence(reprompt_after_seconds=10, max_reprompts=limit, reprompts=reprompts))


def test_silence_counts_from_the_last_sign_or_from_the_floor() -> None:
    quiet = watch("Hello?")
    quiet.note_sign(5.0)
    assert quiet.ends_at(3.0) == 15.0
    assert quiet.ends_at(7.0) == 17.0


def test_who_types_is_waited_for_until_he_is_heard() -> None:
    quiet = watch("Hello?")
    quiet.note_typing()
    quiet.note_sign(5.0)
    assert quiet.ends_at(0.0) is None
    quiet.note_voice(6.0)
    assert quiet.ends_at(0.0) == 16.0


def test_the_last_question_is_repeated_until_it_was_asked_often_enough() -> None:
    quiet = watch("Hello?", "Still there?", limit=3)
    assert [quiet.take_reprompt(1.0) for _ in range(4)] == ["Hello?", "Still there?", "Still there?", None]
    quiet.note_turn()
    assert quiet.take_reprompt(1.0) == "Hello?"


def test_without_any_words_for_it_nothing_is_asked() -> None:
    assert watch().take_reprompt(1.0) is None
