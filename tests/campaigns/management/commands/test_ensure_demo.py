from io import StringIO

import pytest
from django.core.management import call_command

from campaigns.models import Campaign
from tests.calls import rows

pytestmark = pytest.mark.django_db


def test_the_demo_needs_an_agent() -> None:
    said = StringIO()
    call_command("ensure_demo", stderr=said)
    assert said.getvalue() == "There is no published agent; the demo needs one.\n"
    assert Campaign.objects.count() == 0


def test_the_demo_is_made_once() -> None:
    rows.agent()
    said = StringIO()
    call_command("ensure_demo", stdout=said)
    call_command("ensure_demo", stdout=said)
    assert said.getvalue() == "The demo campaign is ready to be started.\n"
    assert Campaign.objects.count() == 1
