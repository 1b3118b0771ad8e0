"""What goes in and out."""

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field

from campaigns.enums import ExportFormat, ExportKind


class Strict(Schema):
    """A body whose unknown fields are refused by name: a misspelt one must not be lost silently."""

    model_config = ConfigDict(extra="forbid")


class ContactIn(Strict):
    """A contact. ``number``: E.164, or as people write it in the country of ``default_region``."""

    number: str = Field(max_length=60)
    default_region: str = Field("US", max_length=2)
    name: str = Field("", max_length=200)
    fields: dict[str, str] = Field(default_factory=dict)
    region: str = Field("", max_length=6)
    time_zone: str = Field("", max_length=64)
    lists: list[UUID] = Field(default_factory=list)


class ContactChange(Strict):
    """What changes; what is left out stays. ``fields`` replaces all of them."""

    name: str | None = Field(None, max_length=200)
    fields: dict[str, str] | None = None
    region: str | None = Field(None, max_length=6)
    time_zone: str | None = Field(None, max_length=64)


class ContactOut(Schema):
    """A contact as it is stored."""

    id: UUID
    number: str = Field(alias="e164")
    name: str
    fields: dict[str, Any]
    region: str
    time_zone: str
    status: str
    created_at: datetime
    updated_at: datetime


class ContactPage(Schema):
    """Contacts, and the cursor of the next page."""

    items: list[ContactOut]
    next: UUID | None


class BulkIn(Strict):
    """Many contacts at once; numbers that are known are left as they are, or updated."""

    contacts: list[ContactIn] = Field(min_length=1, max_length=1000)
    update: bool = False


class Refused(Schema):
    """One contact of many that was not taken."""

    index: int
    message: str


class BulkOut(Schema):
    """What came of many contacts."""

    created: int
    updated: int
    known: int
    refused: list[Refused]


class ListIn(Strict):
    """A list."""

    name: str = Field(min_length=1, max_length=200)


class ListOut(Schema):
    """A list as it is stored."""

    id: UUID
    name: str
    created_at: datetime


class ListPage(Schema):
    """Lists, and the cursor of the next page."""

    items: list[ListOut]
    next: UUID | None


class CampaignIn(Strict):
    """A draft; everything else has the defaults of the admin's form."""

    name: str = Field(min_length=1, max_length=200)
    agent_id: UUID
    kind: str = "informational"
    lists: list[UUID] = Field(default_factory=list)
    caller_ids: list[UUID] = Field(default_factory=list)
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    calls_per_minute: int = Field(30, ge=1)
    max_concurrent: int = Field(5, ge=1)
    max_attempts: int = Field(3, ge=1)
    budget_micros: int | None = Field(None, ge=0)


class CampaignOut(Schema):
    """A campaign."""

    id: UUID
    name: str
    kind: str
    status: str
    agent_id: UUID
    starts_at: datetime | None
    ends_at: datetime | None
    calls_per_minute: int
    max_concurrent: int
    max_attempts: int
    budget_micros: int | None
    spent_micros: int
    paused_because: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class CampaignPage(Schema):
    """Campaigns, and the cursor of the next page."""

    items: list[CampaignOut]
    next: UUID | None


class Reason(Strict):
    """Why a campaign is paused, for the others who look."""

    reason: str = Field("", max_length=300)


class EventOut(Schema):
    """Something that happened to a campaign."""

    id: UUID
    campaign_id: UUID
    at: datetime
    kind: str
    detail: dict[str, Any]


class EventPage(Schema):
    """Events, and the cursor of the next page."""

    items: list[EventOut]
    next: UUID | None


class CallIn(Strict):
    """A call to one number. ``is_confirmed``: the owner of the number agreed to be called."""

    number: str = Field(max_length=16, description="E.164")
    agent_id: UUID | None = None
    variables: dict[str, str] = Field(default_factory=dict)
    is_confirmed: bool = False
    from_number: str = Field("", max_length=16)


class CallOut(Schema):
    """A telephone call as the carrier has it."""

    id: UUID
    direction: str
    to_number: str = Field(alias="to_e164")
    from_number: str = Field(alias="from_e164")
    status: str
    answered_kind: str
    session_id: UUID | None
    error: str
    created_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    duration_seconds: int | None


class CallPage(Schema):
    """Calls, and the cursor of the next page."""

    items: list[CallOut]
    next: UUID | None


class TurnOut(Schema):
    """What one speaker said, as it was heard."""

    speaker: str
    text: str
    interrupted: bool


class SuppressionIn(Strict):
    """A number that is not called any more, with the proof."""

    number: str = Field(max_length=16, description="E.164")
    proof: str = Field(min_length=1, max_length=2000)


class SuppressionOut(Schema):
    """A suppressed number."""

    number: str = Field(alias="e164")
    source: str
    created_at: datetime


class SuppressionPage(Schema):
    """Suppressed numbers, and the cursor of the next page."""

    items: list[SuppressionOut]
    next: UUID | None


class ImportOut(Schema):
    """An import: how far it is and what came of it."""

    id: UUID
    file_name: str
    status: str
    percent: int
    mapping: dict[str, str]
    created: int
    updated: int
    known: int
    repeated: int
    suppressed: int
    bad: int
    error: str
    created_at: datetime
    finished_at: datetime | None


class ExportIn(Strict):
    """A file that is wanted. ``campaign_id``: needed for members; ``list_id``: of which contacts."""

    kind: ExportKind
    format: ExportFormat = ExportFormat.CSV
    campaign_id: UUID | None = None
    list_id: UUID | None = None


class ExportOut(Schema):
    """An export: how far it is."""

    id: UUID
    kind: str
    format: str
    status: str
    percent: int
    error: str
    created_at: datetime
    finished_at: datetime | None
