from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from campaigns.enums import RuleKind
from campaigns.models import ComplianceRule, DoNotCallList, DoNotCallNumber

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 24)


def make_rule(**columns: object) -> ComplianceRule:
    return ComplianceRule.objects.create(jurisdiction="QQ", kind=RuleKind.HOLIDAYS, effective_from=DAY, **columns)


def test_a_rule_holds_from_its_first_to_its_last_day() -> None:
    make_rule(effective_until=DAY + timedelta(days=1))
    days = [DAY + timedelta(days=number) for number in range(-1, 3)]
    assert [ComplianceRule.objects.filter(jurisdiction="QQ").in_force(day).count() for day in days] == [0, 1, 1, 0]


def test_a_rule_without_a_last_day_holds_on() -> None:
    rule = make_rule()
    assert list(ComplianceRule.objects.filter(jurisdiction="QQ").in_force(DAY + timedelta(days=10_000))) == [rule]


def test_a_disabled_rule_does_not_hold() -> None:
    make_rule(is_enabled=False)
    assert not ComplianceRule.objects.filter(jurisdiction="QQ").in_force(DAY).exists()


def test_a_form_refuses_parameters_that_the_gate_could_not_use() -> None:
    with pytest.raises(ValidationError) as caught:
        make_rule(parameters={"dates": ["24.12."]}).full_clean()
    assert caught.value.message_dict == {
        "parameters": ["dates: '24.12.': write it as 2026-12-24, or 12-24 for every year"]
    }


def test_a_rule_cannot_end_before_it_begins() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_rule(effective_until=DAY - timedelta(days=1))


def test_a_copy_of_a_public_list_holds_a_number_once() -> None:
    copy = DoNotCallList.objects.create(name="FTC", version_date=DAY)
    DoNotCallNumber.objects.create(list=copy, e164="+12125550100")
    with pytest.raises(IntegrityError), transaction.atomic():
        DoNotCallNumber.objects.create(list=copy, e164="+12125550100")
