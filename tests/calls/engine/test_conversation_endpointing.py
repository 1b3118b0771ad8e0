"""How long the agent waits for a caller who may go on."""

from calls.engine.agent import Endpointing
from calls.enums import Speaker
from tests.calls.engine.scene import Scene, agent


def test_a_number_that_was_asked_for_may_be_dictated_in_groups() -> None:
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0)), opening="What is your phone number?")
    scene.sound(1, 1000)
    scene.hear(1.5)
    for group in ("415", "555"):
        scene.say(group, silence=1.0)
        assert scene.generates == []
    scene.say("1234")
    assert scene.turns[1:] == [(Speaker.CALLER, "415 555 1234", False)]


def test_a_number_given_before_the_question_was_over_is_waited_for_too() -> None:
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0)), opening="What is your phone number, please?")
    scene.sound(1, 2500)
    scene.hear(2.2)
    scene.say("415", silence=1.0)
    scene.say("555 1234")
    assert scene.turns == [
        (Speaker.AGENT, "What is your phone number,", True),
        (Speaker.CALLER, "415 555 1234", False),
    ]


def test_a_number_that_nobody_asked_for_ends_with_the_patience() -> None:
    scene = Scene(agent(endpointing=Endpointing(eager_ms=0)), opening="How many will you be?")
    scene.sound(1, 1000)
    scene.hear(1.5)
    scene.say("12")
    assert scene.turns[1:] == [(Speaker.CALLER, "12", False)]


def test_a_short_answer_is_not_waited_for_longer_than_a_whole_sentence() -> None:
    scene = Scene(opening="Is it your house?")
    scene.sound(1, 1000)
    scene.hear(1.5)
    scene.say("Yes, it is.")
    assert scene.turns[1:] == [(Speaker.CALLER, "Yes, it is.", False)]
