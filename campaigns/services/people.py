"""Whom a campaign would call, as the gate wants to know them: read for many at once, with a handful of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from calls import services as call_services
from calls.engine.agent import AgentSpec
from calls.enums import AttemptStatus, Direction
from calls.models import CallAttempt, Suppression
from calls.models.attempts import OVER
from campaigns.contacts import regions_of, variables_of, zones_of
from campaigns.enums import ConsentKind, ContactStatus
from campaigns.gate import Given, Person
from campaigns.models import Consent, Contact, DoNotCallList, DoNotCallNumber

RECENT = timedelta(days=7)
"""How far back attempts are counted: no rule looks further."""


def required_variables(spec: AgentSpec) -> tuple[str, ...]:
    """Give the names that an agent's texts need and that have no default."""
    return tuple(call_services.missing_variables(spec, {}))


def variables_for(contact: Contact) -> dict[str, str]:
    """Give what fills the agent's texts in a call to this contact."""
    return variables_of(contact.e164, contact.name, contact.fields)


def load_people(
    contacts: Sequence[Contact],
    *,
    at: datetime,
    required: Iterable[str] = (),
    attempts: Mapping[UUID, int] | None = None,
) -> dict[UUID, Person]:
    """Give contact id to person, as of a moment. ``attempts``: those that count, by contact."""
    numbers = [contact.e164 for contact in contacts]
    consents = _consents([contact.pk for contact in contacts], at)
    suppressed = suppressed_among(numbers)
    listed, recent, live = _listed(numbers), _recent(numbers, at), _live(numbers)
    counted, required = attempts or {}, tuple(required)
    return {
        contact.pk: Person(
            e164=contact.e164,
            regions=regions_of(contact.e164, contact.region),
            zones=zones_of(contact.e164, contact.region, contact.time_zone),
            status=ContactStatus(contact.status),
            consents=tuple(consents.get(contact.pk, ())),
            is_suppressed=contact.e164 in suppressed,
            listed_on=tuple(listed.get(contact.e164, ())),
            recent=tuple(recent.get(contact.e164, ())),
            is_on_the_line=contact.e164 in live,
            scrubbed_at=contact.scrubbed_at,
            missing_variables=_missing(contact, required),
            attempts=counted.get(contact.pk, 0),
        )
        for contact in contacts
    }


def load_stranger(e164: str, *, at: datetime) -> Person:
    """Give what is known of a number that is no contact's."""
    return Person(
        e164=e164,
        regions=regions_of(e164),
        zones=zones_of(e164),
        is_suppressed=bool(suppressed_among([e164])),
        listed_on=tuple(_listed([e164]).get(e164, ())),
        recent=tuple(_recent([e164], at).get(e164, ())),
        is_on_the_line=bool(_live([e164])),
    )


def _missing(contact: Contact, required: tuple[str, ...]) -> tuple[str, ...]:
    if not required:
        return ()
    known = variables_for(contact)
    return tuple(name for name in required if name not in known)


def _consents(contact_ids: Sequence[UUID], at: datetime) -> dict[UUID, list[Given]]:
    found: dict[UUID, list[Given]] = defaultdict(list)
    rows = Consent.objects.valid(at).filter(contact_id__in=contact_ids).order_by()
    for contact_id, kind, seller in rows.values_list("contact_id", "kind", "seller"):
        found[contact_id].append(Given(ConsentKind(kind), seller))
    return found


def suppressed_among(numbers: Sequence[str]) -> set[str]:
    """Give those of these numbers whose owners want no calls."""
    rows = Suppression.objects.filter(e164__in=numbers).order_by()
    return set(rows.values_list("e164", flat=True))


def _listed(numbers: Sequence[str]) -> dict[str, list[str]]:
    """Give the jurisdictions on whose newest complete list a number is."""
    lists = DoNotCallList.objects.filter(is_complete=True).order_by("version_date", "pk")
    newest = dict(lists.values_list("jurisdiction", "pk"))
    found: dict[str, list[str]] = defaultdict(list)
    if not newest:
        return found
    place_of = {list_id: jurisdiction for jurisdiction, list_id in newest.items()}
    rows = DoNotCallNumber.objects.filter(e164__in=numbers, list_id__in=place_of).order_by()
    for e164, list_id in rows.values_list("e164", "list_id"):
        found[e164].append(place_of[list_id])
    return found


def _recent(numbers: Sequence[str], at: datetime) -> dict[str, list[datetime]]:
    """Give when each number was dialled of late. What the carrier never placed is no call."""
    found: dict[str, list[datetime]] = defaultdict(list)
    rows = CallAttempt.objects.filter(
        to_e164__in=numbers, created_at__gt=at - RECENT, direction=Direction.OUTBOUND
    ).exclude(status=AttemptStatus.NOT_PLACED)
    for e164, created_at in rows.order_by("created_at").values_list("to_e164", "created_at"):
        found[e164].append(created_at)
    return found


def _live(numbers: Sequence[str]) -> set[str]:
    rows = CallAttempt.objects.filter(to_e164__in=numbers, direction=Direction.OUTBOUND).exclude(status__in=OVER)
    return set(rows.order_by().values_list("to_e164", flat=True))
