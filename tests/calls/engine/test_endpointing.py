import pytest

from calls.engine.agent import Endpointing
from calls.engine.endpointing import eager_ms, is_backchannel, is_same_words, is_unfinished, patience_ms, words_of


@pytest.mark.parametrize(
    "text",
    [
        "and then", "my number is", "I'd like a table for", "I want to", "because", "um", "Well,", "the", "could you",
        "so I went there, and", "I'm", "let me see", "my number is 0 1 7 1", "the code is 12", "one two three",
        "zero one seven", "I need it by", "it's a", "first of all:", "I was thinking...", "My name is.", "ja, und,",
        "hold on", "hmm", "Ah.", "yes I want to", "no but we have", "I don't",
    ],
)  # fmt: skip
def test_words_that_hang_in_the_air_are_unfinished(text: str) -> None:
    assert is_unfinished(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "yes", "I want a table for two", "Where are you from?", "My name is Ada.", "I am 25", "no thanks",
        "It is 10:30", "the code is 1 2 3 4", "my number is 0171 555 1234", "That's fine", "uh-huh", "goodbye",
        "cancel it!", "it costs 20 dollars", "mm-hmm", "Yes, I do.", "yes it is", "No, we don't.", "no it is not",
        "not really", "Why not.", "go on", "415",
    ],
)  # fmt: skip
def test_words_that_make_a_whole_are_finished(text: str) -> None:
    assert not is_unfinished(text)


@pytest.mark.parametrize(
    ("question", "text", "is_open"),
    [
        ("What is your phone number?", "415", True),
        ("What is your phone number?", "415 555", True),
        ("What is your phone number?", "415 555 1234", False),
        ("And the PIN?", "12", True),
        ("And the PIN?", "1234", False),
        ("How many guests?", "12", False),
        ("What is your phone number?", "I will look it up", False),
    ],
)
def test_a_number_that_was_asked_for_is_given_time_to_become_whole(question: str, text: str, is_open: bool) -> None:
    assert is_unfinished(text, question=question) is is_open


def test_of_an_unknown_language_only_punctuation_speaks() -> None:
    assert not is_unfinished("die", "de-DE")
    assert not is_unfinished("quiero the", "es-ES")
    assert is_unfinished("und dann,", "de-DE")
    assert is_unfinished("我想，", "zh-CN")
    assert not is_unfinished("ich möchte das.", "de-DE")


@pytest.mark.parametrize(
    "text",
    [
        "", "...", "uh-huh", "Uh huh.", "mm-hmm", "Mhm", "hmm", "yeah", "Yeah, yeah.", "okay", "right, right", "I see.",
        "got it", "of course", "sure, okay", "ah, I see", "that's right", "Yes.", "um",
    ],
)  # fmt: skip
def test_words_that_only_say_go_on_are_backchannels(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize(
    "text",
    [
        "wait", "no", "stop", "Wait, wait", "hold on", "okay stop", "yeah but", "hello?", "what", "I see a problem",
        "got it thanks", "no no", "excuse me", "sorry", "actually", "right now", "is that right",
    ],
)  # fmt: skip
def test_words_that_want_something_are_none(text: str) -> None:
    assert not is_backchannel(text)


@pytest.mark.parametrize(("text", "is_one"), [("yeah", False), ("sure", False), ("uh-huh", True), ("", True)])
def test_an_assent_to_a_question_is_an_answer(text: str, is_one: bool) -> None:
    assert is_backchannel(text, is_asked=True) is is_one


@pytest.mark.parametrize(
    ("text", "language", "is_one"),
    [
        ("genau", "de-DE", True), ("ja, klar", "de-DE", True), ("nein", "de-DE", False), ("warte", "de", False),
        ("claro", "es-ES", True), ("no", "es-ES", False), ("d'accord", "fr-FR", True), ("attends", "fr-FR", False),
        ("okay", "pt-BR", True), ("嗯", "zh-CN", True), ("はい", "ja-JP", True),
    ],
)  # fmt: skip
def test_backchannels_are_known_in_some_other_languages(text: str, language: str, is_one: bool) -> None:
    assert is_backchannel(text, language) is is_one


def test_words_are_compared_without_case_and_punctuation() -> None:
    assert words_of("I’d like, um — 2 of them!") == ["i'd", "like", "um", "2", "of", "them"]
    assert is_same_words("I want a table", "I want a table.")
    assert is_same_words("uh-huh", "Uh huh")
    assert not is_same_words("I want a table", "I want a table for two")


def test_patience_is_longer_after_unfinished_words() -> None:
    settings = Endpointing(patience_ms=500, unfinished_patience_ms=1500)
    assert patience_ms("I want a table.", settings) == 500
    assert patience_ms("I want a", settings) == 1500


def test_a_reply_on_suspicion_waits_longer_after_unfinished_words() -> None:
    settings = Endpointing(patience_ms=500, eager_ms=200)
    assert eager_ms("I want a table.", settings) == 200
    assert eager_ms("I want a", settings) == 500
    assert eager_ms("I want a table.", Endpointing(eager_ms=0)) is None
