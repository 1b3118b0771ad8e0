"""The demo agent: what it must say by law, and that its script leads somewhere."""

import msgspec
import pytest

from calls.demo import DEMO_AGENT, demo_content
from calls.engine.agent import AgentSpec
from calls.engine.events import Message
from calls.engine.prompt import render, variable_names
from calls.enums import VoicemailPolicy
from calls.providers.scripted.agent import Reply, Script
from calls.providers.scripted.intents import IntentMatcher

NAMES = [intent.name for intent in DEMO_AGENT.intents]
ANSWERS = {intent.name: Reply(intent.answer, intent.ends_call) for intent in DEMO_AGENT.intents}


def talk(*lines: str) -> list[Reply]:
    """Hold a conversation with the script and give the agent's replies."""
    messages = [Message("system", DEMO_AGENT.prompt), Message("assistant", DEMO_AGENT.opening)]
    replies = []
    for line in lines:
        messages.append(Message("user", line))
        replies.append(Script(DEMO_AGENT).answer(messages))
        messages.append(Message("assistant", replies[-1].text))
    return replies


def test_its_first_sentence_says_that_it_is_an_ai() -> None:
    assert "AI assistant" in render(DEMO_AGENT.opening, {}).split(". ")[0]


def test_it_greets_by_name_where_the_name_is_known() -> None:
    assert render(DEMO_AGENT.opening, {"first_name": "Ada"}).startswith("Hello Ada, this is Robin")
    assert render(DEMO_AGENT.opening, {}).startswith("Hello there, this is Robin")


def test_every_variable_of_its_texts_has_a_default() -> None:
    assert variable_names(DEMO_AGENT.opening + DEMO_AGENT.prompt) == {"first_name": "a caller"}
    assert variable_names(DEMO_AGENT.opening) == {"first_name": "there"}


def test_on_the_telephone_it_names_the_ai_and_the_recording_first_and_knows_what_machines_want() -> None:
    manners = DEMO_AGENT.telephone
    assert "AI assistant" in manners.notice
    assert "recorded" in manners.notice
    assert manners.voicemail is VoicemailPolicy.LEAVE_MESSAGE
    assert "AI assistant of Northlight Solar" in manners.voicemail_message
    assert "press nine" in manners.voicemail_message
    assert "Northlight Solar" in manners.screening_answer
    assert manners.ivr_digits == "0"
    assert variable_names(f"{manners.opening}{manners.voicemail_message}{manners.screening_answer}") == {}


def test_it_comes_back_from_its_stored_form_as_it_was() -> None:
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(demo_content())), AgentSpec) == DEMO_AGENT


def test_its_intents_have_names_of_their_own_and_come_after_known_ones() -> None:
    assert len(set(NAMES)) == len(NAMES) > 12
    after = {name for intent in DEMO_AGENT.intents for name in intent.after}
    assert after - set(NAMES) == {"opening"}


@pytest.mark.parametrize("intent", DEMO_AGENT.intents, ids=lambda intent: intent.name)
def test_every_example_means_its_own_intent(intent: object) -> None:
    assert isinstance(intent, type(DEMO_AGENT.intents[0]))
    matcher = IntentMatcher(DEMO_AGENT.intents)
    best = [
        {m.intent.name for m in ranked if m.score == ranked[0].score} for ranked in map(matcher.rank, intent.examples)
    ]
    assert [intent.name in names for names in best] == [True] * len(intent.examples)


def test_a_willing_caller_gets_an_appointment() -> None:
    assert talk("yes, go ahead", "sure", "Tuesday at ten, please", "no, thank you") == [
        ANSWERS["pitch"],
        ANSWERS["yes_to_visit"],
        ANSWERS["tuesday"],
        ANSWERS["nothing_else"],
    ]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("at ten please", "tuesday"),
        ("the second one", "thursday"),
        ("two is fine", "thursday"),
        ("choose day at ten", "tuesday"),
        ("thirsty", "thursday"),
    ],
)
def test_after_the_offer_half_an_answer_and_what_sounds_like_one_make_the_appointment(line: str, name: str) -> None:
    assert talk("i am interested", line)[-1] == ANSWERS[name]


@pytest.mark.parametrize("line", ["the second one", "thirsty"])
def test_before_the_offer_it_does_not(line: str) -> None:
    assert talk(line) == [Reply(DEMO_AGENT.fallback_answer)]


def test_a_yes_to_two_days_is_asked_about_once_more() -> None:
    assert talk("i am interested", "sounds good", "thursday") == [
        ANSWERS["interested"],
        ANSWERS["yes_to_days"],
        ANSWERS["thursday"],
    ]


def test_somebody_with_time_is_not_taken_for_somebody_without() -> None:
    assert talk("i have time") == [ANSWERS["pitch"]]
    assert talk("i have no time") == [ANSWERS["busy"]]


def test_objections_are_answered_and_the_second_no_is_taken() -> None:
    assert talk("What does it cost?", "That's too expensive for me", "no", "no") == [
        ANSWERS["price"],
        ANSWERS["too_expensive"],
        ANSWERS["no"],
        ANSWERS["final_no"],
    ]


@pytest.mark.parametrize("line", ["are you a robot", "Are you a real person?", "am I talking to a machine here"])
def test_it_says_truthfully_what_it_is(line: str) -> None:
    assert talk(line) == [ANSWERS["are_you_a_robot"]]
    assert ANSWERS["are_you_a_robot"].text.startswith("Yes, I am an AI")


@pytest.mark.parametrize("line", ["stop calling me", "Take me off of your list!", "never call me again"])
def test_whoever_wants_no_more_calls_is_heard_and_let_go(line: str) -> None:
    assert talk(line) == [ANSWERS["stop_calling"]]
    assert ANSWERS["stop_calling"].ends_call


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("well listen I'm really busy right now and I'm driving can you call me later", "busy"),
        ("can I talk to a real human being please", "wants_a_human"),
        ("who is calling", "who_are_you"),
        ("thursday at two is perfect", "thursday"),
        ("what about Wednesday", "other_day"),
        ("ok bye", "goodbye"),
        ("thanks a lot", "thanks"),
        ("how long do the panels last", "how_long"),
        ("I live in an apartment", "rents"),
    ],
)
def test_other_words_for_the_same_are_understood(line: str, name: str) -> None:
    assert talk(line) == [ANSWERS[name]]


@pytest.mark.parametrize(
    "line", ["my cat is sick", "do you like pizza", "had he married a more amiable woman", "the", ""]
)
def test_what_it_does_not_know_it_does_not_pretend_to_know(line: str) -> None:
    assert talk(line) == [Reply(DEMO_AGENT.fallback_answer)]
