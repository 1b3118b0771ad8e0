"""Rows of campaigns, each valid by itself; tests name what matters to them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from calls.models import Agent
from campaigns.enums import CampaignStatus, ConsentKind, MembershipState
from campaigns.models import Campaign, CampaignContact, Consent, Contact
from tests.calls import rows as call_rows

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
"""A Tuesday; noon in New York."""


def make_contact(e164: str = "+12125550100", **columns: Any) -> Contact:
    return Contact.objects.create(e164=e164, **columns)


def make_consent(contact: Contact, kind: ConsentKind = ConsentKind.EXPRESS, **columns: Any) -> Consent:
    given = {"source": "https://example.com/form", "given_at": datetime(2026, 1, 1, tzinfo=UTC)}
    return Consent.objects.create(contact=contact, kind=kind, **given | columns)


def make_campaign(name: str = "Spring", *, agent: Agent | None = None, **columns: Any) -> Campaign:
    return Campaign.objects.create(name=name, agent=agent or call_rows.agent(), **columns)


def make_member(campaign: Campaign, contact: Contact | None = None, **columns: Any) -> CampaignContact:
    placed = {"state": MembershipState.WAITING, "next_attempt_at": NOW}
    return CampaignContact.objects.create(campaign=campaign, contact=contact or make_contact(), **placed | columns)


def version_of(campaign: Campaign) -> UUID:
    """The published version of a campaign's agent."""
    version_id = campaign.agent.published_id
    assert version_id is not None
    return version_id


def make_running(name: str = "Spring", *, agent: Agent | None = None, **columns: Any) -> Campaign:
    """A campaign that dials, quickly unless told otherwise."""
    usual = {"status": CampaignStatus.RUNNING, "calls_per_minute": 600, "enrolled_at": NOW, "started_at": NOW}
    campaign = make_campaign(name, agent=agent, **usual | columns)
    campaign.agent_version_id = version_of(campaign)
    campaign.save(update_fields=["agent_version"])
    return campaign


def make_callable(campaign: Campaign, number: int = 0, **columns: Any) -> CampaignContact:
    """A member who agreed to be called, in New York."""
    contact = make_contact(f"+1212555{1000 + number}", name="Bo")
    make_consent(contact)
    return make_member(campaign, contact, **columns)
