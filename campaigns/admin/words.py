"""What the gate's reasons mean to an operator, and what can be done about each."""

from campaigns.enums import DialReason

_WORDS: dict[DialReason, tuple[str, str]] = {
    DialReason.ALLOWED: ("May be called", "Nothing to do: it is called as soon as there is room."),
    DialReason.CAMPAIGN_NOT_RUNNING: ("The campaign does not run", "Start or resume the campaign."),
    DialReason.CAMPAIGN_NOT_STARTED: ("The campaign's first day is still to come", "Wait, or set an earlier start."),
    DialReason.CAMPAIGN_OVER: ("The campaign's end has passed", "Set a later end."),
    DialReason.CONTACT_NOT_ACTIVE: (
        "The contact is archived or its number is wrong",
        "Correct the number or bring the contact back from the archive.",
    ),
    DialReason.SUPPRESSED: ("They asked not to be called", "There is nothing to do: this wish is kept."),
    DialReason.ON_DO_NOT_CALL_LIST: (
        "The number is on a public do-not-call list",
        "Only a written consent or an existing business relationship allows the call; record it, or take them out.",
    ),
    DialReason.DO_NOT_CALL_LIST_STALE: (
        "The copy of the public do-not-call list is too old",
        "Load a current copy of the list.",
    ),
    DialReason.NO_CONSENT: ("They have not agreed to be called", "Record a consent with its proof."),
    DialReason.CONSENT_NOT_WRITTEN: ("A sale needs consent in writing", "Record a written consent with its proof."),
    DialReason.NO_TIME_ZONE: ("Nobody knows their time zone", "Add the contact's time zone or region."),
    DialReason.OUTSIDE_CAMPAIGN_WINDOW: (
        "It is outside the campaign's hours where they live",
        "Wait: they are called when the window opens; or widen the campaign's hours.",
    ),
    DialReason.OUTSIDE_LEGAL_HOURS: ("The law forbids calls at this hour where they live", "Wait: it opens by itself."),
    DialReason.FORBIDDEN_DAY: ("The law forbids calls on this day where they live", "Wait for the next day."),
    DialReason.HOLIDAY: ("It is a holiday where they live", "Wait for the next day."),
    DialReason.WINDOW_NEVER_OPENS: (
        "The campaign's hours and the law leave no time at all",
        "Widen the campaign's hours or weekdays, or its end.",
    ),
    DialReason.TOO_MANY_ATTEMPTS_TODAY: ("They were called often enough today", "Wait: tomorrow it is allowed again."),
    DialReason.ATTEMPTS_USED: ("All attempts are used", "Nothing, or allow more attempts per contact."),
    DialReason.ALREADY_ON_THE_LINE: ("They are being called right now", "Wait for the end of that call."),
    DialReason.OVER_BUDGET: ("The budget does not cover one more call", "Raise the campaign's budget."),
    DialReason.NO_CALLER_ID: (
        "No number to call from is usable",
        "Verify or activate a caller ID, or choose others for the campaign.",
    ),
    DialReason.CALLER_ID_CAP: (
        "Every caller ID has made its calls for today",
        "Wait, raise the daily caps, or add caller IDs.",
    ),
    DialReason.MISSING_VARIABLES: (
        "The agent needs values that the contact lacks",
        "Fill the contact's fields, or give the variable a default in the agent.",
    ),
    DialReason.VOICEMAIL_NEEDS_OPT_OUT_NUMBER: (
        "A message on a mailbox must name a toll-free number",
        "Give the campaign an opt-out number, or have it hang up on mailboxes.",
    ),
    DialReason.NUMBER_NOT_SCRUBBED: (
        "Nobody asked whether the number has a new owner",
        "Have the numbers checked by a reassigned-numbers service.",
    ),
}


def explain(reason: str) -> str:
    """Give a reason in an operator's words."""
    return _words(reason)[0]


def remedy(reason: str) -> str:
    """Say what can be done about a reason; empty where there is none."""
    return _words(reason)[1]


def _words(reason: str) -> tuple[str, str]:
    try:
        return _WORDS[DialReason(reason)]
    except (KeyError, ValueError):
        return reason.replace("_", " ").capitalize(), ""
