from collections.abc import Iterator
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from pytest_django.fixtures import Settings

from calls.telephony import carriers
from campaigns.models import ComplianceRule
from tests.calls.conftest import twilio
from tests.campaigns.carrier import FakeCarrier

__all__ = ["OUR_NUMBER", "carrier", "twilio"]

OUR_NUMBER = "+12125550199"


@pytest.fixture(autouse=True)
def _first_rules(request: pytest.FixtureRequest) -> None:
    """Give back the rules of a new installation, which a test with transactions of its own empties with all tables."""
    if request.node.get_closest_marker("django_db") and not ComplianceRule.objects.exists():
        import_module("campaigns.migrations.0006_rules").add_rules(apps, connection.schema_editor())


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
