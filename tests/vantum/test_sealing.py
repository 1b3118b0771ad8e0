"""Secrets at rest."""

import pytest
from pytest_django.fixtures import Settings

from vantum.sealing import SealError, reseal, seal, unseal


@pytest.mark.parametrize("text", ["Bearer abc123", "", "Grüße", "x" * 5000])
def test_what_is_sealed_is_opened_again_and_tells_nothing(text: str) -> None:
    sealed = seal(text)
    assert unseal(sealed) == text
    assert sealed.isascii()
    assert not text or text not in sealed
    assert seal(text) != sealed  # two equal secrets do not look equal


def test_another_key_opens_nothing_and_the_error_names_the_remedy(settings: Settings) -> None:
    sealed = seal("Bearer abc123")
    settings.SECRETS_KEY = "another"
    with pytest.raises(SealError, match=r"former key to SECRETS_OLD_KEYS and run manage\.py reseal_secrets"):
        unseal(sealed)


@pytest.mark.parametrize("stored", ["", "Bearer abc123", seal("x")[:-4] + "AAA="], ids=["none", "plain", "changed"])
def test_what_was_never_sealed_or_was_changed_is_refused(stored: str) -> None:
    with pytest.raises(SealError):
        unseal(stored)


def test_an_old_key_still_opens_until_everything_is_sealed_anew(settings: Settings) -> None:
    sealed = seal("Bearer abc123")
    settings.SECRETS_KEY, settings.SECRETS_OLD_KEYS = "new", (settings.SECRETS_KEY,)
    assert unseal(sealed) == "Bearer abc123"
    anew = reseal(sealed)
    settings.SECRETS_OLD_KEYS = ()
    assert unseal(anew) == "Bearer abc123"
    with pytest.raises(SealError):
        unseal(sealed)
