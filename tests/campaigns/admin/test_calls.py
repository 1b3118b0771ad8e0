"""What campaigns bring to the lists of calls."""

import pytest
from django.urls import reverse

from campaigns.models import SavedFilter
from tests.campaigns.admin.site import boss, in_role, logged_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("model", "query"), [("callattempt", "status__exact=busy"), ("callsession", "door__exact=web")]
)
def test_filters_of_the_lists_of_calls_are_kept_under_names(model: str, query: str) -> None:
    client, listing = logged_in(boss()), reverse(f"admin:calls_{model}_changelist")
    assert 'name="query"' in client.get(f"{listing}?{query}").content.decode()
    kept = client.post(reverse(f"admin:calls_{model}_save_filter"), {"name": "Mine", "query": query}, follow=True)
    assert kept.redirect_chain == [(f"{listing}?{query}", 302)]
    assert f'<a href="?{query}" aria-current="true">Mine</a>' in kept.content.decode()
    assert SavedFilter.objects.get().page == f"calls.{model}"


def test_who_may_not_export_is_not_offered_it() -> None:
    listing = reverse("admin:calls_callattempt_changelist")
    names = {role: _actions(logged_in(in_role(role)).get(listing)) for role in ("Operator", "Supervisor")}
    assert {"export_csv", "export_xlsx"} <= names["Supervisor"]
    assert not {"export_csv", "export_xlsx"} & names["Operator"]


def _actions(answer: object) -> set[str]:
    found = answer.context["cl"].model_admin.get_actions(answer.wsgi_request)  # type: ignore[attr-defined]
    return set(found)
