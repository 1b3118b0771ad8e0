"""What only a telephone call has: events of who answered, and actions on the line and its records."""

from msgspec import Struct

from calls.enums import SuppressionSource

OPT_OUT_KEY = "9"
"""Pressed alone, at any time: no more calls."""


class BeepHeard(Struct, frozen=True, gc=False):
    """A single tone with silence behind it. ``ended_ms``: milliseconds of received audio since the call began."""

    hz: float
    ended_ms: float


class AnswererDetected(Struct, frozen=True, gc=False):
    """The carrier's own verdict on who answered, in its words (``human``, ``machine_end_beep`` ...)."""

    answered_by: str


class SendDigits(Struct, frozen=True, gc=False):
    """Press keys of a telephone into the line."""

    digits: str


class RecordOptOut(Struct, frozen=True, gc=False):
    """The person wants no more calls: have it hold at once. ``turn``: the index of the words that say so, if words."""

    source: SuppressionSource
    turn: int | None


class StopRecording(Struct, frozen=True, gc=False):
    """The person does not want to be recorded: record no sound of this call from now on."""


PhoneEvent = BeepHeard | AnswererDetected
PhoneAction = SendDigits | RecordOptOut | StopRecording
