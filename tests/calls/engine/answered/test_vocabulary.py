"""What any recogniser is to know is plain, is what the engine looks for, and is nobody's part in the sandbox."""

from calls.demo import DEMO_AGENT
from calls.engine.answered import STANDING_SENTENCES, read_cues
from calls.engine.endpointing import words_of
from calls.engine.wishes import Wish, find_wish
from calls.enums import AnsweredBy
from calls.sandbox.personas.wordings import WORDINGS


def test_sentences_are_in_the_form_in_which_words_are_compared_and_there_is_none_twice() -> None:
    assert [" ".join(words_of(sentence)) for sentence in STANDING_SENTENCES] == list(STANDING_SENTENCES)
    assert len(set(STANDING_SENTENCES)) == len(STANDING_SENTENCES)


def test_every_machine_and_every_wish_is_among_what_they_say() -> None:
    kinds = {read_cues([sentence]).kind for sentence in STANDING_SENTENCES}
    assert kinds == set(AnsweredBy)
    assert {find_wish(sentence) for sentence in STANDING_SENTENCES} == {None, *Wish}


def test_no_line_of_a_persona_is_taught_beyond_what_the_agent_itself_knows() -> None:
    known = {example for intent in DEMO_AGENT.intents for example in intent.examples}
    lines = {
        " ".join(words_of(line)) for wordings in WORDINGS.values() for wording in wordings for line in wording if line
    }
    assert lines & set(STANDING_SENTENCES) - known == set()
