from typing import Any

import pytest

from calls.enums import EndReason, Speaker
from campaigns.analytics.evidence import Line
from campaigns.analytics.rules import judge
from campaigns.enums import Disposition, Sentiment
from campaigns.findings import ActionItem, Findings
from tests.campaigns.analytics.calls import BOOKED, OPENING, agent, caller, evidence


def test_a_booked_call_is_judged_whole() -> None:
    assert judge(BOOKED) == Findings(
        disposition=Disposition.SCHEDULED,
        summary="Scheduled: a call of 1 min 20 s with 9 turns. Spoken of: price, tuesday, thanks. "
        "Agreed: Tuesday at ten it is. How it ended: agent said goodbye.",
        sentiment=Sentiment.POSITIVE,
        interest=95,
        topics=("price", "tuesday", "thanks"),
        action_items=(ActionItem(text="Keep the appointment: Tuesday at ten it is.", owner="business"),),
    )


@pytest.mark.parametrize(
    ("words", "disposition"),
    [
        ("I am really not interested", Disposition.NOT_INTERESTED),
        ("no thank you", Disposition.NOT_INTERESTED),
        ("we don't need any of that", Disposition.NOT_INTERESTED),
        ("you have the wrong number", Disposition.WRONG_NUMBER),
        ("there is nobody here with that name, nobody called Ann", Disposition.WRONG_NUMBER),
        ("hm", Disposition.OTHER),
        ("I am interested in what you did on Tuesday", Disposition.OTHER),
    ],
)
def test_words_decide(words: str, disposition: Disposition) -> None:
    assert judge(evidence(caller(words), agent("I see."))).disposition is disposition


def test_who_agrees_twice_is_qualified() -> None:
    said = evidence(caller("yes"), agent("Shall somebody come?"), caller("sure, sounds good"), agent("Fine."))
    findings = judge(said)
    assert (findings.disposition, findings.interest) == (Disposition.QUALIFIED, 70)


@pytest.mark.parametrize(
    ("promise", "disposition"),
    [
        ("Of course. We will call you again tomorrow. Goodbye!", Disposition.CALLBACK),
        ("Gladly. Dana, our engineer, will call you within one working day.", Disposition.CALLBACK),
        ("I have noted it, and we will not call you again.", Disposition.OTHER),
    ],
)
def test_a_call_that_the_agent_promises_is_a_callback(promise: str, disposition: Disposition) -> None:
    assert judge(evidence(caller("hm"), agent(promise))).disposition is disposition


def test_who_was_fetched_by_an_assistant_and_said_no_is_not_interested() -> None:
    said = evidence(caller("hello"), agent("Do you have a minute?"), caller("no thanks"), answered_kind="screening")
    assert judge(said).disposition is Disposition.NOT_INTERESTED


def test_an_appointment_that_is_taken_back_is_none() -> None:
    lines = (*BOOKED.lines[1:7], caller("no thanks, cancel that"), agent("As you like. Goodbye!"))
    assert judge(evidence(*lines)).disposition is Disposition.NOT_INTERESTED


@pytest.mark.parametrize(
    ("facts", "disposition"),
    [
        ({"end_reason": EndReason.OPTED_OUT}, Disposition.DO_NOT_CALL),
        ({"events": frozenset({"opted_out"})}, Disposition.DO_NOT_CALL),
        ({"end_reason": EndReason.VOICEMAIL_LEFT}, Disposition.VOICEMAIL),
        ({"end_reason": EndReason.MACHINE_ANSWERED}, Disposition.VOICEMAIL),
        ({"end_reason": EndReason.MACHINE_ANSWERED, "answered_kind": "ivr"}, Disposition.NO_ANSWER),
        ({"end_reason": EndReason.SCREENING_REFUSED, "answered_kind": "screening"}, Disposition.NO_ANSWER),
        ({"answered_kind": "voicemail"}, Disposition.VOICEMAIL),
        ({"events": frozenset({"callback_requested"})}, Disposition.CALLBACK),
    ],
)
def test_facts_weigh_more_than_words(facts: dict[str, Any], disposition: Disposition) -> None:
    assert judge(evidence(caller("yes tuesday at ten"), **facts)).disposition is disposition


def test_the_carriers_machine_counts_only_where_nobody_talked_with_the_agent() -> None:
    machine = evidence(caller("please leave a message"), answered_by="machine_end_beep")
    talked = evidence(caller("no thank you"), agent("Goodbye."), answered_by="machine_start")
    assert [judge(call).disposition for call in (machine, talked)] == [
        Disposition.VOICEMAIL,
        Disposition.NOT_INTERESTED,
    ]


def test_a_call_in_which_nobody_spoke_was_not_answered() -> None:
    assert judge(evidence(end_reason=EndReason.SILENCE)).disposition is Disposition.NO_ANSWER


@pytest.mark.parametrize(
    ("words", "sentiment"),
    [
        ("great, thank you", Sentiment.POSITIVE),
        ("what is it about", Sentiment.NEUTRAL),
        ("this is a scam, what a waste of time, thanks", Sentiment.NEGATIVE),
    ],
)
def test_the_tone_comes_from_the_callers_words_only(words: str, sentiment: Sentiment) -> None:
    call = evidence(caller(words), agent("That is great, wonderful, perfect."))
    assert judge(call).sentiment is sentiment


def test_who_wants_a_person_gets_one_unless_he_wants_nobody() -> None:
    wish = caller("let me talk to a real person")
    item = ActionItem(text="Have a person call back.", owner="business")
    opted_out = evidence(wish, end_reason=EndReason.OPTED_OUT)
    assert [judge(call).action_items for call in (evidence(wish), opted_out)] == [(item,), ()]


def test_fields_come_from_the_calls_variables_and_are_not_guessed() -> None:
    schema = {
        "type": "object",
        "properties": {
            "first_name": {"type": "string"},
            "roof": {"type": "string"},
            "tone": {"type": "string", "enum": ["a"]},
        },
    }
    call = evidence(caller("flat roof"), result_schema=schema, variables={"first_name": "Ann", "tone": "b", "x": "y"})
    assert judge(call).fields == {"first_name": "Ann"}


def test_a_rubric_is_answered_with_what_can_be_measured() -> None:
    good = judge(evidence(caller("yes"), agent("Fine."), rubric="Be kind."))
    assert good.quality_score == 100
    bad = judge(
        evidence(
            caller("yes"),
            agent("Fine", 4000, interrupted=True),
            agent("and", 4000, interrupted=True),
            rubric="Be kind.",
            end_reason=EndReason.PROVIDER_FAILED,
        )
    )
    assert (bad.quality_score, bad.quality_reasons) == (
        25,
        (
            "yes: said at the start that it is an AI",
            "no: answered within 1.5 s at the median",
            "no: was seldom interrupted",
            "no: came to a proper end",
            "measured only: without a language model the rubric's own words are not judged",
        ),
    )


def test_without_a_rubric_there_is_no_score() -> None:
    assert judge(BOOKED).quality_score is None


def test_a_call_in_which_the_agent_said_nothing_can_be_judged() -> None:
    call = evidence(rubric="Be kind.")
    silent = type(call)(**{name: getattr(call, name) for name in call.__struct_fields__} | {"lines": ()})
    assert (judge(silent).quality_score, judge(silent).disposition) == (25, Disposition.NO_ANSWER)


def test_the_opening_is_the_agents() -> None:
    assert evidence().lines == (Line(Speaker.AGENT, OPENING),)
