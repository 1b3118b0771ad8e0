"""The line went and came back: the same conversation on it, from its history."""

import pytest

from calls.engine import events as ev
from calls.engine.agent import Telephone
from calls.engine.events import Message, SpokenTurn
from calls.engine.history import Earlier
from calls.enums import ConversationState, Direction, Speaker
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


# --- a notice that the line has cut -----------------------------------------------------------------------------------

NOTICE, OPENING = "This call is recorded.", "You asked for a call. Is it a good time?"


def cut_in_the_notice(*turns: tuple[Speaker, str]) -> Scene:
    spec = agent(telephone=Telephone(notice=NOTICE))
    earlier = Earlier(said(*turns), LINE, is_noticed=False)
    return Scene(spec, opening=OPENING, telephone=Direction.OUTBOUND, earlier=earlier)


def test_it_is_spoken_again_before_anything_else() -> None:
    scene = cut_in_the_notice((AGENT, "Hello. Who are you?"))
    assert [text for _, text in scene.spoken] == [NOTICE, LINE, "Who are you?"]
    scene.sound(1, 3000, 2000, 2000)
    scene.hear(0.5)
    scene.say("What?", silence=1.5)
    assert scene.of(ev.Cancel) == [], "nobody interrupts it"
    scene.hear(1.2)
    assert "notice_played" in scene.notes


def test_who_had_only_said_hello_hears_what_the_call_is_about() -> None:
    scene = cut_in_the_notice((CALLER, "Hello?"))
    assert [text for _, text in scene.spoken] == [NOTICE, LINE, OPENING]
    assert scene.generates == []


def test_what_was_said_over_it_is_answered_after_it() -> None:
    scene = cut_in_the_notice((CALLER, "What does it cost?"))
    assert [text for _, text in scene.spoken] == [NOTICE, LINE]
    scene.sound(1, 1000, 1000)
    scene.hear(2.5)
    (generate,) = scene.generates
    assert [(message.role, message.content) for message in generate.messages[1:]] == [
        ("user", "What does it cost?"),
        ("assistant", f"{NOTICE} {LINE}"),
    ]


def test_an_objection_over_it_does_not_cost_its_rest() -> None:
    scene = cut_in_the_notice((AGENT, "Hello."))
    scene.sound(1, 3000, 1000, sent=False)
    scene.hear(0.3)
    scene.say("I don't want to be recorded.", silence=1.0)
    line = agent().telephone.objection_line
    assert [text for _, text in scene.spoken][-3:] == [line, NOTICE, LINE]


def test_elsewhere_than_on_the_telephone_and_without_one_there_is_nothing_to_repeat() -> None:
    earlier = Earlier(said((AGENT, "Hello.")), LINE, is_noticed=False)
    for spec, direction in ((Telephone(notice=NOTICE), None), (Telephone(), Direction.OUTBOUND)):
        scene = Scene(agent(telephone=spec), opening=OPENING, telephone=direction, earlier=earlier)
        assert scene.spoken == [(1, LINE)]
