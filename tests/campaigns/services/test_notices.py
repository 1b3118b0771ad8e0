from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core import mail

from campaigns import services
from campaigns.enums import CampaignStatus, Scope
from campaigns.models import Campaign, CampaignEvent
from campaigns.services import notices
from tests.campaigns.rows import NOW, make_campaign

pytestmark = pytest.mark.django_db


def person(name: str, role: str, **columns: Any) -> Any:
    services.ensure_roles()
    user = get_user_model().objects.create_user(name, email=f"{name}@example.com", **columns)
    user.groups.add(Group.objects.get(name=role))
    return user


def paused(by: Any = None) -> Campaign:
    campaign = make_campaign(status=CampaignStatus.RUNNING)
    services.pause_campaign(
        campaign.pk, by=by, at=NOW, reason="Too many calls fail.", evidence={"failed": 9, "of_the_last": 10}
    )
    return campaign


def test_supervisors_are_told_once_with_the_evidence_and_the_address() -> None:
    person("sue", "Supervisor")
    person("olga", "Operator")
    person("gone", "Supervisor", is_active=False)
    campaign = paused()
    assert [services.tell_supervisors(NOW), services.tell_supervisors(NOW)] == [1, 0]
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["sue@example.com"], "Campaign paused: Spring")
    for words in ("Too many calls fail.", "- failed: 9", "- of the last: 10", f"/{campaign.pk}/"):
        assert words in letter.body


def test_a_pause_by_a_person_is_no_news() -> None:
    sue = person("sue", "Supervisor")
    paused(by=sue)
    assert (services.tell_supervisors(NOW), mail.outbox) == (0, [])


def test_a_pause_by_another_system_is_no_news() -> None:
    person("sue", "Supervisor")
    key, _ = services.make_api_key("CRM", scopes=list(Scope), by=None, at=NOW)
    paused(by=key)
    assert (services.tell_supervisors(NOW), mail.outbox) == (0, [])


def test_a_mail_server_that_is_away_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    person("sue", "Supervisor")
    paused()

    def fail(*_args: Any) -> None:
        raise SMTPServerDisconnected

    with monkeypatch.context() as broken:
        broken.setattr(notices, "send_mail", fail)
        assert services.tell_supervisors(NOW) == 0
    assert services.tell_supervisors(NOW) == 1
    assert len(mail.outbox) == 1


def test_without_anybody_to_tell_it_is_noted_so() -> None:
    paused()
    assert services.tell_supervisors(NOW) == 1
    assert CampaignEvent.objects.get(kind="supervisors_told").detail["by_email"] == 0
