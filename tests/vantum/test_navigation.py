from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.http import HttpRequest
from django.urls import reverse

from vantum.navigation import MENU, navigation


def seen_by(user: Any) -> list[str]:
    request = HttpRequest()
    request.user = user
    return [item["title"] for group in navigation(request) for item in group["items"]]


def test_every_entry_leads_to_a_page() -> None:
    assert [reverse(entry.page) for _, entries in MENU for entry in entries]


@pytest.mark.django_db
def test_who_may_all_sees_all_and_who_may_one_thing_sees_that() -> None:
    users = get_user_model().objects
    assert seen_by(users.create_superuser("boss")) == [entry.title for _, entries in MENU for entry in entries]
    reader = users.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_callattempt"))
    assert seen_by(reader) == ["Overview", "Live calls", "Telephone calls"]
