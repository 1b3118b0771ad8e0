import pytest
from django.contrib.auth.models import Group, Permission

from campaigns import services
from campaigns.services.roles import ROLES

pytestmark = pytest.mark.django_db


def held(role: str) -> set[str]:
    found = Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in found}


def test_the_roles_are_made_once_and_then_left_alone() -> None:
    assert services.ensure_roles() == list(ROLES)
    assert services.ensure_roles() == []


def test_a_role_is_brought_back_to_exactly_its_permissions() -> None:
    services.ensure_roles()
    before = held("Operator")
    group = Group.objects.get(name="Operator")
    group.permissions.add(Permission.objects.get(codename="delete_user"))
    group.permissions.remove(Permission.objects.get(codename="run_campaign"))
    assert services.ensure_roles() == ["Operator"]
    assert held("Operator") == before


def test_every_permission_that_a_role_names_exists() -> None:
    services.ensure_roles()
    everything = {
        f"{app}.{name}" for app, name in Permission.objects.values_list("content_type__app_label", "codename")
    }
    plain = {pattern.removeprefix("!") for patterns in ROLES.values() for pattern in patterns}
    named = {pattern for pattern in plain if not pattern.endswith("*")}
    assert named - everything == set()


def test_nobody_but_the_administrator_makes_people_and_an_auditor_changes_nothing() -> None:
    services.ensure_roles()
    assert [role for role in ROLES if "auth.add_user" in held(role)] == ["Administrator"]
    assert {name for name in held("Auditor") if ".view_" not in name} == set()
    assert held("Operator") < held("Supervisor") < held("Administrator")


def test_who_may_see_keys_and_webhooks_is_said_role_by_role() -> None:
    services.ensure_roles()
    shown = {role: sorted(held(role) & {"campaigns.view_apikey", "campaigns.view_webhookendpoint"}) for role in ROLES}
    assert shown == {
        "Operator": [],
        "Supervisor": ["campaigns.view_webhookendpoint"],
        "Auditor": ["campaigns.view_apikey", "campaigns.view_webhookendpoint"],
        "Administrator": ["campaigns.view_apikey", "campaigns.view_webhookendpoint"],
    }


def test_a_group_of_ones_own_is_left_alone() -> None:
    Group.objects.create(name="Night shift")
    services.ensure_roles()
    assert held("Night shift") == set()
