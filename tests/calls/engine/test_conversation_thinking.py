"""The caller makes himself heard before anything of the answer was."""

import pytest

from calls.engine import events as ev
from calls.engine.agent import BargeIn, Endpointing
from calls.enums import CancelReason, ConversationState, Speaker
from tests.calls.engine.scene import Scene, agent

INITIALIZING, LISTENING, THINKING, RESPONDING, INTERRUPTED, ENDED = ConversationState
AGENT, CALLER = Speaker.AGENT, Speaker.CALLER
BARGE_IN = CancelReason.BARGE_IN
WORDS_ONLY = BargeIn(interrupt_after_ms=0)


def test_a_caller_who_goes_on_while_the_agent_thinks_has_one_message_and_one_answer() -> None:
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0)))
    scene.say("I want a table")
    scene.write("For how many?")
    scene.hear(0.3, voiced=True)
    assert scene.of(ev.Cancel) == [ev.Cancel(1, BARGE_IN, "")]
    assert scene.state is INTERRUPTED
    scene.final("for two")
    assert scene.state is LISTENING
    scene.hear(0.7)
    assert scene.generates[-1].messages[1:] == (ev.Message("user", "I want a table for two"),)
    assert scene.history == [("user", "I want a table for two")]
    assert scene.state is THINKING


@pytest.mark.parametrize("barge_in", [BargeIn(), WORDS_ONLY])
def test_an_assent_before_the_answer_is_heard_belongs_to_what_is_answered(barge_in: BargeIn) -> None:
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0), barge_in=barge_in))
    scene.say("Tuesday, you said?")
    scene.hear(0.14, voiced=True)
    scene.final("Okay.")
    scene.hear(0.7)
    assert scene.history == [("user", "Tuesday, you said? Okay.")]
    assert scene.generates[-1].messages[-1].content == "Tuesday, you said? Okay."


def test_a_noise_while_the_agent_thinks_holds_the_answer_up_and_does_not_ask_the_model_again() -> None:
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0)))
    scene.say("I want a table.")
    scene.hear(0.3, voiced=True)
    assert scene.state is INTERRUPTED
    scene.write("For how many?")
    assert scene.spoken == []
    scene.hear(0.7)
    assert [action.messages[1:] for action in scene.generates] == [(ev.Message("user", "I want a table."),)]
    assert scene.spoken == [(2, "For how many?")]
    scene.sound(2, 1000)
    scene.hear(1.2)
    assert scene.turns == [(CALLER, "I want a table.", False), (AGENT, "For how many?", False)]
    assert scene.notes == ["reply_held", "false_interruption"]


def test_words_that_are_taken_back_while_the_agent_thinks_leave_the_question_answered() -> None:
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0)))
    scene.say("I want a table.")
    scene.hear(0.3, voiced=True)
    scene.words("for")
    assert scene.state is LISTENING
    scene.final("")
    scene.hear(0.8)
    assert [action.messages[1:] for action in scene.generates] == [(ev.Message("user", "I want a table."),)] * 2


def test_the_rest_of_a_late_final_takes_back_the_answer_to_its_beginning() -> None:
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0)))
    scene.hear(0.4, voiced=True)
    scene.words("I want a table")
    scene.hear(1.6)
    assert scene.state is THINKING
    scene.final("I want a table for two.")
    assert scene.state is LISTENING
    scene.hear(0.7)
    assert scene.history == [("user", "I want a table for two.")]


def test_the_open_end_of_the_callers_own_voice_does_not_take_back_the_answer() -> None:
    scene = Scene(detects_turns=True)
    scene.hear(0.5, voiced=True)
    scene.send(ev.EndOfTurn("I want a table."))
    scene.send(ev.AudioHeard(scene.audio_ms + 20, scene.audio_ms, 520))
    assert scene.state is THINKING


def test_a_voice_before_the_opening_is_heard_waits_for_it() -> None:
    scene = Scene(opening="Hello there.")
    scene.hear(0.4, voiced=True)
    assert scene.of(ev.Cancel) == []
    scene.sound(1, 1200)
    assert scene.state is RESPONDING


def test_words_before_the_opening_is_heard_replace_it() -> None:
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0)), opening="Hello there.")
    scene.hear(0.4, voiced=True)
    scene.final("Who is this?")
    scene.hear(0.7)
    assert scene.turns == [(CALLER, "Who is this?", False)]
    assert scene.state is THINKING
