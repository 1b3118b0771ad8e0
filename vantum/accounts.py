"""The first login of an installation."""

import secrets
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db import transaction


class Login(NamedTuple):
    """A user's name and the password, which is stored nowhere."""

    name: str
    password: str


@transaction.atomic
def ensure_admin() -> Login | None:
    """Make the superuser ``admin`` where no superuser exists; else None.

    A user of that name who is no superuser is left alone: the new name then gets a number.
    """
    users = get_user_model()._default_manager  # noqa: SLF001 (Django's public name for it)
    if users.filter(is_superuser=True).exists():
        return None
    name, number = "admin", 1
    while users.filter(username=name).exists():
        number += 1
        name = f"admin{number}"
    login = Login(name, secrets.token_urlsafe(12))
    users.create_superuser(username=login.name, password=login.password)
    return login
