"""Keys, lines that somebody else wants said, and tools that take their time."""

from calls.engine import events as ev
from calls.engine.asides import KeysPressed, LineGiven, ToolDelayed
from calls.enums import ConversationState, EndReason
from tests.calls.engine.scene import Scene

FIND = ev.ToolRequest("t1", "find", "{}")


def asking() -> Scene:
    """The model asked for a tool and said nothing yet."""
    scene = Scene()
    scene.say("Find it.")
    scene.send(ev.ReplyToolRequested(1, FIND))
    scene.send(ev.ReplyGenerated(1))
    return scene


def play(scene: Scene, duration_ms: float) -> None:
    """Have everything that is to be spoken sent and played, each sentence of this length."""
    reply, sentence = scene.of(ev.Speak)[-1].reply, scene.of(ev.Speak)[-1].sentence
    scene.send(ev.AudioSent(reply, sentence, duration_ms))
    scene.send(ev.SentenceSent(reply, sentence))
    if ev.EndSpeech(reply) in scene.actions:
        scene.send(ev.ReplySent(reply))
    scene.wait(duration_ms / 1000 + 0.01)


def said(scene: Scene) -> list[str]:
    return [action.text for action in scene.of(ev.Speak)]


def test_keys_are_a_turn_of_the_callers_after_which_silence_is_noticed() -> None:
    scene = Scene()
    scene.send(KeysPressed("12"))
    assert scene.generates[0].messages[-1] == ev.Message("user", "Pressed 1 2")
    scene.answer("Thank you.")
    scene.wait(11.5)
    assert said(scene) == ["Thank you.", "Are you still there?"]


def test_a_given_line_is_said_at_once_and_the_call_goes_on() -> None:
    scene = Scene(opening="Hello there, this is Ada calling.")
    scene.send(LineGiven("Nobody took your call."))
    assert said(scene)[-1] == "Nobody took your call."
    play(scene, 1000)
    assert scene.conversation.state is ConversationState.LISTENING
    assert scene.conversation.messages[-1] == ev.Message("assistant", "Nobody took your call.")


def test_a_given_last_line_ends_the_call_when_it_was_played() -> None:
    scene = Scene()
    scene.send(LineGiven("Please call us back. Goodbye.", EndReason.OPERATOR))
    assert scene.of(ev.Finish) == []
    play(scene, 2000)
    assert scene.of(ev.Finish) == [ev.Finish(EndReason.OPERATOR)]


def test_a_farewell_is_not_replaced_by_another_line() -> None:
    scene = Scene()
    scene.send(LineGiven("Goodbye.", EndReason.OPERATOR))
    assert scene.send(LineGiven("And one more thing.")) == []


def test_a_slow_tool_is_bridged_and_the_model_reads_the_line_before_its_request() -> None:
    scene = asking()
    scene.send(ToolDelayed(1, "One moment, please."))
    assert said(scene) == ["One moment, please."]
    play(scene, 800)
    scene.send(ev.ToolReturned(1, FIND, "On its way."))
    assert scene.generates[1].messages[2:] == (
        ev.Message("assistant", "One moment, please.", (FIND,)),
        ev.Message("tool", "On its way.", tool_call_id="t1"),
    )
    scene.send(ev.ReplyDelta(1, "It is on its way."))
    scene.send(ev.ReplyGenerated(1))
    assert said(scene) == ["One moment, please.", "It is on its way."]


def test_a_tool_that_has_answered_is_not_bridged() -> None:
    scene = asking()
    scene.send(ev.ToolReturned(1, FIND, "There."))
    scene.send(ev.ReplyDelta(1, "There"))
    assert scene.send(ToolDelayed(1, "One moment.")) == []


def test_an_interruption_while_a_tool_is_bridged_leaves_a_consistent_history() -> None:
    scene = asking()
    scene.send(ToolDelayed(1, "One moment, please, I am looking."))
    scene.send(ev.AudioSent(1, 0, 2000))
    scene.hear(0.3, voiced=True)
    scene.final("Never mind, stop.")
    scene.hear(0.7)
    roles = [(message.role, bool(message.tool_requests)) for message in scene.generates[-1].messages[1:]]
    assert roles == [("user", False), ("assistant", True), ("tool", False), ("user", False)]
    assert scene.send(ev.ToolReturned(1, FIND, "late")) == []


def test_a_tool_may_end_the_call_with_words() -> None:
    scene = asking()
    last = LineGiven("I'll put you through now.", EndReason.TRANSFERRED)
    scene.send(ev.ToolReturned(1, FIND, "Done.", last))
    assert said(scene) == ["I'll put you through now."]
    play(scene, 2000)
    assert scene.of(ev.Finish) == [ev.Finish(EndReason.TRANSFERRED)]


def test_what_follows_a_tool_is_awaited_longer_than_a_reply() -> None:
    scene = asking()
    scene.wait(20)
    assert scene.of(ev.ReportError) == []
    scene.send(ev.ToolReturned(1, FIND, "There."))
    assert len(scene.generates) == 2
