"""What any recogniser is to know is plain, is what the engine looks for, and is nobody's part in the sandbox."""

import re

from calls.demo import DEMO_AGENT
from calls.engine.answered import STANDING_SENTENCES, read_cues
from calls.engine.endpointing import words_of
from calls.engine.wishes import Wish, find_wish
from calls.enums import AnsweredBy
from calls.sandbox.personas.wordings import WORDINGS

LONG_CLAUSE = 5
EVERYBODYS = "how can i help you"


def test_sentences_are_in_the_form_in_which_words_are_compared_and_there_is_none_twice() -> None:
    assert [" ".join(words_of(sentence)) for sentence in STANDING_SENTENCES] == list(STANDING_SENTENCES)
    assert len(set(STANDING_SENTENCES)) == len(STANDING_SENTENCES)


def test_every_machine_and_every_wish_is_among_what_they_say() -> None:
    kinds = {read_cues([sentence]).kind for sentence in STANDING_SENTENCES}
    assert kinds == set(AnsweredBy)
    assert {find_wish(sentence) for sentence in STANDING_SENTENCES} == {None, *Wish}


def clauses(text: str) -> set[str]:
    """Split at punctuation; shorter clauses are everybody's."""
    parts = (" ".join(words_of(part)) for part in re.split(r"[.,:;?!]", text))
    return {part for part in parts if len(part.split()) >= LONG_CLAUSE}


def test_no_line_of_a_persona_and_no_long_clause_of_one_is_taught_beyond_what_the_agent_itself_knows() -> None:
    known = {example for intent in DEMO_AGENT.intents for example in intent.examples}
    lines = [line for wordings in WORDINGS.values() for wording in wordings for line in wording if line]
    whole = {" ".join(words_of(line)) for line in lines}
    assert (whole | set[str]().union(*map(clauses, lines))) & set(STANDING_SENTENCES) - known == {EVERYBODYS}
