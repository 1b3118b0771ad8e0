from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from calls import telephony
from calls.telephony import carriers
from tests.calls import rows
from tests.calls.phones import OUR_NUMBER, SOMEBODY
from tests.simulators.twilio import Reply, SimulatedCall, TwilioSimulator

PUBLIC_URL = "https://calls.example.com"


def into_django(url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
    """Post a webhook as the web process gets it."""
    parts = urlsplit(url)
    response = Client().post(f"{parts.path}?{parts.query}", dict(form), headers=dict(headers))
    return Reply(response.status_code, response.content.decode())


@pytest.fixture
def twilio(settings: Settings) -> Iterator[TwilioSimulator]:
    """A Twilio account that this installation uses, and whose webhooks reach it."""
    carriers._load.cache_clear()
    with TwilioSimulator(into_django) as simulator:
        settings.TWILIO_ACCOUNT_SID = simulator.account_sid
        settings.TWILIO_AUTH_TOKEN = simulator.auth_token
        settings.TWILIO_PHONE_NUMBER = OUR_NUMBER
        settings.TWILIO_BASE_URL = simulator.url
        settings.TWILIO_TIMEOUT_SECONDS = 0.8
        settings.CARRIER = "twilio"
        settings.PUBLIC_URL = PUBLIC_URL
        yield simulator
    carriers._load.cache_clear()


@pytest.fixture
def call(twilio: TwilioSimulator) -> SimulatedCall:
    """A call that was placed and is in Twilio's queue."""
    rows.agent(is_default=True, language="en-GB")
    telephony.place_call(SOMEBODY)
    return twilio.call
