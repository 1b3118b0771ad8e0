import pytest

from calls.engine.conversation import TRANSITIONS
from calls.engine.events import Finish, RecordEvent, ShowState
from calls.engine.history import History
from calls.engine.stage import Stage
from calls.enums import ConversationState, EndReason
from tests.calls.engine.scene import agent


def stage() -> Stage:
    return Stage(agent(), History("", 1000), TRANSITIONS)


def test_a_move_is_shown_once() -> None:
    made = stage()
    made.move(ConversationState.LISTENING)
    made.move(ConversationState.LISTENING)
    assert made.take_actions() == [ShowState(ConversationState.INITIALIZING, ConversationState.LISTENING)]
    assert made.take_actions() == []


def test_a_move_that_the_table_does_not_allow_is_a_bug() -> None:
    with pytest.raises(ValueError, match="no transition from initializing to responding"):
        stage().move(ConversationState.RESPONDING)


def test_the_end_is_shown_and_nothing_leads_out_of_it() -> None:
    made = stage()
    made.finish(EndReason.SILENCE)
    assert made.take_actions() == [
        ShowState(ConversationState.INITIALIZING, ConversationState.ENDED),
        Finish(EndReason.SILENCE),
    ]
    assert not TRANSITIONS[ConversationState.ENDED]
    assert set(TRANSITIONS) == set(ConversationState)


def test_a_note_becomes_a_recorded_fact() -> None:
    made = stage()
    made.note("barge_in", reply=3)
    assert made.take_actions() == [RecordEvent("barge_in", {"reply": 3})]
