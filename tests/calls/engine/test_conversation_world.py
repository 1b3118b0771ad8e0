"""Whole calls in a simulated world: the history must be what was played, whatever the caller and the providers do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.engine import events as ev
from calls.engine.agent import BargeIn, Silence
from calls.engine.endpointing import words_of
from calls.enums import Speaker
from tests.calls.engine.scene import agent
from tests.calls.engine.test_conversation_random import Watch, assert_tools_are_answered
from tests.calls.engine.world import World

SEEDS = st.integers(0, 10**9)
PATIENT = Silence(reprompt_after_seconds=600)


def play(world: World, seconds: float) -> None:
    for _ in range(round(seconds / 0.02)):
        world.step()
        due = world.conversation.next_timeout()
        assert due is None or due > world.now - 0.1
        if world.is_over:
            return


def assert_heard_is_what_was_played(world: World) -> None:
    """What a cancel calls heard are whole words from the beginning of what was played, and nearly all of it."""
    for heard, played in world.cuts:
        said, sounded = "".join(words_of(heard)), "".join(words_of(played))
        assert sounded.startswith(said)
        assert len(said) >= len(sounded) * 0.75 - 16


@pytest.mark.parametrize("failures", [0.0, 0.02])
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, after=st.sampled_from([0, 160]), tiers=st.integers(1, 2))
def test_the_history_is_what_was_played(failures: float, seed: int, after: int, tiers: int) -> None:
    world = World(agent(barge_in=BargeIn(interrupt_after_ms=after)), seed, failures=failures, tiers=tiers)
    play(world, 60)
    watch = Watch()
    watch.see(world.actions)
    assert_heard_is_what_was_played(world)
    assert_tools_are_answered(world.conversation.messages)

    turns = [turn for turn in world.conversation.turns if turn.speaker is Speaker.AGENT]
    remembered = " ".join(message.content for message in world.conversation.messages if message.role == "assistant")
    assert words_of(" ".join(turn.text for turn in turns)) == words_of(remembered)
    assert "||" not in remembered


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, after=st.sampled_from([0, 160]))
def test_noises_and_backchannels_change_nothing_of_what_is_said(seed: int, after: int) -> None:
    spec = agent(barge_in=BargeIn(interrupt_after_ms=after, wordless_limit_ms=300), tools=(), silence=PATIENT)
    world = World(spec, seed, sayings=("uh-huh", "", "mm-hmm"))
    world.receive(ev.TextTyped("Tell me."))
    play(world, 60)

    agents = [turn for turn in world.conversation.turns if turn.speaker is Speaker.AGENT]
    written = [words_of(text.replace("||BREAK||", "")) for text in world.written.values()]
    assert agents
    assert not any(turn.interrupted for turn in agents)
    assert all(words_of(turn.text) in written for turn in agents)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_no_request_to_the_model_ends_with_the_agents_own_words(seed: int) -> None:
    world = World(agent(), seed, failures=0.01)
    play(world, 60)
    for action in world.actions:
        if isinstance(action, ev.Generate):
            assert action.messages[-1].role in {"user", "tool"}
