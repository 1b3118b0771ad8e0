"""What became of an attempt, in the words of the retry policy. Pure.

Trouble of our own and of the carrier is no outcome of the person's: it gives ``NOT_DIALLED``, which never counts.
"""

from msgspec import Struct

from calls.enums import AnsweredBy, AttemptStatus, EndReason
from campaigns.enums import Outcome

INVALID_NUMBER_CODES = frozenset({21211, 21214, 21217, 21401, 21421, 13223, 13224, 32005})
"""The carrier's codes that say something about the number itself, and not about our account."""

_OF_STATUS = {
    AttemptStatus.BUSY: Outcome.BUSY,
    AttemptStatus.NO_ANSWER: Outcome.NO_ANSWER,
    AttemptStatus.FAILED: Outcome.FAILED,
    # Hung up by ourselves while it rang.
    AttemptStatus.CANCELED: Outcome.NOT_DIALLED,
}
_OF_END = {
    EndReason.OPTED_OUT: Outcome.OPTED_OUT,
    EndReason.VOICEMAIL_LEFT: Outcome.VOICEMAIL,
    EndReason.MACHINE_ANSWERED: Outcome.VOICEMAIL,
    EndReason.SCREENING_REFUSED: Outcome.NO_ANSWER,
}
_LOST = frozenset({EndReason.PROVIDER_FAILED, EndReason.INSTANCE_LOST, EndReason.INTERNAL_ERROR, EndReason.SHUTDOWN})
_MACHINES = frozenset({AnsweredBy.VOICEMAIL, AnsweredBy.IVR})


class Ending(Struct, frozen=True, kw_only=True):
    """What is known of a call that is over."""

    status: AttemptStatus
    error_code: int = 0
    is_refused: bool = False
    answered_kind: AnsweredBy | None = None
    end_reason: EndReason | None = None
    """Of its last conversation; None: it had none."""
    agent_spoke: bool = False
    caller_spoke: bool = False
    wants_callback: bool = False


def outcome_of(ending: Ending) -> Outcome:
    """Give what became of an attempt."""
    if ending.status is AttemptStatus.COMPLETED:
        return _answered(ending)
    if ending.error_code in INVALID_NUMBER_CODES and (ending.is_refused or ending.status is AttemptStatus.FAILED):
        return Outcome.INVALID_NUMBER
    return _OF_STATUS.get(ending.status, Outcome.NOT_DIALLED)


def _answered(ending: Ending) -> Outcome:
    said = _OF_END.get(ending.end_reason) if ending.end_reason else None
    if said is not None:
        return said
    if ending.answered_kind in _MACHINES:
        return Outcome.VOICEMAIL
    if ending.wants_callback:
        return Outcome.CALLBACK
    if not ending.agent_spoke or (ending.end_reason in _LOST and not ending.caller_spoke):
        return Outcome.DROPPED
    return Outcome.ANSWERED
