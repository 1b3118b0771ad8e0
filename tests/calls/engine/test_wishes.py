"""Sayings that ask for no more calls or no recording, and those that only sound like it."""

import pytest

from calls.engine.wishes import Wish, find_wish
from tests.corpus.wishes import load


@pytest.mark.parametrize(("label", "words"), load("dev"))
def test_each_saying_is_understood(label: str, words: str) -> None:
    assert (find_wish(words) or "-") == label


def test_held_out_sayings_are_understood_too() -> None:
    pairs = load("test")
    right = sum((find_wish(words) or "-") == label for label, words in pairs)
    print(f"\n{right} of {len(pairs)} held-out sayings")  # noqa: T201 (to be read)
    assert right >= 0.95 * len(pairs)


def test_both_wishes_at_once_are_the_wish_for_no_calls() -> None:
    assert find_wish("stop recording me and stop calling me") is Wish.NO_CALLS


def test_a_list_that_was_misheard_on_the_telephone_is_one() -> None:
    assert find_wish("take me off your name") is Wish.NO_CALLS
    assert find_wish("take my name off the cake") is None


@pytest.mark.parametrize("words", ["", "...", "もしもし", "a" * 2000])
def test_other_words_ask_for_nothing(words: str) -> None:
    assert find_wish(words) is None
