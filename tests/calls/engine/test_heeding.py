"""Wishes that no model is asked about: no more calls, no recording."""

from typing import Any

import pytest

from calls.engine import events as ev
from calls.engine.agent import Telephone
from calls.engine.asides import KeysPressed
from calls.engine.phonecall import RecordOptOut, StopRecording
from calls.enums import ConversationState, Direction, EndReason, Speaker, SuppressionSource
from tests.calls.engine.scene import Scene, agent

INITIALIZING, LISTENING, THINKING, RESPONDING, INTERRUPTED, ENDED = ConversationState
AGENT, CALLER = Speaker.AGENT, Speaker.CALLER
SPOKEN, KEY = SuppressionSource.SPOKEN, SuppressionSource.KEY
PHONE = Telephone(notice="This is recorded.", opt_out_goodbye="Sorry. Goodbye.", objection_line="I stopped it.")
OPENING = "May I ask you something?"
STOP = "stop calling me"


def call(**options: Any) -> Scene:
    """A call in which the agent has begun its first words: 3 s of notice, 2 s of opening."""
    scene = Scene(agent(telephone=PHONE), opening=OPENING, telephone=Direction.OUTBOUND, **options)
    scene.sound(1, 3000, 2000)
    return scene


def opened(**options: Any) -> Scene:
    scene = call(**options)
    scene.hear(5.1)
    return scene


def parted(scene: Scene) -> bool:
    """Whether the goodbye was said and the call then ended for that reason."""
    number, text = scene.spoken[-1]
    assert text == "Sorry. Goodbye."
    scene.sound(number, 2000)
    scene.hear(2.1)
    return scene.actions[-1] == ev.Finish(EndReason.OPTED_OUT)


# --- no more calls ----------------------------------------------------------------------------------------------------


def test_it_counts_over_the_notice_at_the_recognisers_last_word() -> None:
    scene = call()
    scene.hear(0.5)
    scene.hear(0.6, voiced=True)
    scene.words(STOP)
    assert scene.of(RecordOptOut) == []
    scene.final(STOP)
    assert scene.of(RecordOptOut) == [RecordOptOut(SPOKEN, 1)]
    assert [text for _, text, _ in scene.turns] == ["This", STOP]
    assert parted(scene)
    assert scene.generates == []


def test_it_counts_in_a_turn_of_its_own() -> None:
    scene = opened()
    scene.say("take me off your list please")
    assert scene.of(RecordOptOut) == [RecordOptOut(SPOKEN, 1)]
    assert parted(scene)


def test_it_counts_while_the_agent_answers_and_while_it_thinks() -> None:
    for is_speaking in (True, False):
        scene = opened()
        scene.say("what is it about")
        if is_speaking:
            scene.write("It is about your roof.")
            scene.sound(scene.generates[-1].reply, 3000)
        scene.hear(0.4, voiced=True)
        scene.final("oh stop calling me")
        assert [action.source for action in scene.of(RecordOptOut)] == [SPOKEN]
        assert parted(scene)


def test_it_counts_at_the_end_of_the_utterance_where_the_recogniser_gives_no_last_word() -> None:
    scene = opened()
    scene.hear(0.5, voiced=True)
    scene.words(STOP)
    scene.hear(1.6)
    assert scene.of(RecordOptOut) == [RecordOptOut(SPOKEN, 1)]


def test_it_counts_from_a_recogniser_that_detects_turns() -> None:
    scene = opened(detects_turns=True)
    scene.hear(0.5, voiced=True)
    scene.send(ev.EndOfTurn(STOP))
    assert scene.of(RecordOptOut) == [RecordOptOut(SPOKEN, 1)]


def test_it_counts_as_the_last_words_before_the_caller_hangs_up() -> None:
    scene = opened()
    scene.hear(0.5, voiced=True)
    scene.words(STOP)
    scene.send(ev.Disconnected())
    scene.wait(2.0)
    assert scene.of(RecordOptOut) == [RecordOptOut(SPOKEN, 1)]
    assert scene.actions[-1] == ev.Finish(EndReason.CALLER_DISCONNECTED)


def test_it_counts_over_a_goodbye_and_is_then_why_the_call_ended() -> None:
    scene = opened()
    scene.send(ev.HangUpRequested())
    number, goodbye = scene.spoken[-1]
    scene.sound(number, 2000)
    scene.hear(0.5, voiced=True)
    scene.final("and don't call me again")
    scene.hear(1.6)
    assert scene.of(RecordOptOut) == [RecordOptOut(SPOKEN, 1)]
    assert (goodbye, scene.spoken[-1][0]) == ("Thank you. Goodbye.", number)
    assert scene.actions[-1] == ev.Finish(EndReason.OPTED_OUT)


@pytest.mark.parametrize("seconds", [0.0, 4.0, 6.0])
def test_the_key_counts_at_any_time(seconds: float) -> None:
    scene = call()
    scene.hear(seconds)
    scene.send(KeysPressed("9"))
    assert scene.of(RecordOptOut) == [RecordOptOut(KEY, None)]
    assert parted(scene)


def test_the_key_within_a_number_is_a_part_of_the_number() -> None:
    scene = opened()
    scene.send(KeysPressed("1940"))
    assert (scene.of(RecordOptOut), scene.turns[-1]) == ([], (CALLER, "Pressed 1 9 4 0", False))


def test_it_is_recorded_once() -> None:
    scene = opened()
    scene.say(STOP)
    scene.send(KeysPressed("9"))
    scene.hear(0.5, voiced=True)
    scene.final(STOP)
    assert scene.of(RecordOptOut) == [RecordOptOut(SPOKEN, 1)]


def test_the_call_is_over_within_ten_seconds_whatever_the_synthesiser_does() -> None:
    scene = opened()
    scene.hear(0.4, voiced=True)
    said_at = scene.now
    scene.final(STOP)
    number, _ = scene.spoken[-1]
    for _ in range(40):
        if scene.state is not ENDED:
            scene.send(ev.AudioSent(number, 0, 1000))
            scene.hear(0.3)
    assert scene.actions[-1] == ev.Finish(EndReason.OPTED_OUT)
    assert scene.of(ev.Cancel)
    assert scene.now - said_at <= 13.0
    assert scene.conversation.turns[-1].ended_ms / 1000 + 100.0 - said_at <= 10.0


def test_who_says_the_contrary_and_who_is_in_the_console_goes_on() -> None:
    scene, console = opened(), Scene()
    scene.say("please don't stop calling me")
    console.say(STOP)
    assert scene.of(RecordOptOut) == console.of(RecordOptOut) == []
    assert (scene.state, console.state) == (THINKING, THINKING)


# --- no recording -----------------------------------------------------------------------------------------------------


def test_who_does_not_want_to_be_recorded_is_told_and_the_call_goes_on() -> None:
    scene = opened()
    scene.say("i don't want to be recorded")
    assert scene.of(StopRecording) == [StopRecording()]
    number, text = scene.spoken[-1]
    assert text == "I stopped it."
    assert [action.reply for action in scene.of(ev.Commit)] == [1, number]
    scene.sound(number, 1000)
    scene.hear(1.1)
    scene.say("so what is it")
    assert scene.state is THINKING


def test_over_the_notice_it_stops_the_recording_and_what_was_not_heard_follows() -> None:
    scene = call()
    scene.hear(0.5)
    scene.hear(0.5, voiced=True)
    scene.final("please don't record this")
    assert scene.of(StopRecording) == [StopRecording()]
    assert [text for number, text in scene.spoken if number == 2] == ["I stopped it.", "This is recorded.", OPENING]


def test_after_the_notice_only_the_opening_follows() -> None:
    scene = call()
    scene.hear(3.1)
    scene.hear(0.5, voiced=True)
    scene.final("please don't record this")
    assert [text for number, text in scene.spoken if number == 2] == ["I stopped it.", OPENING]


def test_who_objects_a_second_time_is_answered_by_the_model() -> None:
    scene = opened()
    scene.say("stop the recording")
    scene.sound(scene.spoken[-1][0], 1000)
    scene.hear(1.1)
    scene.say("i said stop the recording")
    assert scene.of(StopRecording) == [StopRecording()]
    assert scene.state is THINKING
