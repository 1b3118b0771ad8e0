import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.test import Client

from vantum.accounts import ensure_admin


@pytest.mark.django_db
def test_the_first_login_works_and_is_made_once() -> None:
    login = ensure_admin()
    assert login is not None
    assert login.name == "admin"
    user = authenticate(username=login.name, password=login.password)
    assert isinstance(user, User)
    assert user.is_superuser
    assert ensure_admin() is None
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_two_installations_do_not_share_a_password() -> None:
    first = ensure_admin()
    User.objects.all().delete()
    second = ensure_admin()
    assert first
    assert second
    assert first.password != second.password
    assert len(first.password) >= 16


@pytest.mark.django_db
def test_a_user_who_has_the_name_is_not_promoted() -> None:
    User.objects.create_user("admin", password="theirs")
    login = ensure_admin()
    assert login is not None
    assert login.name == "admin2"
    assert list(User.objects.filter(is_superuser=True).values_list("username", flat=True)) == ["admin2"]


@pytest.mark.django_db
def test_a_login_that_came_from_nowhere_leads_to_the_admin() -> None:
    User.objects.create_superuser("boss", password="open")
    form = {"username": "boss", "password": "open"}
    assert Client().post("/admin/login/?next=", {**form, "next": ""})["Location"] == "/admin/"
