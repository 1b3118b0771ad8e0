"""Telephone calls that tests begin with."""

from datetime import datetime
from typing import Any

from calls import services
from calls.models import Agent, CallAttempt
from tests.calls import rows

SOMEBODY = "+15005550042"
OUR_NUMBER = "+15005550006"


def attempt(
    to_e164: str = SOMEBODY, *, agent: Agent | None = None, at: datetime = rows.BEGAN, **more: Any
) -> CallAttempt:
    """Store a call that is about to be dialled."""
    agent = agent or Agent.objects.first() or rows.agent(is_default=True)
    assert agent.published_id is not None
    opened = services.open_attempt(
        to_e164, from_e164=OUR_NUMBER, carrier="twilio", version_id=agent.published_id, variables={}, at=at
    )
    if more:
        CallAttempt.objects.filter(pk=opened.pk).update(**more)
        opened.refresh_from_db()
    return opened
