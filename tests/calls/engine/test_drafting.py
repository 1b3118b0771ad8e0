from calls.engine.conversation import TRANSITIONS
from calls.engine.drafting import Drafting
from calls.engine.events import (
    CallTool,
    Commit,
    Discard,
    EndSpeech,
    Generate,
    Message,
    ReplyDelta,
    ReplyGenerated,
    ReplyToolRequested,
    ShowToken,
    Speak,
    ToolRequest,
    Usage,
)
from calls.engine.hearing import Utterance
from calls.engine.history import History
from calls.engine.reply import Outcome, Purpose
from calls.engine.stage import Stage
from calls.enums import ConversationState
from tests.calls.engine.scene import agent


def said(text: str) -> Utterance:
    return Utterance(1, text, 0.9, 0.0, 1.0, 1000.0, 0.0)


def desk() -> tuple[Drafting, Stage]:
    """A drafting desk in a call that listens."""
    stage = Stage(agent(), History("", 1000), TRANSITIONS)
    stage.move(ConversationState.LISTENING)
    stage.take_actions()
    return Drafting(stage), stage


def answered(text: str = "Hi") -> tuple[Drafting, Stage]:
    """A desk with reply 1 in the making."""
    drafts, stage = desk()
    stage.history.add_caller(said(text))
    drafts.answer(said(text))
    stage.take_actions()
    return drafts, stage


def test_an_answer_is_asked_for_and_certain_from_the_start() -> None:
    drafts, stage = desk()
    stage.history.add_caller(said("Hi"))
    drafts.answer(said("Hi"))
    assert stage.take_actions()[1:] == [Generate(1, (Message("user", "Hi"),)), Commit(1)]


def test_the_same_suspicion_is_not_followed_twice() -> None:
    drafts, stage = desk()
    drafts.prepare("Hi")
    drafts.prepare("hi.")
    drafts.prepare("Hi there")
    assert stage.take_actions() == [Generate(1, (Message("user", "Hi"),), speculative=True)]


def test_tokens_of_a_suspicion_are_held_back_until_the_commit() -> None:
    drafts, stage = desk()
    drafts.prepare("Hi")
    drafts.read_delta(ReplyDelta(1, "Hello. How"))
    drafts.read_delta(ReplyDelta(1, " are you?"))
    drafts.end_text(ReplyGenerated(1))
    assert stage.take_actions()[1:] == [Speak(1, 0, "Hello.")]
    drafts.answer(said("Hi"))
    assert stage.take_actions()[1:] == [
        Commit(1), ShowToken(1, "Hello. How"), ShowToken(1, " are you?"), Speak(1, 1, "How are you?"), EndSpeech(1),
    ]  # fmt: skip


def test_an_answer_to_other_words_discards_the_suspicion() -> None:
    drafts, stage = desk()
    drafts.prepare("Hi")
    stage.history.add_caller(said("Hi there"))
    drafts.answer(said("Hi there"))
    actions = stage.take_actions()
    assert Discard(1) in actions
    assert actions[-1] == Commit(2)


def test_text_after_the_end_is_not_taken() -> None:
    drafts, stage = answered()
    drafts.read_delta(ReplyDelta(1, "Hello."))
    drafts.end_text(ReplyGenerated(1))
    stage.take_actions()
    drafts.read_delta(ReplyDelta(1, "More."))
    drafts.end_text(ReplyGenerated(1))
    assert stage.take_actions() == []


def test_a_reply_without_words_says_how_it_ended() -> None:
    drafts, _ = answered()
    drafts.end_text(ReplyGenerated(1, Usage(10, 0)))
    assert drafts.reply is not None
    assert (drafts.reply.outcome, drafts.reply.usage) == (Outcome.NOTHING_SAID, Usage(10, 0))


def test_an_empty_line_is_not_said_and_takes_no_number() -> None:
    drafts, stage = desk()
    assert not drafts.say(" ||BREAK|| ", Purpose.LINE, None)
    assert stage.take_actions() == []
    assert drafts.next_number() == 1


def test_a_tool_asked_for_twice_under_one_name_is_called_once() -> None:
    drafts, stage = answered()
    request = ToolRequest("t1", "find", "{}")
    drafts.read_tool_request(ReplyToolRequested(1, request))
    drafts.read_tool_request(ReplyToolRequested(1, request))
    assert stage.take_actions() == [CallTool(1, request)]
