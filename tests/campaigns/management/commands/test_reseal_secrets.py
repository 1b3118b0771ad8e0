from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from calls.models import Secret
from vantum.sealing import seal

pytestmark = pytest.mark.django_db


def run() -> str:
    out = StringIO()
    call_command("reseal_secrets", stdout=out)
    return out.getvalue().strip()


def test_the_former_key_is_no_longer_needed_afterwards(settings: Settings) -> None:
    Secret.objects.create(name="shop", sealed=seal("Bearer abc"))
    settings.SECRETS_KEY, settings.SECRETS_OLD_KEYS = "new", (settings.SECRETS_KEY,)
    assert run() == "1 secrets are sealed with the key of now."
    settings.SECRETS_OLD_KEYS = ()
    assert Secret.objects.get().value == "Bearer abc"


def test_what_no_key_opens_is_named(settings: Settings) -> None:
    Secret.objects.create(name="shop", sealed=seal("Bearer abc"))
    settings.SECRETS_KEY = "new"
    with pytest.raises(CommandError, match="No key opens the secret shop: add the former one to SECRETS_OLD_KEYS"):
        run()
