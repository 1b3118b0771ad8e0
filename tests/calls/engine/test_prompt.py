import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.engine.agent import Intent, Silence, Telephone
from calls.engine.events import Message, ToolRequest
from calls.engine.prompt import (
    TokenEstimate,
    build_context,
    estimate_message,
    estimate_text,
    render,
    render_spec,
    variable_names,
)
from calls.errors import MissingVariableError
from tests.calls.engine.scene import agent


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("Hello {{name}}.", "Hello Ada."),
        ("Hello {{ name }}.", "Hello Ada."),
        ("Hello {{name|there}}.", "Hello Ada."),
        ("Hello {{other|there}}.", "Hello there."),
        ("Hello {{other| there }}.", "Hello there."),
        ("Hello {{other|}}.", "Hello ."),
        ("Hello {{empty|there}}.", "Hello there."),
        ("Hello {{empty}}.", "Hello ."),
        ("{{name}}{{name}}", "AdaAda"),
        ("{{tricky}}", "{{name}} {{x|y}}"),
        ("{name} {{}} {{1}} {{na me}}", "{name} {{}} {{1}} {{na me}}"),
        ("{{customer.name}} {{order-id}}", "Eve 7"),
        ("", ""),
    ],
)
def test_variables_are_replaced_by_our_own_rules(text: str, rendered: str) -> None:
    values = {"name": "Ada", "empty": "", "tricky": "{{name}} {{x|y}}", "customer.name": "Eve", "order-id": "7"}
    assert render(text, values) == rendered


def test_a_variable_without_value_and_default_is_named() -> None:
    with pytest.raises(MissingVariableError, match="variable 'name' has no value"):
        render("Hello {{name}}", {"other": "x"})


@given(st.text(max_size=80), st.dictionaries(st.text(max_size=5), st.text(max_size=10), max_size=3))
def test_any_text_is_rendered_or_names_what_is_missing(text: str, values: dict[str, str]) -> None:
    missing = {name for name, default in variable_names(text).items() if default is None} - set(values)
    if missing:
        with pytest.raises(MissingVariableError):
            render(text, values)
    else:
        assert isinstance(render(text, values), str)


def test_the_variables_of_a_text_are_listed_with_their_defaults() -> None:
    assert variable_names("{{a}} {{b|x y}} {{a}} {{c|}}") == {"a": None, "b": "x y", "c": ""}


def test_every_text_of_an_agent_is_rendered() -> None:
    spec = agent(
        prompt="p {{x}}", opening="o {{x}}", goodbye="g {{x}}", max_duration_goodbye="m {{x}}",
        fallback_answer="f {{x}}",
        silence=Silence(reprompts=("r {{x}}",), goodbye="s {{x}}"),
        telephone=Telephone(
            notice="n", opening="t {{x}}", voicemail_message="v {{x}}", screening_answer="w {{x}}",
            opt_out_goodbye="u {{x}}", objection_line="r {{x}}",
        ),
        intents=(Intent(name="i", examples=("e {{x}}",), answer="a {{x}}"),),
    )  # fmt: skip
    made = render_spec(spec, {"x": "1"})
    assert (made.prompt, made.opening, made.goodbye, made.max_duration_goodbye) == ("p 1", "o 1", "g 1", "m 1")
    assert (made.silence.reprompts, made.silence.goodbye, made.fallback_answer) == (("r 1",), "s 1", "f 1")
    assert made.intents[0].answer == "a 1"
    assert made.telephone == Telephone(
        notice="n",
        opening="t 1",
        voicemail_message="v 1",
        screening_answer="w 1",
        opt_out_goodbye="u 1",
        objection_line="r 1",
    )


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("The quick brown fox jumps over the lazy dog", 9, 12),
        ("我想预订一张桌子", 6, 9),
        ("Я хотел бы заказать столик", 8, 12),
        ("أريد حجز طاولة", 5, 9),
        ("😀😀", 3, 5),
        ("", 0, 0),
    ],
)
def test_tokens_are_estimated_by_script(text: str, low: float, high: float) -> None:
    assert low <= estimate_text(text) <= high


def test_a_message_costs_its_text_its_requests_and_its_frame() -> None:
    plain = Message("user", "abcd" * 10)
    asking = Message("assistant", "abcd" * 10, (ToolRequest("1", "find", "{}" * 20),))
    assert estimate_message(plain) == 14
    assert estimate_message(asking) == 14 + 11 + 4


def test_the_estimate_learns_from_what_the_provider_counted() -> None:
    estimate = TokenEstimate()
    for _ in range(8):
        estimate.learn(100, 150)
    assert estimate.ratio == pytest.approx(1.5, abs=0.01)
    estimate.learn(0, 10)
    estimate.learn(10, 0)
    assert estimate.ratio == pytest.approx(1.5, abs=0.01)


def test_an_absurd_report_moves_the_estimate_only_so_far() -> None:
    estimate = TokenEstimate()
    estimate.learn(1, 1_000_000)
    assert estimate.ratio == 2.0


def turn(role: str, text: str) -> tuple[Message, ...]:
    return (Message(role, text),)


def test_a_small_conversation_is_kept_whole_behind_the_prompt() -> None:
    turns = [turn("user", "Hi"), turn("assistant", "Hello")]
    context = build_context("Be kind.", turns, budget=1000, estimate=TokenEstimate())
    assert context == (Message("system", "Be kind."), Message("user", "Hi"), Message("assistant", "Hello"))


def test_without_a_prompt_there_is_no_system_message() -> None:
    assert build_context("", [turn("user", "Hi")], budget=9, estimate=TokenEstimate()) == (Message("user", "Hi"),)


def test_the_oldest_turns_go_first() -> None:
    turns = [turn("user", f"{number} " + "word " * 40) for number in range(10)]
    context = build_context("", turns, budget=130, estimate=TokenEstimate())
    assert [message.content[0] for message in context] == ["8", "9"]


def test_the_newest_turn_stays_even_beyond_the_budget() -> None:
    context = build_context(
        "p" * 4000, [turn("user", "a"), turn("user", "b" * 4000)], budget=10, estimate=TokenEstimate()
    )
    assert [message.content[0] for message in context] == ["p", "b"]


def test_a_request_for_a_tool_goes_with_its_answer() -> None:
    asked = Message("assistant", "", (ToolRequest("1", "find", "{}"),))
    tool = Message("tool", "word " * 60, tool_call_id="1")
    turns = [turn("user", "old"), (asked, tool), turn("user", "new")]
    small = build_context("", turns, budget=40, estimate=TokenEstimate())
    large = build_context("", turns, budget=94, estimate=TokenEstimate())
    assert small == (Message("user", "new"),)
    assert large == (asked, tool, Message("user", "new"))


def test_a_learned_ratio_prunes_more() -> None:
    turns = [turn("user", "word " * 40) for _ in range(4)]
    estimate = TokenEstimate()
    before = len(build_context("", turns, budget=250, estimate=estimate))
    estimate.learn(100, 300)
    assert (before, len(build_context("", turns, budget=250, estimate=estimate))) == (4, 2)


@given(st.lists(st.text(max_size=200), min_size=1, max_size=12), st.integers(16, 400))
def test_the_budget_holds_and_what_is_kept_is_the_newest(texts: list[str], budget: int) -> None:
    turns = [turn("user", text) for text in texts]
    estimate = TokenEstimate()
    context = build_context("", turns, budget=budget, estimate=estimate)
    assert [message.content for message in context] == texts[-len(context) :]
    assert len(context) == 1 or estimate.of(context) <= budget


def test_a_variable_with_one_use_without_a_default_must_be_given() -> None:
    assert variable_names("{{a}} {{a|x}} {{b|y}} {{b|z}}") == {"a": None, "b": "z"}
    assert variable_names("{{a|x}} {{a}}") == {"a": None}
