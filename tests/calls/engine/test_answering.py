import pytest

from calls.engine.answering import Answering
from calls.engine.conversation import TRANSITIONS
from calls.engine.events import (
    AudioSent,
    Cancel,
    Commit,
    EndSpeech,
    PlayedOut,
    ReplySent,
    SentenceSent,
    ShowToken,
    Speak,
)
from calls.engine.history import History
from calls.engine.reply import Purpose
from calls.engine.stage import Stage
from calls.enums import CancelReason, ConversationState
from tests.calls.engine.scene import LINES, agent


def answering() -> tuple[Answering, Stage]:
    """The agent's side of a call that listens, at 10 s."""
    stage = Stage(agent(), History("", 1000), TRANSITIONS)
    stage.now = 10.0
    stage.move(ConversationState.LISTENING)
    stage.take_actions()
    made = Answering(stage, fallback_lines=LINES, llm_tiers=1, tts_tiers=1, turn_budget_seconds=4.0)
    return made, stage


def speaking(text: str = "One two three.") -> tuple[Answering, Stage]:
    """A fixed line being played, 100 ms a character, all of it sent."""
    made, stage = answering()
    made.say(text, Purpose.LINE)
    made.note_audio(AudioSent(1, 0, len(text) * 100))
    made.note_sentence_sent(SentenceSent(1, 0))
    made.note_sent(ReplySent(1))
    stage.take_actions()
    return made, stage


def test_a_line_is_spoken_as_one_sentence() -> None:
    made, stage = answering()
    made.say("One. Two.", Purpose.LINE)
    assert stage.take_actions()[1:] == [Commit(1), Speak(1, 0, "One. Two."), EndSpeech(1), ShowToken(1, "One. Two.")]


def test_the_timers_follow_the_reply() -> None:
    made, stage = answering()
    assert made.next_timeout() is None
    made.say("One two three.", Purpose.LINE)
    assert made.next_timeout() == 14.0
    made.note_audio(AudioSent(1, 0, 1400))
    assert made.next_timeout() == pytest.approx(15.4)
    made.note_sentence_sent(SentenceSent(1, 0))
    made.note_sent(ReplySent(1))
    assert made.next_timeout() == pytest.approx(11.4)
    made.note_played(PlayedOut(1, 1000))
    assert made.next_timeout() == pytest.approx(10.4)
    stage.now = 10.4
    made.check_time()
    assert (made.reply, made.next_timeout(), stage.state) == (None, None, ConversationState.LISTENING)


def test_what_is_due_is_not_done_before() -> None:
    made, stage = speaking()
    stage.now = 11.3
    made.check_time()
    assert stage.take_actions() == []


def test_stopping_keeps_what_was_heard() -> None:
    made, stage = speaking()
    stage.now = 10.8
    made.stop(CancelReason.HANG_UP)
    assert stage.take_actions()[0] == Cancel(1, CancelReason.HANG_UP, "One two")
    assert [(turn.text, turn.interrupted) for turn in stage.history.turns] == [("One two", True)]
    assert made.reply is None


def test_nothing_is_interrupted_resumed_or_confirmed_where_nothing_is_said() -> None:
    made, stage = answering()
    made.interrupt(CancelReason.BARGE_IN, may_be_false=True)
    made.resume()
    made.confirm_interruption()
    made.stop(CancelReason.REQUESTED)
    made.check_time()
    assert stage.take_actions() == []


def test_audio_of_another_reply_is_not_counted() -> None:
    made, stage = speaking()
    made.note_audio(AudioSent(7, 0, 1000))
    made.note_sentence_sent(SentenceSent(7, 0))
    made.note_sent(ReplySent(7))
    made.note_played(PlayedOut(7, 1000))
    assert made.next_timeout() == pytest.approx(11.4)
    assert stage.take_actions() == []
