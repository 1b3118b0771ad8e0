import xml.etree.ElementTree as ET

import pytest
from django.urls import reverse
from pytest_django.fixtures import Settings

from calls.models import CallAttempt
from calls.telephony import twiml

ATTEMPT = CallAttempt(dial_key="k-1_x")
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


@pytest.fixture(autouse=True)
def _public(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://calls.example.com"
    settings.INBOUND_GREETING = "Hi & welcome. Press 9."


def test_a_stream_is_connected_and_then_asked_what_comes_next() -> None:
    assert twiml.connect_stream(ATTEMPT, "t:o-k", number=2) == HEAD + (
        "<Response>\n"
        "  <Connect>\n"
        '    <Stream url="wss://calls.example.com/twilio/media" '
        'statusCallback="https://calls.example.com/twilio/stream-status?key=k-1_x&amp;stream=2" '
        'statusCallbackMethod="POST">\n'
        '      <Parameter name="token" value="t:o-k"/>\n'
        "    </Stream>\n"
        "  </Connect>\n"
        '  <Redirect method="POST">https://calls.example.com/twilio/next?key=k-1_x&amp;after=2</Redirect>\n'
        "</Response>\n"
    )


def test_a_hang_up() -> None:
    assert twiml.hang_up() == HEAD + "<Response>\n  <Hangup/>\n</Response>\n"


def test_last_words_and_a_hang_up() -> None:
    assert twiml.say_goodbye("Bye & <thanks>", "en-GB") == HEAD + (
        '<Response>\n  <Say language="en-GB">Bye &amp; &lt;thanks&gt;</Say>\n  <Hangup/>\n</Response>\n'
    )


def test_an_inbound_call_is_greeted_and_a_key_taken() -> None:
    assert twiml.greet_inbound(ATTEMPT, "en-US", may_suppress=True) == HEAD + (
        "<Response>\n"
        '  <Gather input="dtmf" numDigits="1" timeout="3" '
        'action="https://calls.example.com/twilio/inbound/key?key=k-1_x" method="POST">\n'
        '    <Say language="en-US">Hi &amp; welcome. Press 9.</Say>\n'
        "  </Gather>\n"
        '  <Redirect method="POST">https://calls.example.com/twilio/next?key=k-1_x&amp;after=0</Redirect>\n'
        "</Response>\n"
    )


def test_who_withholds_the_number_goes_straight_to_the_agent() -> None:
    assert twiml.greet_inbound(ATTEMPT, "en-US", may_suppress=False) == HEAD + (
        "<Response>\n"
        '  <Redirect method="POST">https://calls.example.com/twilio/next?key=k-1_x&amp;after=0</Redirect>\n'
        "</Response>\n"
    )


def test_every_value_is_escaped() -> None:
    sly = '"/><Dial>+15005550042</Dial>'
    tree = ET.fromstring(twiml.connect_stream(ATTEMPT, sly, number=1))  # noqa: S314 (our own text)
    assert [(node.tag, node.get("value")) for node in tree.iter("Parameter")] == [("Parameter", sly)]
    assert tree.find(".//Dial") is None


def test_addresses_are_below_the_public_one(settings: Settings) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    assert twiml.media_url() == "ws://127.0.0.1:8000/twilio/media"
    status = f"http://127.0.0.1:8000{reverse('twilio-status')}?key=k-1_x"
    assert twiml.callback_url("twilio-status", ATTEMPT) == status


def test_a_leg_joins_a_conference_of_two_that_is_over_when_one_leaves() -> None:
    assert twiml.join_conference(ATTEMPT, "transfer-7", after=1) == HEAD + (
        "<Response>\n"
        '  <Dial action="https://calls.example.com/twilio/next?key=k-1_x&amp;after=1" method="POST">\n'
        '    <Conference startConferenceOnEnter="true" endConferenceOnExit="true" beep="false" '
        'maxParticipants="2">transfer-7</Conference>\n'
        "  </Dial>\n"
        '  <Redirect method="POST">https://calls.example.com/twilio/next?key=k-1_x&amp;after=1</Redirect>\n'
        "</Response>\n"
    )


def test_a_call_asks_again_in_a_second() -> None:
    assert twiml.ask_again(ATTEMPT, after=1, waits=3) == HEAD + (
        "<Response>\n"
        '  <Pause length="1"/>\n'
        '  <Redirect method="POST">https://calls.example.com/twilio/next?key=k-1_x&amp;after=1&amp;waits=3</Redirect>\n'
        "</Response>\n"
    )
