import pytest
from pytest_django import Settings
from twilio.request_validator import RequestValidator

from calls.telephony.signatures import is_socket_signed

PUBLIC = "https://calls.example.com"
STREAM = "wss://calls.example.com/twilio/media"
TOKEN = "the account's token"


@pytest.fixture(autouse=True)
def _account(settings: Settings) -> None:
    settings.PUBLIC_URL = PUBLIC
    settings.TWILIO_AUTH_TOKEN = TOKEN


def headers(address: str, token: str = TOKEN) -> list[tuple[bytes, bytes]]:
    signature = RequestValidator(token).compute_signature(address, {})
    return [(b"host", b"calls.example.com"), (b"X-Twilio-Signature", signature.encode())]


@pytest.mark.parametrize("address", [STREAM, STREAM + "/"])
def test_a_socket_is_let_in_that_the_account_signed_for_our_address(address: str) -> None:
    assert is_socket_signed(headers(address))


@pytest.mark.parametrize(
    "given",
    [
        [],
        [(b"x-twilio-signature", b"")],
        [(b"x-twilio-signature", "é".encode())],
        headers(STREAM, "another's token"),
        headers(STREAM.replace("wss", "https")),
        headers(STREAM + "?key=1"),
        headers(STREAM.replace("calls", "evil")),
    ],
)
def test_a_socket_that_nobody_we_know_signed_stays_outside(given: list[tuple[bytes, bytes]]) -> None:
    assert not is_socket_signed(given)


def test_without_an_account_no_socket_is_let_in(settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = ""
    assert not is_socket_signed(headers(STREAM))
