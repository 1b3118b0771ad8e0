from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from calls.telephony import carriers
from tests.calls.conftest import twilio
from tests.campaigns.carrier import FakeCarrier

__all__ = ["OUR_NUMBER", "carrier", "twilio"]

OUR_NUMBER = "+12125550199"


@pytest.fixture
def carrier(settings: Settings) -> Iterator[FakeCarrier]:
    """The installation's carrier."""
    settings.CARRIERS = {"fake": "tests.campaigns.carrier.FakeCarrier"}
    settings.CARRIER = "fake"
    settings.PUBLIC_URL = "https://calls.example.com"
    settings.TWILIO_PHONE_NUMBER = OUR_NUMBER
    carriers._load.cache_clear()
    made = carriers.carrier("fake")
    assert isinstance(made, FakeCarrier)
    yield made
    carriers._load.cache_clear()
