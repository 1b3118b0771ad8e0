"""The closed vocabularies of campaigns. Standard library only."""

from enum import StrEnum


class ContactStatus(StrEnum):
    """Whether a contact may be called at all, whatever the campaign."""

    ACTIVE = "active"
    WRONG_NUMBER = "wrong_number"
    """Somebody else answers there."""
    INVALID_NUMBER = "invalid_number"
    """The carrier says that no telephone has it."""
    ARCHIVED = "archived"


class ConsentKind(StrEnum):
    """How a person agreed to be called by an artificial voice (47 CFR 64.1200(f)(9) defines the written one)."""

    EXPRESS = "express"
    WRITTEN = "written"


class CampaignKind(StrEnum):
    """What the law sees in the calls; a sale needs consent in writing."""

    INFORMATIONAL = "informational"
    SALES = "sales"


class CampaignStatus(StrEnum):
    """Where a campaign is. Only a running one dials."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    ABORTED = "aborted"

    @property
    def is_over(self) -> bool:
        """Whether it will never dial again."""
        return self in {CampaignStatus.FINISHED, CampaignStatus.ABORTED}


class MembershipState(StrEnum):
    """Where a contact is within a campaign."""

    WAITING = "waiting"
    """Due at ``next_attempt_at``, if the gate lets it."""
    CLAIMED = "claimed"
    """A dialler has it until ``lease_until``; nothing was asked of the carrier yet."""
    CALLING = "calling"
    """Its attempt is on the line, or possibly so."""
    FINISHED = "finished"


class Outcome(StrEnum):
    """How one attempt ended, as the retry policy sees it."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    """The network could not put it through."""
    DROPPED = "dropped"
    """Answered, and lost before anything was said."""
    CALLBACK = "callback"
    """The person asked to be called at another time."""
    WRONG_NUMBER = "wrong_number"
    INVALID_NUMBER = "invalid_number"
    OPTED_OUT = "opted_out"
    NOT_DIALLED = "not_dialled"
    """Trouble of our own or the carrier's: it never counts as an attempt."""


class FinishReason(StrEnum):
    """Why a contact is done with in a campaign."""

    REACHED = "reached"
    ATTEMPTS_USED = "attempts_used"
    OPTED_OUT = "opted_out"
    WRONG_NUMBER = "wrong_number"
    INVALID_NUMBER = "invalid_number"
    CAMPAIGN_OVER = "campaign_over"
    REMOVED = "removed"


class DialReason(StrEnum):
    """What the gate says of one contact at one moment; all but the first hold the call back."""

    ALLOWED = "allowed"
    CAMPAIGN_NOT_RUNNING = "campaign_not_running"
    CAMPAIGN_NOT_STARTED = "campaign_not_started"
    CAMPAIGN_OVER = "campaign_over"
    CONTACT_NOT_ACTIVE = "contact_not_active"
    SUPPRESSED = "suppressed"
    ON_DO_NOT_CALL_LIST = "on_do_not_call_list"
    DO_NOT_CALL_LIST_STALE = "do_not_call_list_stale"
    NO_CONSENT = "no_consent"
    CONSENT_NOT_WRITTEN = "consent_not_written"
    NO_TIME_ZONE = "no_time_zone"
    OUTSIDE_CAMPAIGN_WINDOW = "outside_campaign_window"
    OUTSIDE_LEGAL_HOURS = "outside_legal_hours"
    FORBIDDEN_DAY = "forbidden_day"
    HOLIDAY = "holiday"
    WINDOW_NEVER_OPENS = "window_never_opens"
    TOO_MANY_ATTEMPTS_TODAY = "too_many_attempts_today"
    ATTEMPTS_USED = "attempts_used"
    ALREADY_ON_THE_LINE = "already_on_the_line"
    OVER_BUDGET = "over_budget"
    NO_CALLER_ID = "no_caller_id"
    CALLER_ID_CAP = "caller_id_cap"
    MISSING_VARIABLES = "missing_variables"
    VOICEMAIL_NEEDS_OPT_OUT_NUMBER = "voicemail_needs_opt_out_number"
    NUMBER_NOT_SCRUBBED = "number_not_scrubbed"


class RuleKind(StrEnum):
    """What a compliance rule is about; ``campaigns.compliance`` says which parameters each takes."""

    CALLING_HOURS = "calling_hours"
    FORBIDDEN_WEEKDAYS = "forbidden_weekdays"
    HOLIDAYS = "holidays"
    MAX_ATTEMPTS_PER_DAY = "max_attempts_per_day"
    CONSENT = "consent"
    DO_NOT_CALL_LIST = "do_not_call_list"
    SCRUB = "scrub"
    """A reassigned-numbers service must have been asked."""
    VOICEMAIL_OPT_OUT = "voicemail_opt_out"
    """A message on a mailbox must name a number to opt out at."""
    ALWAYS_OPEN = "always_open"


class VoicemailPolicy(StrEnum):
    """What happens when a mailbox answers."""

    AGENT_DECIDES = "agent_decides"
    HANG_UP = "hang_up"
    LEAVE_MESSAGE = "leave_message"


class Disposition(StrEnum):
    """How a call ended for the business."""

    SCHEDULED = "scheduled"
    QUALIFIED = "qualified"
    CALLBACK = "callback"
    NOT_INTERESTED = "not_interested"
    DO_NOT_CALL = "do_not_call"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    OTHER = "other"


class Sentiment(StrEnum):
    """How the caller took the call."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class AnalysisMethod(StrEnum):
    """Who judged a call."""

    MODEL = "model"
    RULES = "rules"


class AnalysisStatus(StrEnum):
    """Where the judging of a call is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """Tried as often as it makes sense; an operator may ask for it again."""


class JobKind(StrEnum):
    """What is done with many rows in the background."""

    ADD_TO_LIST = "add_to_list"
    SUPPRESS = "suppress"
    ARCHIVE = "archive"
    RESTORE = "restore"
    REMOVE_FROM_CAMPAIGN = "remove_from_campaign"


class JobStatus(StrEnum):
    """Where a job is; it only moves forward."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ImportStatus(StrEnum):
    """Where an import is; it only moves forward."""

    UPLOADED = "uploaded"
    """The file is there; its columns are still to be confirmed."""
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class DuplicatePolicy(StrEnum):
    """What becomes of a contact whose number is known already. Lists and consents are added either way."""

    KEEP = "keep"
    UPDATE = "update"
    """What the file says counts; what it leaves empty stays."""


class ExportKind(StrEnum):
    """What is written into a file."""

    CONTACTS = "contacts"
    MEMBERS = "members"
    """The contacts of one campaign with what came of them."""
    CALLS = "calls"


class ExportFormat(StrEnum):
    """The kind of file."""

    CSV = "csv"
    XLSX = "xlsx"


class HookEvent(StrEnum):
    """What other systems are told."""

    CAMPAIGN_STARTED = "campaign.started"
    CAMPAIGN_PAUSED = "campaign.paused"
    CAMPAIGN_RESUMED = "campaign.resumed"
    CAMPAIGN_FINISHED = "campaign.finished"
    CAMPAIGN_ABORTED = "campaign.aborted"
    CAMPAIGN_BREAKER = "campaign.breaker"
    CALL_FINISHED = "call.finished"
    CALL_ANALYSED = "call.analysed"
    CONTACT_OPTED_OUT = "contact.opted_out"
    IMPORT_FINISHED = "import.finished"


class MessageStatus(StrEnum):
    """Where a message to another system is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Tried as often as it makes sense; an operator may send it again."""


class Scope(StrEnum):
    """What a key of the API opens."""

    CONTACTS_READ = "contacts:read"
    CONTACTS_WRITE = "contacts:write"
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_WRITE = "campaigns:write"
    CALLS_READ = "calls:read"
    CALLS_PLACE = "calls:place"
    SUPPRESSIONS_READ = "suppressions:read"
    SUPPRESSIONS_WRITE = "suppressions:write"
    EXPORTS = "exports"
    """Files with all that is known of people."""
