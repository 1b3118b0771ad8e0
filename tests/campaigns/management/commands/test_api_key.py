from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from campaigns import services

pytestmark = pytest.mark.django_db


def run(*given: str) -> str:
    out = StringIO()
    call_command("api_key", *given, stdout=out)
    return out.getvalue().strip()


def test_a_key_is_made_and_revoked() -> None:
    key = run("CRM", "--scope", "calls:read")
    row = services.find_api_key(key, now=timezone.now())
    assert row
    assert row.scopes == ["calls:read"]
    assert run("--revoke", row.prefix) == "It opens nothing more."
    assert run("--revoke", row.prefix) == "It was revoked before."
    assert services.find_api_key(key, now=timezone.now()) is None


@pytest.mark.parametrize(
    ("given", "reason"), [(["CRM"], "Choose what the key opens"), (["--revoke", "vtm_x"], "there is no key")]
)
def test_what_is_wrong_is_told(given: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        run(*given)
