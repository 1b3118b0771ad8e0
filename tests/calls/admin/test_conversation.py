import pytest
from django.contrib.auth import get_user_model

from calls.admin.conversation import (
    Fact,
    Segment,
    TimelineEntry,
    bubbles,
    clock,
    facts,
    recording_note,
    timeline,
    title,
    waveform,
)
from calls.models import CallEvent, CallSession, Recording, Turn
from tests.calls import rows


@pytest.mark.parametrize(("ms", "shown"), [(0, "0:00.0"), (950, "0:00.9"), (83_456, "1:23.4"), (3_600_000, "60:00.0")])
def test_a_time_within_a_call(ms: int, shown: str) -> None:
    assert clock(ms) == shown


def test_latency_bars_share_one_scale_and_say_in_words_what_they_show() -> None:
    slow = Turn(
        speaker="agent", text="Hi", started_ms=0, ended_ms=900, endpointing_ms=400, stt_ms=100, llm_ms=500, tts_ms=100,
        total_ms=1000,
    )  # fmt: skip
    quick = Turn(speaker="agent", text="Yes", started_ms=2000, ended_ms=2500, llm_ms=250, total_ms=250)
    said = Turn(speaker="caller", text="Hm", started_ms=1500, ended_ms=1700, confidence=0.914)
    shown = bubbles([slow, said, quick])
    assert shown[0].segments == [
        Segment("endpointing", 0, 300),
        Segment("stt", 300, 100),
        Segment("llm", 400, 500),
        Segment("tts", 900, 100),
    ]
    assert shown[0].latency == (
        "Answered after 1000 ms "
        "(end of speech decided 300, waiting for the words 100, language model 500, synthesis 100)"
    )
    assert (shown[1].segments, shown[1].latency, shown[1].confidence) == ([], "", "91%")
    assert shown[2].segments == [Segment("llm", 0, 250)]
    assert (shown[2].time, shown[2].seek_seconds, shown[2].side) == ("0:02.0", 2.0, "agent")


def test_events_read_as_a_timeline() -> None:
    event = CallEvent(kind="reply_failed", at_ms=1500, detail={"role": "llm", "after_ms": 20})
    assert timeline([event]) == [TimelineEntry("0:01.5", "reply failed", "role: llm, after ms: 20")]


@pytest.mark.parametrize(
    ("recording", "events", "note"),
    [
        (None, [], "There is no recording of this call."),
        (Recording(complete=True), [], ""),
        (Recording(complete=False, missing_ms=1500), [], "1.5 s of sound are missing."),
        (Recording(complete=False), [],
         "The process died during the call: up to 2 s of sound may be missing at the end."),
        (Recording(complete=False, missing_ms=9),
         [CallEvent(kind="recording_stopped", at_ms=2000, detail={"reason": "No space left"})],
         "The recording stopped at 0:02.0: No space left. The call went on."),
    ],
)  # fmt: skip
def test_what_is_missing_of_a_recording_is_said(
    recording: Recording | None, events: list[CallEvent], note: str
) -> None:
    assert recording_note(CallSession(status="ended"), recording, events) == note


def test_a_live_call_has_no_recording_yet_and_nothing_is_wrong_with_that() -> None:
    assert recording_note(CallSession(status="live"), None, []) == ""


def test_the_script_gets_peaks_and_turns() -> None:
    turns = [Turn(speaker="agent", started_ms=1, ended_ms=2), Turn(speaker="caller", started_ms=3, ended_ms=4)]
    assert waveform(Recording(duration_ms=5, peaks=[[1, 2]]), turns) == {
        "durationMs": 5,
        "peaks": [[1, 2]],
        "turns": [{"startMs": 1, "endMs": 2, "isAgent": True}, {"startMs": 3, "endMs": 4, "isAgent": False}],
    }
    assert waveform(None, []) == {"durationMs": 0, "peaks": [], "turns": []}


@pytest.mark.django_db
def test_the_facts_of_a_call_leave_out_what_is_not_known() -> None:
    agent = rows.agent()
    session = rows.ended_call(with_agent=agent)
    session.user = get_user_model()(username="op")
    session.variables = {"name": "Eve"}
    session.totals = {
        "caller_ms": 1500,
        "caller_share": 0.25,
        "agent_ms": 4500,
        "agent_share": 0.75,
        "turns": 3,
        "reconnects": 0,
    }
    session.latency_median_ms = 700
    shown = facts(session)
    assert [(fact.name, fact.value) for fact in shown] == [
        ("Agent", "Ada"),
        ("Version", "v1"),
        ("Came in by", "Console"),
        ("User", "op"),
        ("Language", "en-US"),
        ("Lasted", "1:00.0"),
        ("Ended", "Caller ended"),
        ("Median latency", "700 ms"),
        ("{{name}}", "Eve"),
        ("Caller spoke", "0:01.5 (25%)"),
        ("Agent spoke", "0:04.5 (75%)"),
        ("Turns", "3"),
        ("Process", "here"),
    ]
    assert shown[0].url == f"/admin/calls/agent/{agent.pk}/change/"
    assert title(session) == "Console call with Ada"


@pytest.mark.django_db
def test_a_call_of_which_nothing_is_known_yet_has_a_page_too() -> None:
    session = CallSession.objects.get(pk=rows.live_call())
    assert facts(session) == [Fact("Came in by", "Console"), Fact("Process", "here")]
    assert title(session) == "Console call with no agent"
