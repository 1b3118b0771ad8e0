"""Calls to our number: mostly from people whom we called, and who want to know why."""

import logging
import re
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone

from calls import services
from calls.errors import AgentError
from calls.models import CallAttempt
from calls.models.attempts import E164

logger = logging.getLogger(__name__)

_SID = re.compile(r"CA[0-9a-fA-F]{32}")
_WITHHELD = {"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"}
"""Some networks write a withheld number as a word on a telephone's keys: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN,
UNAVAILABLE."""


def take(carrier_sid: str, *, caller: str, called: str, carrier: str) -> CallAttempt | None:
    """Store a call to one of our numbers; None for what is no call. The second report of it gives the same row.

    Whoever was called by us talks to the agent that called, and with the same variables; others talk to the default
    agent. Where neither can be used, the call has no agent.
    """
    if not _SID.fullmatch(carrier_sid) or not _is_number(called):
        return None
    from_e164 = caller if _is_number(caller) and caller not in _WITHHELD else ""
    earlier = CallAttempt.objects.to_contacts().filter(to_e164=from_e164).first() if from_e164 else None
    version_id, variables = (earlier.agent_version_id, earlier.variables) if earlier else (_default_version(), {})
    attempt = services.open_inbound(
        carrier_sid,
        to_e164=called,
        from_e164=from_e164,
        carrier=carrier,
        version_id=version_id,
        variables=variables,
        at=timezone.now(),
    )
    return CallAttempt.objects.select_related("agent_version").get(pk=attempt.pk)


def _is_number(text: str) -> bool:
    try:
        E164(text)
    except ValidationError:
        return False
    return True


def _default_version() -> UUID | None:
    try:
        agent = services.load_agent(None)
    except AgentError as error:
        logger.warning("an inbound call has nobody to talk to: %s", error)
        return None
    if missing := services.missing_variables(agent.spec, {}):
        logger.warning("an inbound call has no values for the default agent's %s", ", ".join(missing))
        return None
    return agent.version_id
