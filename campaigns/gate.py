"""May this person be called by this campaign at this moment? One answer, with its reason and what it rests on. Pure.

The checks stand in the order in which an operator wants to hear of them: what will never change first, what the person
agreed to, what the law's clock says, then what is full.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from calls.errors import CallError
from campaigns.compliance import Law, Rulebook
from campaigns.enums import CampaignKind, CampaignStatus, ConsentKind, ContactStatus, DialReason, VoicemailPolicy
from campaigns.pacing import Hours, Window

_Found = tuple[DialReason, dict[str, Any]]
LOOK_AGAIN = timedelta(minutes=10)
"""When a refusal that only people can lift is looked at again."""

FINAL = frozenset({DialReason.SUPPRESSED, DialReason.CONTACT_NOT_ACTIVE, DialReason.ATTEMPTS_USED})
"""The contact is done with in this campaign."""
STUCK = frozenset(
    {
        DialReason.ON_DO_NOT_CALL_LIST,
        DialReason.NO_CONSENT,
        DialReason.CONSENT_NOT_WRITTEN,
        DialReason.NO_TIME_ZONE,
        DialReason.WINDOW_NEVER_OPENS,
        DialReason.MISSING_VARIABLES,
        DialReason.NUMBER_NOT_SCRUBBED,
    }
)
"""Waiting does not lift it; a campaign that has only such contacts left is finished."""
OF_THE_CAMPAIGN = frozenset(
    {
        DialReason.CAMPAIGN_NOT_RUNNING,
        DialReason.CAMPAIGN_OVER,
        DialReason.OVER_BUDGET,
        DialReason.NO_CALLER_ID,
        DialReason.CALLER_ID_CAP,
        DialReason.VOICEMAIL_NEEDS_OPT_OUT_NUMBER,
    }
)
"""It says nothing about the contact, which waits where it is."""


class Decision(Struct, frozen=True, kw_only=True):
    """What the gate says. ``retry_at``: when it is worth asking again; None: never."""

    reason: DialReason
    detail: dict[str, Any] = {}
    retry_at: datetime | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether the call may begin."""
        return self.reason is DialReason.ALLOWED


ALLOWED = Decision(reason=DialReason.ALLOWED)


class GateRefusedError(CallError):
    """A call was not let through. ``decision``: what the gate said of it; None: it is not about the contact."""

    def __init__(self, message: str, *, decision: Decision | None = None) -> None:
        super().__init__(message)
        self.decision = decision


class Given(Struct, frozen=True):
    """A consent that holds at the moment."""

    kind: ConsentKind
    seller: str = ""


class Person(Struct, frozen=True, kw_only=True):
    """What is known of whom a call would reach."""

    e164: str
    regions: tuple[str, ...]
    zones: tuple[str, ...]
    status: ContactStatus = ContactStatus.ACTIVE
    consents: tuple[Given, ...] = ()
    is_suppressed: bool = False
    listed_on: tuple[str, ...] = ()
    """Jurisdictions on whose public do-not-call list the number is."""
    recent: tuple[datetime, ...] = ()
    """When the number was dialled of late, by whatever campaign, the latest last."""
    is_on_the_line: bool = False
    scrubbed_at: datetime | None = None
    missing_variables: tuple[str, ...] = ()
    attempts: int = 0
    """Those that count in this campaign."""


class Terms(Struct, frozen=True, kw_only=True):
    """What the gate has to know of a campaign. A manual call has terms of its own."""

    kind: CampaignKind = CampaignKind.INFORMATIONAL
    hours: Hours = Hours()
    seller: str = ""
    max_attempts: int | None = None
    list_dates: dict[str, datetime] = {}
    """Jurisdiction to the day of the newest complete copy of its do-not-call list."""


class Standing(Struct, frozen=True, kw_only=True):
    """Where a campaign stands as a whole, before any contact of it is looked at."""

    status: CampaignStatus
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    budget_micros: int | None = None
    spent_micros: int = 0
    reserved_micros: int = 0
    """What the calls on the line may cost at most."""
    next_call_micros: int = 0
    """What one more may cost at most."""
    has_caller_id: bool = True
    free_caller_ids: int = 1
    """Those whose daily cap is not reached."""
    voicemail: VoicemailPolicy = VoicemailPolicy.AGENT_DECIDES
    has_opt_out_number: bool = False
    needs_opt_out_number: bool = False


def decide_campaign(standing: Standing, at: datetime) -> Decision:
    """Say whether a campaign may dial anybody at all."""
    return _decide_course(standing, at) or _decide_means(standing, at) or ALLOWED


def _decide_course(standing: Standing, at: datetime) -> Decision | None:
    if standing.status is not CampaignStatus.RUNNING:
        return Decision(reason=DialReason.CAMPAIGN_NOT_RUNNING, detail={"status": standing.status.value})
    if standing.starts_at is not None and at < standing.starts_at:
        detail = {"starts_at": _stamp(standing.starts_at)}
        return Decision(reason=DialReason.CAMPAIGN_NOT_STARTED, detail=detail, retry_at=standing.starts_at)
    if standing.ends_at is not None and at >= standing.ends_at:
        return Decision(reason=DialReason.CAMPAIGN_OVER, detail={"ends_at": _stamp(standing.ends_at)})
    return None


def _decide_means(standing: Standing, at: datetime) -> Decision | None:
    """Say what is missing or used up; people lift it, or the day's end."""
    figures: dict[str, Any] = {}
    worst = standing.spent_micros + standing.reserved_micros + standing.next_call_micros
    if standing.budget_micros is not None and worst > standing.budget_micros:
        names = ("budget_micros", "spent_micros", "reserved_micros", "next_call_micros")
        reason, figures = DialReason.OVER_BUDGET, {name: getattr(standing, name) for name in names}
    elif (
        standing.needs_opt_out_number
        and standing.voicemail is VoicemailPolicy.LEAVE_MESSAGE
        and not standing.has_opt_out_number
    ):
        reason = DialReason.VOICEMAIL_NEEDS_OPT_OUT_NUMBER
    elif not standing.has_caller_id:
        reason = DialReason.NO_CALLER_ID
    elif not standing.free_caller_ids:
        reason = DialReason.CALLER_ID_CAP
    else:
        return None
    return Decision(reason=reason, detail=figures, retry_at=at + LOOK_AGAIN)


class Gate:
    """The rules and one campaign's terms, asked about many people: what depends on the place only is found once."""

    def __init__(self, rulebook: Rulebook, terms: Terms) -> None:
        self._rulebook, self.terms = rulebook, terms
        self._windows: dict[tuple[tuple[str, ...], tuple[str, ...]], Window] = {}

    def law_of(self, person: Person) -> Law:
        """Give what protects a person from this campaign."""
        return self._rulebook.law_of(person.regions, self.terms.kind)

    def needs_voicemail_opt_out(self, at: datetime) -> bool:
        """Whether a message on a mailbox in the United States must name a number to opt out at."""
        return self._rulebook.law_of(("US",), self.terms.kind).needs_voicemail_opt_out(at.astimezone(UTC).date())

    def window_of(self, person: Person) -> Window | None:
        """Give when a person may be called; None where nobody knows the time zone."""
        if not person.zones:
            return None
        place = (person.regions, person.zones)
        if place not in self._windows:
            self._windows[place] = Window(self.terms.hours, self.law_of(person), person.zones)
        return self._windows[place]

    def decide(self, person: Person, at: datetime) -> Decision:
        """Say whether a call to this person may begin now."""
        refusal = (
            self._decide_for_good(person)
            or self._decide_agreement(person, at)
            or self._decide_time(person, at)
            or self._decide_frequency(person, at)
        )
        return refusal or ALLOWED

    def _decide_for_good(self, person: Person) -> Decision | None:
        if person.is_suppressed:
            return Decision(reason=DialReason.SUPPRESSED)
        if person.status is not ContactStatus.ACTIVE:
            return Decision(reason=DialReason.CONTACT_NOT_ACTIVE, detail={"status": person.status.value})
        limit = self.terms.max_attempts
        if limit is not None and person.attempts >= limit:
            return Decision(reason=DialReason.ATTEMPTS_USED, detail={"attempts": person.attempts, "most": limit})
        return None

    def _decide_agreement(self, person: Person, at: datetime) -> Decision | None:
        law, day = self.law_of(person), at.astimezone(UTC).date()
        found = (
            self._decide_lists(person, law.lists_on(day), at)
            or self._decide_consent(person, law.consent_on(day))
            or _decide_scrub(person, law.scrub_on(day), at)
        )
        if found is None and person.missing_variables:
            found = DialReason.MISSING_VARIABLES, {"names": list(person.missing_variables)}
        return found and Decision(reason=found[0], detail=found[1], retry_at=at + LOOK_AGAIN)

    def _decide_lists(self, person: Person, lists: dict[str, int], at: datetime) -> _Found | None:
        for jurisdiction, max_age in lists.items():
            copied = self.terms.list_dates.get(jurisdiction)
            if copied is None or at - copied > timedelta(days=max_age):
                detail = {"jurisdiction": jurisdiction, "copy_of": _stamp(copied), "max_age_days": max_age}
                return DialReason.DO_NOT_CALL_LIST_STALE, detail
            if jurisdiction in person.listed_on:
                return DialReason.ON_DO_NOT_CALL_LIST, {"jurisdiction": jurisdiction}
        return None

    def _decide_consent(self, person: Person, needed: ConsentKind | None) -> _Found | None:
        if needed is None:
            return None
        kinds = {consent.kind for consent in person.consents if consent.seller in {"", self.terms.seller}}
        if not kinds:
            return DialReason.NO_CONSENT, {"needed": needed.value}
        if needed is ConsentKind.WRITTEN and ConsentKind.WRITTEN not in kinds:
            return DialReason.CONSENT_NOT_WRITTEN, {"needed": needed.value}
        return None

    def _decide_time(self, person: Person, at: datetime) -> Decision | None:
        window = self.window_of(person)
        if window is None:
            return Decision(reason=DialReason.NO_TIME_ZONE, retry_at=at + LOOK_AGAIN)
        closed = window.closed_by(at)
        if closed is None:
            return None
        opens_at = window.next_opening(at)
        detail = {"zone": closed.zone, "rules": list(closed.rules), "opens_at": _stamp(opens_at)}
        if opens_at is None:
            return Decision(
                reason=DialReason.WINDOW_NEVER_OPENS,
                detail={**detail, "closed_by": closed.reason.value},
                retry_at=at + LOOK_AGAIN,
            )
        return Decision(reason=closed.reason, detail=detail, retry_at=opens_at)

    def _decide_frequency(self, person: Person, at: datetime) -> Decision | None:
        if person.is_on_the_line:
            return Decision(reason=DialReason.ALREADY_ON_THE_LINE, retry_at=at + timedelta(minutes=1))
        window = self.window_of(person)
        latest: Decision | None = None
        for cap in self.law_of(person).caps_on(at.astimezone(UTC).date()):
            span = timedelta(hours=cap.hours)
            within = [moment for moment in person.recent if moment > at - span]
            if len(within) < cap.calls:
                continue
            free_at = within[-cap.calls] + span
            opens_at = window.next_opening(free_at) if window else free_at
            detail = {"calls": len(within), "most": cap.calls, "hours": cap.hours}
            found = Decision(reason=DialReason.TOO_MANY_ATTEMPTS_TODAY, detail=detail, retry_at=opens_at)
            if latest is None or (found.retry_at or at) > (latest.retry_at or at):
                latest = found
        return latest


def _decide_scrub(person: Person, max_age_days: int | None, at: datetime) -> _Found | None:
    if max_age_days is None:
        return None
    asked = person.scrubbed_at
    if asked is not None and at - asked <= timedelta(days=max_age_days):
        return None
    return DialReason.NUMBER_NOT_SCRUBBED, {"scrubbed_at": _stamp(asked), "max_age_days": max_age_days}


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")
