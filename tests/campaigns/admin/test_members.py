import pytest

from campaigns.admin.members import detail_words
from campaigns.enums import DialReason
from campaigns.models import CampaignEvent
from tests.campaigns.admin.site import boss, list_of, logged_in, queries
from tests.campaigns.rows import NOW, make_campaign, make_contact, make_member

pytestmark = pytest.mark.django_db


def test_the_list_says_why_a_contact_is_not_called_and_leads_to_it() -> None:
    member = make_member(make_campaign(), held_because=DialReason.SUPPRESSED)
    text = logged_in(boss()).get(list_of("campaigncontact")).content.decode()
    assert "They asked not to be called" in text
    assert f"/admin/campaigns/contact/{member.contact_id}/change/" in text


@pytest.mark.parametrize("model", ["campaigncontact", "campaignevent"])
def test_the_lists_ask_as_often_for_100_rows_as_for_one(model: str) -> None:
    client, campaign = logged_in(boss()), make_campaign()
    for number in range(100):
        make_member(campaign, make_contact(f"+1212555{1000 + number}"))
        CampaignEvent.objects.create(campaign=campaign, at=NOW, kind="started")
        if number == 0:
            few = queries(client, list_of(model))
    assert queries(client, list_of(model)) == few


def test_an_events_detail_is_one_line_without_its_empty_parts() -> None:
    assert detail_words({"reason": "too many errors", "evidence": {}, "last_calls": 20, "pause": "01a2"}) == (
        "reason: too many errors, last calls: 20"
    )


def test_what_an_event_tells_is_words_and_no_code() -> None:
    detail: dict[str, object] = {
        "reason": "Half failed.",
        "evidence": {"calls": 20, "short_calls": 11},
        "agent_version": "id",
        "note": "",
    }
    assert detail_words(detail) == "reason: Half failed., evidence: calls 20; short calls 11"
