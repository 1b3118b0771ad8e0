from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from pytest_django.fixtures import Settings

from calls.enums import AttemptStatus
from calls.errors import TelephonyError, UncertainTelephonyError, UnknownCallError
from calls.telephony.carriers import CallOrder, CarrierCall
from calls.telephony.twilio import Twilio
from tests.calls.phones import OUR_NUMBER, SOMEBODY
from tests.simulators.twilio import INVALID_NUMBER, Trouble, TwilioSimulator

BASE = "https://calls.example.com/twilio"


def order(to_e164: str = SOMEBODY) -> CallOrder:
    return CallOrder(
        to_e164=to_e164,
        from_e164=OUR_NUMBER,
        answer_url=f"{BASE}/answer?key=k",
        status_url=f"{BASE}/status?key=k",
        detection_url=f"{BASE}/amd?key=k",
        ring_seconds=30,
        limit_seconds=1860,
    )


def long_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def test_a_call_is_ordered_in_twilios_words(twilio: TwilioSimulator) -> None:
    placed = Twilio().place(order())
    assert (placed.sid, placed.status) == (twilio.call.sid, AttemptStatus.QUEUED)
    assert twilio.call.order == {
        "To": SOMEBODY,
        "From": OUR_NUMBER,
        "Url": f"{BASE}/answer?key=k",
        "Method": "POST",
        "FallbackUrl": f"{BASE}/answer?key=k",
        "FallbackMethod": "POST",
        "StatusCallback": f"{BASE}/status?key=k",
        "StatusCallbackMethod": "POST",
        "StatusCallbackEvent": "initiated,ringing,answered,completed",
        "Timeout": "30",
        "TimeLimit": "1860",
        "MachineDetection": "DetectMessageEnd",
        "AsyncAmd": "true",
        "AsyncAmdStatusCallback": f"{BASE}/amd?key=k",
        "AsyncAmdStatusCallbackMethod": "POST",
    }


@pytest.mark.parametrize("number", ["+12025550100", "+12025550199", "+15005550150"])
def test_numbers_of_fiction_are_refused_without_asking_twilio(twilio: TwilioSimulator, number: str) -> None:
    with pytest.raises(TelephonyError, match="for fiction") as refused:
        Twilio().place(order(number))
    assert refused.value.permanent
    assert twilio.requests == []


@pytest.mark.parametrize("number", ["+12025550099", "+12025550200", "+442025550150"])
def test_numbers_beside_them_are_called(twilio: TwilioSimulator, number: str) -> None:
    assert Twilio().place(order(number)).sid == twilio.call.sid


@pytest.mark.parametrize(
    ("trouble", "permanent", "code"),
    [
        (Trouble(status=400, code=21215), True, 21215),
        (Trouble(status=401, code=20003), True, 20003),
        (Trouble(status=403, code=20403), True, 20403),
        (Trouble(status=404, code=20404), True, 20404),
        (Trouble(status=429, code=20429), False, 20429),
    ],
)
def test_a_refused_order_is_no_call(twilio: TwilioSimulator, trouble: Trouble, *, permanent: bool, code: int) -> None:
    twilio.troubles.append(trouble)
    with pytest.raises(TelephonyError) as refused:
        Twilio().place(order())
    assert type(refused.value) is TelephonyError
    assert (refused.value.permanent, refused.value.code) == (permanent, code)
    assert str(refused.value) == f"Twilio answered {trouble.status}: Unable to create record: planned"
    assert twilio.calls == []


def test_a_number_that_twilio_does_not_take_is_refused_for_good(twilio: TwilioSimulator) -> None:
    with pytest.raises(TelephonyError) as refused:
        Twilio().place(order(INVALID_NUMBER))
    assert (refused.value.permanent, refused.value.code, twilio.calls) == (True, 21211, [])


@pytest.mark.parametrize("is_accepted", [True, False])
@pytest.mark.parametrize(
    "trouble",
    [{"hang": True}, {"drop": True}, {"status": 500}, {"status": 503}, {"garbage": "<html>"}, {"garbage": "{}"}],
    ids=str,
)
def test_an_order_without_a_clear_answer_is_uncertain(
    twilio: TwilioSimulator, trouble: dict[str, object], *, is_accepted: bool
) -> None:
    twilio.troubles.append(Trouble(is_accepted=is_accepted, **trouble))  # type: ignore[arg-type]  # (fields by name)
    with pytest.raises(UncertainTelephonyError) as lost:
        Twilio().place(order())
    assert not lost.value.permanent
    assert len(twilio.calls) == is_accepted
    assert len(twilio.requests) == 1


@pytest.mark.usefixtures("twilio")
def test_an_order_that_never_left_is_certain(settings: Settings) -> None:
    settings.TWILIO_BASE_URL = "http://127.0.0.1:1"
    with pytest.raises(TelephonyError) as refused:
        Twilio().place(order())
    assert (type(refused.value), refused.value.permanent) == (TelephonyError, False)


def test_edge_and_region_of_the_environment_leave_an_own_base_url_alone(
    twilio: TwilioSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    assert Twilio().place(order()).sid == twilio.call.sid


@pytest.mark.usefixtures("twilio")
def test_each_thread_has_a_client_of_its_own() -> None:
    carrier, clients = Twilio(), []
    threads = [Thread(target=lambda: clients.append(carrier._client)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clients[0] is not clients[1]
    assert carrier._client is carrier._client


def test_a_call_is_fetched_by_its_id(twilio: TwilioSimulator) -> None:
    carrier = Twilio()
    placed = carrier.place(order())
    twilio.call.status, twilio.call.duration = "completed", "42"
    assert carrier.fetch(placed.sid) == CarrierCall(
        sid=placed.sid, status=AttemptStatus.COMPLETED, created_at=placed.created_at, duration_seconds=42
    )
    with pytest.raises(UnknownCallError) as gone:
        carrier.fetch("CA404")
    assert gone.value.code == 20404


def test_calls_are_found_over_all_pages_oldest_first_and_only_those_that_we_placed(twilio: TwilioSimulator) -> None:
    carrier = Twilio()
    sids = [carrier.place(order()).sid for _ in range(5)]
    carrier.place(order("+15005550043"))
    twilio.dial_in(caller=OUR_NUMBER, called=SOMEBODY)
    for number, call in enumerate(twilio.calls):
        call.created = long_ago() + timedelta(minutes=number)
    found = carrier.find(to_e164=SOMEBODY, from_e164=OUR_NUMBER, since=long_ago() + timedelta(seconds=30))
    assert [call.sid for call in found] == sids[1:]


@pytest.mark.parametrize(
    "trouble", [Trouble(status=500), Trouble(status=401, code=20003), Trouble(drop=True), Trouble(garbage="[")], ids=str
)
def test_a_list_that_does_not_come_is_not_an_empty_one(twilio: TwilioSimulator, trouble: Trouble) -> None:
    twilio.troubles.append(trouble)
    with pytest.raises(TelephonyError) as failed:
        Twilio().find(to_e164=SOMEBODY, from_e164=OUR_NUMBER, since=long_ago())
    assert (type(failed.value), failed.value.permanent) == (TelephonyError, False)


@pytest.mark.parametrize(("before", "after"), [("in-progress", "completed"), ("ringing", "canceled")])
def test_hanging_up_ends_a_call_and_its_ringing(twilio: TwilioSimulator, before: str, after: str) -> None:
    carrier = Twilio()
    sid = carrier.place(order()).sid
    twilio.call.status = before
    carrier.hang_up(sid)
    assert twilio.call.status == after
    carrier.hang_up(sid)
    with pytest.raises(UnknownCallError):
        carrier.hang_up("CA404")


def test_an_update_has_a_call_ask_elsewhere(twilio: TwilioSimulator) -> None:
    carrier = Twilio()
    sid = carrier.place(order()).sid
    carrier.update(sid, url=f"{BASE}/next?key=k&after=1")
    assert twilio.call.redirects == [f"{BASE}/next?key=k&after=1"]
    twilio.call.status = "completed"
    with pytest.raises(TelephonyError) as refused:
        carrier.update(sid, url=BASE)
    assert (refused.value.permanent, refused.value.code) == (True, 21220)


def test_a_word_that_is_no_status_of_a_carrier_is_not_believed(twilio: TwilioSimulator) -> None:
    sid = Twilio().place(order()).sid
    twilio.call.status = "unknown"
    with pytest.raises(TelephonyError, match="cannot be read"):
        Twilio().fetch(sid)
