from campaigns.admin.words import explain, remedy
from campaigns.enums import DialReason


def test_every_reason_of_the_gate_has_words_and_a_remedy() -> None:
    told = {reason: (explain(reason), remedy(reason)) for reason in DialReason}
    assert [reason for reason, (words, cure) in told.items() if not (words and cure)] == []
    assert len({words for words, _ in told.values()}) == len(DialReason)


def test_a_reason_of_the_future_is_shown_as_it_is() -> None:
    assert (explain("moon_is_full"), remedy("moon_is_full")) == ("Moon is full", "")
