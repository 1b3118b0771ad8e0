"""Goodbyes over the agent's own; what else stops the agent is tried in whole conversations."""

import pytest

from calls.engine import events as ev
from calls.enums import EndReason, Speaker
from tests.calls.engine.scene import Scene, agent

AGENT, CALLER = Speaker.AGENT, Speaker.CALLER


def parting() -> Scene:
    """The agent has begun to say goodbye, 3 s long."""
    scene = Scene(agent(tools=("end_call",)))
    scene.say("that is all")
    number = scene.generates[-1].reply
    scene.send(ev.ReplyDelta(number, "All right, it is noted. Goodbye, and thank you."))
    scene.send(ev.ReplyToolRequested(number, ev.ToolRequest("t", "end_call", "{}")))
    scene.write(reply=number)
    scene.sound(number, *[1500.0] * len([text for at, text in scene.spoken if at == number]))
    return scene


@pytest.mark.parametrize("words", ["bye", "Thank you, bye bye!", "you too"])
def test_a_goodbye_over_the_agents_own_ends_the_call(words: str) -> None:
    scene = parting()
    asked = len(scene.generates)
    scene.hear(0.6)
    scene.say(words, silence=0.8)
    scene.hear(3.0)
    assert scene.actions[-1] == ev.Finish(EndReason.AGENT_SAID_GOODBYE)
    assert len(scene.generates) == asked
    assert (CALLER, words, False) in scene.turns


def test_something_else_over_it_keeps_the_call() -> None:
    scene = parting()
    scene.hear(0.6)
    scene.say("bye oh wait one more question", silence=0.8)
    assert scene.of(ev.Finish) == []
    assert scene.generates[-1].messages[-1].content == "bye oh wait one more question"
