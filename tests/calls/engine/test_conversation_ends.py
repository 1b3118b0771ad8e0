"""Silence, goodbyes, tools, hang-ups and lost lines."""

import pytest

from calls.engine import events as ev
from calls.engine.agent import Endpointing, Silence
from calls.enums import CancelReason, ConversationState, EndReason, ErrorCode, Speaker
from tests.calls.engine.scene import LINES, Scene, agent

INITIALIZING, LISTENING, THINKING, RESPONDING, INTERRUPTED, ENDED = ConversationState
AGENT, CALLER = Speaker.AGENT, Speaker.CALLER
SLOW = Endpointing(eager_ms=0)
GOODBYE = "Thank you. Goodbye."


def asked(text: str = "Goodbye then.", **fields: object) -> Scene:
    """A call in which the caller has said something that is being answered as reply 1."""
    scene = Scene(agent(endpointing=SLOW, **fields))
    scene.say(text)
    assert scene.state is THINKING
    return scene


# --- silence ---------------------------------------------------------------------------------------------------------


def test_silence_is_asked_about_twice_and_then_ends_the_call() -> None:
    scene = Scene(
        agent(silence=Silence(reprompt_after_seconds=10, reprompts=("Hello?", "Still there?"), goodbye="Bye."))
    )
    spoken_at = []
    for reply in (1, 2, 3):
        scene.wait(9.9)
        assert len(scene.spoken) == reply - 1
        scene.wait(0.1)
        spoken_at.append(scene.now)
        scene.sound(reply, 1000)
        scene.wait(1.0)
    assert spoken_at == pytest.approx([110.0, 121.0, 132.0])
    assert scene.turns == [(AGENT, "Hello?", False), (AGENT, "Still there?", False), (AGENT, "Bye.", False)]
    assert scene.of(ev.Finish) == [ev.Finish(EndReason.SILENCE)]


def test_who_speaks_is_not_asked_whether_he_is_there() -> None:
    scene = Scene()
    for _ in range(8):
        scene.hear(4.0)
        scene.hear(0.3, voiced=True)
    assert scene.spoken == []


def test_an_answered_caller_is_given_all_the_reprompts_again() -> None:
    scene = Scene(agent(silence=Silence(max_reprompts=1), endpointing=SLOW))
    scene.wait(10)
    scene.sound(1, 500)
    scene.hear(1.0)
    scene.say("Yes, I am here.")
    scene.answer("Good.")
    scene.wait(12)
    assert [text for _, text in scene.spoken] == ["Are you still there?", "Good.", "Are you still there?"]


def test_who_closed_his_microphone_or_types_is_not_asked() -> None:
    closed, typing = Scene(), Scene(agent(endpointing=SLOW))
    closed.hear(0.1)
    closed.send(ev.InputEnded())
    closed.wait(100)
    assert closed.spoken == []
    typing.send(ev.TextTyped("Hi"))
    typing.answer("Hello.")
    typing.wait(100)
    assert [text for _, text in typing.spoken] == ["Hello."]


def test_a_caller_who_comes_back_over_the_goodbye_keeps_the_call() -> None:
    scene = Scene(agent(silence=Silence(max_reprompts=0), endpointing=SLOW))
    scene.hear(10.1)
    scene.sound(1, 2000)
    scene.hear(0.5)
    scene.hear(0.3, voiced=True)
    scene.final("Wait, I am here.")
    scene.hear(0.7)
    assert scene.state is THINKING
    assert scene.of(ev.Finish) == []


def test_silence_without_any_words_for_it_just_ends_the_call() -> None:
    scene = Scene(agent(silence=Silence(reprompts=(), goodbye="")))
    scene.wait(10)
    assert scene.actions[-1] == ev.Finish(EndReason.SILENCE)


# --- the longest call ------------------------------------------------------------------------------------------------


def test_the_longest_call_ends_with_a_goodbye_in_the_middle_of_an_answer() -> None:
    scene = asked(max_duration_seconds=10, max_duration_goodbye="Time is up.")
    scene.write("One two three four five.")
    scene.sound(1, 20_000)
    scene.wait(110 - scene.now)
    assert scene.of(ev.Cancel)[0].reason is CancelReason.SUPERSEDED
    assert scene.spoken[-1] == (2, "Time is up.")
    scene.sound(2, 1000)
    scene.wait(1.0)
    assert [text for _, text, _ in scene.turns] == ["Goodbye then.", "One two", "Time is up."]
    assert scene.of(ev.Finish) == [ev.Finish(EndReason.MAX_DURATION)]


def test_nobody_interrupts_the_last_words() -> None:
    scene = Scene(agent(max_duration_seconds=10, max_duration_goodbye="Time is up."))
    scene.hear(9.9)
    scene.hear(0.2)
    scene.sound(1, 1000)
    scene.hear(0.3, voiced=True)
    scene.words("But wait, I have a question")
    scene.hear(0.8)
    assert scene.of(ev.Cancel) == []
    assert scene.of(ev.Finish) == [ev.Finish(EndReason.MAX_DURATION)]


# --- hanging up ------------------------------------------------------------------------------------------------------


def test_a_hang_up_plays_the_goodbye_and_then_finishes() -> None:
    scene = Scene(opening="Hello, this is Ada.")
    scene.sound(1, 1900)
    scene.wait(1.0)
    actions = scene.send(ev.HangUpRequested())
    assert actions[0] == ev.Cancel(1, CancelReason.HANG_UP, "Hello,")
    assert scene.spoken[-1] == (2, GOODBYE)
    scene.sound(2, 1500)
    scene.wait(1.4)
    assert scene.of(ev.Finish) == []
    scene.wait(0.1)
    assert scene.turns == [(AGENT, "Hello,", True), (AGENT, GOODBYE, False)]
    assert scene.of(ev.Finish) == [ev.Finish(EndReason.CALLER_ENDED)]


def test_a_hang_up_keeps_what_the_caller_was_saying() -> None:
    scene = Scene(agent(endpointing=SLOW))
    scene.hear(0.3, voiced=True)
    scene.words("I want")
    scene.send(ev.HangUpRequested())
    assert scene.turns == [(CALLER, "I want", False)]
    assert scene.generates == []


def test_a_hang_up_discards_a_reply_on_suspicion() -> None:
    scene = Scene()
    scene.say("I want a table.", silence=0.4)
    assert ev.Discard(1) in scene.send(ev.HangUpRequested())


def test_a_second_hang_up_does_not_wait_for_the_goodbye() -> None:
    scene = Scene()
    scene.send(ev.HangUpRequested())
    assert scene.send(ev.HangUpRequested())[-1] == ev.Finish(EndReason.CALLER_ENDED)


def test_a_button_over_the_last_words_ends_the_call_now() -> None:
    scene = Scene()
    scene.send(ev.HangUpRequested())
    scene.sound(1, 1500)
    scene.wait(0.5)
    actions = scene.send(ev.InterruptRequested())
    assert actions[0] == ev.Cancel(1, CancelReason.REQUESTED, "Thank")
    assert actions[-1] == ev.Finish(EndReason.CALLER_ENDED)


def test_without_a_goodbye_a_hang_up_finishes_at_once() -> None:
    scene = Scene(agent(goodbye=""))
    assert scene.send(ev.HangUpRequested())[-1] == ev.Finish(EndReason.CALLER_ENDED)


# --- the line --------------------------------------------------------------------------------------------------------


def test_a_lost_line_records_what_was_heard_on_both_sides() -> None:
    scene = Scene(opening="Hello, this is Ada.")
    scene.sound(1, 1900)
    scene.wait(1.0)
    scene.send(ev.Disconnected(EndReason.SHUTDOWN))
    assert scene.turns == [(AGENT, "Hello,", True)]
    assert scene.actions[-2:] == [ev.ShowState(RESPONDING, ENDED), ev.Finish(EndReason.SHUTDOWN)]


def test_a_line_lost_while_the_caller_interrupts_records_both() -> None:
    scene = Scene(opening="Hello, this is Ada.")
    scene.sound(1, 1900)
    scene.hear(1.0)
    scene.hear(0.3, voiced=True)
    scene.words("No thanks", settled=True)
    scene.send(ev.Disconnected())
    assert scene.turns == [(AGENT, "Hello, this", True), (CALLER, "No thanks", False)]


def test_words_that_the_recogniser_still_has_when_the_line_is_lost_are_a_turn() -> None:
    scene = Scene(opening="Hello, this is Ada.")
    scene.sound(1, 1900)
    scene.hear(1.0)
    scene.hear(0.4, voiced=True)
    assert ev.FlushRecogniser() in scene.send(ev.Disconnected())
    assert scene.send(ev.TextTyped("Nobody reads this any more.")) == []
    scene.wait(0.3)
    scene.final("Call me tomorrow.")
    assert scene.turns == [(AGENT, "Hello, this", True), (CALLER, "Call me tomorrow.", False)]
    assert scene.generates == []
    assert scene.actions[-1] == ev.Finish(EndReason.CALLER_DISCONNECTED)


@pytest.mark.parametrize("again", [EndReason.SHUTDOWN, EndReason.CALLER_DISCONNECTED])
def test_a_recogniser_without_further_words_does_not_hold_a_lost_line(again: EndReason) -> None:
    scene = Scene()
    scene.hear(0.4, voiced=True)
    scene.words("Call me")
    scene.send(ev.Disconnected())
    scene.wait(0.85)
    assert scene.of(ev.Finish) == []
    scene.wait(0.1)
    assert scene.turns == [(CALLER, "Call me", False)]
    assert scene.actions[-1] == ev.Finish(EndReason.CALLER_DISCONNECTED)

    scene = Scene()
    scene.hear(0.4, voiced=True)
    scene.send(ev.Disconnected())
    assert scene.send(ev.Disconnected(again))[-1] == ev.Finish(again)


def test_a_line_lost_before_the_start_ends_the_call() -> None:
    scene = Scene(start=False)
    assert scene.send(ev.Disconnected())[-1] == ev.Finish(EndReason.CALLER_DISCONNECTED)


@pytest.mark.parametrize("event", [ev.TextTyped("Hi"), ev.TimePassed(), ev.CallStarted(), ev.HangUpRequested()])
def test_after_the_end_nothing_follows(event: ev.Event) -> None:
    scene = Scene()
    scene.send(ev.Disconnected())
    assert scene.send(event) == []
    assert scene.conversation.next_timeout() is None


# --- tools -----------------------------------------------------------------------------------------------------------


def end_call(arguments: str) -> ev.ReplyToolRequested:
    return ev.ReplyToolRequested(1, ev.ToolRequest("t1", "end_call", arguments))


@pytest.mark.parametrize(
    ("arguments", "spoken"),
    [
        ('{"goodbye": "See you, Eve!"}', "See you, Eve!"),
        ("{}", GOODBYE),
        ("", GOODBYE),
        ("not json", GOODBYE),
        ('["goodbye"]', GOODBYE),
        ('{"goodbye": 5}', GOODBYE),
    ],
)
def test_the_model_hangs_up_after_its_goodbye_was_played(arguments: str, spoken: str) -> None:
    scene = asked()
    scene.send(end_call(arguments))
    scene.send(ev.ReplyGenerated(1))
    assert scene.spoken == [(1, spoken)]
    assert scene.of(ev.EndSpeech) == [ev.EndSpeech(1)]
    scene.sound(1, 1500)
    scene.wait(1.4)
    assert scene.of(ev.Finish) == []
    scene.wait(0.1)
    assert scene.turns[-1] == (AGENT, spoken, False)
    assert scene.of(ev.Finish) == [ev.Finish(EndReason.AGENT_SAID_GOODBYE)]
    assert scene.of(ev.CallTool) == []


def test_a_goodbye_that_was_already_said_is_not_said_again() -> None:
    scene = asked()
    scene.write("It was a pleasure. Goodbye!", done=False)
    scene.send(end_call('{"goodbye": "Goodbye!"}'))
    scene.send(ev.ReplyGenerated(1))
    assert [text for _, text in scene.spoken] == ["It was a pleasure.", "Goodbye!"]


def test_a_goodbye_follows_what_the_model_said_before() -> None:
    scene = asked()
    scene.write("It was a pleasure.", done=False)
    scene.send(end_call('{"goodbye": "Take care."}'))
    scene.send(ev.ReplyGenerated(1))
    scene.sound(1, 1000, 1000)
    scene.wait(2)
    assert scene.turns[-1] == (AGENT, "It was a pleasure. Take care.", False)


def test_a_caller_who_interrupts_the_goodbye_keeps_the_call_and_the_history_is_answered() -> None:
    scene = asked()
    scene.send(end_call('{"goodbye": "Take care and goodbye."}'))
    scene.send(ev.ReplyGenerated(1))
    scene.sound(1, 2200)
    scene.hear(1.2)
    scene.hear(0.3, voiced=True)
    scene.final("Wait, one more thing.")
    scene.hear(0.7)
    request = ev.ToolRequest("t1", "end_call", '{"goodbye": "Take care and goodbye."}')
    result = "The caller interrupted before this was finished. The call goes on."
    assert scene.generates[-1].messages[2:] == (
        ev.Message("assistant", "", (request,)),
        ev.Message("tool", result, tool_call_id="t1"),
        ev.Message("assistant", "Take care and"),
        ev.Message("user", "Wait, one more thing."),
    )
    assert scene.of(ev.Finish) == []


def test_an_agent_without_the_tool_cannot_be_made_to_hang_up() -> None:
    scene = asked(tools=())
    scene.send(end_call("{}"))
    assert scene.of(ev.CallTool) == [ev.CallTool(1, ev.ToolRequest("t1", "end_call", "{}"))]


def test_another_tool_is_called_and_the_model_goes_on_with_its_answer() -> None:
    scene = asked("Where is my order?")
    scene.write("Let me look.", done=False)
    request = ev.ToolRequest("t1", "find_order", '{"id": 7}')
    scene.send(ev.ReplyToolRequested(1, request))
    assert scene.of(ev.CallTool) == [ev.CallTool(1, request)]
    scene.send(ev.ToolReturned(1, request, "On its way."))
    assert len(scene.generates) == 1
    scene.send(ev.ReplyGenerated(1, ev.Usage(50, 10)))
    assert scene.generates[1] == ev.Generate(1, (
        ev.Message("system", "Be kind."),
        ev.Message("user", "Where is my order?"),
        ev.Message("assistant", "Let me look.", (request,)),
        ev.Message("tool", "On its way.", tool_call_id="t1"),
    ))  # fmt: skip
    scene.write("It is on its way.", usage=ev.Usage(60, 5))
    scene.sound(1, 500, 900)
    scene.wait(2)
    assert scene.spoken == [(1, "Let me look."), (1, "It is on its way.")]
    turn = scene.of(ev.Record)[-1].turn
    assert (turn.text, turn.usage) == ("Let me look. It is on its way.", ev.Usage(110, 15))
    assert [role for role, _ in scene.history] == ["user", "assistant", "tool", "assistant"]


def test_two_tools_of_one_message_are_both_awaited() -> None:
    scene = asked("Find both.")
    one, two = ev.ToolRequest("t1", "find", "1"), ev.ToolRequest("t2", "find", "2")
    scene.send(ev.ReplyToolRequested(1, one))
    scene.send(ev.ReplyToolRequested(1, two))
    scene.send(ev.ReplyGenerated(1))
    scene.send(ev.ToolReturned(1, two, "two"))
    assert len(scene.generates) == 1
    scene.send(ev.ToolReturned(1, one, "one"))
    assert scene.generates[1].messages[2:] == (
        ev.Message("assistant", "", (one, two)),
        ev.Message("tool", "one", tool_call_id="t1"),
        ev.Message("tool", "two", tool_call_id="t2"),
    )


def test_a_tool_that_never_answers_is_answered_for_it() -> None:
    scene = asked("Find it.")
    request = ev.ToolRequest("t1", "find", "{}")
    scene.send(ev.ReplyToolRequested(1, request))
    scene.send(ev.ReplyGenerated(1))
    scene.wait(34.9)
    assert len(scene.generates) == 1
    scene.wait(0.2)
    assert scene.generates[1].messages[-1] == ev.Message("tool", "The tool did not answer in time.", tool_call_id="t1")


def test_an_interrupted_tool_leaves_an_answered_request_in_the_history() -> None:
    scene = asked("Find it.")
    request = ev.ToolRequest("t1", "find", "{}")
    scene.send(ev.ReplyToolRequested(1, request))
    scene.send(ev.ReplyGenerated(1))
    scene.hear(0.3, voiced=True)
    scene.final("Never mind, stop.")
    scene.hear(0.7)
    assert [(message.role, message.tool_call_id) for message in scene.generates[-1].messages[1:]] == [
        ("user", ""), ("assistant", ""), ("tool", "t1"), ("user", ""),
    ]  # fmt: skip
    assert scene.send(ev.ToolReturned(1, request, "late")) == []


# --- the recogniser --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("connecting", "code"), [(True, ErrorCode.CONNECTION), (False, ErrorCode.STT)])
def test_without_ears_the_agent_apologises_and_ends_the_call(connecting: bool, code: ErrorCode) -> None:
    scene = Scene()
    scene.hear(0.3, voiced=True)
    scene.words("Hello")
    actions = scene.send(ev.RecognitionFailed("gone", connecting))
    assert actions[0] == ev.ReportError(code, "gone", retryable=False)
    assert scene.spoken == [(1, LINES[2])]
    scene.sound(1, 2000)
    scene.wait(2)
    assert scene.turns == [(CALLER, "Hello", False), (AGENT, LINES[2], False)]
    assert scene.of(ev.Finish) == [ev.Finish(EndReason.PROVIDER_FAILED)]
