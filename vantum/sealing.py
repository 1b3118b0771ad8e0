"""Secrets at rest: stored sealed, and opened where they are used.

Sealed by Fernet (AES-128-CBC with an HMAC) of the ``cryptography`` package, with a key derived from ``SECRETS_KEY``.
What was sealed with a key of ``SECRETS_OLD_KEYS`` is still read.
"""

import base64
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from vantum.secrets import derived_key

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


class SealError(Exception):
    """A stored secret cannot be read; the text names the remedy."""


def seal(text: str) -> str:
    """Give a text as it may be stored: ASCII, about a third longer and 80 characters more."""
    return _fernet(*_keys()).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """Give the text again. Raises ``SealError`` where it was sealed with another key, or changed since."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 (9 MB, for who has secrets)

    try:
        return _fernet(*_keys()).decrypt(sealed).decode()
    except InvalidToken:
        message = (
            "it was stored under another SECRETS_KEY (SECRET_KEY where that is not set): add the former key to "
            "SECRETS_OLD_KEYS and run manage.py reseal_secrets, or give the secret anew"
        )
        raise SealError(message) from None


def reseal(sealed: str) -> str:
    """Give it sealed with the key of now, whichever it was sealed with. Raises ``SealError``."""
    return seal(unseal(sealed))


def _keys() -> tuple[str, ...]:
    return (settings.SECRETS_KEY, *settings.SECRETS_OLD_KEYS)


@lru_cache(maxsize=4)
def _fernet(*keys: str) -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 (9 MB, for who has secrets)

    derived = [bytes.fromhex(derived_key(key, "secrets at rest")) for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
