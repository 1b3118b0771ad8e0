import pytest

from campaigns.models import SavedFilter
from tests.campaigns.admin.site import boss, in_role, list_of, logged_in, page_of

pytestmark = pytest.mark.django_db

SAVE = "contact_save_filter"


def test_a_filter_is_kept_shown_to_its_owner_and_deleted() -> None:
    client, other = logged_in(boss()), logged_in(in_role("Operator"))
    kept = client.post(page_of(SAVE), {"name": "New York", "query": "region=US-NY&p=2"})
    assert kept.headers["Location"] == f"{list_of('contact')}?region=US-NY"
    assert 'href="?region=US-NY">New York</a>' in client.get(list_of("contact")).content.decode()
    assert "New York" not in other.get(list_of("contact")).content.decode()
    saved = SavedFilter.objects.get()
    other.post(page_of("contact_delete_filter", saved.pk))
    assert SavedFilter.objects.count() == 1
    client.post(page_of("contact_delete_filter", saved.pk))
    assert SavedFilter.objects.count() == 0


def test_the_list_with_a_filter_offers_to_keep_it() -> None:
    client = logged_in(boss())
    assert "Keep this filter as" not in client.get(list_of("contact")).content.decode()
    assert 'name="query" value="region=US-NY"' in client.get(f"{list_of('contact')}?region=US-NY").content.decode()


def test_a_name_that_is_missing_is_asked_for() -> None:
    response = logged_in(boss()).post(page_of(SAVE), {"name": "", "query": "q=a"}, follow=True)
    assert [str(message) for message in response.context["messages"]] == ["Give the filter a name."]


def test_reading_keeps_nothing() -> None:
    assert logged_in(boss()).get(page_of(SAVE)).status_code == 405


def test_a_filter_is_renamed_and_shared_by_its_owner_only() -> None:
    client, other = logged_in(boss()), logged_in(in_role("Operator"))
    client.post(page_of(SAVE), {"name": "New York", "query": "region=US-NY"})
    saved = SavedFilter.objects.get()
    change = page_of("contact_change_filter", saved.pk)
    other.post(change, {"name": "Stolen", "is_shared": "on"})
    assert (client.get(change).status_code, SavedFilter.objects.get().name) == (405, "New York")
    client.post(change, {"name": "The city", "is_shared": "on"})
    shown = other.get(list_of("contact")).content.decode()
    assert 'href="?region=US-NY">The city <span class="v-quiet">of boss</span>' in shown
    assert change not in shown
    client.post(change, {"name": "The city"})
    assert "The city" not in other.get(list_of("contact")).content.decode()


def test_a_name_that_is_taken_is_said_to_be() -> None:
    client = logged_in(boss())
    for name in ("One", "Two"):
        client.post(page_of(SAVE), {"name": name, "query": f"q={name}"})
    second = SavedFilter.objects.get(name="Two")
    answer = client.post(page_of("contact_change_filter", second.pk), {"name": "One"}, follow=True)
    assert "You have another filter “One” here." in answer.content.decode()
