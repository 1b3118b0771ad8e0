"""Words speak for a machine or for a person."""

import pytest

from calls.engine.answered import is_greeting, read_cues
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
        (IVR, "for sales press one for support press two"),
        (IVR, "your call may be recorded please listen carefully as our options have changed"),
        (IVR, "para español oprima el dos"),
        (HUMAN, "hello"),
        (HUMAN, "good morning acme this is kim"),
        (HUMAN, "please hold"),
        (HUMAN, "this call is recorded how can i help you"),
        (HUMAN, "you've reached kim"),
        (HUMAN, "do you want to leave a message"),
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
