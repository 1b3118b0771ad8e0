"""The first words on a new line to the same caller: the line went, the conversation did not."""

from collections.abc import Sequence

from calls.engine.answering import Answering
from calls.engine.events import Message
from calls.engine.history import History
from calls.engine.reply import Purpose
from calls.engine.sentences import BREAK, SentenceCutter, is_question


def go_on(agent: Answering, history: History) -> bool:
    """Answer what the caller said last, else say the resume line and ask again what was asked last.

    False: nothing was said so far that is worth going on with, so the call begins as any other.
    """
    if not history.messages:
        return False
    if history.is_unanswered:
        agent.answer()
    else:
        question = _last_question(history.messages)
        agent.say(f"{history.resume_line}{BREAK}{question}", Purpose.LINE)
    return True


def _last_question(messages: Sequence[Message]) -> str:
    """Give the sentence with which the agent's last words end, if it is a question; else nothing."""
    cutter = SentenceCutter(is_first=False)
    sentences = [*cutter.feed(messages[-1].content), *cutter.cut()]
    last = sentences[-1].strip() if sentences else ""
    return last if is_question(last) else ""
