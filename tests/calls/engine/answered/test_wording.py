"""Words speak for a machine or for a person."""

import pytest

from calls.engine.answered import asked_key, is_greeting, read_cues
from calls.enums import AnsweredBy

HUMAN, VOICEMAIL, SCREENING, IVR = AnsweredBy


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (VOICEMAIL, "Hi, you've reached Kim. I can't come to the phone right now."),
        (VOICEMAIL, "please live your message after the tong"),
        (VOICEMAIL, "the subscriber you have dialed is switched off"),
        (VOICEMAIL, "deje su mensaje después de la señal"),
        (VOICEMAIL, "発信音の後にメッセージをどうぞ"),
        (SCREENING, "if you record your name and reason for calling i'll see if this person is available"),
        (SCREENING, "hello this is the digital assistant taking calls for kim please say your name"),
        (SCREENING, "what is your name and the purpose of your call i will see whether i can connect you"),
        (SCREENING, "the customer that you called wants to know your name"),
        (SCREENING, "calls from withheld numbers are not taken say your name"),
        (IVR, "for sales press one for support press two"),
        (IVR, "or sails press on four whatever press to"),
        (IVR, "thanks for calling choose two if you like"),
        (IVR, "your call may be recorded please listen carefully as our options have changed"),
        (IVR, "para español oprima el dos"),
        (HUMAN, "hello"),
        (HUMAN, "good morning acme this is kim"),
        (HUMAN, "please hold"),
        (HUMAN, "this call is recorded how can i help you"),
        (HUMAN, "you've reached kim"),
        (HUMAN, "do you want to leave a message"),
        (HUMAN, "can i have your name and the reason for your call please"),
        (HUMAN, "thanks for calling this is kim"),
        (HUMAN, "you have to press two on that one"),
        (HUMAN, "sorry who is this i never listen to my voicemail"),
        (HUMAN, ""),
    ],
)
def test_words_speak_for_somebody(kind: AnsweredBy, words: str) -> None:
    assert read_cues([words]).kind is kind


def test_what_is_said_last_counts() -> None:
    machine, person = "please leave a message after the tone", "hello?"
    assert read_cues([machine, person]).kind is HUMAN
    assert read_cues([person, machine]).kind is VOICEMAIL


def test_a_persons_phrase_before_a_machines_leaves_a_doubt() -> None:
    assert read_cues(["leave a message after the tone"]).is_clean
    assert not read_cues(["she's out leave a message after the tone"]).is_clean
    assert read_cues(["hello", "leave a message after the tone"]).is_clean


def test_the_names_of_phrases_are_told_and_not_the_words() -> None:
    assert read_cues(["we are closed please leave a message"]).names == ("leave_a_message",)


def test_the_same_sentence_twice_is_a_machines() -> None:
    once = read_cues(["name and reason please"])
    assert (once.kind, read_cues(["name and reason please"] * 2).kind) == (HUMAN, SCREENING)


@pytest.mark.parametrize(
    ("words", "is_one"),
    [("hello", True), ("Yes, hello?", True), ("hi this is kim", True), ("hello who is this", False), ("stop", False)],
)
def test_a_greeting_is_no_more_than_that(words: str, is_one: bool) -> None:
    assert is_greeting(words) is is_one


def test_one_likely_phrase_leans_to_a_machine_unless_a_person_has_spoken() -> None:
    assert read_cues(["something with your name and a cat"]).leaning is SCREENING
    assert read_cues(["something with your name who is this"]).leaning is None
    assert read_cues(["a cat"]).leaning is None
    assert read_cues(["say your name and why you are calling"]).leaning is None, "that is enough to say it"


def test_an_assistant_may_ask_as_a_person_does_once_it_is_plain_what_it_is() -> None:
    assistant = "the person you are calling uses call screening who is this please say your name"
    assert (read_cues([assistant]).kind, read_cues([assistant]).is_clean) == (SCREENING, True)


def test_the_surest_phrase_of_a_kind_counts_for_all_of_them() -> None:
    assert (
        read_cues(["press one press two to hear"]).score == read_cues(["press one press two to hear dial three"]).score
    )


@pytest.mark.parametrize(
    ("words", "key"),
    [("please press five now", "5"), ("press the number won or press two", "1"), ("press on", None), ("hello", None)],
)
def test_the_key_that_is_asked_for_is_told_though_a_recogniser_spells_it_otherwise(words: str, key: str | None) -> None:
    assert asked_key(words) == key
