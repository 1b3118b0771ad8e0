import pytest

from calls.engine.events import Word
from calls.providers.pronunciation import Reading


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Use SQL, please.", "Use sequel, please."),
        ("use sql", "use sequel"),
        ("MySQL stays", "MySQL stays"),
        ("(SQL)", "(sequel)"),
        ("St. Ives and St Ives", "Saint Ives and St Ives"),
        ("New York SQL", "Noo Yawk sequel"),
        ("", ""),
    ],
)
def test_whole_words_are_replaced_in_any_case(text: str, spoken: str) -> None:
    assert Reading(text, {"SQL": "sequel", "St.": "Saint", "New York": "Noo Yawk"}).spoken == spoken


def test_word_times_come_back_in_any_pieces_as_they_are_written() -> None:
    reading = Reading("Ask SQL now", {"SQL": "sequel server"})
    assert reading.restore([Word("Ask", 0, 1)]) == (Word("Ask", 0, 1),)
    assert reading.restore([Word("sequel", 1, 2), Word("server", 2, 3)]) == (Word("SQL", 1, 3),)
    assert reading.restore([Word("now", 3, 4)]) == (Word("now", 3, 4),)


def test_a_synthesiser_that_counts_otherwise_is_given_way() -> None:
    reading = Reading("Ask SQL now", {"SQL": "sequel server"})
    words = [Word("Ask", 0, 1), Word("sequelserver", 1, 3), Word("now", 3, 4)]
    assert reading.restore(words) == tuple(words)


@pytest.mark.parametrize(
    ("text", "is_speakable"), [("...", False), ("?!", False), ("Ja.", True), ("你好", True), ("7", True)]
)
def test_what_makes_no_sound_is_known(text: str, is_speakable: bool) -> None:
    assert Reading(text, {}).is_speakable is is_speakable
