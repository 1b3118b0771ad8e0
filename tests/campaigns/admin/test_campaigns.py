import pytest
from django.urls import reverse

from campaigns.enums import CampaignStatus
from campaigns.models import Campaign
from campaigns.models.campaigns import default_retry_policy
from tests.calls import rows as call_rows
from tests.campaigns.admin.site import boss, in_role, list_of, logged_in, page_of, queries
from tests.campaigns.admin.test_campaign_form import filled
from tests.campaigns.rows import NOW, make_campaign

pytestmark = pytest.mark.django_db


def test_a_campaign_is_planned_and_its_page_opens() -> None:
    client = logged_in(in_role("Operator"))
    splits = {f"{name}_{part}": "" for name in ("starts_at", "ends_at") for part in (0, 1)}
    response = client.post(page_of("campaign_add"), filled() | splits)
    assert response.status_code == 302, response.context["errors"]
    campaign = Campaign.objects.get()
    assert response.headers["Location"] == page_of("campaign_page", campaign.pk)
    assert (campaign.status, str(campaign.created_by)) == (CampaignStatus.DRAFT, "operator")
    text = client.get(page_of("campaign_page", campaign.pk)).content.decode()
    assert "From list to person" in text
    assert page_of("campaign_act", campaign.pk, "start") in text


def test_a_new_campaign_begins_with_every_day_and_the_usual_retries() -> None:
    form = logged_in(boss()).get(page_of("campaign_add")).context["adminform"].form
    assert form["weekdays"].value() == [str(day) for day in range(7)]
    assert form["retry_policy"].value() == default_retry_policy()
    assert [choice.data["selected"] for choice in form["weekdays"]] == [True] * 7


def test_the_list_asks_as_often_for_100_campaigns_as_for_one() -> None:
    client, agent = logged_in(boss()), call_rows.agent()
    make_campaign(agent=agent)
    few = queries(client, list_of("campaign"))
    for number in range(99):
        make_campaign(f"No {number}", agent=agent)
    assert queries(client, list_of("campaign")) == few


def test_a_running_campaigns_agent_is_fixed_and_its_pace_is_not() -> None:
    campaign = make_campaign(status=CampaignStatus.RUNNING)
    client = logged_in(boss())
    form = client.get(page_of("campaign_change", campaign.pk)).context["adminform"].form
    assert "agent" not in form.fields
    assert "calls_per_minute" in form.fields


def test_an_edit_leaves_alone_what_services_moved_meanwhile() -> None:
    campaign = make_campaign(status=CampaignStatus.RUNNING)
    client = logged_in(boss())
    Campaign.objects.filter(pk=campaign.pk).update(status=CampaignStatus.PAUSED, spent_micros=5)
    sent = filled(agent=str(campaign.agent_id), max_concurrent="9")
    response = client.post(page_of("campaign_change", campaign.pk), sent)
    assert response.status_code == 302, response.context["errors"]
    campaign.refresh_from_db()
    assert (campaign.status, campaign.spent_micros, campaign.max_concurrent) == (CampaignStatus.PAUSED, 5, 9)


def test_only_drafts_are_deleted() -> None:
    draft = make_campaign()
    running = make_campaign("Autumn", agent=draft.agent, status=CampaignStatus.RUNNING)
    client = logged_in(boss())
    answers = [client.post(page_of("campaign_delete", row.pk), {"post": "yes"}).status_code for row in (draft, running)]
    assert answers == [302, 403]


def test_the_part_that_refreshes_itself_is_a_page_of_its_own() -> None:
    campaign = make_campaign(status=CampaignStatus.RUNNING)
    text = logged_in(boss()).get(page_of("campaign_numbers", campaign.pk)).content.decode()
    assert text.lstrip().startswith("<div")
    assert f'hx-get="{page_of("campaign_numbers", campaign.pk)}"' in text
    assert "<html" not in text


def test_a_draft_does_not_refresh() -> None:
    campaign = make_campaign()
    assert "hx-get" not in logged_in(boss()).get(page_of("campaign_numbers", campaign.pk)).content.decode()


def test_the_dry_run_has_a_page() -> None:
    campaign = make_campaign()
    text = logged_in(boss()).get(page_of("campaign_dry_run", campaign.pk)).content.decode()
    assert "Would be dialled" in text


@pytest.mark.parametrize("status", [CampaignStatus.FINISHED, CampaignStatus.ABORTED])
def test_the_dry_run_of_a_campaign_that_is_over_says_so_and_advises_no_start(status: CampaignStatus) -> None:
    client, campaign = logged_in(boss()), make_campaign(status=status, started_at=NOW, finished_at=NOW)
    text = client.get(page_of("campaign_dry_run", campaign.pk)).content.decode()
    assert f"The campaign is {status}: it dials nobody any more." in text
    assert "Start or resume" not in text
    assert "Would be dialled" not in text
    page = client.get(page_of("campaign_page", campaign.pk)).content.decode()
    assert page_of("campaign_dry_run", campaign.pk) not in page


def test_a_campaign_that_is_not_there_is_not_found() -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    assert logged_in(boss()).get(reverse("admin:campaigns_campaign_page", args=[nobody])).status_code == 404


@pytest.mark.parametrize("page", ["campaign_page", "campaign_numbers", "campaign_dry_run"])
def test_who_may_not_see_campaigns_sees_none_of_its_pages(page: str) -> None:
    stranger = type(boss()).objects.create_user("stranger", is_staff=True)
    assert logged_in(stranger).get(page_of(page, make_campaign().pk)).status_code == 403
