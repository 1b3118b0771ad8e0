"""Placing a call: everything that speaks against it first, then the row, then the carrier."""

import logging
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from msgspec import Struct

from calls import services
from calls.engine.agent import AgentSpec
from calls.enums import AttemptStatus, DialRefusal
from calls.errors import DialRefusedError, TelephonyError, UncertainTelephonyError
from calls.models import CallAttempt
from calls.models.attempts import E164
from calls.services import LoadedAgent
from calls.telephony import carriers, twiml
from calls.telephony.carriers import CallOrder, Carrier

logger = logging.getLogger(__name__)

_GRACE_SECONDS = 60
"""What the carrier allows beyond the agent's own limit, which ends the call with a goodbye."""
_LONGEST_SECONDS = 14_400


class CallPlan(Struct, frozen=True, kw_only=True):
    """A call that may be placed, as far as can be said without storing anything."""

    to_e164: str
    from_e164: str
    carrier: str
    agent: LoadedAgent
    variables: Mapping[str, str]


def plan_call(
    to_e164: str,
    *,
    agent_id: str | None = None,
    version_id: UUID | None = None,
    variables: Mapping[str, str] | None = None,
    from_e164: str = "",
    carrier: str = "",
) -> CallPlan:
    """Check a call; the default agent, the installation's caller ID and its carrier stand in for what is not given.

    ``version_id`` names one version of an agent, instead of the published one of ``agent_id``.

    Raises ``DialRefusedError`` that names what is wrong and the remedy, ``AgentError`` where the agent cannot be used.
    """
    carrier = carrier or settings.CARRIER
    from_e164 = from_e164 or _own_number(carrier)
    _check_number(to_e164, "the number to call", DialRefusal.BAD_NUMBER)
    if not from_e164:
        message = "there is no caller ID; set TWILIO_PHONE_NUMBER"
        raise DialRefusedError(message, reason=DialRefusal.NO_CALLER_ID)
    _check_number(from_e164, "the caller ID", DialRefusal.NO_CALLER_ID)
    if carrier not in settings.CARRIERS:
        known = ", ".join(settings.CARRIERS)
        message = f"there is no carrier; set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or CARRIER to one of: {known}"
        raise DialRefusedError(message, reason=DialRefusal.NO_CARRIER)
    agent = services.load_version(version_id) if version_id else services.load_agent(agent_id)
    missing = services.missing_variables(agent.spec, variables or {})
    if missing:
        message = f"these variables have no value and no default: {', '.join(missing)}"
        raise DialRefusedError(message, reason=DialRefusal.MISSING_VARIABLES)
    return CallPlan(to_e164=to_e164, from_e164=from_e164, carrier=carrier, agent=agent, variables=dict(variables or {}))


def _own_number(carrier: str) -> str:
    """Give the installation's caller ID; the simulated network has one for those who have none."""
    stand_in: str = settings.SANDBOX_PHONE_NUMBER if carrier == "sandbox" else ""
    return settings.TWILIO_PHONE_NUMBER or stand_in


def _check_number(number: str, what: str, reason: DialRefusal) -> None:
    try:
        E164(number)
    except ValidationError:
        message = f"{what} is not in E.164: a plus sign, the country's code and the number, such as +442079460000"
        raise DialRefusedError(message, reason=reason) from None


def place_call(
    to_e164: str,
    *,
    agent_id: str | None = None,
    version_id: UUID | None = None,
    variables: Mapping[str, str] | None = None,
    from_e164: str = "",
    carrier: str = "",
    admit: services.Admission | None = None,
    at: datetime | None = None,
) -> CallAttempt:
    """Dial a number. What the carrier made of it is in the attempt: ``UNKNOWN`` where nobody can say.

    The attempt is committed before the carrier hears of it, so this must not be called in a transaction. Raises
    ``DialRefusedError`` (also for a suppressed number, whoever asks, and for one that is being called), ``AgentError``
    and what ``admit`` raises; then nothing was asked of the carrier. ``at``: the moment, where it is not now.
    """
    plan = plan_call(
        to_e164,
        agent_id=agent_id,
        version_id=version_id,
        variables=variables,
        from_e164=from_e164,
        carrier=carrier,
    )
    chosen = carriers.carrier(plan.carrier)
    attempt = services.open_attempt(
        plan.to_e164,
        from_e164=plan.from_e164,
        carrier=plan.carrier,
        version_id=plan.agent.version_id,
        variables=plan.variables,
        at=at or timezone.now(),
        admit=admit,
    )
    logger.info("attempt %s is dialling", attempt.pk)
    dial(chosen, attempt, limit_seconds=longest_seconds(plan.agent.spec))
    attempt.refresh_from_db()
    return attempt


def agent_seconds(spec: AgentSpec) -> int:
    """Give how long an agent may be on the line at most, its goodbye included."""
    return spec.max_duration_seconds + _GRACE_SECONDS


def longest_seconds(spec: AgentSpec) -> int:
    """Give how long a call may last at most: with a colleague the caller may talk longer than with the agent."""
    return _LONGEST_SECONDS if spec.destinations else min(agent_seconds(spec), _LONGEST_SECONDS)


def dial(chosen: Carrier, attempt: CallAttempt, *, limit_seconds: int) -> None:
    """Ask the carrier for a stored call. What came of it is in the row."""
    order = CallOrder(
        to_e164=attempt.to_e164,
        from_e164=attempt.from_e164,
        answer_url=twiml.callback_url("twilio-answer", attempt),
        status_url=twiml.callback_url("twilio-status", attempt),
        detection_url=twiml.callback_url("twilio-amd", attempt),
        ring_seconds=settings.RING_SECONDS,
        limit_seconds=limit_seconds,
    )
    # A callback may be faster than the answer to the request; each of these moves the attempt forward only.
    try:
        call = chosen.place(order)
    except UncertainTelephonyError as error:
        logger.warning("whether attempt %s was placed is unknown: %s", attempt.pk, error)
        services.advance_attempt(
            attempt.pk, AttemptStatus.UNKNOWN, at=timezone.now(), error=str(error), error_code=error.code
        )
    except TelephonyError as error:
        logger.warning("attempt %s was refused: %s", attempt.pk, error)
        services.advance_attempt(
            attempt.pk,
            AttemptStatus.NOT_PLACED,
            at=timezone.now(),
            error=str(error),
            error_code=error.code,
            is_refused=error.permanent,
        )
    else:
        services.name_attempt(attempt.pk, call.sid)
        services.advance_attempt(attempt.pk, call.status, at=timezone.now())
