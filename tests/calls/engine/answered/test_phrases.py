import pytest

from calls.engine.answered.phrases import LIKELY, OF_A_PERSON, REFUSAL, SURE


@pytest.mark.parametrize("words", ["the person you called isn't available", "we have to decline goodbye"])
def test_a_refusal_is_known(words: str) -> None:
    assert REFUSAL.search(words)
    assert not REFUSAL.search("one moment i will connect you")


def test_no_phrase_is_found_in_nothing_and_each_block_is_a_pattern_of_its_own() -> None:
    blocks = [block for level in (SURE, LIKELY) for names in level.values() for block in names.values()]
    blocks += OF_A_PERSON.values()
    assert [block.pattern for block in blocks if block.search("") or block.search("x")] == []
    assert len({block.pattern for block in blocks}) == len(blocks)


def test_a_phrase_begins_where_a_word_begins() -> None:
    announcement = SURE[next(iter(SURE))]["leave_a_message"]
    assert announcement.search("leave a message")
    assert not announcement.search("cleave a message")
