"""What tests of the admin's pages share: who looks, and how often a page asks the database."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import services


def boss() -> Any:
    return get_user_model().objects.create_superuser("boss", email="boss@example.com")


def logged_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def in_role(role: str) -> Any:
    services.ensure_roles()
    user = get_user_model().objects.create_user(role.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def queries(client: Client, address: str) -> int:
    client.get(address)  # what a process asks once does not count
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def list_of(model: str) -> str:
    return reverse(f"admin:campaigns_{model}_changelist")


def page_of(name: str, *args: Any) -> str:
    return reverse(f"admin:campaigns_{name}", args=args)
