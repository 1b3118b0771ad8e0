import pytest
from django.test import Client
from pytest_django.fixtures import Settings
from twilio.request_validator import RequestValidator

from calls.models import CallAttempt
from tests.calls.conftest import PUBLIC_URL
from tests.calls.phones import OUR_NUMBER, SOMEBODY
from tests.simulators.twilio import SimulatedCall, TwilioSimulator

pytestmark = pytest.mark.django_db

ADDRESSES = ["answer", "next", "inbound", "inbound/key", "status", "amd", "stream-status"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_is_not_signed_by_the_account_is_refused(
    twilio: TwilioSimulator, settings: Settings, address: str
) -> None:
    path = f"/twilio/{address}?key=x"
    form = {"CallSid": "CA" + "0" * 32, "From": SOMEBODY, "To": OUR_NUMBER}
    client, public = Client(), PUBLIC_URL + path
    good = RequestValidator(twilio.auth_token).compute_signature(public, form)
    foreign = RequestValidator("another").compute_signature(public, form)
    signatures = ["", "x", "é", good[:-2] + "A=", foreign]
    answers = [client.post(path, form, headers={"X-Twilio-Signature": signature}) for signature in signatures]
    answers.append(client.post(path, form))
    answers.append(client.post(path, {**form, "Digits": "9"}, headers={"X-Twilio-Signature": good}))
    answers.append(client.post(path + "y", form, headers={"X-Twilio-Signature": good}))
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert client.get(path).status_code == 405
    assert client.post(path, form, headers={"X-Twilio-Signature": good}).status_code in {200, 204}
    settings.TWILIO_AUTH_TOKEN = ""
    assert client.post(path, form, headers={"X-Twilio-Signature": good}).status_code == 403


def test_a_carrier_speaks_of_its_own_calls_only(call: SimulatedCall, settings: Settings) -> None:
    settings.SANDBOX_TOKEN = "the sandbox's token"
    form, url = call._names() | {"CallStatus": "ringing"}, call.order["StatusCallback"]
    path = url.removeprefix(PUBLIC_URL)

    def post(token: str) -> int:
        signature = RequestValidator(token).compute_signature(url, form)
        return Client().post(path, form, headers={"X-Twilio-Signature": signature}).status_code

    assert post("the sandbox's token") == 204
    assert CallAttempt.objects.get().status == "queued"
    CallAttempt.objects.update(carrier="sandbox")
    assert post(call.twilio.auth_token) == 204
    assert CallAttempt.objects.get().status == "queued"
    assert post("the sandbox's token") == 204
    assert CallAttempt.objects.get().status == "ringing"


def test_a_webhook_needs_no_csrf_token(call: SimulatedCall) -> None:
    form = call._names() | {"CallStatus": "ringing"}
    url = call.order["StatusCallback"]
    signature = RequestValidator(call.twilio.auth_token).compute_signature(url, form)
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(url.removeprefix(PUBLIC_URL), form, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 204


def test_an_answer_signed_with_a_shared_key_may_use_sha256(call: SimulatedCall) -> None:
    url, form = call.order["StatusCallback"], call._names() | {"CallStatus": "ringing"}
    signature = RequestValidator(call.twilio.auth_token).compute_signature(url, form, "HMAC_SHA256")
    kinds = ["key=k,algorithm=HMAC_SHA256", "key=k,algorithm=ROT13", ""]
    answers = [
        Client().post(
            url.removeprefix(PUBLIC_URL),
            form,
            headers={"X-Twilio-Signature": signature, "X-Twilio-Webhooks-Signature-Settings": kind},
        )
        for kind in kinds
    ]
    assert [answer.status_code for answer in answers] == [204, 403, 403]


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_proxys_word_for_our_address_counts_only_where_one_is_configured(
    call: SimulatedCall, settings: Settings, *, is_trusted: bool
) -> None:
    settings.ALLOWED_HOSTS = ["voice.example.org"]
    settings.USE_X_FORWARDED_HOST = is_trusted
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if is_trusted else None
    path, form = call.order["StatusCallback"].removeprefix(PUBLIC_URL), call._names() | {"CallStatus": "ringing"}
    signature = RequestValidator(call.twilio.auth_token).compute_signature(f"https://voice.example.org{path}", form)
    proxied = {"X-Forwarded-Host": "voice.example.org", "X-Forwarded-Proto": "https"}
    headers = {"Host": "voice.example.org", "X-Twilio-Signature": signature, **proxied}
    answer = Client().post(path, form, headers=headers)
    assert answer.status_code == (204 if is_trusted else 403)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\xff\xfe%zz&&==", "application/x-www-form-urlencoded"),
        (b"{", "application/json"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"&".join(b"a%d=1" % number for number in range(1001)), "application/x-www-form-urlencoded"),
        (b"a=" + b"b" * 3_000_000, "application/x-www-form-urlencoded"),
    ],
)
def test_a_malformed_webhook_is_refused(twilio: TwilioSimulator, body: bytes, content_type: str) -> None:
    del twilio
    answer = Client().post("/twilio/status", body, content_type=content_type, headers={"X-Twilio-Signature": "x"})
    assert answer.status_code in {400, 403}
