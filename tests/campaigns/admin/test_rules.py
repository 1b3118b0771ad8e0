import pytest
from pytest_django.fixtures import Settings

from campaigns.models import ComplianceRule, PriceRow
from tests.campaigns.admin.site import boss, list_of, logged_in, page_of, queries
from tests.campaigns.rows import make_campaign, make_consent, make_contact

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", ["compliancerule", "donotcalllist", "callerid", "pricerow", "consent"])
def test_the_lists_and_forms_open(model: str) -> None:
    client = logged_in(boss())
    make_consent(make_contact())
    assert client.get(list_of(model)).status_code == 200
    expected = 403 if model == "consent" else 200
    assert client.get(page_of(f"{model}_add")).status_code == expected


def test_a_price_is_written_and_shown_as_money() -> None:
    client = logged_in(boss())
    client.post(page_of("pricerow_add"), {"item": "twilio.minute", "micros": "0.014", "effective_from": "2026-01-01"})
    row = PriceRow.objects.get(item="twilio.minute")
    assert row.micros == 14_000
    assert "0.014" in client.get(list_of("pricerow")).content.decode()
    assert 'value="0.014000"' in client.get(page_of("pricerow_change", row.pk)).content.decode()


def test_a_rule_is_stored_with_its_parameters() -> None:
    data = {
        "jurisdiction": "US-FL",
        "kind": "max_attempts_per_day",
        "parameters": '{"calls": 3}',
        "effective_from": "2026-01-01",
        "is_enabled": "on",
    }
    response = logged_in(boss()).post(page_of("compliancerule_add"), data)
    assert response.status_code == 302, response.context["errors"]
    stored = ComplianceRule.objects.get(jurisdiction="US-FL", kind="max_attempts_per_day", effective_from="2026-01-01")
    assert stored.parameters == {"calls": 3}


def test_consents_are_found_by_number_with_as_many_queries_for_100_as_for_one() -> None:
    client = logged_in(boss())
    make_consent(make_contact())
    few = queries(client, list_of("consent"))
    for number in range(99):
        make_consent(make_contact(f"+1212555{1000 + number}"))
    assert queries(client, list_of("consent")) == few
    shown = client.get(f"{list_of('consent')}?q=%2B12125550100").context["cl"].result_list
    assert [consent.contact.e164 for consent in shown] == ["+12125550100"]


def test_the_list_of_prices_names_what_is_used_and_has_none(settings: Settings) -> None:
    settings.CARRIER = "twilio"
    make_campaign()
    client = logged_in(boss())
    shown = client.get(list_of("pricerow"))
    assert shown.context["unpriced"] == ("twilio.minute",)
    assert f'href="{page_of("pricerow_add")}?item=twilio.minute"' in shown.content.decode()
    PriceRow.objects.create(item="twilio.minute", micros=13_500, effective_from="2020-01-01")
    shown = client.get(list_of("pricerow"))
    assert shown.context["unpriced"] == ()
    assert "0.0135 USD" in shown.content.decode()
