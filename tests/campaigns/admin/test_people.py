import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_a_person_is_made_given_a_role_and_logs_in(client: Client) -> None:
    client.force_login(get_user_model().objects.create_superuser("boss"))
    word = "a long word of its own"
    made = client.post(
        reverse("admin:auth_user_add"),
        {"username": "kim", "password1": word, "password2": word, "usable_password": "true"},
    )
    kim = get_user_model().objects.get(username="kim")
    address = reverse("admin:auth_user_change", args=[kim.pk])
    assert (made.status_code, made.headers["Location"]) == (302, address)
    role = Group.objects.create(name="Callers")
    client.post(
        address,
        {
            "username": "kim",
            "is_active": "on",
            "is_staff": "on",
            "groups": [role.pk],
            "date_joined_0": "2026-11-24",
            "date_joined_1": "10:00",
        },
    )
    assert [group.name for group in kim.groups.all()] == ["Callers"]
    client.logout()
    client.post(reverse("admin:login"), {"username": "kim", "password": word})
    assert client.get(reverse("admin:index")).status_code == 200


def test_roles_have_a_page(client: Client) -> None:
    client.force_login(get_user_model().objects.create_superuser("boss"))
    role = Group.objects.create(name="Callers")
    assert client.get(reverse("admin:auth_group_change", args=[role.pk])).status_code == 200
