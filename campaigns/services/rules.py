"""The rule rows as one rulebook, read again when a row has changed; and how old the copies of the public lists are."""

from datetime import UTC, datetime, time

from django.db.models import Count, Max

from campaigns.compliance import ParameterError, Rulebook
from campaigns.enums import CampaignKind
from campaigns.errors import CampaignError
from campaigns.gate import Gate, Terms
from campaigns.models import Campaign, ComplianceRule, DoNotCallList
from campaigns.pacing import hours_of

_Key = tuple[int, datetime | None]
_read: tuple[_Key, Rulebook] | None = None


def rulebook() -> Rulebook:
    """Give all enabled rules. Raises ``CampaignError`` where one cannot be read: then nobody may be called."""
    global _read  # noqa: PLW0603 (one cache a process; what is stored in it is complete)
    enabled = ComplianceRule.objects.filter(is_enabled=True)
    found = ComplianceRule.objects.aggregate(count=Count("pk"), changed=Max("updated_at"))
    key = (found["count"], found["changed"])
    if _read is None or _read[0] != key:
        try:
            book = Rulebook([row.as_rule() for row in enabled])
        except ParameterError as error:
            raise CampaignError([f"A compliance rule cannot be read: {error}. Correct it in the admin."]) from None
        _read = (key, book)
    return _read[1]


def list_dates() -> dict[str, datetime]:
    """Give the day of the newest complete copy of each jurisdiction's do-not-call list."""
    newest = DoNotCallList.objects.filter(is_complete=True).values("jurisdiction").annotate(day=Max("version_date"))
    return {row["jurisdiction"]: datetime.combine(row["day"], time(), UTC) for row in newest.order_by("jurisdiction")}


def terms_of(campaign: Campaign) -> Terms:
    """Give a campaign's terms."""
    return Terms(
        kind=CampaignKind(campaign.kind),
        hours=hours_of(
            start=campaign.window_start,
            end=campaign.window_end,
            weekdays=campaign.weekdays,
            starts_at=campaign.starts_at,
            ends_at=campaign.ends_at,
        ),
        seller=campaign.seller,
        max_attempts=campaign.max_attempts,
        list_dates=list_dates(),
    )


def gate_of(campaign: Campaign) -> Gate:
    """Give the gate of a campaign as its row is now. Raises ``CampaignError`` where a rule cannot be read."""
    return Gate(rulebook(), terms_of(campaign))
