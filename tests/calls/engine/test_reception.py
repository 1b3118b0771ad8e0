"""The first minute of a telephone call: notice, opening, and whoever answered."""

from typing import Any

import pytest
from msgspec.structs import replace

from calls.engine import events as ev
from calls.engine.agent import Telephone
from calls.engine.phonecall import AnswererDetected, BeepHeard, SendDigits
from calls.enums import ConversationState, Direction, EndReason, OpeningWaits, Speaker, VoicemailPolicy
from tests.calls.engine.scene import Scene, agent

INITIALIZING, LISTENING, THINKING, RESPONDING, INTERRUPTED, ENDED = ConversationState
AGENT, CALLER = Speaker.AGENT, Speaker.CALLER
NOTICE, OPENING = "I am Ada, an AI. This is recorded.", "May I ask you something?"
MESSAGE, NAME = "Please call Ada back.", "Ada of Acme, about your order."
PHONE = Telephone(notice=NOTICE)
MAILBOX = "hi you've reached tom i can't come to the phone please leave a message after the tone"
SCREENING = "hi the person you called uses call screening please say your name and why you're calling"
MENU = "thank you for calling acme for sales press one for support press two"


def call(telephone: Telephone = PHONE, direction: Direction = Direction.OUTBOUND, **fields: Any) -> Scene:
    return Scene(agent(telephone=telephone, **fields), opening=OPENING, telephone=direction)


def silent_call(**changes: Any) -> Scene:
    """A call on which the agent waits for the greeting."""
    return call(replace(PHONE, opening_waits=OpeningWaits.GREETING, **changes))


def speak(scene: Scene, text: str, seconds: float) -> None:
    """Whoever answered says something without a pause."""
    scene.hear(seconds / 2, voiced=True)
    scene.words(text[: text.rindex(" ") if " " in text else len(text)])
    scene.hear(seconds / 2, voiced=True)
    scene.hear(0.1)
    scene.final(text)


def last_words(scene: Scene) -> str:
    return scene.spoken[-1][1]


def answered(scene: Scene) -> list[tuple[str, list[str]]]:
    events = [action for action in scene.of(ev.RecordEvent) if action.kind == "answered"]
    return [(action.detail["by"], action.detail["signals"]) for action in events]


# --- the first words --------------------------------------------------------------------------------------------------


def test_the_notice_is_spoken_first_on_the_telephone_as_a_sentence_of_its_own() -> None:
    assert call().spoken == [(1, NOTICE), (1, OPENING)]
    assert call(replace(PHONE, opening="Is this Tom?")).spoken == [(1, NOTICE), (1, "Is this Tom?")]
    assert Scene(agent(telephone=PHONE), opening=OPENING).spoken == [(1, OPENING)]


def test_nothing_stops_the_notice_and_the_words_over_it_are_answered_after_it() -> None:
    scene = call()
    scene.sound(1, 3000, 2000, sent=False)
    scene.hear(0.5)
    scene.say("Who is this?", silence=1.5)
    assert (scene.state, scene.of(ev.Cancel)) == (RESPONDING, [])
    scene.hear(1.2)
    assert scene.of(ev.Cancel)
    assert "notice_played" in scene.notes, "it was heard, and what stops the rest comes after it"
    assert scene.turns == [(AGENT, NOTICE, True), (CALLER, "Who is this?", False)]
    assert scene.generates[-1].messages[-1].content == "Who is this?"


def test_when_the_notice_was_heard_is_recorded_to_its_end_and_only_then() -> None:
    scene = call()
    scene.sound(1, 3000, 2000, sent=False)
    scene.hear(2.9)
    assert "notice_played" not in scene.notes
    scene.hear(0.3)
    played = next(action for action in scene.of(ev.RecordEvent) if action.kind == "notice_played")
    assert played.detail["began_ms"] == 0
    assert 3000 <= played.detail["ended_ms"] <= 3040


@pytest.mark.parametrize("greeting", ["Hello?", "yes", "Hi, this is Tom"])
def test_a_greeting_over_the_first_words_does_not_stop_them(greeting: str) -> None:
    scene = call(Telephone())
    scene.sound(1, 4000)
    scene.hear(0.3)
    scene.say(greeting, silence=1.0)
    assert (scene.state, scene.of(ev.Cancel)) == (RESPONDING, [])


def test_words_over_the_opening_that_ask_something_stop_it() -> None:
    scene = call(Telephone())
    scene.sound(1, 4000)
    scene.hear(0.3)
    scene.say("Sorry, who is calling?", silence=0.8)
    assert scene.generates[-1].messages[-1].content == "Sorry, who is calling?"


# --- after the greeting -----------------------------------------------------------------------------------------------


def test_an_agent_that_waits_for_a_greeting_speaks_half_a_second_after_it_and_asks_no_model() -> None:
    scene = silent_call()
    assert scene.spoken == []
    scene.hear(0.6)
    scene.say("Hello?", silence=0.4)
    assert scene.spoken == []
    scene.hear(0.15)
    assert scene.spoken == [(1, NOTICE), (1, OPENING)]
    assert (scene.turns, scene.generates) == ([(CALLER, "Hello?", False)], [])


def test_without_a_greeting_it_speaks_after_a_second_and_a_half() -> None:
    scene = silent_call()
    scene.hear(1.4)
    assert scene.spoken == []
    scene.hear(0.2)
    assert scene.spoken == [(1, NOTICE), (1, OPENING)]


def test_it_does_so_even_where_no_audio_comes() -> None:
    scene = silent_call()
    scene.wait(1.6)
    assert scene.spoken == [(1, NOTICE), (1, OPENING)]


def test_a_noise_without_end_is_no_greeting_to_wait_for() -> None:
    scene = silent_call()
    scene.hear(5.1, voiced=True)
    assert scene.spoken == [(1, NOTICE), (1, OPENING)]


# --- mailboxes --------------------------------------------------------------------------------------------------------


def test_a_mailbox_is_left_once_two_signals_agree_and_its_greeting_is_over() -> None:
    scene = silent_call()
    speak(scene, MAILBOX, 4.0)
    scene.hear(1.0)
    assert scene.of(ev.Finish) == []
    scene.hear(2.8)
    assert scene.actions[-1] == ev.Finish(EndReason.MACHINE_ANSWERED)
    assert answered(scene) == [("voicemail", ["timing", "words"])]
    assert (scene.spoken, scene.generates) == ([], [])
    assert scene.turns == [(CALLER, MAILBOX, False)]


def test_words_alone_are_not_enough_and_after_a_while_it_is_spoken_to_as_a_person() -> None:
    scene = silent_call()
    speak(scene, "please leave a message", 1.5)
    scene.hear(4.5)
    assert (scene.spoken, scene.of(ev.Finish)) == ([], [])
    scene.hear(0.6)
    assert scene.spoken == [(1, NOTICE), (1, OPENING)]


def test_the_message_is_spoken_a_second_after_the_beep() -> None:
    scene = silent_call(voicemail=VoicemailPolicy.LEAVE_MESSAGE, voicemail_message=MESSAGE)
    speak(scene, MAILBOX, 4.0)
    scene.hear(0.3)
    scene.send(BeepHeard(1000.0, scene.audio_ms))
    scene.hear(0.9)
    assert scene.spoken == []
    scene.hear(0.2)
    assert last_words(scene) == MESSAGE
    scene.sound(1, 2000)
    scene.hear(2.1)
    assert scene.actions[-1] == ev.Finish(EndReason.VOICEMAIL_LEFT)
    assert answered(scene) == [("voicemail", ["beep", "timing", "words"])]


def test_the_carriers_beep_counts_as_ours() -> None:
    scene = silent_call(voicemail=VoicemailPolicy.LEAVE_MESSAGE, voicemail_message=MESSAGE)
    speak(scene, "please leave a message", 1.5)
    scene.send(AnswererDetected("machine_end_beep"))
    scene.hear(1.6)
    assert last_words(scene) == MESSAGE
    assert answered(scene) == [("voicemail", ["carrier", "words"])]


def test_a_message_that_began_before_the_beep_is_spoken_again_once() -> None:
    scene = silent_call(voicemail=VoicemailPolicy.LEAVE_MESSAGE, voicemail_message=MESSAGE)
    speak(scene, MAILBOX, 4.0)
    scene.hear(3.6)
    scene.sound(1, 5000)
    scene.hear(1.0)
    for _ in range(2):
        scene.send(BeepHeard(1000.0, scene.audio_ms))
    assert [number for number, text in scene.spoken if text == MESSAGE] == [1, 2]


def test_the_agent_stops_when_a_mailbox_talks_into_its_opening() -> None:
    scene = call()
    scene.sound(1, 3000, 2000)
    speak(scene, MAILBOX, 1.0)
    assert scene.state is LISTENING
    assert scene.of(ev.Cancel)
    assert "machine_suspected" in scene.notes


def test_a_person_who_picks_up_while_the_machine_talks_is_spoken_to() -> None:
    scene = silent_call()
    speak(scene, "we are not home please leave a message", 2.5)
    scene.hear(0.7)
    speak(scene, "yeah hello", 0.5)
    scene.hear(0.6)
    assert scene.spoken == [(1, NOTICE), (1, OPENING)]
    scene.sound(1, 2000, 1000)
    scene.hear(3.5)
    scene.say("Yes please.")
    assert scene.state is THINKING
    assert answered(scene) == [("human", [])]


# --- assistants and menus ---------------------------------------------------------------------------------------------


def test_an_assistant_hears_who_calls_and_why_and_the_person_hears_the_opening() -> None:
    scene = silent_call(screening_answer=NAME)
    speak(scene, SCREENING, 4.0)
    scene.hear(0.8)
    assert scene.spoken == [(1, NAME)]
    scene.sound(1, 2000)
    scene.hear(2.1)
    speak(scene, "please stay on the line", 1.0)
    scene.hear(12.0)
    assert scene.spoken == [(1, NAME)]
    speak(scene, "Hello?", 0.5)
    scene.hear(0.6)
    assert scene.spoken == [(1, NAME), (2, NOTICE), (2, OPENING)]
    assert scene.generates == []
    assert [by for by, _ in answered(scene)] == ["screening", "human"]


def test_an_assistant_that_says_no_is_left() -> None:
    scene = silent_call(screening_answer=NAME)
    speak(scene, SCREENING, 4.0)
    scene.hear(0.8)
    scene.sound(1, 2000)
    scene.hear(2.1)
    speak(scene, "sorry they are not available goodbye", 2.0)
    scene.hear(1.6)
    assert scene.actions[-1] == ev.Finish(EndReason.SCREENING_REFUSED)


def test_an_assistant_that_asks_for_a_key_gets_it() -> None:
    scene = silent_call(screening_answer=NAME)
    speak(scene, "no solicitors please if you are a friend or family press five to ring us", 4.5)
    scene.hear(0.8)
    assert (scene.of(SendDigits), scene.spoken) == ([SendDigits("5")], [])


def test_a_menu_gets_its_keys_and_then_a_person_the_opening() -> None:
    scene = silent_call(ivr_digits="0")
    speak(scene, MENU, 7.0)
    scene.hear(2.1)
    assert (scene.of(SendDigits), scene.spoken) == ([SendDigits("0")], [])
    scene.hear(3.0)
    speak(scene, "Acme, how can I help you?", 1.5)
    scene.hear(0.6)
    assert scene.spoken == [(1, NOTICE), (1, OPENING)]
    assert [by for by, _ in answered(scene)] == ["ivr", "human"]


def test_a_menu_that_was_taken_for_a_person_twice_gets_its_keys_once_the_carrier_says_machine() -> None:
    def call_of(verdict: str) -> Scene:
        scene = call(Telephone(notice=NOTICE, opening=OPENING, ivr_digits="0"))
        scene.sound(1, 1000, 1000)
        scene.hear(2.1)
        scene.send(AnswererDetected(verdict))
        for mumble in ("for tails dress one", "four tails dress fun"):
            scene.say(mumble)
            scene.answer("Pardon?")
            scene.hear(1.2)
        speak(scene, MENU, 7.0)
        scene.hear(2.1)
        return scene

    assert call_of("machine_end_other").of(SendDigits) == [SendDigits("0")]
    assert call_of("human").of(SendDigits) == []


def test_a_menu_without_keys_for_it_is_left() -> None:
    scene = silent_call()
    speak(scene, MENU, 7.0)
    scene.hear(2.1)
    assert scene.actions[-1] == ev.Finish(EndReason.MACHINE_ANSWERED)


def test_a_person_who_comes_behind_a_please_hold_is_spoken_to_whatever_the_recogniser_makes_of_it() -> None:
    scene = silent_call()
    speak(scene, SCREENING, 3.5)
    scene.hear(1.0)
    scene.sound(1, 2000)
    scene.hear(2.1)
    speak(scene, "thank you leave a on the line", 2.0)
    scene.hear(3.0)
    assert len(scene.spoken) == 2
    speak(scene, "allow the sister manna", 1.5)
    scene.hear(1.6)
    assert scene.spoken[2:] == [(2, NOTICE), (2, OPENING)]


# --- people -----------------------------------------------------------------------------------------------------------


def test_a_person_is_recorded_as_one_and_an_inbound_caller_is_not_wondered_about() -> None:
    outbound, inbound = call(), call(direction=Direction.INBOUND)
    for scene in (outbound, inbound):
        scene.sound(1, 1000, 1000)
        scene.hear(2.1)
        scene.say("Yes, go ahead.")
    assert answered(outbound) == [("human", [])]
    assert answered(inbound) == []
    assert (outbound.conversation.listens_for_beep, inbound.conversation.listens_for_beep) == (True, False)


def test_nobody_listens_for_a_beep_any_more_after_two_turns() -> None:
    scene = call()
    scene.sound(1, 1000, 1000)
    scene.hear(2.1)
    for _ in range(2):
        scene.say("Tell me more.")
        scene.answer("Gladly.")
        scene.hear(1.2)
    assert not scene.conversation.listens_for_beep


def test_a_silent_line_is_a_person_in_doubt() -> None:
    scene = call()
    scene.sound(1, 1000, 1000)
    scene.hear(26.0)
    assert answered(scene) == [("human", [])]


def test_a_protected_opening_is_heard_to_its_end_whoever_speaks_over_it() -> None:
    for protects in (True, False):
        scene = Scene(agent(), opening=OPENING, protects_opening=protects)
        scene.sound(1, 3000, sent=False)
        scene.hear(0.5)
        scene.say("Dana speaking, what is it?", silence=1.5)
        assert bool(scene.of(ev.Cancel)) is not protects
        assert "notice_played" not in scene.notes
