from calls.engine.events import Latency, Message, Record, SpokenTurn, ToolRequest, Usage
from calls.engine.hearing import Utterance
from calls.engine.history import Earlier, History
from calls.enums import Speaker


def said(text: str, began_at: float = 11.0, ended_at: float = 12.0) -> Utterance:
    return Utterance(1, text, 0.9, began_at, ended_at, 1000.0, 0.0)


def history(budget: int = 1000) -> History:
    made = History("Be kind.", budget)
    made.began_at = 10.0
    return made


def answer(made: History, text: str, *messages: Message) -> Record | None:
    return made.add_agent(
        messages or ((Message("assistant", text),) if text else ()), text,
        began_at=12.5, ended_at=14.0, interrupted=False, latency=Latency(total=500.0), usage=Usage(10, 5),
    )  # fmt: skip


def test_turns_are_numbered_and_timed_from_the_calls_begin() -> None:
    made = history()
    assert made.add_caller(said("Hi")) == Record(SpokenTurn(0, Speaker.CALLER, "Hi", 1000, 2000, confidence=0.9))
    assert answer(made, "Hello.") == Record(
        SpokenTurn(1, Speaker.AGENT, "Hello.", 2500, 4000, latency=Latency(total=500.0), usage=Usage(10, 5))
    )
    assert [turn.index for turn in made.turns] == [0, 1]


def test_what_was_not_heard_leaves_no_turn_and_no_message() -> None:
    made = history()
    made.add_caller(said("Hi"))
    assert answer(made, "") is None
    assert made.messages == (Message("user", "Hi"),)


def test_words_right_behind_unanswered_ones_go_on_with_them() -> None:
    made = history()
    made.add_caller(said("I want a table"))
    made.add_caller(said("for two"))
    assert made.messages == (Message("user", "I want a table for two"),)
    assert [turn.text for turn in made.turns] == ["I want a table", "for two"]


def test_words_behind_an_answer_are_a_message_of_their_own() -> None:
    made = history()
    made.add_caller(said("Hi"))
    answer(made, "Hello.")
    made.add_caller(said("Bye"))
    assert [message.role for message in made.messages] == ["user", "assistant", "user"]


def test_a_tool_that_was_asked_stays_even_when_nothing_was_heard() -> None:
    made = history()
    asked = Message("assistant", "", (ToolRequest("1", "find", "{}"),))
    result = Message("tool", "found", tool_call_id="1")
    made.add_caller(said("Find it"))
    assert answer(made, "", asked, result) is None
    assert made.messages == (Message("user", "Find it"), asked, result)


def test_the_context_holds_words_that_are_no_turn_yet() -> None:
    made = history()
    made.add_caller(said("I want"))
    assert made.context(caller="a table") == (Message("system", "Be kind."), Message("user", "I want a table"))
    assert made.messages == (Message("user", "I want"),)


def test_a_reply_in_the_making_is_never_pruned_from_its_question() -> None:
    made = history(budget=16)
    for number in range(5):
        made.add_caller(said(f"question {number} " * 5))
        answer(made, "answer " * 5)
    made.add_caller(said("last"))
    asked = Message("assistant", "", (ToolRequest("1", "find", "{}"),))
    result = Message("tool", "found " * 50, tool_call_id="1")
    assert made.context(reply=(asked, result)) == (
        Message("system", "Be kind."), Message("user", "last"), asked, result,
    )  # fmt: skip


def test_a_reply_before_any_turn_stands_alone() -> None:
    part = Message("assistant", "Hello")
    assert history().context(reply=(part,)) == (Message("system", "Be kind."), part)


def test_reported_usage_corrects_how_much_is_kept() -> None:
    made = history(budget=120)
    for number in range(8):
        made.add_caller(said("word " * 20))
        answer(made, f"answer {number}")
    before = len(made.context())
    made.learn_usage((Message("user", "word " * 20),), Usage(prompt_tokens=87))
    assert len(made.context()) < before


def test_a_call_that_goes_on_counts_from_its_earlier_turns() -> None:
    turns = (SpokenTurn(0, Speaker.AGENT, "Hello.", 0, 900), SpokenTurn(1, Speaker.CALLER, "Hi", 1000, 1200))
    made = History("Be kind.", 1000, Earlier(turns, "Sorry."))
    assert (made.is_unanswered, made.messages) == (True, (Message("assistant", "Hello."), Message("user", "Hi")))
    record = answer(made, "Good day.")
    assert record is not None
    assert (record.turn.index, made.is_unanswered) == (2, False)


def test_what_broke_off_with_the_line_is_a_turn_and_no_message() -> None:
    turns = (
        SpokenTurn(0, Speaker.CALLER, "Hi", 0, 900),
        SpokenTurn(1, Speaker.AGENT, "Go", 1000, 1200, interrupted=True),
    )
    made = History("Be kind.", 1000, Earlier(turns))
    assert (made.turns, made.messages, made.is_unanswered) == ([*turns], (Message("user", "Hi"),), True)
