from typing import Any

import pytest
from django.core.exceptions import ValidationError

from campaigns.admin.campaign_form import (
    CampaignForm,
    MicrosField,
    RetryPolicyField,
    RetryWidget,
    WeekdaysField,
    is_locked,
)
from campaigns.enums import CampaignStatus
from campaigns.models import Campaign
from campaigns.models.campaigns import default_retry_policy
from tests.calls import rows as call_rows
from tests.campaigns.rows import make_campaign


def cells(policy: dict[str, Any]) -> list[str]:
    return [str(cell) for cell in RetryWidget().decompress(policy)]


def test_a_retry_policy_goes_through_the_table_unchanged() -> None:
    policy = default_retry_policy()
    assert RetryPolicyField().clean(cells(policy)) == {str(name): retry for name, retry in policy.items()}
    assert not RetryPolicyField().has_changed(policy, cells(policy))


def test_spans_are_shown_in_the_largest_unit_without_a_fraction() -> None:
    shown = cells({"busy": {"retries": 2, "after_seconds": 5400}, "voicemail": {"retries": 1, "after_seconds": 7200}})
    assert (shown[0:3], shown[6:9]) == (["2", "90", "60"], ["1", "2", "3600"])


def test_an_outcome_that_is_not_retried_is_left_out() -> None:
    assert RetryPolicyField().clean(["0", "5", "60", "1", "30", "1", *["", "", ""] * 3]) == {
        "no_answer": {"retries": 1, "after_seconds": 30}
    }


def test_a_retry_below_zero_is_refused() -> None:
    with pytest.raises(ValidationError):
        RetryPolicyField().clean(["-1", "5", "60", *["0", "0", "1"] * 4])


@pytest.mark.parametrize(("written", "micros"), [("12.34", 12_340_000), ("", None), ("0", 0)])
def test_money_is_written_as_money(written: str, micros: int | None) -> None:
    assert MicrosField().clean(written) == micros


def test_money_is_shown_as_money_and_wrong_money_as_it_was_typed() -> None:
    assert (MicrosField().prepare_value(12_340_000), MicrosField().prepare_value("lots")) == ("12.34", "lots")
    assert [MicrosField().has_changed(1_000_000, typed) for typed in ("1", "1.0", "2", "lots")] == [
        *(False, False),
        *(True, True),
    ]


def test_days_are_ticked_and_one_is_needed() -> None:
    assert WeekdaysField().clean(["0", "6"]) == [0, 6]
    assert not WeekdaysField().has_changed([6, 0], ["0", "6"])
    with pytest.raises(ValidationError, match="at least one day"):
        WeekdaysField().clean([])


def filled(**changes: Any) -> dict[str, Any]:
    retries = {f"retry_policy_{index}": value for index, value in enumerate(cells(default_retry_policy()))}
    return {
        "name": "Spring",
        "kind": "informational",
        "agent": changes.get("agent") or call_rows.agent().pk,
        "window_start": "09:00",
        "window_end": "20:00",
        "weekdays": ["0", "1"],
        "calls_per_minute": "30",
        "max_concurrent": "5",
        "max_attempts": "3",
        "voicemail": "agent_decides",
        **retries,
        **changes,
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"window_end": "08:00"}, "window_end"),
        ({"starts_at": "2026-05-02 10:00", "ends_at": "2026-05-01 10:00"}, "ends_at"),
        ({"weekdays": []}, "weekdays"),
        ({"result_schema": "[1]"}, "result_schema"),
        ({"result_schema": '{"type": "object", "properties": {"size": {"type": "big"}}}'}, "result_schema"),
        ({"budget_micros": "-1"}, "budget_micros"),
        ({"carrier": "pigeon"}, "carrier"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(changes: dict[str, Any], field: str) -> None:
    assert field in CampaignForm(filled(**changes)).errors


@pytest.mark.django_db
def test_a_good_campaign_is_stored() -> None:
    form = CampaignForm(filled(budget_micros="99.50", carrier="sandbox"))
    assert form.errors == {}
    form.save()
    campaign = Campaign.objects.get()
    assert (campaign.weekdays, campaign.budget_micros, campaign.carrier) == ([0, 1], 99_500_000, "sandbox")


@pytest.mark.django_db
def test_a_campaign_is_locked_once_it_was_started() -> None:
    draft = make_campaign()
    started = make_campaign("Autumn", agent=draft.agent, status=CampaignStatus.RUNNING)
    assert [is_locked(campaign) for campaign in (None, draft, started)] == [False, False, True]
