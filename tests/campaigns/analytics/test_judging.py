import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pytest_django.fixtures import Settings

from calls import services as call_services
from calls.enums import AttemptStatus, Speaker
from calls.models import CallAttempt, CallSession
from campaigns import services
from campaigns.analytics import analyse_call
from campaigns.enums import AnalysisMethod, AnalysisStatus, Disposition
from campaigns.models import CallAnalysis
from campaigns.services.analyses import LEASE, PAUSES
from tests.calls import phones, rows
from tests.campaigns.rows import NOW
from tests.campaigns.test_findings import ANSWER
from tests.simulators.faults import Fault
from tests.simulators.openai import OpenAISimulator, Reply
from tests.simulators.threaded import running

pytestmark = pytest.mark.django_db

GOOD = json.dumps(ANSWER | {"fields": {}, "quality_score": None, "quality_reasons": []})


@pytest.fixture
def model(settings: Settings) -> Iterator[OpenAISimulator]:
    with running(OpenAISimulator()) as server:
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = server.url, "key"
        settings.ANALYSIS_PROVIDER, settings.ANALYSIS_MODEL = "openai", "gpt-x"
        yield server


def finished_call(*words: str, asked: bool = True) -> UUID:
    """A call in which the caller said these words."""
    session = rows.ended_call(with_agent=rows.agent(f"Ada {CallSession.objects.count()}"))
    facts = [rows.turn_fact(session.pk, number, text) for number, text in enumerate(words)]
    call_services.record_turns(facts)
    if asked:
        services.await_analysis([session.pk], at=NOW)
    return session.pk


def judged(session_id: UUID) -> dict[str, Any]:
    names = ("status", "method", "judged_by", "disposition", "tries", "next_try_at", "error")
    return dict(CallAnalysis.objects.values(*names).get(pk=session_id))


DONE_BY_RULES = {
    "status": AnalysisStatus.DONE,
    "method": AnalysisMethod.RULES,
    "judged_by": "",
    "disposition": Disposition.NOT_INTERESTED,
    "tries": 1,
    "next_try_at": None,
    "error": "",
}


def test_without_a_key_the_rules_judge() -> None:
    call = finished_call("no thank you")
    assert analyse_call(call, now=NOW)
    assert judged(call) == DONE_BY_RULES


def test_a_model_judges_where_one_is_set(model: OpenAISimulator) -> None:
    model.replies.append(Reply(GOOD))
    call = finished_call("tuesday")
    assert analyse_call(call, now=NOW)
    found = DONE_BY_RULES | {"method": "model", "judged_by": "gpt-x", "disposition": "scheduled"}
    assert judged(call) == found
    assert json.loads(model.requests[0]["messages"][1]["content"])["turns"][0]["text"] == "tuesday"


def test_a_call_without_a_word_asks_no_model(model: OpenAISimulator) -> None:
    call = finished_call()
    assert analyse_call(call, now=NOW)
    assert (judged(call)["disposition"], model.requests) == (Disposition.NO_ANSWER, [])


def test_a_model_that_is_away_is_asked_again_and_in_the_end_the_rules_judge(model: OpenAISimulator) -> None:
    call, now = finished_call("no thank you"), NOW
    for number, pause in enumerate(PAUSES, 1):
        model.faults.append(Fault(status=500))
        assert not analyse_call(call, now=now)
        row = judged(call)
        assert (row["status"], row["tries"], row["next_try_at"]) == (AnalysisStatus.WAITING, number, now + pause)
        assert not analyse_call(call, now=now + pause - timedelta(seconds=1))
        now += pause
    model.faults.append(Fault(status=500))
    assert analyse_call(call, now=now)
    assert judged(call) == DONE_BY_RULES | {"tries": 5, "error": "openai: status 500: "} | {
        "error": judged(call)["error"]
    }
    assert "500" in judged(call)["error"]


@pytest.mark.parametrize("answer", ["not json", json.dumps(ANSWER | {"disposition": "sold"})])
def test_an_answer_of_no_use_leaves_the_judging_to_the_rules_and_says_why(model: OpenAISimulator, answer: str) -> None:
    model.replies.append(Reply(answer))
    call = finished_call("no thank you")
    assert analyse_call(call, now=NOW)
    row = judged(call)
    assert row == DONE_BY_RULES | {"error": row["error"]}
    assert row["error"].startswith("the model's answer was of no use: ")


def test_a_refused_key_is_not_tried_again(model: OpenAISimulator) -> None:
    model.faults.append(Fault(status=401))
    call = finished_call("no thank you")
    assert analyse_call(call, now=NOW)
    assert (judged(call)["method"], len(model.requests)) == (AnalysisMethod.RULES, 1)


def test_two_workers_judge_a_call_once(model: OpenAISimulator) -> None:
    call = finished_call("tuesday")
    assert services.claim_analysis(call, now=NOW)
    assert not analyse_call(call, now=NOW)
    assert model.requests == []


def test_a_killed_worker_is_followed_when_its_lease_has_run_out() -> None:
    call = finished_call("no thank you")
    services.claim_analysis(call, now=NOW)
    assert not analyse_call(call, now=NOW + LEASE)
    assert analyse_call(call, now=NOW + LEASE + timedelta(seconds=1))
    assert judged(call) == DONE_BY_RULES | {"tries": 2}


def on_the_telephone(call: UUID, attempt: CallAttempt, number: int) -> None:
    attempt.streams.create(number=number, issued_at=NOW, opened_at=NOW, session_id=call)
    CallAttempt.objects.filter(pk=attempt.pk).update(session_id=call)


def test_a_call_still_on_the_line_is_judged_later() -> None:
    call, attempt = finished_call("no thank you"), phones.attempt()
    on_the_telephone(call, attempt, 1)
    assert not analyse_call(call, now=NOW)
    assert (judged(call)["tries"], judged(call)["next_try_at"]) == (0, NOW + timedelta(seconds=60))
    call_services.advance_attempt(attempt.pk, AttemptStatus.COMPLETED, at=NOW)
    assert analyse_call(call, now=NOW + timedelta(seconds=60))


def test_a_call_of_two_streams_is_judged_once_with_all_its_words() -> None:
    attempt = phones.attempt()
    first, second = finished_call("no thank you"), finished_call("bye")
    for number, call in enumerate((first, second), 1):
        on_the_telephone(call, attempt, number)
    call_services.advance_attempt(attempt.pk, AttemptStatus.COMPLETED, at=NOW)
    assert [analyse_call(call, now=NOW) for call in (first, second)] == [False, True]
    rows_left = CallAnalysis.objects.values_list("session_id", "disposition")
    assert list(rows_left) == [(second, Disposition.NOT_INTERESTED)]


def test_a_call_that_had_no_agent_is_not_judged() -> None:
    session = rows.ended_call()
    services.await_analysis([session.pk], at=NOW)
    assert not analyse_call(session.pk, now=NOW)
    assert not CallAnalysis.objects.exists()


def test_a_call_is_judged_by_its_campaigns_rubric_and_fields(model: OpenAISimulator) -> None:
    from tests.campaigns.rows import make_campaign, make_member  # noqa: PLC0415 (one test needs them)

    schema = {"type": "object", "properties": {"roof": {"type": "string"}}}
    member = make_member(make_campaign(agent=rows.agent("Eve"), rubric="Be kind.", result_schema=schema))
    call, attempt = finished_call("flat"), phones.attempt()
    member.campaign_attempts.create(attempt=attempt, campaign=member.campaign, number=1, created_at=NOW)
    on_the_telephone(call, attempt, 1)
    call_services.advance_attempt(attempt.pk, AttemptStatus.COMPLETED, at=NOW)
    model.replies.append(Reply(json.dumps(ANSWER | {"fields": {"roof": "flat"}})))
    assert analyse_call(call, now=NOW)
    analysis = CallAnalysis.objects.get(pk=call)
    assert (analysis.fields, analysis.quality_score) == ({"roof": "flat"}, 80)
    assert json.loads(model.requests[0]["messages"][1]["content"])["rubric"] == "Be kind."


def test_only_the_callers_side_is_the_callers() -> None:
    session = rows.ended_call(with_agent=rows.agent())
    call_services.record_turns([rows.turn_fact(session.pk, 0, "no thank you", speaker=Speaker.AGENT)])
    services.await_analysis([session.pk], at=NOW)
    assert analyse_call(session.pk, now=NOW)
    assert judged(session.pk)["disposition"] == Disposition.NO_ANSWER
