import pytest

from calls.engine.events import Message, Speak, ToolRequest
from calls.engine.reply import Purpose, Reply

FIND = ToolRequest("t1", "find", "{}")


def reply(*pieces: str, purpose: Purpose = Purpose.ANSWER) -> Reply:
    """A committed reply whose text is complete."""
    made = Reply(1, purpose)
    made.is_committed = True
    for piece in pieces:
        made.add_text(piece)
    made.close_text()
    made.is_generated = True
    made.take_sentences(0.0)
    return made


def play(made: Reply, *durations_ms: float, now: float = 10.0) -> None:
    """Send whole sentences."""
    for sentence, duration in enumerate(durations_ms):
        made.note_audio(sentence, duration, now)
        made.note_sentence_sent(sentence)


def test_text_becomes_sentences_and_is_shown_without_markers() -> None:
    made = Reply(1, Purpose.ANSWER)
    made.is_committed = True
    shown = [made.add_text(delta) for delta in ("One.||BR", "EAK||Two", ". Three")] + [made.close_text()]
    assert "".join(shown) == "One.Two. Three"
    assert made.take_sentences(1.0) == [Speak(1, 0, "One."), Speak(1, 1, "Two."), Speak(1, 2, "Three")]
    assert made.take_sentences(2.0) == []
    assert made.timing.first_speak_at == 1.0


def test_before_the_commit_only_the_first_sentence_is_handed_out() -> None:
    made = Reply(1, Purpose.ANSWER)
    made.add_text("One. Two. Three.")
    made.close_text()
    assert made.take_sentences(1.0) == [Speak(1, 0, "One.")]
    made.is_committed = True
    assert made.take_sentences(2.0) == [Speak(1, 1, "Two."), Speak(1, 2, "Three.")]


def test_another_voice_begins_with_the_first_sentence() -> None:
    made = reply("One. Two.")
    made.speak_again(1)
    assert made.take_sentences(1.0) == [Speak(1, 0, "One.", 1), Speak(1, 1, "Two.", 1)]


def test_what_was_heard_is_what_the_model_remembers() -> None:
    made = reply("One two three four. Five six.")
    play(made, 1900, 900)
    assert made.heard_text(11.0) == "One two"
    assert made.heard_messages(11.0) == (Message("assistant", "One two"),)
    assert made.heard_text(12.9) == "One two three four. Five six."
    assert made.heard_text(10.0) == ""
    assert made.heard_messages(10.0) == ()


def test_a_frozen_reply_hears_nothing_more() -> None:
    made = reply("One two three four.")
    play(made, 1900)
    made.freeze(11.0)
    assert made.heard_text(99.0) == "One two"


def test_audio_of_sentences_that_do_not_exist_harms_nothing() -> None:
    made = reply("One two.")
    made.note_audio(7, 100, 1.0)
    made.note_audio(-1, 100, 1.0)
    made.note_sentence_sent(7)
    made.note_words(7, ())
    assert made.heard_text(5.0) == ""


def test_the_rest_begins_with_the_clause_that_was_cut() -> None:
    made = reply("Well then, one two three. Four five. Six.")
    play(made, 2400, 1000)
    made.freeze(12.0)
    rest = made.rest(2)
    rest.is_committed = True
    assert rest.take_sentences(12.0) == [Speak(2, 0, "one two three."), Speak(2, 1, "Four five."), Speak(2, 2, "Six.")]
    assert rest.heard_text(12.0) == "Well then,"
    assert rest.own_text == "one two three. Four five. Six."
    play(rest, 1400, now=12.5)
    assert rest.heard_text(13.9) == "Well then, one two three."
    assert rest.own_heard_text(13.9) == "one two three."


def test_audio_sent_under_the_old_number_does_not_count_for_the_rest() -> None:
    made = reply("One. Two three.")
    play(made, 400, 1000)
    made.freeze(10.4)
    rest = made.rest(2)
    play(rest, 1000, now=20.0)
    assert rest.heard_text(20.5) == "One. Two"
    assert rest.heard_text(21.0) == "One. Two three."


def test_the_rest_of_a_reply_heard_to_the_end_is_empty() -> None:
    made = reply("One. Two.")
    play(made, 400, 400)
    made.freeze(10.8)
    assert not made.rest(2).has_sentences


def test_the_rest_keeps_the_tools_between_what_was_said() -> None:
    made = Reply(1, Purpose.ANSWER)
    made.is_committed = True
    made.add_text("Let me look.")
    made.ask_tool(FIND)
    made.answer_tool("t1", "found")
    made.add_text("Here it is, your order.")
    made.close_text()
    made.take_sentences(0.0)
    play(made, 1200, 2300)
    made.freeze(12.3)
    rest = made.rest(2)
    assert rest.own_text == "your order."
    assert rest.heard_messages(12.3) == (
        Message("assistant", "Let me look.", (FIND,)),
        Message("tool", "found", tool_call_id="t1"),
        Message("assistant", "Here it is,"),
    )


def test_an_unanswered_tool_gets_an_answer_in_the_history() -> None:
    made = Reply(1, Purpose.ANSWER)
    made.ask_tool(FIND)
    asked, answered = made.heard_messages(0.0)
    assert asked == Message("assistant", "", (FIND,))
    assert (answered.role, answered.tool_call_id) == ("tool", "t1")
    assert answered.content


def test_a_tool_is_answered_once() -> None:
    made = Reply(1, Purpose.ANSWER)
    made.ask_tool(FIND)
    assert made.open_step is not None
    assert not made.open_step.is_answered
    made.answer_tool("t1", "first")
    made.answer_tool("t1", "second")
    made.answer_tool("t9", "nobody asked")
    assert made.open_step.results == {"t1": "first"}


@pytest.mark.parametrize(("text", "question"), [("Shall I book it?", "Shall I book it?"), ("I book it.", "")])
def test_a_question_is_known_once_it_is_heard(text: str, question: str) -> None:
    made = reply(text)
    assert not made.heard_question(10.0)
    play(made, 1000)
    assert made.heard_question(10.9) == question
