"""Providers that fail: another one, what was heard with an apology, a fixed line, the end."""

from typing import Any

import pytest

from calls.engine import events as ev
from calls.engine.agent import Endpointing
from calls.enums import CancelReason, ConversationState, EndReason, ErrorCode, Role, Speaker
from tests.calls.engine.scene import LINES, Scene, agent

INITIALIZING, LISTENING, THINKING, RESPONDING, INTERRUPTED, ENDED = ConversationState
AGENT, CALLER = Speaker.AGENT, Speaker.CALLER
FAILED = CancelReason.FAILED


def asked(**options: Any) -> Scene:
    """A call whose first answer, reply 1, is being made."""
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0)), **options)
    scene.say("What does it cost?")
    return scene


def fail(scene: Scene, reply: int, role: Role = Role.LLM, *, retryable: bool = True) -> list[ev.Action]:
    return scene.send(ev.ReplyFailed(reply, role, "gone", retryable))


@pytest.mark.parametrize("retryable", [True, False])
def test_a_failing_model_is_replaced_by_its_fallback(retryable: bool) -> None:
    scene = asked(llm_tiers=2)
    actions = fail(scene, 1, retryable=retryable)
    assert actions == [
        ev.RecordEvent("fallback_provider", {"role": "llm", "reply": 1}),
        ev.Cancel(1, FAILED, ""),
        ev.Generate(2, (ev.Message("system", "Be kind."), ev.Message("user", "What does it cost?")), tier=1),
        ev.Commit(2),
    ]
    scene.answer("Ten dollars.")
    scene.wait(1)
    assert scene.turns == [(CALLER, "What does it cost?", False), (AGENT, "Ten dollars.", False)]
    assert scene.of(ev.ReportError) == []


def test_a_model_that_fails_after_some_text_begins_anew_at_the_fallback() -> None:
    scene = asked(llm_tiers=2)
    scene.write("It costs, as you know, ten", done=False)
    fail(scene, 1)
    scene.answer("Ten dollars.")
    scene.wait(1)
    assert scene.turns[-1] == (AGENT, "Ten dollars.", False)


def test_a_silent_model_is_left_for_the_fallback_in_half_the_turns_time() -> None:
    scene = asked(llm_tiers=2)
    scene.wait(2.0)
    assert [(action.reply, action.tier) for action in scene.generates] == [(1, 0), (2, 1)]
    scene.wait(2.0)
    assert scene.spoken == [(3, LINES[0])]


def test_a_failing_fallback_is_followed_by_a_fixed_line() -> None:
    scene = asked(llm_tiers=2)
    fail(scene, 1)
    actions = fail(scene, 2, retryable=False)
    assert actions[0] == ev.ReportError(ErrorCode.LLM, "gone", retryable=False)
    assert scene.spoken == [(3, LINES[0])]
    scene.sound(3, 1000)
    scene.wait(1)
    assert scene.turns[-1] == (AGENT, LINES[0], False)
    assert scene.state is LISTENING


def test_a_failing_voice_is_replaced_by_its_fallback_from_the_first_sentence() -> None:
    scene = asked(tts_tiers=2)
    scene.write("It costs ten dollars. Anything else?")
    fail(scene, 1, Role.TTS)
    assert scene.of(ev.Speak) == [
        ev.Speak(1, 0, "It costs ten dollars."), ev.Speak(1, 1, "Anything else?"),
        ev.Speak(1, 0, "It costs ten dollars.", 1), ev.Speak(1, 1, "Anything else?", 1),
    ]  # fmt: skip
    assert scene.of(ev.EndSpeech) == [ev.EndSpeech(1), ev.EndSpeech(1)]
    assert scene.of(ev.Cancel) == []


def test_a_voice_that_gives_no_audio_has_failed() -> None:
    scene = asked()
    scene.write("It costs ten dollars.")
    scene.send(ev.ReplySent(1))
    assert [action.code for action in scene.of(ev.ReportError)] == [ErrorCode.TTS]
    assert scene.spoken[-1] == (2, LINES[0])


def test_a_model_that_says_nothing_has_failed() -> None:
    scene = asked()
    scene.write(" ")
    assert scene.of(ev.ReportError) == [ev.ReportError(ErrorCode.LLM, "the model said nothing", retryable=True)]
    assert scene.spoken == [(2, LINES[0])]


def test_failing_turns_in_a_row_are_answered_by_three_lines_and_the_last_ends_the_call() -> None:
    scene = asked()
    fail(scene, 1)
    scene.sound(2, 1000)
    scene.hear(1.1)
    scene.say("Hello?")
    fail(scene, 3)
    scene.sound(4, 1000)
    scene.hear(1.1)
    scene.say("Are you there?")
    fail(scene, 5)
    assert [text for _, text in scene.spoken] == list(LINES)
    assert [action.detail["turns"] for action in scene.of(ev.RecordEvent) if action.kind == "fallback_spoken"] == [
        1,
        2,
        3,
    ]
    scene.sound(6, 1000)
    assert scene.of(ev.Finish) == []
    scene.wait(1)
    assert scene.of(ev.Finish) == [ev.Finish(EndReason.PROVIDER_FAILED)]


def test_a_good_turn_makes_up_for_failed_ones() -> None:
    scene = asked()
    for _ in range(3):
        fail(scene, scene.generates[-1].reply)
        scene.sound(scene.spoken[-1][0], 500)
        scene.hear(0.6)
        scene.say("Again, please.")
        scene.answer("Fine.", 500)
        scene.hear(0.6)
        scene.say("More.")
    assert [text for _, text in scene.spoken if text in LINES] == [LINES[0]] * 3


def test_no_first_audio_within_the_turns_time_gives_a_fixed_line() -> None:
    scene = asked()
    scene.wait(3.9)
    assert scene.spoken == []
    scene.wait(0.1)
    assert scene.of(ev.Cancel) == [ev.Cancel(1, FAILED, "")]
    assert [action.code for action in scene.of(ev.ReportError)] == [ErrorCode.LLM]
    assert scene.spoken == [(2, LINES[0])]


def test_a_voice_that_hangs_is_told_from_a_model_that_hangs() -> None:
    scene = asked(turn_budget_seconds=2.0)
    scene.write("Ten dollars.")
    scene.wait(2.0)
    assert [action.code for action in scene.of(ev.ReportError)] == [ErrorCode.TTS]


def test_after_the_first_audio_a_failing_model_is_not_asked_again() -> None:
    scene = asked(llm_tiers=2)
    scene.write("It costs ten dollars. And then", done=False)
    scene.sound(1, 1500, sent=False)
    scene.wait(0.5)
    fail(scene, 1)
    assert scene.state is RESPONDING
    assert scene.of(ev.EndSpeech) == [ev.EndSpeech(1)]
    scene.send(ev.ReplySent(1))
    scene.wait(1.0)
    assert scene.spoken == [(1, "It costs ten dollars."), (2, LINES[0])]
    assert scene.turns[1:] == [(AGENT, "It costs ten dollars.", False)]
    assert len(scene.generates) == 1


def test_after_the_first_audio_a_failing_voice_is_played_out_and_apologised_for() -> None:
    scene = asked(tts_tiers=2)
    scene.write("It costs ten dollars. Anything else?")
    scene.sound(1, 1500, sent=False)
    scene.wait(0.5)
    fail(scene, 1, Role.TTS)
    assert scene.of(ev.Cancel) == []
    scene.wait(1.0)
    assert scene.of(ev.Cancel) == [ev.Cancel(1, FAILED, "It costs ten dollars.")]
    assert scene.turns[1:] == [(AGENT, "It costs ten dollars.", True)]
    assert scene.spoken[-1] == (2, LINES[0])
    assert scene.state is THINKING


def test_a_model_that_hangs_in_the_middle_is_apologised_for() -> None:
    scene = asked()
    scene.write("It costs ten dollars. And then", done=False)
    scene.sound(1, 1500, sent=False)
    scene.wait(5.4)
    assert scene.of(ev.ReportError) == []
    scene.wait(0.1)
    assert [action.code for action in scene.of(ev.ReportError)] == [ErrorCode.LLM]
    scene.send(ev.ReplySent(1))
    scene.wait(0.1)
    assert scene.spoken[-1] == (2, LINES[0])


def test_an_interrupted_reply_whose_model_failed_is_spoken_as_far_as_it_goes_and_apologised_for() -> None:
    scene = asked()
    scene.write("It costs ten dollars. And then", done=False)
    scene.sound(1, 2100, sent=False)
    scene.hear(0.5)
    scene.hear(0.2, voiced=True)
    fail(scene, 1)
    scene.hear(1.2)
    assert scene.spoken[1:] == [(2, "It costs ten dollars.")]
    scene.sound(2, 2100)
    scene.hear(2.2)
    assert scene.spoken[2:] == [(3, LINES[0])]


def test_a_fixed_line_that_cannot_be_spoken_is_tried_once_more_and_then_left_out() -> None:
    scene = asked(tts_tiers=2)
    fail(scene, 1)
    fail(scene, 2, Role.TTS)
    assert scene.of(ev.Speak) == [ev.Speak(2, 0, LINES[0]), ev.Speak(2, 0, LINES[0], 1)]
    fail(scene, 2, Role.TTS)
    assert scene.state is LISTENING
    assert [action.code for action in scene.of(ev.ReportError)] == [ErrorCode.LLM, ErrorCode.TTS]
    assert scene.turns == [(CALLER, "What does it cost?", False)]


def test_an_opening_that_cannot_be_spoken_leaves_the_caller_the_floor() -> None:
    scene = Scene(opening="Hello.")
    fail(scene, 1, Role.TTS)
    assert scene.state is LISTENING
    assert scene.spoken == [(1, "Hello.")]


def test_a_farewell_that_cannot_be_spoken_still_ends_the_call() -> None:
    scene = Scene()
    scene.send(ev.HangUpRequested())
    fail(scene, 1, Role.TTS)
    assert scene.of(ev.Finish) == [ev.Finish(EndReason.CALLER_ENDED)]


def test_a_farewell_that_hangs_still_ends_the_call() -> None:
    scene = Scene()
    scene.send(ev.HangUpRequested())
    scene.wait(4.0)
    assert scene.of(ev.Finish) == [ev.Finish(EndReason.CALLER_ENDED)]


def test_a_fallback_after_a_tool_keeps_the_tools_answer() -> None:
    scene = asked(llm_tiers=2)
    request = ev.ToolRequest("t1", "find", "{}")
    scene.send(ev.ReplyToolRequested(1, request))
    scene.send(ev.ToolReturned(1, request, "ten"))
    scene.send(ev.ReplyGenerated(1))
    fail(scene, 1)
    assert scene.generates[-1] == ev.Generate(2, (
        ev.Message("system", "Be kind."),
        ev.Message("user", "What does it cost?"),
        ev.Message("assistant", "", (request,)),
        ev.Message("tool", "ten", tool_call_id="t1"),
    ), tier=1)  # fmt: skip
    assert scene.of(ev.CallTool) == [ev.CallTool(1, request)]


def test_a_late_failure_of_a_reply_that_is_gone_is_ignored() -> None:
    scene = asked()
    fail(scene, 1)
    assert fail(scene, 1) == []
    assert fail(scene, 1, Role.TTS) == []
