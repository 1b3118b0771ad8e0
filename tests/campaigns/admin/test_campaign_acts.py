from typing import Any

import pytest

from calls.enums import AttemptStatus
from calls.models import CallAttempt, CallSession
from campaigns.admin.campaign_acts import ACTS, acts_for
from campaigns.enums import AnalysisStatus, CampaignStatus
from campaigns.models import CallAnalysis, Campaign, CampaignAttempt, CampaignEvent, ContactList
from tests.calls import rows as call_rows
from tests.campaigns.admin.site import boss, in_role, logged_in, page_of
from tests.campaigns.rows import NOW, make_campaign, make_contact, make_member, version_of
from tests.campaigns.services.test_analyses import done

pytestmark = pytest.mark.django_db

_MOMENTS = ("created_at", "heard_at", "ended_at")


def ready() -> Campaign:
    group = ContactList.objects.create(name="Spring")
    group.contacts.add(make_contact())
    campaign = make_campaign()
    campaign.lists.add(group)
    return campaign


def press(client: Any, campaign: Campaign, act: str, **data: str) -> list[str]:
    address = page_of("campaign_act", campaign.pk, act)
    assert client.get(address).status_code == 200
    response = client.post(address, data, follow=True)
    campaign.refresh_from_db()
    return [str(message) for message in response.context["messages"]]


def test_a_campaign_is_started_paused_resumed_and_aborted_each_after_a_question() -> None:
    client, campaign = logged_in(boss()), ready()
    said = [
        press(client, campaign, "start"),
        press(client, campaign, "pause", reason="The office is closed."),
    ]
    assert campaign.paused_because == "The office is closed."
    said += [press(client, campaign, "resume"), press(client, campaign, "abort")]
    assert said == [
        ["The campaign runs."],
        ["The campaign is paused."],
        ["The campaign runs again."],
        ["The campaign is over."],
    ]
    events = CampaignEvent.objects.filter(campaign=campaign).order_by("at").values_list("kind", "actor__username")
    assert [event for event in events if event[1]] == [
        (kind, "boss") for kind in ("started", "paused", "resumed", "aborted")
    ]


def test_looking_at_the_question_does_nothing() -> None:
    campaign = ready()
    logged_in(boss()).get(page_of("campaign_act", campaign.pk, "start"))
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.DRAFT


def test_a_campaign_without_contacts_cannot_be_started_and_says_why() -> None:
    client, campaign = logged_in(boss()), make_campaign()
    text = client.get(page_of("campaign_act", campaign.pk, "start")).content.decode()
    assert "It cannot be started." in text
    assert 'type="submit">Start' not in text
    assert press(client, campaign, "start") == ["The campaign has no contacts; choose a list."]
    assert campaign.status == CampaignStatus.DRAFT


def test_what_came_too_late_is_said() -> None:
    assert press(logged_in(boss()), ready(), "resume") == ["Nothing was done: the campaign is draft."]


def test_acts_fit_the_status_and_the_role() -> None:
    draft = make_campaign()
    running = make_campaign("Autumn", agent=draft.agent, status=CampaignStatus.RUNNING)
    offered = {}
    for role in ("Operator", "Supervisor", "Auditor"):
        user = in_role(role)
        offered[role] = [[act.name for act in acts_for(campaign, user)] for campaign in (draft, running)]
    assert offered == {
        "Operator": [["start"], ["pause", "judge"]],
        "Supervisor": [["start", "abort"], ["pause", "abort", "judge"]],
        "Auditor": [[], []],
    }


def test_the_calls_of_a_campaign_are_judged_again_from_its_page() -> None:
    campaign, user = make_campaign(status=CampaignStatus.FINISHED, finished_at=NOW), boss()
    client = logged_in(user)
    assert press(client, campaign, "judge") == ["Nothing was done: the campaign is finished."]
    old, other = done(), done()
    unasked = call_rows.ended_call(with_agent=campaign.agent)
    for number, session_id in enumerate((old.pk, unasked.pk)):
        CallSession.objects.filter(pk=session_id).update(agent_version=version_of(campaign))
        call = {"status": AttemptStatus.COMPLETED, "carrier": "fake"} | dict.fromkeys(_MOMENTS, NOW)
        contact = make_contact(f"+1212555010{number}")
        attempt = CallAttempt.objects.create(to_e164=contact.e164, session_id=session_id, **call)
        own = {"number": 1, "created_at": NOW, "member": make_member(campaign, contact)}
        CampaignAttempt.objects.create(attempt=attempt, campaign=campaign, **own)
    assert press(client, campaign, "judge") == [ACTS["judge"].done]
    waiting = set(CallAnalysis.objects.filter(status=AnalysisStatus.WAITING).values_list("pk", flat=True))
    assert (waiting, other.pk in waiting) == ({old.pk, unasked.pk}, False)
    event = CampaignEvent.objects.get(kind="calls_judged_again")
    assert (event.actor, event.detail) == (user, {"calls": 2})


def test_an_act_that_does_not_exist_is_not_found() -> None:
    assert logged_in(boss()).post(page_of("campaign_act", ready().pk, "explode")).status_code == 404
