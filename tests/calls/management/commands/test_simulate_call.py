from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from calls.demo import DEMO_AGENT
from calls.engine.agent import AgentSpec, Intent
from calls.engine.events import Latency, SpokenTurn
from calls.enums import Speaker
from calls.management.commands.simulate_call import default_lines, describe
from tests.calls import rows


def test_the_command_shows_a_whole_call_with_its_end() -> None:
    out = StringIO()
    call_command("simulate_call", "how much does it cost", "goodbye", stdout=out)
    lines = out.getvalue().splitlines()
    assert "agent" in lines[0]
    assert any("caller  how much does it cost" in line for line in lines)
    assert any("ms after the caller: endpointing" in line for line in lines)
    assert lines[-1].endswith("ended   agent said goodbye")


@pytest.mark.django_db
def test_an_unknown_agent_is_an_error_that_names_the_field() -> None:
    with pytest.raises(CommandError, match="agentId"):
        call_command("simulate_call", "--agent", "nobody")


@pytest.mark.django_db
def test_an_agent_that_needs_a_variable_is_an_error_that_names_it() -> None:
    agent = rows.agent(opening="Hello {{name}}.")
    with pytest.raises(CommandError, match="'name' has no value"):
        call_command("simulate_call", "--agent", str(agent.pk))


def test_the_lines_come_from_the_script_one_cuts_in_and_the_last_ends_the_call() -> None:
    intents = tuple(Intent(name=name, examples=(f"say {name}",), answer="Yes.") for name in "abc")
    ending = Intent(name="bye", examples=("goodbye",), answer="Bye.", ends_call=True)
    spec = AgentSpec(name="x", prompt="", intents=(ending, *intents))
    assert default_lines(spec) == ["say a", "!say b", "say c", "goodbye"]
    assert default_lines(AgentSpec(name="x", prompt="")) == ["Hello, who is this?"]
    assert len(default_lines(DEMO_AGENT)) == 5


def test_a_turn_is_one_line_and_its_latency_another() -> None:
    turn = SpokenTurn(
        index=1, speaker=Speaker.AGENT, text="Fine.", started_ms=61_250, ended_ms=62_000, interrupted=True,
        latency=Latency(endpointing=600, stt=0, llm=120.4, tts=80, total=812.2),
    )  # fmt: skip
    assert describe(turn).splitlines() == [
        "1:01.2  agent   Fine. -- interrupted",
        "                 (812 ms after the caller: endpointing 600, model 120, voice 80)",
    ]
