"""One call that a person asks for: from the admin, a command or the API, through the same gate."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone
from msgspec import Struct, structs

from calls import telephony
from calls.models import CallAttempt
from campaigns.enums import CampaignKind, ConsentKind
from campaigns.gate import ALLOWED, Decision, Gate, GateRefusedError, Given, Person, Terms
from campaigns.models import Contact
from campaigns.services.admission import lock_gate
from campaigns.services.people import load_people, load_stranger, variables_for
from campaigns.services.rules import list_dates, rulebook

logger = logging.getLogger(__name__)


class ManualCall(Struct, frozen=True, kw_only=True):
    """What came of it: an attempt, or the gate's reason why there is none."""

    decision: Decision
    attempt: CallAttempt | None = None


def manual_gate(kind: CampaignKind = CampaignKind.INFORMATIONAL) -> Gate:
    """Give the gate of calls that belong to no campaign: the law's hours, no window of its own."""
    return Gate(rulebook(), Terms(kind=kind, list_dates=list_dates()))


def person_at(e164: str, *, at: datetime, is_confirmed: bool) -> Person:
    """Give what is known of a number: the contact's, where it is one's. A confirmation stands for a spoken consent."""
    contact = Contact.objects.filter(e164=e164).first()
    person = load_stranger(e164, at=at) if contact is None else load_people([contact], at=at)[contact.pk]
    if is_confirmed:
        person = structs.replace(person, consents=(*person.consents, Given(ConsentKind.EXPRESS)))
    return person


def decide_once(e164: str, *, is_confirmed: bool, at: datetime) -> Decision:
    """Say what the gate would say of a manual call, without making it."""
    return manual_gate().decide(person_at(e164, at=at, is_confirmed=is_confirmed), at)


def dial_once(
    e164: str,
    *,
    agent_id: UUID | str | None,
    variables: Mapping[str, str],
    by: AbstractBaseUser | None,
    is_confirmed: bool,
    from_e164: str = "",
    carrier: str = "",
    at: datetime | None = None,
) -> ManualCall:
    """Call one number, unless the gate says no. It rings for real, so this must not be called in a transaction.

    ``is_confirmed``: ``by`` says that the owner of the number agreed to be called. A contact's fields fill the
    variables that are not given. Raises ``DialRefusedError`` and ``AgentError`` for what is wrong with the order.
    """
    now = at or timezone.now()
    contact = Contact.objects.filter(e164=e164).first()
    known = variables_for(contact) if contact else {}
    try:
        attempt = telephony.place_call(
            e164,
            agent_id=None if agent_id is None else str(agent_id),
            variables=known | dict(variables),
            from_e164=from_e164,
            carrier=carrier,
            admit=_admission(e164, is_confirmed=is_confirmed, at=now),
            at=now,
        )
    except GateRefusedError as error:
        if error.decision is None:
            raise
        return ManualCall(decision=error.decision)
    who = "the system" if by is None else f"user {by.pk}"
    logger.info("attempt %s was asked for by %s", attempt.pk, who)
    return ManualCall(decision=ALLOWED, attempt=attempt)


def _admission(e164: str, *, is_confirmed: bool, at: datetime) -> Callable[[CallAttempt], None]:
    def admit(_attempt: CallAttempt) -> None:
        lock_gate()
        decision = decide_once(e164, is_confirmed=is_confirmed, at=at)
        if not decision.is_allowed:
            message = f"the gate says: {decision.reason}"
            raise GateRefusedError(message, decision=decision)

    return admit
