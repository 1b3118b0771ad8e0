import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from calls import services, telephony
from calls.enums import Door, EndReason, SuppressionSource
from calls.live import live_calls
from calls.models import CallAttempt, CallStream, Suppression
from calls.recorder.facts import CallEnded, encode
from calls.telephony import tokens, twiml
from calls.views import webhooks
from tests.calls import rows
from tests.calls.conftest import PUBLIC_URL
from tests.calls.phones import OUR_NUMBER, SOMEBODY
from tests.simulators.twilio import Reply, SimulatedCall, TwilioSimulator

pytestmark = pytest.mark.django_db

HANG_UP = Reply(200, twiml.hang_up())
DONE = Reply(204, "")


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "END_WAIT_SECONDS", 0.0)


def stored(*columns: str) -> Any:
    values = CallAttempt.objects.values_list(*columns).get()
    return values[0] if len(columns) == 1 else values


def token_in(reply: Reply) -> str:
    assert reply.status == 200
    found = re.search(r'name="token" value="([^"]+)"', reply.text)
    assert found, reply.text
    return found[1]


def after(reply: Reply) -> str:
    """Give the address that is asked when the stream is over."""
    found = re.search(r"<Redirect[^>]*>([^<]+)<", reply.text)
    assert found, reply.text
    return found[1].replace("&amp;", "&")


def talk(reply: Reply, reason: EndReason | None) -> UUID:
    """Hold a conversation on the stream of an answer, to its end where it has one."""
    session_id = rows.live_call(door=Door.PHONE)
    assert tokens.redeem(token_in(reply), session_id)
    if reason:
        services.finish_call(session_id, reason=reason, ended_at=datetime.now(UTC), duration_ms=1, totals={})
    return session_id


# --- the answer -------------------------------------------------------------------------------------------------------


def test_an_answered_call_is_streamed_with_a_token_of_its_own(call: SimulatedCall) -> None:
    reply = call.answer()
    assert stored("status", "carrier_sid", "answered_by") == ("in-progress", call.sid, "")
    assert tokens.redeem(token_in(reply)) == services.StreamGrant(stored("pk"), 1)


def test_an_answer_asked_for_twice_is_given_twice_and_its_token_opens_one_stream(call: SimulatedCall) -> None:
    replies = [call.answer(), call.repeat()]
    assert replies[0] == replies[1]
    assert [bool(tokens.redeem(token_in(reply))) for reply in replies] == [True, False]


def test_an_answer_asked_for_in_the_middle_of_a_call_goes_on_with_it(call: SimulatedCall) -> None:
    """Twilio's fallback for an address that failed is the first one."""
    talk(call.answer(), None)
    assert tokens.redeem(token_in(call.repeat())) == services.StreamGrant(stored("pk"), 2)


def test_an_answer_may_come_before_every_callback(call: SimulatedCall) -> None:
    assert token_in(call.ask(call.order["Url"]))
    assert [call.start(), call.ring()] == [DONE, DONE]
    assert stored("status") == "in-progress"


def test_the_answer_of_a_call_that_nobody_knows_is_a_hang_up(call: SimulatedCall) -> None:
    unknown = f"{PUBLIC_URL}/twilio/answer?key="
    assert [call.ask(unknown + key) for key in ("nobody", "%00", "x" * 999)] == [HANG_UP] * 3
    call.ring()
    call.sid = "CA" + "f" * 32
    assert call.ask(call.order["Url"]) == HANG_UP
    call.end()
    CallAttempt.objects.update(status="completed", ended_at=datetime.now(UTC), carrier_sid=call.sid)
    assert call.ask(call.order["Url"]) == HANG_UP


def test_a_call_that_counted_as_not_placed_is_answered_after_all(call: SimulatedCall) -> None:
    CallAttempt.objects.update(status="not-placed", ended_at=datetime.now(UTC))
    assert token_in(call.answer())
    assert stored("status", "ended_at") == ("in-progress", None)


def test_a_call_that_was_dialled_again_meanwhile_is_not_answered(call: SimulatedCall) -> None:
    CallAttempt.objects.update(status="not-placed", ended_at=datetime.now(UTC))
    telephony.place_call(SOMEBODY)
    assert call.ask(call.order["Url"]) == HANG_UP


def test_webhooks_ask_the_database_a_few_times_only(call: SimulatedCall) -> None:
    with CaptureQueriesContext(connection) as asked:
        call.ask(call.order["Url"])
    asked_to_answer = len(asked)
    with CaptureQueriesContext(connection) as asked:
        call.ring()
    assert (asked_to_answer, len(asked)) == (8, 5)


# --- what comes next --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [EndReason.AGENT_SAID_GOODBYE, EndReason.SILENCE, EndReason.MAX_DURATION])
def test_a_conversation_that_came_to_its_end_is_hung_up(call: SimulatedCall, reason: EndReason) -> None:
    reply = call.answer()
    talk(reply, reason)
    assert call.ask(after(reply)) == HANG_UP


def test_the_news_of_an_end_is_waited_for(call: SimulatedCall, monkeypatch: pytest.MonkeyPatch) -> None:
    reply = call.answer()
    session_id = talk(reply, None)
    monkeypatch.setattr(webhooks, "END_WAIT_SECONDS", 5.0)
    now = datetime.now(UTC)

    def recorder_writes(seconds: float) -> None:
        assert 0 < seconds < 0.2
        services.finish_call(session_id, reason=EndReason.AGENT_SAID_GOODBYE, ended_at=now, duration_ms=1, totals={})

    monkeypatch.setattr(f"{webhooks.__name__}.sleep", recorder_writes)
    assert call.ask(after(reply)) == HANG_UP


def test_an_end_that_only_the_journal_knows_is_an_end(call: SimulatedCall, settings: Any) -> None:
    reply = call.answer()
    session_id = talk(reply, None)
    folder: Path = settings.JOURNAL_DIR / "an instance"
    folder.mkdir(parents=True)
    ended = CallEnded(session_id, EndReason.AGENT_SAID_GOODBYE, datetime.now(UTC), 1, {})
    (folder / f"{session_id}.jsonl").write_bytes(encode(ended))
    assert call.ask(after(reply)) == HANG_UP


@pytest.mark.parametrize("reason", [None, EndReason.INSTANCE_LOST, EndReason.SHUTDOWN, EndReason.INTERNAL_ERROR])
def test_a_conversation_that_was_lost_goes_on_at_most_three_times_and_then_says_so(
    call: SimulatedCall, settings: Settings, reason: EndReason | None
) -> None:
    settings.FALLBACK_LINES = ("one", "two", "We'll call back.")
    reply, grants = call.answer(), []
    sessions = [talk(reply, reason)]
    for _ in range(3):
        reply = call.ask(after(reply))
        assert call.repeat() == reply
        sessions.append(talk(reply, reason))
    assert call.ask(after(reply)) == Reply(200, twiml.say_goodbye("We'll call back.", "en-GB"))
    grants = list(CallStream.objects.values_list("number", "session_id"))
    assert grants == list(zip((1, 2, 3, 4), sessions, strict=True))


def test_a_stream_that_never_started_is_followed_by_another(call: SimulatedCall) -> None:
    reply = call.answer()
    old = token_in(reply)
    reply = call.ask(after(reply))
    assert tokens.redeem(token_in(reply)) == services.StreamGrant(stored("pk"), 2)
    assert old != token_in(reply)


def test_a_call_that_is_over_or_unknown_has_no_next(call: SimulatedCall) -> None:
    following = after(call.answer())
    assert call.ask(following.replace("key=", "key=x")) == HANG_UP
    call.end()
    assert call.ask(following) == HANG_UP


@pytest.mark.parametrize("number", ["", "x", "-1", "99", "1e3", "٣"])
def test_an_odd_number_of_a_stream_does_no_harm(call: SimulatedCall, number: str) -> None:
    call.answer()
    key = stored("dial_key")
    assert call.ask(f"{PUBLIC_URL}/twilio/next?key={key}&after={quote(number)}").status == 200
    assert call.stream(f"{PUBLIC_URL}/twilio/stream-status?key={key}&stream={quote(number)}", "stream-started") == DONE


# --- callbacks --------------------------------------------------------------------------------------------------------


def test_a_call_is_followed_to_its_end(call: SimulatedCall) -> None:
    seen = []
    for step in (call.start, call.ring, call.answer, call.end):
        step()
        seen.append(stored("status", "sequence"))
    assert seen == [("initiated", 0), ("ringing", 1), ("in-progress", 2), ("completed", 3)]
    assert stored("duration_seconds", "error") == (42, "")


def test_callbacks_late_doubled_and_out_of_order_change_nothing(call: SimulatedCall) -> None:
    call.start()
    call.ring()
    call.answer()
    call.end()
    before = stored("status", "sequence", "answered_at", "ended_at", "duration_seconds")
    assert [call.repeat(index) for index in (1, 0, -1, 0, 1)] == [DONE] * 5
    assert stored("status", "sequence", "answered_at", "ended_at", "duration_seconds") == before


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
def test_a_call_that_was_not_answered_says_why(call: SimulatedCall, status: str) -> None:
    call.ring()
    assert call.end(status, SipResponseCode="486", ErrorCode="13224") == DONE
    assert stored("status", "error", "error_code", "duration_seconds") == (status, "SIP 486", 13224, None)


@pytest.mark.parametrize("word", ["", "unknown", "not-placed", "dialing", "RINGING", "\x00", "é" * 99])
def test_a_word_that_is_no_status_changes_nothing(call: SimulatedCall, word: str) -> None:
    call.ring()
    assert call.ask(call.order["StatusCallback"], CallStatus=word, SequenceNumber="x", CallDuration="-3") == DONE
    assert stored("status") == "ringing"


@pytest.mark.parametrize("address", ["status", "amd", "stream-status"])
def test_a_callback_about_a_call_that_nobody_knows_is_taken_and_forgotten(call: SimulatedCall, address: str) -> None:
    call.sid = "CA" + "f" * 32
    queries = ["?key=nobody&stream=1", "", "?key=", "?key=%00&stream=1"]
    assert [call.ask(f"{PUBLIC_URL}/twilio/{address}{query}") for query in queries] == [DONE] * 4
    assert stored("status") == "queued"


def test_a_callback_without_our_key_is_known_by_the_carriers_id(call: SimulatedCall) -> None:
    call.ring()
    assert call.ask(f"{PUBLIC_URL}/twilio/status", CallStatus="completed", CallDuration="9") == DONE
    assert stored("status", "duration_seconds") == ("completed", 9)


def test_the_first_verdict_of_machine_detection_stays(call: SimulatedCall) -> None:
    assert [call.detect(by) for by in ("machine_end_beep", "human", "")] == [DONE] * 3
    assert stored("answered_by") == "machine_end_beep"


def test_what_became_of_a_stream_is_stored(call: SimulatedCall, caplog: pytest.LogCaptureFixture) -> None:
    found = re.search(r'statusCallback="([^"]+)"', call.answer().text)
    assert found
    url = found[1].replace("&amp;", "&")
    assert call.stream(url, "stream-started") == DONE
    assert call.stream(url, "stream-error", StreamError="31920 Stream - WebSocket - Handshake Error") == DONE
    assert call.stream(url, "stream-stopped") == DONE
    stream = CallStream.objects.get()
    assert (stream.carrier_sid, stream.error) == (f"MZ{call.sid[2:]}", "31920 Stream - WebSocket - Handshake Error")
    assert stream.started_at
    assert stream.stopped_at
    assert "stream 1 of attempt" in caplog.text


# --- calls to us ------------------------------------------------------------------------------------------------------

INBOUND = f"{PUBLIC_URL}/twilio/inbound"


def test_who_calls_us_may_press_a_key_and_is_never_called_again(twilio: TwilioSimulator, settings: Settings) -> None:
    rows.agent(is_default=True)
    call = twilio.dial_in(caller=SOMEBODY, called=OUR_NUMBER)
    greeting = call.ask(INBOUND)
    assert settings.INBOUND_GREETING in greeting.text
    assert call.repeat() == greeting
    key_url = f"{INBOUND}/key?key={stored('dial_key')}"
    assert key_url in greeting.text
    goodbye = Reply(200, twiml.say_goodbye(settings.INBOUND_SUPPRESSED, "en-US"))
    assert [call.ask(key_url, Digits="9"), call.repeat()] == [goodbye, goodbye]
    suppression = Suppression.objects.get()
    assert (suppression.e164, suppression.source) == (SOMEBODY, SuppressionSource.KEY)
    assert suppression.proof.startswith(f"pressed 9 on the call {call.sid} at 20")


def test_who_calls_us_and_stays_on_the_line_talks_to_the_agent(twilio: TwilioSimulator) -> None:
    rows.agent(is_default=True)
    call = twilio.dial_in(caller=SOMEBODY, called=OUR_NUMBER)
    reply = call.ask(after(call.ask(INBOUND)))
    grant = tokens.redeem(token_in(reply))
    assert grant == services.StreamGrant(stored("pk"), 1)
    assert services.load_attempt_call(grant).spec.name == "Ada"
    assert call.ask(f"{PUBLIC_URL}/twilio/status", CallStatus="completed") == DONE
    assert stored("status") == "completed"
    assert call.ask(INBOUND) == HANG_UP


def test_another_key_leads_to_the_agent(twilio: TwilioSimulator) -> None:
    rows.agent(is_default=True)
    call = twilio.dial_in(caller=SOMEBODY, called=OUR_NUMBER)
    call.ask(INBOUND)
    assert token_in(call.ask(f"{INBOUND}/key?key={stored('dial_key')}", Digits="1"))
    assert call.ask(f"{INBOUND}/key?key=nobody", Digits="9") == HANG_UP
    assert not Suppression.objects.exists()


def test_who_withholds_the_number_talks_to_the_agent_at_once(twilio: TwilioSimulator) -> None:
    rows.agent(is_default=True)
    call = twilio.dial_in(caller="anonymous", called=OUR_NUMBER)
    assert "<Gather" not in call.ask(INBOUND).text
    assert token_in(call.ask(f"{INBOUND}/key?key={stored('dial_key')}", Digits="9"))
    assert not Suppression.objects.exists()


def test_without_an_agent_a_caller_may_still_press_the_key_and_is_told(
    twilio: TwilioSimulator, settings: Settings
) -> None:
    call = twilio.dial_in(caller=SOMEBODY, called=OUR_NUMBER)
    greeting = call.ask(INBOUND)
    assert "<Gather" in greeting.text
    assert call.ask(after(greeting)) == Reply(200, twiml.say_goodbye(settings.INBOUND_GOODBYE, "en-US"))


def test_what_is_no_call_is_hung_up(twilio: TwilioSimulator) -> None:
    assert twilio.dial_in(caller=SOMEBODY, called="client:us").ask(INBOUND) == HANG_UP
    assert not CallAttempt.objects.exists()


def test_a_process_that_stops_has_a_call_wait_for_the_next_one(
    call: SimulatedCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would refuse every stream, and the call would be out of streams at once."""
    monkeypatch.setattr(live_calls, "is_draining", True)
    reply = call.answer()
    for _ in range(5):
        assert '<Pause length="1"/>' in reply.text
        reply = call.ask(after(reply))
    assert not CallStream.objects.exists()
    monkeypatch.setattr(live_calls, "is_draining", False)
    assert tokens.redeem(token_in(call.ask(after(reply)))) == services.StreamGrant(stored("pk"), 1)


def test_a_call_does_not_wait_for_ever(call: SimulatedCall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_calls, "is_draining", True)
    reply, waits = call.answer(), 0
    while "<Pause" in reply.text:
        reply, waits = call.ask(after(reply)), waits + 1
    assert (waits, bool(token_in(reply))) == (20, True)
