import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model

from calls.models import Suppression
from campaigns import services
from campaigns.enums import ContactStatus, FinishReason, HookEvent, JobKind, JobStatus, MembershipState
from campaigns.models import BulkJob, Contact, ContactList, WebhookMessage
from campaigns.services import jobs
from tests.campaigns.rows import NOW, make_campaign, make_contact, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BATCH", 2)


def people(count: int, **columns: Any) -> list[Contact]:
    return [make_contact(f"+1212555{100 + number:04}", **columns) for number in range(count)]


def begin(kind: JobKind, selection: dict[str, Any], **parameters: str) -> BulkJob:
    return services.start_job(kind, selection=selection, parameters=parameters, by=None, at=NOW)


def work_off(job: BulkJob) -> BulkJob:
    key = services.claim_job(job.pk, now=NOW)
    assert key
    while services.run_batch(job.pk, key, now=NOW):
        pass
    job.refresh_from_db()
    return job


def test_contacts_that_fit_the_filters_are_put_on_a_list_once() -> None:
    first, *_ = people(5, region="US-NY")
    make_contact("+13055550100", region="US-FL")
    group = ContactList.objects.create(name="Spring")
    first.lists.add(group)
    job = work_off(begin(JobKind.ADD_TO_LIST, {"filters": {"region": "US-NY"}}, list=str(group.pk)))
    assert (job.status, job.total, job.seen, job.changed, job.percent) == (JobStatus.DONE, 5, 5, 4, 100)
    assert sorted(contact.region for contact in group.contacts.all()) == ["US-NY"] * 5


def test_suppressed_numbers_have_the_proof_and_leave_every_campaign() -> None:
    chosen, other = people(2)
    waiting = make_member(make_campaign(), chosen)
    talking = make_member(make_campaign("Autumn", agent=waiting.campaign.agent), chosen, state=MembershipState.CALLING)
    untouched = make_member(waiting.campaign, other)
    services.make_endpoint(name="CRM", url="https://example.com", events=[HookEvent.CONTACT_OPTED_OUT])
    work_off(begin(JobKind.SUPPRESS, {"ids": [str(chosen.pk)]}, proof="Letter of 1 May"))
    assert [json.loads(message.body)["data"] for message in WebhookMessage.objects.all()] == [
        {"number": chosen.e164, "source": "operator"}
    ]
    assert list(Suppression.objects.values_list("e164", "proof")) == [(chosen.e164, "Letter of 1 May")]
    for member in (waiting, talking, untouched):
        member.refresh_from_db()
    assert (waiting.state, waiting.finish_reason) == (MembershipState.FINISHED, FinishReason.OPTED_OUT)
    assert (talking.state, untouched.state) == (MembershipState.CALLING, MembershipState.WAITING)


def test_contacts_are_archived_and_brought_back_but_a_wrong_number_stays_one() -> None:
    people(3)
    wrong = make_contact("+13055550100", status=ContactStatus.WRONG_NUMBER)
    assert work_off(begin(JobKind.ARCHIVE, {"filters": {}})).changed == 3
    assert work_off(begin(JobKind.RESTORE, {"filters": {}})).changed == 3
    wrong.refresh_from_db()
    assert wrong.status == ContactStatus.WRONG_NUMBER


def test_contacts_leave_one_campaign_and_no_other() -> None:
    contact = make_contact()
    here = make_member(make_campaign(), contact)
    there = make_member(make_campaign("Autumn", agent=here.campaign.agent), contact)
    work_off(begin(JobKind.REMOVE_FROM_CAMPAIGN, {"filters": {}}, campaign=str(here.campaign_id)))
    here.refresh_from_db()
    there.refresh_from_db()
    assert (here.finish_reason, there.state) == (FinishReason.REMOVED, MembershipState.WAITING)


def test_a_killed_workers_job_goes_on_where_it_was() -> None:
    people(5)
    job = begin(JobKind.ARCHIVE, {"filters": {}})
    lost = services.claim_job(job.pk, now=NOW)
    assert lost
    assert services.run_batch(job.pk, lost, now=NOW)
    assert services.claim_job(job.pk, now=NOW) is None
    later = NOW + jobs.LEASE + timedelta(seconds=1)
    key = services.claim_job(job.pk, now=later)
    assert key
    assert services.run_batch(job.pk, lost, now=later) is False  # the first worker wakes up again
    while services.run_batch(job.pk, key, now=later):
        pass
    job.refresh_from_db()
    assert (job.status, job.seen, job.changed) == (JobStatus.DONE, 5, 5)


def test_a_cancelled_job_stops_before_its_next_batch() -> None:
    people(5)
    job = begin(JobKind.ARCHIVE, {"filters": {}})
    key = services.claim_job(job.pk, now=NOW)
    assert key
    assert services.run_batch(job.pk, key, now=NOW)
    assert services.cancel_job(job.pk, at=NOW)
    assert not services.run_batch(job.pk, key, now=NOW)
    assert not services.cancel_job(job.pk, at=NOW)
    assert Contact.objects.filter(status=ContactStatus.ARCHIVED).count() == 2


def test_a_job_that_cannot_be_done_says_why_and_is_not_tried_again() -> None:
    people(1)
    job = work_off(begin(JobKind.ADD_TO_LIST, {"filters": {}}, list="no id"))
    assert (job.status, job.error) == (JobStatus.FAILED, "ValueError: badly formed hexadecimal UUID string")
    assert services.claim_job(job.pk, now=NOW + timedelta(days=1)) is None


def test_a_released_job_is_free_at_once_and_another_key_releases_nothing() -> None:
    job = services.start_job(JobKind.ARCHIVE, selection={"filters": {}}, by=get_user_model().objects.create(), at=NOW)
    key = services.claim_job(job.pk, now=NOW)
    assert key
    services.release_job(job.pk, uuid4())
    assert services.claim_job(job.pk, now=NOW) is None
    services.release_job(job.pk, key)
    assert services.claim_job(job.pk, now=NOW)
