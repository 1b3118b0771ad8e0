import pytest

from calls.engine.agent import Telephone
from calls.engine.openings import FirstWords
from calls.engine.sentences import BREAK
from tests.calls.engine.scene import agent


@pytest.mark.parametrize(
    ("telephone", "text", "protected"),
    [
        (Telephone(), "Hi.", 0),
        (Telephone(notice="I am an AI."), f"I am an AI.{BREAK}Hi.", 1),
        (Telephone(notice="I am an AI.", opening="Tom?"), f"I am an AI.{BREAK}Tom?", 1),
        (Telephone(notice=f"I am an AI.{BREAK}It is recorded."), f"I am an AI.{BREAK}It is recorded.{BREAK}Hi.", 2),
    ],
)
def test_the_notice_comes_first_in_pieces_of_its_own(telephone: Telephone, text: str, protected: int) -> None:
    words = FirstWords.of(agent(telephone=telephone, opening="Hi."), is_telephone=True)
    assert (words.text, words.protected) == (text, protected)


def test_elsewhere_there_is_no_notice() -> None:
    spec = agent(telephone=Telephone(notice="I am an AI.", opening="Tom?"), opening="Hi.")
    assert FirstWords.of(spec, is_telephone=False) == FirstWords("", "Hi.")


def test_an_opening_may_be_protected_as_a_whole() -> None:
    words = FirstWords.of(agent(opening="Hi."), is_telephone=False, is_protected=True)
    assert (words.text, words.protected) == ("Hi.", 1)
