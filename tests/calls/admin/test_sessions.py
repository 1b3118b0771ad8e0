import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from uuid_utils.compat import uuid7

from calls import services
from calls.engine.events import Latency
from calls.enums import Door, Speaker
from calls.models import CallSession
from calls.recorder.sink import recording_path
from calls.services import EventFact
from tests.calls import phones, rows

pytestmark = pytest.mark.django_db

LIST = reverse("admin:calls_callsession_changelist")


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("op"))
    return client


def page(session: CallSession) -> str:
    return reverse("admin:calls_callsession_change", args=[session.pk])


def conversation() -> CallSession:
    session = rows.ended_call(with_agent=rows.agent())
    services.record_turns(
        [
            rows.turn_fact(session.pk, 0, "Good morning!", speaker=Speaker.AGENT, interrupted=True),
            rows.turn_fact(session.pk, 1, "<script>alert(1)</script>", confidence=0.8),
            rows.turn_fact(session.pk, 2, "I see.", speaker=Speaker.AGENT, latency=Latency(300, 0, 400, 100, 800)),
        ]
    )
    services.record_events([EventFact(session.pk, 0, "barge_in", 500, {"reply": 1})])
    return session


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as caught:
        assert client.get(address).status_code == 200
    return len(caught)


def test_the_list_asks_as_often_for_100_calls_as_for_one(client: Client) -> None:
    agent = rows.agent()
    rows.ended_call(with_agent=agent)
    few = queries(client, LIST + "?all=")
    for number in range(99):
        session = rows.ended_call(with_agent=agent)
        services.record_turns([rows.turn_fact(session.pk, index) for index in range(number % 3)])
    assert queries(client, LIST + "?all=") == few


def test_the_page_of_a_call_asks_as_often_for_100_turns_as_for_one(client: Client) -> None:
    session = rows.ended_call(with_agent=rows.agent())
    services.record_turns([rows.turn_fact(session.pk, 0)])
    few = queries(client, page(session))
    services.record_turns([rows.turn_fact(session.pk, index) for index in range(100)])
    services.record_events([EventFact(session.pk, seq, "tool", seq, {}) for seq in range(100)])
    assert queries(client, page(session)) == few


def test_the_list_marks_live_calls_and_counts_turns(client: Client) -> None:
    session = conversation()
    rows.live_call()
    text = client.get(LIST).content.decode()
    assert text.count("● live") == 1
    assert re.findall(r'data-label="turns"[^>]*>\s*(\d+)', text) == ["0", "3"]
    assert str(session.pk) in text


def test_the_page_reads_like_the_conversation(client: Client, settings: Any, tmp_path: Any) -> None:
    settings.RECORDINGS_DIR = tmp_path
    session = conversation()
    services.store_recording(session.pk, path="x.wav", rate=8000, duration_ms=5000, missing_ms=0, complete=True)
    response = client.get(page(session))
    text = response.content.decode()
    order = [
        *("interrupted", "Good morning!", "80% sure", "&lt;script&gt;alert(1)&lt;/script&gt;", "I see."),
        *("Answered after 800 ms", "barge in"),
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert "<script>alert" not in text
    assert f'src="{reverse("recording", args=[session.pk])}"' in text
    assert 'data-seek="2.0"' in text


def test_the_page_holds_no_inline_script_and_no_inline_style(client: Client) -> None:
    text = client.get(page(conversation())).content.decode()
    main = text[text.index('id="content-main"') :]
    scripts = [piece.split(">", 1)[0] for piece in text.split("<script")[1:]]
    assert [script for script in scripts if "src=" not in script and 'type="application/json"' not in script] == []
    assert ' style="' not in main
    assert " onclick=" not in main


def test_a_recording_is_for_those_who_may_hear_it(client: Client) -> None:
    session = conversation()
    services.store_recording(session.pk, path="x.wav", rate=8000, duration_ms=5000, missing_ms=0, complete=True)
    reader = get_user_model().objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_callsession"))
    client.force_login(reader)
    text = client.get(page(session)).content.decode()
    assert "Good morning!" in text
    assert "<audio" not in text


def test_who_may_not_see_calls_sees_none(client: Client) -> None:
    session = conversation()
    client.force_login(get_user_model().objects.create_user("nobody", is_staff=True))
    assert client.get(page(session)).status_code == 403
    assert client.get(LIST).status_code == 403


def test_a_call_that_is_not_there_is_not_found(client: Client) -> None:
    for key in (uuid7(), "nonsense"):
        assert client.get(reverse("admin:calls_callsession_change", args=[key])).status_code == 404


def test_calls_can_be_read_and_nothing_else(client: Client) -> None:
    session = conversation()
    assert client.get(reverse("admin:calls_callsession_add")).status_code == 403
    client.post(page(session), {"end_reason": "silence"})
    session.refresh_from_db()
    assert session.end_reason == "caller_ended"


def delete_page(session: CallSession) -> str:
    return reverse("admin:calls_callsession_delete", args=[session.pk])


def test_a_call_is_deleted_with_its_files_by_whom_that_is_allowed(
    client: Client, settings: Any, tmp_path: Path
) -> None:
    settings.RECORDINGS_DIR, settings.JOURNAL_DIR = tmp_path, tmp_path / "journal"
    session, other = conversation(), rows.ended_call()
    sound = tmp_path / recording_path(session.pk)
    sound.parent.mkdir(parents=True)
    sound.touch()
    assert delete_page(session) in client.get(page(session)).content.decode()
    assert client.post(delete_page(session), {"post": "yes"}).status_code == 302
    assert (list(CallSession.objects.all()), sound.exists()) == ([other], False)
    selected = {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"}
    client.post(LIST, selected)
    assert not CallSession.objects.exists()


def test_a_live_call_and_one_under_legal_hold_are_not_deleted(client: Client) -> None:
    held, live = rows.ended_call(), CallSession.objects.get(pk=rows.live_call())
    client.post(LIST, {"action": "hold", "_selected_action": [held.pk]})
    assert "Under legal hold" in client.get(page(held)).content.decode()
    for session in (held, live):
        assert delete_page(session) not in client.get(page(session)).content.decode()
        assert client.post(delete_page(session), {"post": "yes"}).status_code == 403
    everything = {"action": "delete_selected", "_selected_action": [held.pk, live.pk], "post": "yes"}
    assert client.post(LIST, everything).status_code == 403
    assert CallSession.objects.count() == 2
    client.post(LIST, {"action": "lift_hold", "_selected_action": [held.pk]})
    client.post(delete_page(held), {"post": "yes"})
    assert list(CallSession.objects.all()) == [live]


def test_all_streams_of_a_call_are_one_conversation(client: Client) -> None:
    attempt = phones.attempt()
    sessions = []
    for number, words in ((1, "Who is this?"), (2, "Are you back?")):
        session_id = rows.live_call(door=Door.PHONE)
        services.ask_for_stream(attempt.pk, number, at=rows.BEGAN)
        services.open_stream(services.StreamGrant(attempt.pk, number), session_id, at=rows.BEGAN, not_before=rows.BEGAN)
        services.record_turns([rows.turn_fact(session_id, number - 1, words)])
        sessions.append(CallSession.objects.get(pk=session_id))
    for session, other in (sessions, sessions[::-1]):
        text = client.get(page(session)).content.decode()
        assert text.index("Stream 1</a>") < text.index("Who is this?") < text.index("Stream 2</a>: the line was lost")
        assert text.index("Stream 2</a>") < text.index("Are you back?")
        assert page(other) in text
        assert text.count("data-turn=") == 1


@pytest.mark.parametrize(
    ("words", "found"),
    [("Ada", 1), ("i SEE", 1), ("spring", 0), ("good morning", 1), ("nowhere", 0), ("", 2), ("100%", 0), ("'", 0)],
)
def test_calls_are_found_by_their_names_and_words(client: Client, words: str, found: int) -> None:
    conversation()
    rows.ended_call()
    response = client.get(LIST, {"q": words})
    assert response.context["cl"].result_count == found


def test_words_are_looked_for_in_the_newest_calls_that_the_filters_leave(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calls.admin.sessions._MOST_HEARD", 1)
    conversation()
    rows.live_call()
    found = [
        client.get(LIST, {"q": "good morning", **narrow}).context["cl"].result_count
        for narrow in ({}, {"status__exact": "ended"})
    ]
    assert found == [0, 1]


def test_a_call_is_found_by_its_id(client: Client) -> None:
    session = conversation()
    rows.ended_call()
    for key in (str(session.pk), session.pk.hex, f" {session.pk} "):
        assert list(client.get(LIST, {"q": key}).context["cl"].queryset) == [session]


def test_filters_and_dates_narrow_the_list(client: Client) -> None:
    conversation()
    rows.live_call()
    for narrow in (
        "status__exact=live",
        "door__exact=console&status__exact=live",
        "started_at__year=2025&status__exact=ended",
    ):
        assert client.get(f"{LIST}?{narrow}").context["cl"].result_count == 1
