"""Keys of the API: made, shown once, kept as a digest, revoked."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db.models import Q

from calls.services.cleaning import clean_text
from campaigns.enums import Scope
from campaigns.models import ApiKey

_PREFIX_LENGTH = 12
_NOTE_EVERY = timedelta(minutes=5)


def make_api_key(
    name: str, *, scopes: Iterable[str], by: AbstractBaseUser | None, at: datetime, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make a key; gives its row and the key itself, which is stored nowhere. Raises ``ValidationError`` by field."""
    chosen = sorted(set(scopes))
    problems = {}
    if not (kept := clean_text(name).strip()[:100]):
        problems["name"] = "Give the key a name: whose it is."
    if unknown := sorted(set(chosen) - set(Scope)):
        problems["scopes"] = f"Unknown: {', '.join(unknown)}. Use {', '.join(Scope)}."
    elif not chosen:
        problems["scopes"] = "Choose what the key opens."
    if problems:
        raise ValidationError(problems)
    prefix = f"vtm_{secrets.token_hex(4)}"
    key = f"{prefix}_{secrets.token_urlsafe(32)}"
    row = ApiKey.objects.create(
        name=kept, prefix=prefix, digest=_digest(key), scopes=chosen, created_at=at, expires_at=expires_at,
        created_by_id=by.pk if by else None,
    )  # fmt: skip
    return row, key


def find_api_key(key: str, *, now: datetime) -> ApiKey | None:
    """Give the row of a key that opens something now, and note that it was used."""
    if not key.isascii():
        return None
    row = ApiKey.objects.valid(now).filter(prefix=key[:_PREFIX_LENGTH]).first()
    if row is None or not hmac.compare_digest(row.digest, _digest(key)):
        return None
    stale = Q(used_at__isnull=True) | Q(used_at__lt=now - _NOTE_EVERY)
    ApiKey.objects.filter(stale, pk=row.pk).update(used_at=now)
    return row


def revoke_api_key(key_id: UUID, *, at: datetime) -> bool:
    """Have a key open nothing more. False: it was revoked before."""
    return ApiKey.objects.filter(pk=key_id, revoked_at__isnull=True).update(revoked_at=at) == 1


def _digest(key: str) -> str:
    """A key has 256 random bits: a fast hash is as good as a slow one."""
    return hashlib.sha256(key.encode()).hexdigest()
