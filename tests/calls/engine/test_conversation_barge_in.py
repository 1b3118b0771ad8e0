"""The caller speaks while the agent does, or before it could."""

import pytest

from calls.engine import events as ev
from calls.engine.agent import BargeIn, Endpointing
from calls.enums import CancelReason, ConversationState, Speaker
from tests.calls.engine.scene import Scene, agent

INITIALIZING, LISTENING, THINKING, RESPONDING, INTERRUPTED, ENDED = ConversationState
AGENT, CALLER = Speaker.AGENT, Speaker.CALLER
BARGE_IN = CancelReason.BARGE_IN

OPENING = "Hello, this is Ada. We are open from nine to five, every day."
"""The first sentence has 19 characters, the whole 61; at 100 ms a character it sounds 6.1 s."""
WORDS_ONLY = BargeIn(interrupt_after_ms=0)


def speaking(barge_in: BargeIn | None = None, opening: str = OPENING) -> Scene:
    """A call in which the agent has begun to say its opening, 100 ms a character."""
    scene = Scene(agent(barge_in=barge_in or BargeIn(), endpointing=Endpointing(eager_ms=0)), opening=opening)
    scene.sound(1, len(opening) * 100)
    return scene


def test_a_voice_stops_the_agent_after_its_milliseconds_of_voiced_audio() -> None:
    scene = speaking()
    scene.hear(1.0)
    assert scene.hear(0.14, voiced=True) == []
    assert scene.hear(0.02, voiced=True) == []  # a new run of 20 ms
    scene.hear(0.1)
    actions = scene.hear(0.16, voiced=True)
    assert actions[0] == ev.Cancel(1, BARGE_IN, "Hello, this is")
    assert scene.state is INTERRUPTED


def test_the_barge_in_takes_no_longer_than_its_voiced_audio() -> None:
    scene = speaking()
    scene.hear(1.0)
    began = scene.now
    scene.hear(0.3, voiced=True)
    assert scene.of(ev.Cancel) == [ev.Cancel(1, BARGE_IN, "Hello, this")]
    stopped = next(action for action in scene.of(ev.RecordEvent) if action.kind == "barge_in")
    assert stopped.detail == {"reply": 1, "reason": "barge_in", "played_ms": round((began - 100.0 + 0.16) * 1000)}


def test_words_make_the_interruption_real() -> None:
    scene = speaking()
    scene.hear(1.0)
    scene.hear(0.4, voiced=True)
    scene.words("What does")
    assert scene.state is LISTENING
    assert scene.turns == [(AGENT, "Hello, this", True)]
    scene.final("What does it cost?")
    scene.hear(0.7)
    assert scene.history == [("assistant", "Hello, this"), ("user", "What does it cost?")]
    assert scene.state is THINKING
    assert scene.states == [THINKING, RESPONDING, INTERRUPTED, LISTENING, THINKING]


def test_a_noise_lets_the_agent_go_on_from_the_clause_that_was_cut() -> None:
    scene = speaking()
    scene.hear(2.9)
    scene.hear(0.2, voiced=True)
    assert scene.of(ev.Cancel) == [ev.Cancel(1, BARGE_IN, "Hello, this is Ada. We are")]
    scene.hear(1.1)
    assert scene.spoken == [(1, OPENING)]
    scene.hear(0.1)
    assert scene.spoken[1:] == [(2, "We are open from nine to five, every day.")]
    assert scene.generates == []
    assert scene.state is THINKING
    scene.sound(2, 4100)
    scene.hear(4.2)
    assert scene.turns == [(AGENT, OPENING, False)]
    assert scene.history == [("assistant", OPENING)]
    assert scene.notes == ["barge_in", "false_interruption"]
    assert scene.states == [THINKING, RESPONDING, INTERRUPTED, THINKING, RESPONDING, LISTENING]


def test_a_backchannel_lets_the_agent_go_on_too_and_is_no_turn() -> None:
    scene = speaking()
    scene.hear(2.9)
    scene.hear(0.3, voiced=True)
    scene.words("uh-huh")
    scene.hear(0.3)
    scene.final("Uh-huh.")
    scene.hear(1.0)
    assert scene.spoken[1:] == [(2, "We are open from nine to five, every day.")]
    scene.sound(2, 4100)
    scene.hear(6)
    assert scene.turns == [(AGENT, OPENING, False)]
    assert scene.generates == []


def test_a_second_noise_over_the_rest_is_dealt_with_in_the_same_way() -> None:
    scene = speaking()
    scene.hear(2.9)
    scene.hear(0.2, voiced=True)
    scene.hear(1.3)
    scene.sound(2, 4100)
    scene.hear(3.5)
    scene.hear(0.2, voiced=True)
    assert scene.of(ev.Cancel)[1] == ev.Cancel(2, BARGE_IN, "We are open from nine to five, every")
    scene.hear(1.3)
    assert scene.spoken[2:] == [(3, "every day.")]
    scene.sound(3, 1000)
    scene.hear(1.2)
    assert scene.turns == [(AGENT, OPENING, False)]


def test_words_over_the_rest_record_one_interrupted_turn() -> None:
    scene = speaking()
    scene.hear(2.9)
    scene.hear(0.2, voiced=True)
    scene.hear(1.3)
    scene.sound(2, 4100)
    scene.hear(1.2)
    scene.hear(0.2, voiced=True)
    scene.words("No")
    assert scene.turns == [(AGENT, "Hello, this is Ada. We are open", True)]


def test_a_noise_behind_the_last_word_ends_the_turn_as_heard() -> None:
    scene = speaking(opening="Hello there")
    scene.send(ev.SentenceTimed(1, 0, (ev.Word("Hello", 0, 300), ev.Word("there", 300, 500))))
    scene.hear(0.6)
    scene.hear(0.2, voiced=True)
    scene.hear(1.3)
    assert scene.spoken == [(1, "Hello there")]
    assert scene.turns == [(AGENT, "Hello there", False)]
    assert scene.state is LISTENING


def test_a_caller_who_keeps_making_sounds_is_not_talked_over() -> None:
    scene = speaking()
    scene.hear(1.0)
    scene.hear(3.0, voiced=True)
    assert scene.state is INTERRUPTED
    assert scene.spoken == [(1, OPENING)]
    scene.final("I have a long question about this.")
    assert scene.state is LISTENING


def test_a_caller_who_has_just_fallen_silent_is_not_talked_over_either() -> None:
    scene = speaking()
    scene.hear(1.0)
    scene.hear(1.3, voiced=True)
    scene.hear(0.5)
    assert (scene.state, scene.spoken) == (INTERRUPTED, [(1, OPENING)])
    scene.hear(0.1)
    assert scene.spoken[1:] == [(2, "this is Ada. We are open from nine to five, every day.")]


def test_a_noise_that_never_ends_does_not_silence_the_agent_for_ever() -> None:
    scene = speaking()
    scene.hear(1.0)
    scene.hear(11.3, voiced=True)
    assert scene.spoken == [(1, OPENING)]
    scene.hear(0.1, voiced=True)
    scene.audio_ms += 20
    scene.send(ev.AudioHeard(scene.audio_ms, scene.audio_ms, 11_420))
    assert scene.spoken[1:] == [(2, "this is Ada. We are open from nine to five, every day.")]
    scene.sound(2, 3000)
    assert scene.state is RESPONDING
    scene.audio_ms += 20
    scene.send(ev.AudioHeard(scene.audio_ms, scene.audio_ms, 11_440))
    assert scene.state is RESPONDING


def test_the_model_goes_on_writing_while_it_is_unclear_whether_the_interruption_is_one() -> None:
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0)))
    scene.say("Tell me.")
    scene.write("We are open today. We", done=False)
    scene.sound(1, 1800, sent=False)
    scene.hear(0.5)
    scene.hear(0.2, voiced=True)
    assert scene.of(ev.Cancel) == [ev.Cancel(1, BARGE_IN, "We are", keeps_text=True)]
    scene.write(" close at five. Good", " night.", reply=1)
    assert scene.spoken == [(1, "We are open today.")]
    scene.hear(1.3)
    assert scene.spoken[1:] == [(2, "We are open today."), (2, "We close at five."), (2, "Good night.")]
    assert scene.of(ev.EndSpeech) == [ev.EndSpeech(2)]


def test_text_that_comes_after_the_rest_began_is_spoken_with_it() -> None:
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0)))
    scene.say("Tell me.")
    scene.write("We are open today. We", done=False)
    scene.sound(1, 1800, sent=False)
    scene.hear(0.5)
    scene.hear(0.2, voiced=True)
    scene.hear(1.3)
    scene.write(" close at five.", reply=1)
    assert scene.spoken[1:] == [(2, "We are open today."), (2, "We close at five.")]
    assert scene.of(ev.EndSpeech) == [ev.EndSpeech(2)]


def test_a_real_interruption_stops_the_model_that_was_left_writing() -> None:
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0)))
    scene.say("Tell me.")
    scene.write("We are open today. We", done=False)
    scene.sound(1, 1800, sent=False)
    scene.hear(0.5)
    scene.hear(0.2, voiced=True)
    scene.words("Wait")
    assert scene.of(ev.Discard) == [ev.Discard(1)]
    assert scene.turns[1:] == [(AGENT, "We are", True)]


# --- by words --------------------------------------------------------------------------------------------------------


def test_with_zero_milliseconds_a_voice_alone_does_not_stop_the_agent() -> None:
    scene = speaking(WORDS_ONLY)
    scene.hear(1.0)
    scene.hear(0.6, voiced=True)
    assert scene.of(ev.Cancel) == []


@pytest.mark.parametrize("word", ["wait", "no", "stop", "Sorry, what?"])
def test_with_zero_milliseconds_a_real_word_stops_the_agent(word: str) -> None:
    scene = speaking(WORDS_ONLY)
    scene.hear(1.0)
    scene.hear(0.3, voiced=True)
    actions = scene.words(word)
    assert [type(action) for action in actions] == [
        ev.ShowTranscript, ev.Cancel, ev.RecordEvent, ev.ShowState, ev.Record, ev.ShowState,
    ]  # fmt: skip
    assert scene.state is LISTENING


@pytest.mark.parametrize("word", ["uh-huh", "Yeah.", "I see", "mm-hmm okay"])
def test_with_zero_milliseconds_a_backchannel_never_stops_the_agent(word: str) -> None:
    scene = speaking(WORDS_ONLY)
    scene.hear(1.0)
    scene.hear(0.3, voiced=True)
    scene.words(word)
    scene.hear(0.6, voiced=True)
    scene.final(word)
    scene.hear(6.0)
    assert scene.of(ev.Cancel) == []
    assert scene.turns == [(AGENT, OPENING, False)]
    assert scene.generates == []


def test_with_zero_milliseconds_a_long_voice_without_words_stops_the_agent() -> None:
    scene = speaking(WORDS_ONLY)
    scene.hear(1.0)
    scene.hear(0.68, voiced=True)
    assert scene.of(ev.Cancel) == []
    scene.audio_ms += 20
    scene.send(ev.AudioHeard(scene.audio_ms, scene.audio_ms, 700))
    assert scene.of(ev.Cancel) == [ev.Cancel(1, BARGE_IN, "Hello, this is")]


def test_with_zero_milliseconds_a_long_voice_behind_a_backchannel_stops_the_agent_too() -> None:
    scene = speaking(WORDS_ONLY)
    scene.hear(1.0)
    scene.hear(0.3, voiced=True)
    scene.words("uh-huh")
    scene.hear(0.68, voiced=True)
    assert scene.of(ev.Cancel) == []
    scene.audio_ms += 20
    scene.send(ev.AudioHeard(scene.audio_ms, scene.audio_ms, 1000))
    assert scene.of(ev.Cancel) == [ev.Cancel(1, BARGE_IN, "Hello, this is Ada.")]


def test_a_word_behind_a_backchannel_stops_the_agent() -> None:
    scene = speaking(WORDS_ONLY)
    scene.hear(1.0)
    scene.hear(0.3, voiced=True)
    scene.words("uh-huh")
    scene.words("uh-huh but wait")
    assert len(scene.of(ev.Cancel)) == 1


def test_an_assent_to_a_question_that_is_being_asked_is_an_answer() -> None:
    scene = speaking(WORDS_ONLY, opening="Shall I book the table for you now?")
    scene.hear(3.0)
    scene.hear(0.3, voiced=True)
    scene.words("yeah")
    assert scene.state is LISTENING
    scene.final("Yeah.")
    scene.hear(0.7)
    assert scene.turns[-1] == (CALLER, "Yeah.", False)


def test_an_assent_just_before_a_questions_end_is_an_answer_though_it_is_recognised_later() -> None:
    scene = speaking(WORDS_ONLY, opening="Shall I?")
    scene.hear(0.6)
    scene.hear(0.2, voiced=True)
    scene.hear(0.1)
    assert scene.state is LISTENING
    scene.final("Sure.")
    scene.hear(0.7)
    assert scene.turns[-1] == (CALLER, "Sure.", False)


def test_a_backchannel_recognised_after_the_agents_end_is_no_turn() -> None:
    scene = speaking(WORDS_ONLY, opening="We are open.")
    scene.hear(0.9)
    scene.hear(0.2, voiced=True)
    scene.hear(0.2)
    assert scene.state is LISTENING
    scene.final("Mm-hmm.")
    scene.hear(2.0)
    assert scene.turns == [(AGENT, "We are open.", False)]
    assert scene.notes == ["backchannel"]


def test_a_backchannel_into_the_silence_is_a_turn() -> None:
    scene = speaking(opening="We are open.")
    scene.hear(2.0)
    scene.say("Okay.")
    assert scene.turns[-1] == (CALLER, "Okay.", False)
