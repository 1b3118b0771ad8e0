import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.engine.sentences import BREAK, MarkerFilter, SentenceCutter, clause_start, is_question, speakable


def cut(text: str, size: int = 1, *, is_first: bool = False) -> list[str]:
    """Feed a text in deltas of this size."""
    cutter, marker, pieces = SentenceCutter(is_first=is_first), MarkerFilter(), []
    for at in range(0, len(text), size):
        for part in marker.feed(text[at : at + size]):
            pieces += cutter.cut() if part is None else cutter.feed(part)
    return [*pieces, *cutter.feed(marker.finish()), *cutter.cut()]


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("One. Two.", ["One.", "Two."]),
        ("Is it? Yes! Good.", ["Is it?", "Yes!", "Good."]),
        ("What?! Really.", ["What?!", "Really."]),
        ("No end mark", ["No end mark"]),
        ("", []),
        ("   ", []),
        ("Dr. Smith and Mrs. Jones came.", ["Dr. Smith and Mrs. Jones came."]),
        ("It is e.g. this one, i.e. mine. Good.", ["It is e.g. this one, i.e. mine.", "Good."]),
        ("J. R. Smith is in. Come.", ["J. R. Smith is in.", "Come."]),
        ("That is what I. Then.", ["That is what I.", "Then."]),
        ("Come at 10:30 a.m. or later. Bye.", ["Come at 10:30 a.m. or later.", "Bye."]),
        ("He came at 5 p.m. Then he left.", ["He came at 5 p.m.", "Then he left."]),
        ("I live in the U.S. It is big.", ["I live in the U.S.", "It is big."]),
        ("A Ph.D. student came. Yes.", ["A Ph.D. student came.", "Yes."]),
        ("The U.S. army is big. Yes.", ["The U.S. army is big.", "Yes."]),
        ("Acme Inc. sells it. Acme Inc. Then.", ["Acme Inc. sells it.", "Acme Inc.", "Then."]),
        ("Pi is 3.14 or so. Yes.", ["Pi is 3.14 or so.", "Yes."]),
        ("It costs $3.50. Or 1,000.00 euros.", ["It costs $3.50.", "Or 1,000.00 euros."]),
        ("Room No. 5 is free. Come.", ["Room No. 5 is free.", "Come."]),
        ("Go to www.example.com/a.b. Then call.", ["Go to www.example.com/a.b.", "Then call."]),
        ("Write to a.b@example.co.uk. Thanks.", ["Write to a.b@example.co.uk.", "Thanks."]),
        ("Version 2.0.1 is out. Try.", ["Version 2.0.1 is out.", "Try."]),
        ("Well... maybe later. Fine.", ["Well... maybe later.", "Fine."]),
        ("Well... Then come. Fine.", ["Well...", "Then come.", "Fine."]),
        ("Wait… I see. Fine.", ["Wait…", "I see.", "Fine."]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("(Really.) Yes.", ["(Really.)", "Yes."]),
        ("1. First thing\n2. Second thing", ["1. First thing", "2. Second thing"]),
        ("- one\n- two\n\n* three", ["one", "two", "three"]),
        ("# Title\nText here. More.", ["Title", "Text here.", "More."]),
        ("One.||BREAK||Two", ["One.", "Two"]),
        ("One||BREAK||two||BREAK||", ["One", "two"]),
        ("||BREAK||One", ["One"]),
        ("One | two || three. Four.", ["One | two || three.", "Four."]),
        ("你好！今天天气很好，我们去公园。好吗？", ["你好！", "今天天气很好，我们去公园。", "好吗？"]),
        ("「行きます。」と言った。はい。", ["「行きます。」", "と言った。", "はい。"]),
        ("هل هذا صحيح؟ نعم. شكرا", ["هل هذا صحيح؟", "نعم.", "شكرا"]),
        ("यह ठीक है। धन्यवाद।", ["यह ठीक है।", "धन्यवाद।"]),
        ("Fine 😀. Good 👍🏽!", ["Fine .", "Good !"]),
        ("**Bold** and *soft* `code`. [Link](http://x.y/z) here.", ["Bold and soft code.", "Link here."]),
        ("🙂🙂", []),
        ("3 * 4 is 12. snake_case stays.", ["3 * 4 is 12.", "snake_case stays."]),
    ],
)
def test_a_text_is_cut_into_its_sentences_however_it_arrives(size: int, text: str, pieces: list[str]) -> None:
    assert cut(text, size) == pieces


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Sure, I can help with that, of course. Now?", ["Sure, I can help with that,", "of course.", "Now?"]),
        ("Yes. Sure, I can do that, too.", ["Yes.", "Sure, I can do that, too."]),
        ("We open at 10:30 on weekdays: come then.", ["We open at 10:30 on weekdays:", "come then."]),
        ("It is 1,000,000 of them, right?", ["It is 1,000,000 of them,", "right?"]),
        ("今天我们的餐厅从九点开到下午五点，请来。", ["今天我们的餐厅从九点开到下午五点，", "请来。"]),
    ],
)  # fmt: skip
def test_the_first_piece_is_a_clause_and_later_ones_are_whole_sentences(
    size: int, text: str, pieces: list[str]
) -> None:
    assert cut(text, size, is_first=True) == pieces


def test_a_first_clause_that_is_too_short_is_not_torn_off() -> None:
    assert cut("Yes, we do. Come.", is_first=True) == ["Yes, we do.", "Come."]


def test_a_first_piece_without_any_clause_is_cut_at_a_word() -> None:
    pieces = cut("word " * 40, is_first=True)
    assert all(piece.startswith("word") and piece.endswith("word") for piece in pieces)
    assert len(pieces[0]) <= 90
    assert " ".join(pieces) == ("word " * 40).strip()


def test_a_very_long_sentence_is_cut_at_a_clause_and_nothing_is_lost() -> None:
    text = ", ".join(f"and then came number {number}" for number in range(40)) + "."
    pieces = cut(text)
    assert max(map(len, pieces)) <= 281
    assert all(piece.endswith((",", ".")) for piece in pieces)
    assert " ".join(pieces) == text


def test_a_long_text_without_spaces_is_still_cut() -> None:
    pieces = cut("字" * 700)
    assert "".join(pieces) == "字" * 700
    assert max(map(len, pieces)) <= 281


def test_a_piece_is_given_as_soon_as_its_end_is_certain() -> None:
    cutter = SentenceCutter()
    assert cutter.feed("Hello!") == []
    assert cutter.feed(" H") == ["Hello!"]
    assert cutter.feed("ow are you? Fin") == ["How are you?"]
    assert cutter.cut() == ["Fin"]
    assert cutter.cut() == []


@pytest.mark.parametrize("split", range(1, len(BREAK)))
def test_a_marker_split_over_deltas_is_found(split: int) -> None:
    marker = MarkerFilter()
    assert [*marker.feed("a" + BREAK[:split]), *marker.feed(BREAK[split:] + "b")] == ["a", None, "b"]
    assert marker.finish() == ""


def test_what_only_looked_like_a_marker_is_text() -> None:
    marker = MarkerFilter()
    assert [*marker.feed("a ||BRE"), *marker.feed("AD")] == ["a ", "||BREAD"]
    assert [*marker.feed("x||"), marker.finish()] == ["x", "||"]


@given(st.text(alphabet="ab|BREAK. ,\n", max_size=60), st.integers(1, 7))
def test_no_marker_is_ever_spoken_or_shown(text: str, size: int) -> None:
    marker, shown = MarkerFilter(), []
    for at in range(0, len(text), size):
        shown += [part for part in marker.feed(text[at : at + size]) if part is not None]
    assert "".join([*shown, marker.finish()]) == text.replace(BREAK, "")
    assert not any(BREAK in piece for piece in cut(text, size))


@given(st.text(alphabet="abc .,!?1\n。，", max_size=200), st.integers(1, 50), st.booleans())
def test_every_letter_is_spoken_once_and_in_order(text: str, size: int, is_first: bool) -> None:
    pieces = cut(text, size, is_first=is_first)
    spoken = "".join(character for piece in pieces for character in piece if character.isalnum())
    assert spoken == "".join(character for character in text if character.isalnum())
    assert all(speakable(piece) for piece in pieces)


@given(st.text(max_size=120))
def test_any_text_can_be_made_speakable(text: str) -> None:
    made = speakable(text)
    assert made == made.strip()
    assert "\n" not in made


@pytest.mark.parametrize(
    ("heard", "start"),
    [
        ("", 0),
        ("Sure", 0),
        ("Sure,", 6),
        ("Sure, I can do", 6),
        ("Sure, I can do that;", 21),
        ("Sure, I can do that; at 10:30 it", 21),
        ("Sure, I can do that; at 10:30 it is 1,000.", 42),
    ],
)
def test_the_clause_that_was_cut_is_found(heard: str, start: int) -> None:
    assert clause_start("Sure, I can do that; at 10:30 it is 1,000.", len(heard)) == start


@pytest.mark.parametrize(
    ("text", "heard", "rest"),
    [
        ("I talked to Dr. Smith about it.", "I talked to Dr. Smith", "I talked to Dr. Smith about it."),
        ("Yes, J. R. Tolkien wrote it.", "Yes, J. R. Tolkien", "J. R. Tolkien wrote it."),
        ("He came. Then No. 5 was free.", "He came. Then No. 5", "Then No. 5 was free."),
        ('He said "Stop." Then he left.', 'He said "Stop." Then', "Then he left."),
    ],
)
def test_an_abbreviation_ends_no_clause(text: str, heard: str, rest: str) -> None:
    assert text[clause_start(text, len(heard)) :] == rest


def test_a_clause_is_found_in_a_script_without_spaces() -> None:
    assert clause_start("好的，我来办。", 4) == 3


@given(st.text(max_size=60), st.integers(0, 60))
def test_a_clause_begins_at_or_before_the_cut_or_behind_its_spaces(text: str, heard: int) -> None:
    start = clause_start(text, heard)
    assert 0 <= start <= len(text)
    assert start <= heard or not text[heard:start].strip()


@pytest.mark.parametrize("text", ["Is it?", 'He asked: "Is it?"', "是吗？", "Is it? "])
def test_a_question_is_known_by_its_end(text: str) -> None:
    assert is_question(text)
    assert not is_question(text + " It is.")
