import pytest

from calls.enums import AttemptStatus
from calls.telephony.carriers import carrier, carrier_status
from calls.telephony.twilio import Twilio


@pytest.mark.usefixtures("twilio")
def test_a_process_has_one_object_per_carrier() -> None:
    assert isinstance(carrier("twilio"), Twilio)
    assert carrier("twilio") is carrier("twilio")
    with pytest.raises(KeyError):
        carrier("pigeons")


def test_only_a_carriers_own_words_are_read() -> None:
    words = ["queued", "initiated", "ringing", "in-progress", "completed", "busy", "no-answer", "failed", "canceled"]
    assert [carrier_status(word) for word in words] == list(AttemptStatus)[3:]
    assert [carrier_status(word) for word in ("", "dialing", "unknown", "not-placed", "Ringing")] == [None] * 5
