"""The first words on a new line to the same caller: the line went, the conversation did not."""

from collections.abc import Sequence

from calls.engine.answered import is_greeting
from calls.engine.answering import Answering
from calls.engine.events import Message
from calls.engine.history import History
from calls.engine.reception import Reception
from calls.engine.reply import Purpose
from calls.engine.sentences import BREAK, SentenceCutter, is_question


def go_on(agent: Answering, history: History, reception: Reception) -> bool:
    """Answer what the caller said last, else say the resume line and ask again what was asked last.

    A notice that was not heard to its end comes before that, whole. False: nothing was said so far that is worth going
    on with, so the call begins as any other.
    """
    messages = history.messages
    if not messages:
        return False
    is_unanswered, next_words = history.is_unanswered, ""
    if not is_unanswered:
        next_words = _last_question(messages)
    elif not history.is_noticed and len(messages) == 1 and is_greeting(messages[0].content):
        # Who has only said hello has not heard what the call is about, and wants no answer.
        is_unanswered, next_words = False, reception.words.opening
    line = f"{history.resume_line}{BREAK}{next_words}"
    if not history.is_noticed and reception.give_notice(line, owes_answer=is_unanswered):
        return True
    if history.is_unanswered:
        agent.answer()
    else:
        agent.say(line, Purpose.LINE)
    return True


def _last_question(messages: Sequence[Message]) -> str:
    """Give the sentence with which the agent's last words end, if it is a question; else nothing."""
    cutter = SentenceCutter(is_first=False)
    sentences = [*cutter.feed(messages[-1].content), *cutter.cut()]
    last = sentences[-1].strip() if sentences else ""
    return last if is_question(last) else ""
