from calls.engine.agent import AgentSpec, Intent
from calls.engine.prompt import render_spec
from calls.engine.toolspec import Destination
from calls.models import Transfer
from calls.services.briefing import ASK, briefing_spec

SPEC = AgentSpec(
    name="Ada",
    prompt="Sell {{thing}}.",
    opening="Hello {{name}}.",
    voice="warm",
    tools=("end_call", "transfer_call"),
    destinations=(Destination(name="Dana", e164="+442079460001"),),
    intents=(Intent(name="x", examples=("x",), answer="{{thing}}"),),
)


def test_a_colleague_hears_who_calls_for_what_and_which_keys_decide() -> None:
    spec = briefing_spec(SPEC, Transfer(destination="Dana", summary="Wants {{a}} price."))
    assert spec.opening == (f"Hello, this is Ada, the AI assistant. I have a caller for Dana. Wants ((a)) price. {ASK}")
    assert (spec.voice, spec.tools, spec.destinations, spec.intents) == ("warm", (), (), ())
    # What the caller said, or the agent's own texts, need no variables here.
    assert render_spec(spec, {}) == spec


def test_without_a_summary_there_is_none() -> None:
    spec = briefing_spec(SPEC, Transfer(destination="Dana"))
    assert spec.opening == f"Hello, this is Ada, the AI assistant. I have a caller for Dana. {ASK}"
    assert "nothing more" in spec.prompt
