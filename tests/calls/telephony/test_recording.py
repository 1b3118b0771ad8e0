from pathlib import Path

import pytest

from calls import telephony
from calls.enums import RecordingOrder
from calls.errors import TelephonyError, UnknownCallError
from calls.models import CallAttempt
from calls.telephony import twilio as twilio_module
from calls.telephony.carriers import carrier
from tests.calls.conftest import PUBLIC_URL
from tests.simulators.twilio import Reply, SimulatedCall, TwilioSimulator

pytestmark = pytest.mark.django_db


def attempt() -> CallAttempt:
    return CallAttempt.objects.get()


def test_the_carrier_records_on_two_channels_and_tells_once_it_is_done(call: SimulatedCall) -> None:
    call.answer()
    telephony.order_recording(attempt().pk, RecordingOrder.START)
    ((sid, order),) = call.recorded.items()
    assert order == {
        "RecordingChannels": "dual",
        "RecordingStatusCallback": f"{PUBLIC_URL}/twilio/recording?key={attempt().dial_key}",
        "RecordingStatusCallbackMethod": "POST",
        "RecordingStatusCallbackEvent": "completed",
    }
    done = {"RecordingSid": sid, "RecordingUrl": f"https://api.example.com/{sid}", "RecordingDuration": "17"}
    url = order["RecordingStatusCallback"]
    told = [call.ask(url, **done, RecordingStatus=word) for word in ("in-progress", "completed", "completed")]
    assert told == [Reply(204, "")] * 3
    stored = (attempt().recording_sid, attempt().recording_url, attempt().recording_seconds)
    assert stored == (sid, f"https://api.example.com/{sid}", 17)


def test_another_recording_and_an_odd_one_change_nothing(call: SimulatedCall) -> None:
    call.answer()
    url = f"{PUBLIC_URL}/twilio/recording?key={attempt().dial_key}"
    for sid in ("", "RE 1", "RE1", "RE2"):
        assert call.ask(url, RecordingSid=sid, RecordingUrl="https://x.example", RecordingDuration="?") == Reply(
            204, ""
        )
    assert (attempt().recording_sid, attempt().recording_seconds) == ("RE1", None)


def test_a_recording_is_stopped_and_deleted_and_a_second_time_is_no_error(
    call: SimulatedCall, twilio: TwilioSimulator
) -> None:
    call.answer()
    telephony.order_recording(attempt().pk, RecordingOrder.STOP)
    telephony.order_recording(attempt().pk, RecordingOrder.START)
    telephony.order_recording(attempt().pk, RecordingOrder.STOP)
    telephony.order_recording(attempt().pk, RecordingOrder.STOP)
    (sid,) = twilio.recordings
    assert call.stopped == [sid]
    CallAttempt.objects.update(recording_sid=sid)
    telephony.delete_recording(attempt())
    carrier("twilio").delete_recording(sid)
    assert (twilio.recordings, attempt().recording_sid) == ({}, "")


def test_a_recording_pauses_goes_on_and_stays_one(call: SimulatedCall, twilio: TwilioSimulator) -> None:
    call.answer()
    for order in (RecordingOrder.RESUME, *RecordingOrder):
        telephony.order_recording(attempt().pk, order)
    (sid,) = twilio.recordings
    changes = [{"Status": "paused", "PauseBehavior": "skip"}, {"Status": "in-progress"}, {"Status": "stopped"}]
    assert call.changed == [(sid, change) for change in changes]


def test_a_call_that_is_over_is_not_recorded(call: SimulatedCall, twilio: TwilioSimulator) -> None:
    call.answer()
    call.end()
    telephony.order_recording(attempt().pk, RecordingOrder.START)
    telephony.order_recording(attempt().pk, RecordingOrder.STOP)
    assert (twilio.recordings, call.stopped) == ({}, [])


def test_an_order_that_never_names_a_recording_of_the_carrier() -> None:
    """``record=`` would record the ringing and the first words, before anybody was told."""
    assert "record=" not in Path(twilio_module.__file__).read_text()


def test_the_sandbox_records_nothing() -> None:
    with pytest.raises(TelephonyError) as refused:
        carrier("sandbox").start_recording("CA1", url="https://x.example")
    assert not isinstance(refused.value, UnknownCallError)
    for change in ("pause", "resume", "stop"):
        getattr(carrier("sandbox"), f"{change}_recording")("CA1")
    carrier("sandbox").delete_recording("RE1")
