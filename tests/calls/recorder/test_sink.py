from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY
from uuid_utils.compat import uuid7

from calls.enums import Door, EndReason, Speaker
from calls.models import CallEvent, CallSession, Recording, Turn
from calls.recorder import CallSink, Recorder
from calls.recorder.journal import read_journal
from calls.recorder.sink import recording_path
from calls.runner.ports import CallTotals
from tests.calls import rows
from tests.calls.recorder.test_tape import level

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    recorder.start()
    yield recorder
    assert recorder.stop(10)


def opened(recorder: Recorder) -> CallSink:
    return recorder.open_call(uuid7(), Door.CONSOLE, None)


def test_a_call_is_stored_with_all_that_was_said_about_it(recorder: Recorder) -> None:
    agent = rows.agent()
    sink = opened(recorder)
    sink.attach(
        agent_id=agent.pk,
        version_id=agent.published_id,
        language="en-US",
        variables={"name": "Ada"},
        campaign_id="spring",
    )
    sink.record_turn(rows.spoken(0, "he\x00llo \ud800"))
    sink.record_event("barge_in", 17, {"reply": 1, "odd": float("inf")})
    sink.record_event("tool", 18, {})
    sink.record_audio(Speaker.CALLER, 0, level(5, 500, 8000), 8000)
    sink.finish(EndReason.CALLER_ENDED, CallTotals(reconnects=2))
    assert recorder.stop(10)
    session = CallSession.objects.get(pk=sink.session_id)
    assert (session.agent, session.agent_version, session.campaign_id) == (agent, agent.published, "spring")
    assert (session.end_reason, session.totals["reconnects"], session.variables) == ("caller_ended", 2, {"name": "Ada"})
    assert list(Turn.objects.values_list("text", flat=True)) == ["hello \ufffd"]
    assert list(CallEvent.objects.values_list("seq", "kind", "detail")) == [
        (0, "barge_in", {"reply": 1, "odd": None}),
        (1, "tool", {}),
    ]
    recording = Recording.objects.get()
    assert (recording.path, recording.duration_ms, recording.complete) == (recording_path(sink.session_id), 500, True)


def test_who_does_not_want_it_is_not_recorded_any_more(recorder: Recorder) -> None:
    sink = opened(recorder)
    sink.record_audio(Speaker.CALLER, 0, level(5, 500, 8000), 8000)
    for _ in range(2):
        sink.stop_recording(500)
    sink.record_audio(Speaker.CALLER, 500, level(5, 500, 8000), 8000)
    sink.finish(EndReason.CALLER_ENDED, CallTotals())
    assert recorder.stop(10)
    assert Recording.objects.get().duration_ms == 500
    assert list(CallEvent.objects.values_list("kind", "at_ms", "detail")) == [
        ("recording_stopped", 500, {"reason": "objection"})
    ]


def test_who_asks_is_told_of_each_event(recorder: Recorder) -> None:
    sink = opened(recorder)
    told: list[Any] = []
    sink.record_event("before", 1, {})
    sink.on_event = lambda kind, detail: told.append((kind, detail))
    sink.record_event("notice_played", 2, {"began_ms": 0})
    sink.finish(EndReason.CALLER_ENDED, CallTotals())
    assert told == [("notice_played", {"began_ms": 0})]


def test_after_its_end_a_call_takes_nothing_more(recorder: Recorder) -> None:
    sink = opened(recorder)
    sink.finish(EndReason.SILENCE, CallTotals())
    sink.finish(EndReason.ABUSE, CallTotals())
    sink.record_turn(rows.spoken(0))
    sink.record_event("late", 1, {})
    sink.record_audio(Speaker.CALLER, 0, level(5, 20), 16_000)
    sink.cut_agent_audio(0)
    sink.attach(agent_id=None, version_id=None, language="fr-FR")
    assert recorder.stop(10)
    session = CallSession.objects.get()
    assert (session.end_reason, session.language) == ("silence", "")
    assert (Turn.objects.count(), CallEvent.objects.count(), Recording.objects.count()) == (0, 0, 0)


def test_each_fact_of_a_call_is_counted_once_and_none_after_its_end(recorder: Recorder) -> None:
    def counted() -> list[float | None]:
        labelled = REGISTRY.get_sample_value("vantum_turns_total", {"speaker": "caller"})
        return [labelled, REGISTRY.get_sample_value("vantum_audio_dropped_seconds_total")]

    sink = opened(recorder)
    sink.record_turn(rows.spoken(0))
    [turns, dropped] = counted()
    sink.record_turn(rows.spoken(1))
    for _ in range(2):
        sink.finish(EndReason.SILENCE, CallTotals(dropped_input_ms=2000))
        sink.record_turn(rows.spoken(2))
    assert counted() == [(turns or 0) + 1, (dropped or 0) + 2]


def test_a_turn_is_in_the_journal_when_recording_it_returns(recorder: Recorder) -> None:
    sink = opened(recorder)
    turn = rows.spoken(0)
    sink.record_turn(turn)
    assert [getattr(fact, "turn", None) for fact in read_journal(sink._journal.path)][-1] == turn
    sink.finish(EndReason.SILENCE, CallTotals())


def test_what_has_no_json_form_is_stored_as_its_words(recorder: Recorder) -> None:
    sink = opened(recorder)
    detail: dict[str, Any] = {"error": ValueError("bad"), "reason": EndReason.ABUSE}
    sink.record_event("odd", 1, detail)
    sink.finish(EndReason.SILENCE, CallTotals())
    assert recorder.stop(10)
    assert CallEvent.objects.get().detail == {"error": "bad", "reason": "abuse"}


def test_a_recording_that_stops_is_an_event_and_the_call_goes_on(recorder: Recorder, settings: Any) -> None:
    settings.RECORDINGS_DIR.write_text("a file where the folder should be")
    sink = opened(recorder)
    sink.record_audio(Speaker.CALLER, 0, level(5, 500), 16_000)
    sink.record_turn(rows.spoken(0))
    sink.finish(EndReason.SILENCE, CallTotals())
    assert recorder.stop(10)
    event = CallEvent.objects.get()
    assert (event.kind, event.detail) == ("recording_stopped", {"reason": "Not a directory"})
    assert (Turn.objects.count(), Recording.objects.count()) == (1, 0)
    assert CallSession.objects.get().end_reason == "silence"


def test_without_recording_a_call_is_stored_all_the_same(recorder: Recorder, settings: Any) -> None:
    settings.RECORD_AUDIO = False
    sink = opened(recorder)
    sink.record_audio(Speaker.CALLER, 0, level(5, 500), 16_000)
    sink.cut_agent_audio(0)
    sink.finish(EndReason.SILENCE, CallTotals())
    assert recorder.stop(10)
    assert (CallSession.objects.ended().count(), Recording.objects.count()) == (1, 0)


def test_recordings_share_256_folders() -> None:
    session_id = uuid7()
    assert recording_path(session_id) == f"{str(session_id)[-2:]}/{session_id}.wav"
