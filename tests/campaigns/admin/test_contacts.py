from typing import Any

import pytest
from django.test import Client

from campaigns import services
from campaigns.enums import ContactStatus, FinishReason, JobStatus
from campaigns.models import BulkJob, Contact, ContactList
from tests.campaigns.admin.site import boss, in_role, list_of, logged_in, page_of, queries
from tests.campaigns.rows import NOW, make_campaign, make_consent, make_contact, make_member

pytestmark = pytest.mark.django_db

LIST = list_of("contact")


@pytest.fixture
def client() -> Client:
    return logged_in(boss())


def act(client: Client, action: str, query: str = "", **data: Any) -> Any:
    return client.post(LIST + query, {"action": action, **data})


def work_off(job: BulkJob) -> BulkJob:
    key = services.claim_job(job.pk, now=NOW)
    assert key
    while services.run_batch(job.pk, key, now=NOW):
        pass
    job.refresh_from_db()
    return job


def test_the_list_asks_as_often_for_100_contacts_as_for_one(client: Client) -> None:
    group = ContactList.objects.create(name="Spring")
    make_contact().lists.add(group)
    few = queries(client, LIST)
    for number in range(99):
        make_contact(f"+1212555{1000 + number}").lists.add(group)
    assert queries(client, LIST) == few


def test_the_page_of_a_contact_asks_as_often_for_many_campaigns_as_for_one(client: Client) -> None:
    contact = make_contact()
    member = make_member(make_campaign(), contact)
    make_consent(contact)
    few = queries(client, page_of("contact_change", contact.pk))
    for number in range(20):
        make_member(make_campaign(f"No {number}", agent=member.campaign.agent), contact)
    assert queries(client, page_of("contact_change", contact.pk)) == few


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?q=An", ["Ann"]),
        ("?q=(305) 555", ["Bob"]),
        ("?status=archived", ["Bob"]),
        ("?region=US-NY", ["Ann"]),
        ("?consent=none", ["Bob"]),
        ("?list=nonsense", []),
        ("?suppressed=yes", []),
        ("?region=US-NY&status=archived", []),
    ],
)
def test_the_list_finds(client: Client, query: str, names: list[str]) -> None:
    make_consent(make_contact("+12125550101", name="Ann", region="US-NY"))
    make_contact("+13055550102", name="Bob", region="US-FL", status=ContactStatus.ARCHIVED)
    assert [contact.name for contact in client.get(LIST + query).context["cl"].result_list] == names


def test_chosen_contacts_are_archived_in_the_background(client: Client) -> None:
    chosen, other = make_contact("+12125550101"), make_contact("+12125550102")
    asked = act(client, "archive", _selected_action=[str(chosen.pk)])
    assert "Archive: 1 contact" in asked.content.decode()
    assert BulkJob.objects.count() == 0
    done = act(client, "archive", _selected_action=[str(chosen.pk)], apply="1", select_across="0")
    job = BulkJob.objects.get()
    assert done.headers["Location"] == page_of("bulkjob_change", job.pk)
    assert work_off(job).changed == 1
    other.refresh_from_db()
    assert other.status == ContactStatus.ACTIVE


def test_all_that_the_filters_show_are_put_on_a_list_and_nobody_else(client: Client) -> None:
    for number in range(3):
        make_contact(f"+1212555010{number}", region="US-NY", name="An")
    make_contact("+13055550102", region="US-FL")
    group = ContactList.objects.create(name="Spring")
    one = str(Contact.objects.first().pk)  # type: ignore[union-attr]
    asked = act(client, "add_to_list", "?region=US-NY&q=An", _selected_action=[one], select_across="1")
    assert "Add to list: 3 contacts" in asked.content.decode()
    act(
        client,
        "add_to_list",
        "?region=US-NY&q=An",
        _selected_action=[one],
        select_across="1",
        apply="1",
        list=str(group.pk),
    )
    job = work_off(BulkJob.objects.get())
    assert (job.status, job.selection) == (JobStatus.DONE, {"filters": {"region": "US-NY", "words": "An"}})
    assert {contact.region for contact in group.contacts.all()} == {"US-NY"}


def test_what_a_job_needs_is_asked_for(client: Client) -> None:
    contact = make_contact()
    text = act(client, "suppress", _selected_action=[str(contact.pk)], apply="1", proof="").content.decode()
    assert "This field is required" in text
    assert BulkJob.objects.count() == 0


def test_contacts_are_taken_out_of_a_campaign(client: Client) -> None:
    member = make_member(make_campaign())
    chosen = [str(member.contact_id)]
    act(client, "remove_from_campaign", _selected_action=chosen, apply="1", campaign=str(member.campaign_id))
    work_off(BulkJob.objects.get())
    member.refresh_from_db()
    assert member.finish_reason == FinishReason.REMOVED


def test_who_may_not_suppress_is_not_offered_to() -> None:
    make_contact()
    auditor = logged_in(in_role("Auditor"))
    assert "Never call again" not in auditor.get(LIST).content.decode()


def test_a_new_contact_and_a_consent_are_stored(client: Client) -> None:
    empty = {"consents-TOTAL_FORMS": "1", "consents-INITIAL_FORMS": "0"}
    consent = {
        "consents-0-kind": "written",
        "consents-0-source": "paper",
        "consents-0-given_at_0": "2026-01-01",
        "consents-0-given_at_1": "10:00:00",
    }
    data = {"e164": "+12125550100", "name": "Ann", "status": "active", "fields": "{}", **empty, **consent}
    response = client.post(page_of("contact_add"), data)
    assert response.status_code == 302, response.context["errors"]
    contact = Contact.objects.get()
    assert [(given.kind, given.source) for given in contact.consents.all()] == [("written", "paper")]


def test_nobody_deletes_a_contact(client: Client) -> None:
    assert client.get(page_of("contact_delete", make_contact().pk)).status_code == 403


def test_lists_count_their_contacts_with_as_many_queries_for_100_as_for_one(client: Client) -> None:
    group = ContactList.objects.create(name="Spring")
    make_contact().lists.add(group)
    assert f'?list={group.pk}">1</a>' in client.get(list_of("contactlist")).content.decode()
    few = queries(client, list_of("contactlist"))
    for number in range(99):
        ContactList.objects.create(name=f"No {number}")
    assert queries(client, list_of("contactlist")) == few


def test_a_list_keeps_who_made_it(client: Client) -> None:
    client.post(page_of("contactlist_add"), {"name": "Spring"})
    assert str(ContactList.objects.get().created_by) == "boss"


def test_a_job_over_all_that_is_shown_refuses_what_it_cannot_narrow_to() -> None:
    contact = make_contact()
    order = {"action": "archive", "_selected_action": [str(contact.pk)], "select_across": "1", "apply": "1"}
    answer = logged_in(boss()).post(f"{list_of('contact')}?created_at__gte=2000-01-01T00:00Z", order, follow=True)
    assert "is narrowed by “created_at__gte”" in answer.content.decode()
    assert not BulkJob.objects.exists()
