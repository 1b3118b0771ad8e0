"""The line went and came back: the same conversation on it, from its history."""

import pytest

from calls.engine import events as ev
from calls.engine.events import Message, SpokenTurn
from calls.engine.history import Earlier
from calls.enums import ConversationState, Speaker
from tests.calls.engine.scene import Scene, agent

CALLER, AGENT = Speaker.CALLER, Speaker.AGENT
LINE = "Sorry, I lost you."


def said(*turns: tuple[Speaker, str], interrupted: bool = False) -> tuple[SpokenTurn, ...]:
    """Turns of the earlier line; ``interrupted``: the last of them was cut."""
    last = len(turns) - 1
    return tuple(
        SpokenTurn(index, speaker, text, index * 1000, index * 1000 + 900, interrupted and index == last)
        for index, (speaker, text) in enumerate(turns)
    )


def resumed(*turns: tuple[Speaker, str], interrupted: bool = False) -> Scene:
    earlier = Earlier(said(*turns, interrupted=interrupted), LINE)
    return Scene(agent(opening="Hello."), opening="Hello.", earlier=earlier)


def test_after_the_agents_words_the_call_goes_on_with_the_resume_line() -> None:
    scene = resumed((AGENT, "Hello."), (CALLER, "Who are you?"), (AGENT, "I am Ada."))
    assert scene.spoken == [(1, LINE)]
    scene.sound(1, 500)
    scene.wait(1)
    assert scene.state is ConversationState.LISTENING
    assert [(record.turn.index, record.turn.text) for record in scene.of(ev.Record)] == [(3, LINE)]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("We open at nine. Shall I book a table?", "Shall I book a table?"),
        ("Does nine o'clock suit you?", "Does nine o'clock suit you?"),
        ("Shall I book? We open at nine.", ""),
    ],
)
def test_the_question_that_was_asked_last_is_asked_again(text: str, question: str) -> None:
    scene = resumed((AGENT, text))
    assert [spoken for _, spoken in scene.spoken] == [LINE, *filter(None, [question])]


def test_words_that_nobody_answered_are_answered_at_once() -> None:
    scene = resumed((AGENT, "Hello."), (CALLER, "When are you open?"))
    assert scene.spoken == []
    assert [generate.messages for generate in scene.generates] == [
        (Message("system", "Be kind."), Message("assistant", "Hello."), Message("user", "When are you open?"))
    ]
    scene.answer("From nine.")
    scene.wait(2)
    assert [(record.turn.index, record.turn.text) for record in scene.of(ev.Record)] == [(2, "From nine.")]


def test_an_answer_that_broke_off_with_the_line_is_given_again() -> None:
    scene = resumed((CALLER, "When are you open?"), (AGENT, "We are"), interrupted=True)
    assert [generate.messages[1:] for generate in scene.generates] == [(Message("user", "When are you open?"),)]


def test_an_opening_that_broke_off_is_said_again_in_full() -> None:
    scene = resumed((AGENT, "Hel"), interrupted=True)
    assert scene.spoken == [(1, "Hello.")]
    scene.sound(1, 500)
    scene.wait(1)
    assert [record.turn.index for record in scene.of(ev.Record)] == [1]


def test_a_line_that_never_carried_a_word_begins_with_the_opening() -> None:
    assert resumed().spoken == [(1, "Hello.")]


def test_the_opening_is_not_said_later_by_a_second_start() -> None:
    scene = resumed((AGENT, "Hello."))
    scene.sound(1, 500)
    scene.wait(1)
    scene.send(ev.CallResumed())
    assert scene.spoken == [(1, LINE)]


def test_the_model_knows_what_was_said_before() -> None:
    scene = resumed((AGENT, "Hello."), (CALLER, "Hm."), (CALLER, "Who are you?"), (AGENT, "I am Ada."))
    scene.sound(1, 500)
    scene.wait(1)
    scene.say("And where?")
    assert scene.generates[-1].messages == (
        Message("system", "Be kind."),
        Message("assistant", "Hello."),
        Message("user", "Hm. Who are you?"),
        Message("assistant", "I am Ada."),
        Message("assistant", LINE),
        Message("user", "And where?"),
    )


def test_what_a_call_lasted_on_its_earlier_lines_counts() -> None:
    spec = agent(max_duration_seconds=60, max_duration_goodbye="Time is up.")
    scene = Scene(spec, earlier=Earlier(said((AGENT, "Hello.")), LINE, seconds=57.0))
    scene.sound(1, 500)
    scene.hear(2.9)
    assert scene.spoken == [(1, LINE)]
    scene.hear(0.2)
    assert scene.spoken[1:] == [(2, "Time is up.")]
