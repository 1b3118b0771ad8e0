import pytest

from calls.engine.scripts import is_emoji, is_spaceless, join_pieces


@pytest.mark.parametrize("character", ["你", "の", "ก", "，", "𠀀"])
def test_scripts_without_spaces_are_known(character: str) -> None:
    assert is_spaceless(character)


@pytest.mark.parametrize("character", ["a", "ß", "я", "ع", "한", " "])
def test_scripts_with_spaces_are_known(character: str) -> None:
    assert not is_spaceless(character)


@pytest.mark.parametrize("character", ["😀", "❤", "\ufe0f", "🇩", "⭐", "\u200d"])
def test_what_nobody_can_speak_is_known(character: str) -> None:
    assert is_emoji(character)


@pytest.mark.parametrize("character", ["a", "5", "€", "。"])
def test_what_can_be_spoken_is_no_emoji(character: str) -> None:
    assert not is_emoji(character)


def test_pieces_are_joined_as_their_script_writes_them() -> None:
    assert join_pieces(["One.", "Two."]) == "One. Two."
    assert join_pieces(["你好。", "再见。"]) == "你好。再见。"
    assert join_pieces(["", "One."]) == "One."
    assert join_pieces([]) == ""
