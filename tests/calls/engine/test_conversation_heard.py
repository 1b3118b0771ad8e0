"""What was heard of a reply, when it is over, and what stops it but a voice."""

import pytest

from calls.engine import events as ev
from calls.engine.agent import Endpointing
from calls.enums import CancelReason, ConversationState, EndReason, Role, Speaker
from tests.calls.engine.scene import Scene, agent
from tests.calls.engine.test_conversation_barge_in import speaking

INITIALIZING, LISTENING, THINKING, RESPONDING, INTERRUPTED, ENDED = ConversationState
AGENT, CALLER = Speaker.AGENT, Speaker.CALLER


# --- by a button -----------------------------------------------------------------------------------------------------


def test_a_button_stops_the_agent_for_good() -> None:
    scene = speaking()
    scene.hear(1.0)
    actions = scene.send(ev.InterruptRequested())
    assert actions[0] == ev.Cancel(1, CancelReason.REQUESTED, "Hello,")
    assert scene.turns == [(AGENT, "Hello,", True)]
    assert scene.state is LISTENING
    scene.hear(5.0)
    assert scene.generates == []


def test_a_button_stops_an_answer_that_is_being_made() -> None:
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0)))
    scene.say("I want a table.")
    actions = scene.send(ev.InterruptRequested())
    assert actions[0] == ev.Cancel(1, CancelReason.REQUESTED, "")
    assert scene.state is LISTENING
    scene.hear(3.0)
    assert len(scene.generates) == 1


def test_a_button_while_it_listens_does_nothing() -> None:
    assert Scene().send(ev.InterruptRequested()) == []


# --- late pieces, and what was heard ---------------------------------------------------------------------------------


def test_late_pieces_of_a_cancelled_reply_are_ignored() -> None:
    scene = speaking()
    scene.hear(1.0)
    scene.send(ev.InterruptRequested())
    for event in (
        ev.ReplyDelta(1, "more"), ev.ReplyGenerated(1), ev.AudioSent(1, 0, 300), ev.SentenceSent(1, 0), ev.ReplySent(1),
        ev.PlayedOut(1, 9000), ev.ReplyFailed(1, Role.TTS, "gone", retryable=True), ev.SentenceTimed(1, 0, ()),
        ev.ReplyToolRequested(1, ev.ToolRequest("t", "find", "{}")),
    ):  # fmt: skip
        assert scene.send(event) == []
    assert scene.turns == [(AGENT, "Hello,", True)]


def test_a_reply_of_which_nothing_was_heard_leaves_no_message() -> None:
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0)))
    scene.say("I want a table.")
    scene.write("Wonderful idea.")
    scene.sound(1, 1500)
    scene.wait(0.1)
    scene.send(ev.InterruptRequested())
    assert scene.turns == [(CALLER, "I want a table.", False)]
    assert scene.history == [("user", "I want a table.")]


def test_word_times_decide_what_was_heard() -> None:
    scene = speaking(opening="One two three.")
    scene.send(ev.SentenceTimed(1, 0, (ev.Word("One", 0, 100), ev.Word("two", 100, 950))))
    scene.send(ev.SentenceTimed(1, 0, (ev.Word("three", 950, 1400),)))
    scene.wait(1.0)
    scene.send(ev.InterruptRequested())
    assert scene.turns == [(AGENT, "One two", True)]


def test_what_the_far_end_says_overrides_the_clock() -> None:
    scene = speaking(opening="One two three.")
    scene.wait(1.0)
    scene.send(ev.PlayedOut(1, 400))
    scene.send(ev.InterruptRequested())
    assert scene.turns == [(AGENT, "One", True)]


def test_the_agent_counts_as_speaking_until_the_clock_ran_out() -> None:
    scene = speaking(opening="One two three.")
    assert scene.of(ev.CompleteReply) == [ev.CompleteReply(1, "One two three.", None)]
    scene.wait(1.39)
    assert scene.state is RESPONDING
    scene.wait(0.01)
    assert scene.state is LISTENING


def test_the_far_end_may_have_played_everything_earlier() -> None:
    scene = speaking(opening="One two three.")
    scene.wait(0.5)
    scene.send(ev.PlayedOut(1, 1400))
    assert scene.state is LISTENING
    assert scene.turns == [(AGENT, "One two three.", False)]


@pytest.mark.parametrize("says_goodbye", [True, False])
def test_a_process_that_stops_in_the_goodbye_is_not_why_the_call_ends(*, says_goodbye: bool) -> None:
    scene = Scene(agent(), opening="Hello.")
    scene.sound(1, 500)
    scene.wait(1)
    if says_goodbye:
        scene.send(ev.HangUpRequested())
        scene.sound(2, 2000, sent=False)
    scene.send(ev.Disconnected(EndReason.SHUTDOWN))
    assert scene.actions[-1] == ev.Finish(EndReason.CALLER_ENDED if says_goodbye else EndReason.SHUTDOWN)
