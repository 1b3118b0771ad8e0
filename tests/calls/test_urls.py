from uuid import UUID

from django.urls import resolve, reverse

from calls.views.recordings import recording


def test_a_recording_has_the_address_of_its_call() -> None:
    address = reverse("recording", args=[UUID(int=1)])
    assert address == "/recordings/00000000-0000-0000-0000-000000000001.wav"
    assert resolve(address).func is recording


def test_the_carriers_webhooks_have_the_addresses_that_are_entered_at_twilio() -> None:
    names = ["answer", "next", "inbound", "inbound-key", "status", "amd", "stream-status"]
    assert [reverse(f"twilio-{name}") for name in names] == [
        *("/twilio/answer", "/twilio/next", "/twilio/inbound", "/twilio/inbound/key"),
        *("/twilio/status", "/twilio/amd", "/twilio/stream-status"),
    ]
