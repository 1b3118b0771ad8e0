from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone

from calls.models import Agent
from campaigns import services
from campaigns.enums import CampaignStatus
from campaigns.models import Campaign
from tests.calls import rows as call_rows
from tests.campaigns.admin.site import boss, in_role, logged_in, page_of, queries
from tests.campaigns.rows import NOW, make_campaign, make_contact

pytestmark = pytest.mark.django_db

INDEX = reverse("admin:index")


def steps(client: object) -> list[str]:
    return [step.title for step in client.get(INDEX).context["steps"]]  # type: ignore[attr-defined]


def test_an_empty_installation_says_what_to_do_first() -> None:
    assert steps(logged_in(boss())) == ["Publish an agent", "Bring your contacts", "Plan a campaign"]


def test_steps_that_were_taken_are_gone_and_a_pause_comes_first() -> None:
    make_contact()
    make_campaign(status=CampaignStatus.PAUSED, paused_because="Too many calls fail.")
    assert Agent.objects.callable().exists()
    assert steps(logged_in(boss())) == ["Look at “Spring”"]


def test_the_demo_starts_with_one_click() -> None:
    client = logged_in(in_role("Operator"))
    services.ensure_demo(call_rows.agent(), at=NOW)
    demo = client.get(INDEX).context["demo"]
    campaign = Campaign.objects.get()
    assert client.post(demo["start_url"]).headers["Location"] == page_of("campaign_page", campaign.pk)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.RUNNING
    shown = client.get(INDEX)
    assert shown.context["demo"] is None
    assert [line["campaign"].pk for line in shown.context["campaigns"]] == [campaign.pk]


def test_campaigns_at_work_come_before_those_that_ended_today_and_older_ones_are_gone() -> None:
    agent, now = call_rows.agent(), timezone.now()
    for name, age in (("Over", timedelta(hours=1)), ("Long over", timedelta(days=2))):
        make_campaign(name, agent=agent, status=CampaignStatus.FINISHED, finished_at=now - age)
    make_campaign("At work", agent=agent, status=CampaignStatus.RUNNING, started_at=now)
    shown = logged_in(boss()).get(INDEX).context["campaigns"]
    assert [line["campaign"].name for line in shown] == ["At work", "Over"]


def test_who_may_not_start_campaigns_is_not_offered_the_demo() -> None:
    services.ensure_demo(call_rows.agent(), at=NOW)
    context = logged_in(in_role("Auditor")).get(INDEX).context
    assert (context["demo"], context["steps"]) == (None, [])


def test_who_may_see_nothing_sees_an_empty_page() -> None:
    call_rows.live_call()
    stranger = type(boss()).objects.create_user("stranger", is_staff=True)
    context = logged_in(stranger).get(INDEX).context
    assert (context["today"], context["live_calls"], context["campaigns"]) == ([], [], [])


def test_it_asks_as_often_for_many_campaigns_and_calls_as_for_one() -> None:
    client, agent = logged_in(boss()), call_rows.agent()
    make_campaign(agent=agent, status=CampaignStatus.RUNNING)
    call_rows.live_call()
    few = queries(client, INDEX)
    for number in range(20):
        make_campaign(f"No {number}", agent=agent, status=CampaignStatus.RUNNING)
        call_rows.live_call()
    assert queries(client, INDEX) == few


def test_a_login_without_a_role_is_told_so() -> None:
    told = "Your login has no role yet"
    nobody = get_user_model().objects.create_user("new", is_staff=True)
    assert told in logged_in(nobody).get(INDEX).content.decode()
    assert told not in logged_in(in_role("Auditor")).get(INDEX).content.decode()
