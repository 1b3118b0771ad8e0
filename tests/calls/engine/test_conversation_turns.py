"""Listening, endpointing, speculation and the plain course of a call."""

import pytest

from calls.engine import events as ev
from calls.engine.agent import Endpointing
from calls.enums import ConversationState, EndReason, Role, Speaker
from tests.calls.engine.scene import Scene, agent

INITIALIZING, LISTENING, THINKING, RESPONDING, INTERRUPTED, ENDED = ConversationState
AGENT, CALLER = Speaker.AGENT, Speaker.CALLER
SLOW = Endpointing(eager_ms=0)


def test_a_call_without_an_opening_listens_at_once() -> None:
    scene = Scene()
    assert scene.actions == [ev.ShowState(INITIALIZING, LISTENING)]


def test_an_opening_is_committed_spoken_and_recorded_when_it_was_played() -> None:
    scene = Scene(opening="Hello, this is Ada.")
    assert scene.actions == [
        ev.ShowState(INITIALIZING, THINKING),
        ev.Commit(1),
        ev.Speak(1, 0, "Hello, this is Ada."),
        ev.EndSpeech(1),
        ev.ShowToken(1, "Hello, this is Ada."),
    ]
    scene.wait(0.1)
    scene.sound(1, 1500)
    assert scene.state is RESPONDING
    scene.wait(1.4)
    assert scene.state is RESPONDING
    scene.wait(0.1)
    assert scene.state is LISTENING
    turn = ev.SpokenTurn(0, AGENT, "Hello, this is Ada.", 100, 1600)
    assert scene.of(ev.Record) == [ev.Record(turn)]
    assert scene.history == [("assistant", "Hello, this is Ada.")]


def test_an_implicit_start_has_no_opening() -> None:
    scene = Scene(opening="Hello.", start=False)
    scene.send(ev.CallStarted(opening=False))
    assert scene.spoken == []
    assert scene.state is LISTENING


def test_a_marker_in_the_opening_parts_it_and_is_not_spoken() -> None:
    assert Scene(opening="Hello.||BREAK||I am Ada.").spoken == [(1, "Hello."), (1, "I am Ada.")]


def test_before_the_start_nothing_is_done() -> None:
    scene = Scene(start=False)
    assert scene.send(ev.TextTyped("Hi")) == []
    assert scene.conversation.next_timeout() is None


def test_a_second_start_changes_nothing() -> None:
    scene = Scene(opening="Hello.")
    assert scene.send(ev.CallStarted()) == []


def test_a_turn_goes_from_words_to_played_answer() -> None:
    scene = Scene(agent(endpointing=SLOW))
    scene.say("I want a table.")
    assert scene.state is THINKING
    assert scene.generates == [
        ev.Generate(1, (ev.Message("system", "Be kind."), ev.Message("user", "I want a table.")))
    ]
    scene.wait(0.2)
    scene.answer("For how many?", 900)
    scene.wait(0.9)
    assert scene.states == [LISTENING, THINKING, RESPONDING, LISTENING]
    assert scene.turns == [(CALLER, "I want a table.", False), (AGENT, "For how many?", False)]
    assert scene.history == [("user", "I want a table."), ("assistant", "For how many?")]


def test_the_words_are_shown_while_they_come_and_once_when_they_are_final() -> None:
    scene = Scene()
    scene.say("I want a table.")
    shown = [(action.utterance, action.text, action.is_final) for action in scene.of(ev.ShowTranscript)]
    assert shown == [(1, "I want a table.", False), (1, "I want a table.", True)]


def test_the_recorded_turns_say_when_and_how_well_they_were_heard() -> None:
    scene = Scene()
    scene.hear(0.5)
    scene.hear(0.4, voiced=True)
    scene.words("I want a table.", final=True, settled=True, confidence=0.75)
    scene.hear(0.7)
    turn = scene.of(ev.Record)[0].turn
    assert (turn.started_ms, turn.ended_ms, turn.confidence) == (500, 900, 0.75)


def test_the_parts_of_the_latency_are_measured() -> None:
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0, patience_ms=600)))
    scene.hear(0.4, voiced=True)
    scene.words("I want a table")
    scene.hear(0.7)
    scene.final("I want a table")
    scene.wait(0.3)
    scene.write("For how many?", done=False)
    scene.wait(0.05)
    scene.write("")
    scene.wait(0.1)
    scene.sound(1, 900)
    latency = scene.of(ev.CompleteReply)[0].latency
    assert latency is not None
    assert latency.endpointing == pytest.approx(700)
    assert latency.stt == pytest.approx(100)
    assert latency.llm == pytest.approx(300)
    assert latency.tts == pytest.approx(100)
    assert latency.total == pytest.approx(1150)
    scene.wait(1.0)
    assert scene.of(ev.Record)[1].turn.latency == latency


def test_a_caller_who_pauses_and_goes_on_has_one_turn() -> None:
    scene = Scene()
    scene.say("I want a table.", silence=0.5)
    scene.hear(0.3, voiced=True)
    scene.final("For two.")
    scene.hear(0.7)
    assert scene.turns == [(CALLER, "I want a table. For two.", False)]


def test_unfinished_words_wait_longer() -> None:
    scene = Scene()
    scene.say("My number is", silence=1.3)
    assert scene.state is LISTENING
    scene.hear(0.12)
    assert scene.state is THINKING


def test_a_final_that_comes_late_is_waited_for_and_then_done_without() -> None:
    scene = Scene()
    scene.hear(0.4, voiced=True)
    scene.words("I want a table")
    scene.hear(1.4)
    assert scene.of(ev.FlushRecogniser) == [ev.FlushRecogniser()]
    assert scene.state is LISTENING
    scene.hear(0.2)
    assert scene.turns == [(CALLER, "I want a table", False)]
    scene.final("I want a table.")
    scene.hear(1.0)
    assert scene.turns == [(CALLER, "I want a table", False)]
    assert scene.state is THINKING


def test_a_client_that_stops_sending_still_gets_its_answer() -> None:
    scene = Scene()
    scene.hear(0.4, voiced=True)
    scene.words("I want a table.")
    scene.wait(2.0)
    assert scene.turns == [(CALLER, "I want a table.", False)]


def test_a_voice_without_words_is_forgotten() -> None:
    scene = Scene()
    scene.hear(0.4, voiced=True)
    scene.hear(2.0)
    assert scene.of(ev.FlushRecogniser) == [ev.FlushRecogniser()]
    assert (scene.state, scene.turns) == (LISTENING, [])


# --- the end of the input --------------------------------------------------------------------------------------------


def test_a_closed_microphone_ends_the_turn_at_once_when_the_words_are_settled() -> None:
    scene = Scene()
    scene.say("I want a", silence=0.1)
    scene.send(ev.InputEnded())
    assert scene.turns == [(CALLER, "I want a", False)]


def test_a_closed_microphone_has_the_recogniser_say_its_last_words() -> None:
    scene = Scene()
    scene.hear(0.4, voiced=True)
    assert scene.send(ev.InputEnded()) == [ev.FlushRecogniser()]
    scene.wait(0.3)
    scene.final("I want a table.")
    assert scene.turns == [(CALLER, "I want a table.", False)]


def test_a_closed_microphone_with_nothing_said_is_nothing() -> None:
    scene = Scene()
    scene.hear(1.0)
    assert scene.send(ev.InputEnded()) == []
    assert scene.send(ev.InputEnded()) == []
    scene.wait(5)
    assert scene.actions == [ev.ShowState(INITIALIZING, LISTENING)]


def test_the_same_words_are_not_answered_again_when_the_microphone_closes() -> None:
    scene = Scene()
    scene.say("I want a table.")
    scene.send(ev.InputEnded())
    scene.answer("For two?")
    scene.wait(30)
    assert scene.turns == [(CALLER, "I want a table.", False), (AGENT, "For two?", False)]


def test_a_late_final_after_the_microphone_closed_is_not_answered_again() -> None:
    scene = Scene()
    scene.hear(0.4, voiced=True)
    scene.words("I want a table")
    scene.send(ev.InputEnded())
    scene.wait(0.95)
    assert scene.state is THINKING
    scene.final("I want a table.")
    scene.wait(2.0)
    assert scene.turns == [(CALLER, "I want a table", False)]
    assert len([action for action in scene.generates if not action.speculative]) <= 1


def test_an_end_directly_followed_by_a_close_stores_the_turn_and_makes_no_reply() -> None:
    scene = Scene(agent(endpointing=SLOW))
    scene.hear(0.4, voiced=True)
    scene.words("I want a table")
    scene.send(ev.InputEnded())
    scene.send(ev.Disconnected())
    scene.wait(1.0)
    assert scene.turns == [(CALLER, "I want a table", False)]
    assert scene.generates == []
    assert scene.of(ev.Finish) == [ev.Finish(EndReason.CALLER_DISCONNECTED)]


# --- replies on suspicion --------------------------------------------------------------------------------------------


def test_a_probable_end_starts_the_model_and_the_certain_end_commits_it() -> None:
    scene = Scene()
    scene.say("I want a table.", silence=0.4)
    assert [(action.reply, action.speculative) for action in scene.generates] == [(1, True)]
    scene.write("For how many people, please? We have room.")
    assert scene.spoken == [(1, "For how many people,")]
    assert scene.of(ev.Commit) + scene.of(ev.ShowToken) + scene.of(ev.Record) == []
    scene.hear(0.4)
    assert scene.of(ev.Commit) == [ev.Commit(1)]
    assert scene.of(ev.ShowToken) == [ev.ShowToken(1, "For how many people, please? We have room.")]
    assert scene.spoken == [(1, "For how many people,"), (1, "please?"), (1, "We have room.")]
    assert len(scene.generates) == 1


def test_a_caller_who_goes_on_costs_the_reply_on_suspicion() -> None:
    scene = Scene()
    scene.say("I want a table.", silence=0.4)
    scene.hear(0.3, voiced=True)
    assert ev.Discard(1) not in scene.actions
    scene.words("for two")
    assert scene.of(ev.Discard) == [ev.Discard(1)]
    assert scene.notes == ["speculation_discarded"]
    scene.send(ev.ReplyDelta(1, "For how many?"))
    assert scene.spoken == []


def test_a_final_that_only_adds_punctuation_keeps_the_reply_on_suspicion() -> None:
    scene = Scene()
    scene.hear(0.4, voiced=True)
    scene.words("i want a table")
    scene.hear(0.3)
    assert len(scene.generates) == 1
    scene.final("I want a table.")
    scene.hear(0.5)
    assert len(scene.generates) == 1
    assert scene.of(ev.Commit) == [ev.Commit(1)]


def test_a_turn_costs_only_so_many_replies_on_suspicion() -> None:
    scene = Scene(agent(endpointing=Endpointing(max_speculations=2)))
    for word in ("table", "chair", "lamp", "desk", "bed"):
        scene.hear(0.2, voiced=True)
        scene.words(f"I want a {word}", final=True, settled=True)
        scene.hear(0.4)
    assert [action.speculative for action in scene.generates] == [True, True]
    scene.hear(0.4)
    assert [action.speculative for action in scene.generates] == [True, True, False]


def test_unfinished_words_are_no_suspicion_yet() -> None:
    scene = Scene()
    scene.say("I want a", silence=0.5)
    assert scene.generates == []
    scene.hear(0.3)
    assert [action.speculative for action in scene.generates] == [True]


def test_a_failing_reply_on_suspicion_is_dropped_silently_and_made_anew() -> None:
    scene = Scene()
    scene.say("I want a table.", silence=0.4)
    scene.send(ev.ReplyFailed(1, Role.LLM, "gone", retryable=True))
    assert scene.of(ev.Discard) == [ev.Discard(1)]
    assert scene.of(ev.ReportError) == []
    scene.hear(0.4)
    assert [(action.reply, action.speculative) for action in scene.generates] == [(1, True), (2, False)]


def test_a_tool_is_only_called_once_the_reply_is_certain() -> None:
    scene = Scene()
    scene.say("Look it up.", silence=0.4)
    request = ev.ToolRequest("t1", "find", "{}")
    scene.send(ev.ReplyToolRequested(1, request))
    assert scene.of(ev.CallTool) == []
    scene.hear(0.4)
    assert scene.of(ev.CallTool) == [ev.CallTool(1, request)]


# --- recognisers that detect turns -----------------------------------------------------------------------------------


def test_a_turn_detecting_recogniser_needs_no_patience() -> None:
    scene = Scene(detects_turns=True)
    scene.hear(0.4, voiced=True)
    scene.send(ev.EndOfTurn("I want a table.", 0.9))
    assert scene.turns == [(CALLER, "I want a table.", False)]
    assert scene.state is THINKING


def test_an_eager_end_of_turn_starts_the_model_and_the_same_end_commits_it() -> None:
    scene = Scene(detects_turns=True)
    scene.hear(0.4, voiced=True)
    scene.send(ev.EagerEndOfTurn("I want a table"))
    scene.send(ev.EndOfTurn("I want a table."))
    assert [(action.reply, action.speculative) for action in scene.generates] == [(1, True)]
    assert scene.of(ev.Commit) == [ev.Commit(1)]


def test_a_resumed_turn_discards_the_reply() -> None:
    scene = Scene(detects_turns=True)
    scene.send(ev.EagerEndOfTurn("I want a table"))
    assert ev.Discard(1) in scene.send(ev.TurnResumed())


def test_an_end_with_other_words_makes_a_new_reply() -> None:
    scene = Scene(detects_turns=True)
    scene.send(ev.EagerEndOfTurn("I want a table"))
    scene.send(ev.EndOfTurn("I want a table for two"))
    assert scene.of(ev.Discard) == [ev.Discard(1)]
    assert scene.generates[-1].messages[-1] == ev.Message("user", "I want a table for two")
    assert scene.of(ev.Commit) == [ev.Commit(2)]


def test_a_turn_detecting_recogniser_gets_no_reply_on_silence_alone() -> None:
    scene = Scene(detects_turns=True)
    scene.hear(0.4, voiced=True)
    scene.words("I want a table")
    scene.hear(3.0)
    assert scene.generates == []


# --- typed turns -----------------------------------------------------------------------------------------------------


def test_a_typed_turn_is_shown_recorded_and_answered() -> None:
    scene = Scene()
    scene.send(ev.TextTyped("  What does it cost? "))
    assert scene.turns == [(CALLER, "What does it cost?", False)]
    assert scene.of(ev.ShowTranscript) == [ev.ShowTranscript(1, "What does it cost?", is_final=True, confidence=1.0)]
    assert [action.speculative for action in scene.generates] == [False]


def test_an_empty_typed_turn_is_nothing() -> None:
    scene = Scene()
    assert scene.send(ev.TextTyped("  ")) == []


def test_a_typed_turn_stops_the_agent_and_takes_spoken_words_along() -> None:
    scene = Scene(opening="Hello, this is Ada speaking.")
    scene.sound(1, 2000)
    scene.wait(1.0)
    scene.send(ev.TextTyped("Stop it."))
    assert scene.turns == [(AGENT, "Hello, this is", True), (CALLER, "Stop it.", False)]
    assert scene.state is THINKING


def test_spoken_words_before_a_typed_turn_are_one_message_with_it() -> None:
    scene = Scene(agent(endpointing=SLOW))
    scene.say("I want a table", silence=0.2)
    scene.send(ev.TextTyped("for two"))
    assert scene.turns == [(CALLER, "I want a table", False), (CALLER, "for two", False)]
    assert scene.generates[-1].messages[-1] == ev.Message("user", "I want a table for two")


def test_a_second_start_of_the_input_keeps_the_history() -> None:
    scene = Scene()
    scene.say("I want a table.")
    scene.answer("For two?")
    scene.wait(2)
    scene.send(ev.CallResumed())
    assert scene.history == [("user", "I want a table."), ("assistant", "For two?")]
    scene.say("Yes.")
    assert scene.state is THINKING
