"""What sounds alike on a bad line, and what does not."""

import pytest

from calls.providers.scripted.sounds import likeness


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("choose day at ten", "tuesday at ten"),
        ("thirsty", "thursday"),
        ("sounds could", "sounds good"),
        ("well yes lease then", "yes please"),
        ("dell me more", "tell me more"),
    ],
)
def test_words_that_a_bad_line_confuses_sound_alike(heard: str, meant: str) -> None:
    assert likeness(heard.split(), meant.split()) >= 0.75


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("what is the price", "thursday at two"),
        ("the first one", "the second one"),
        ("my cat is sick", "i have a minute"),
        ("", "tuesday"),
    ],
)
def test_other_words_do_not(heard: str, meant: str) -> None:
    assert likeness(heard.split(), meant.split()) < 0.75


def test_the_same_is_wholly_alike_wherever_it_stands() -> None:
    assert likeness("well then thursday afternoon maybe".split(), ["thursday", "afternoon"]) == 1.0


def test_of_very_short_phrases_nothing_is_said() -> None:
    assert likeness(["no"], ["no"]) == 0.0
