"""The closed vocabularies of a call, with their labels beside them.

Standard library only: the engine, the codecs and the models all read these words. ``calls.models`` turns
an enumeration into Django choices with one function.
"""

from enum import StrEnum


class ConversationState(StrEnum):
    """Whose turn it is. The words go out on the wire in upper case."""

    INITIALIZING = "initializing"
    LISTENING = "listening"
    THINKING = "thinking"
    RESPONDING = "responding"
    INTERRUPTED = "interrupted"
    ENDED = "ended"

    @property
    def wire(self) -> str:
        """The word as ``conversation.state.changed`` spells it."""
        return self.value.upper()


class Speaker(StrEnum):
    """Who said a turn."""

    CALLER = "caller"
    AGENT = "agent"


class Door(StrEnum):
    """Through which protocol a call came in."""

    CONSOLE = "console"
    PHONE = "phone"
    TERMINAL = "terminal"


class CancelReason(StrEnum):
    """Why a reply stopped before its end."""

    BARGE_IN = "barge_in"
    REQUESTED = "requested"
    HANG_UP = "hang_up"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class EndReason(StrEnum):
    """Why a conversation is over."""

    AGENT_SAID_GOODBYE = "agent_said_goodbye"
    CALLER_ENDED = "caller_ended"
    CALLER_DISCONNECTED = "caller_disconnected"
    SILENCE = "silence"
    MAX_DURATION = "max_duration"
    PROVIDER_FAILED = "provider_failed"
    ABUSE = "abuse"
    OPTED_OUT = "opted_out"
    """The person wants no more calls."""
    VOICEMAIL_LEFT = "voicemail_left"
    """The message was spoken to a mailbox."""
    MACHINE_ANSWERED = "machine_answered"
    """A mailbox or a menu answered, and the agent is to leave then."""
    SCREENING_REFUSED = "screening_refused"
    """A call-screening assistant did not put the call through."""
    TRANSFERRED = "transferred"
    """The caller was handed to a colleague; where nobody takes the call, it comes back on another stream."""
    OPERATOR = "operator"
    """An operator ended it."""
    SHUTDOWN = "shutdown"
    INSTANCE_LOST = "instance_lost"
    INTERNAL_ERROR = "internal_error"


class AnsweredBy(StrEnum):
    """Who took a call that we placed, as far as our own ears can tell."""

    HUMAN = "human"
    VOICEMAIL = "voicemail"
    SCREENING = "screening"
    """An assistant that stands between us and the person, and asks who calls and why."""
    IVR = "ivr"
    """A menu: press one for ..."""

    @property
    def is_machine(self) -> bool:
        """Whether nobody would mind a hang-up."""
        return self is not AnsweredBy.HUMAN


class OpeningWaits(StrEnum):
    """What an agent waits for before its first words on the telephone."""

    ANSWER = "answer"
    """Nothing: it speaks as soon as somebody answers."""
    GREETING = "greeting"
    """The other side's greeting, for at most 1.5 s."""


class VoicemailPolicy(StrEnum):
    """What an agent does about a mailbox."""

    HANG_UP = "hang_up"
    LEAVE_MESSAGE = "leave_message"


SAID_GOODBYE = frozenset(
    {
        EndReason.AGENT_SAID_GOODBYE,
        EndReason.CALLER_ENDED,
        EndReason.SILENCE,
        EndReason.MAX_DURATION,
        EndReason.PROVIDER_FAILED,
        EndReason.ABUSE,
        EndReason.OPERATOR,
        EndReason.OPTED_OUT,
        EndReason.VOICEMAIL_LEFT,
        EndReason.MACHINE_ANSWERED,
        EndReason.SCREENING_REFUSED,
    }
)
"""Ends after which nobody has anything to say on the line."""

LOST = frozenset(
    {
        EndReason.CALLER_DISCONNECTED,
        EndReason.SHUTDOWN,
        EndReason.INSTANCE_LOST,
        EndReason.INTERNAL_ERROR,
        EndReason.TRANSFERRED,
    }
)
"""Ends of a conversation after which it goes on, while the carrier has the caller on the line: nobody wanted them, or
nobody took the caller."""


class SessionStatus(StrEnum):
    """Where a call session is in its life; it only moves forward."""

    LIVE = "live"
    ENDED = "ended"


class AgentStatus(StrEnum):
    """Whether an agent version may still be edited."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class AttemptStatus(StrEnum):
    """Where a telephone call is, from the moment it is to be dialled. A status only moves down this list.

    The first three are our own words, the rest are Twilio's; the carrier's word always comes after ours.
    """

    DIALING = "dialing"
    """Stored; the request to the carrier is about to go out, or on its way."""
    UNKNOWN = "unknown"
    """Nobody can say whether the carrier took the request. It is found out, and not dialled again."""
    NOT_PLACED = "not-placed"
    """The carrier has no such call."""
    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_over(self) -> bool:
        """Whether nothing is on the line, and nothing will be."""
        return self in _OVER

    @property
    def earlier(self) -> frozenset["AttemptStatus"]:
        """What a call may have been right before it is this. One that has ended stays as it ended."""
        order = list(AttemptStatus)
        before = order[: order.index(AttemptStatus.COMPLETED)] if self.is_over else order[: order.index(self)]
        if self is AttemptStatus.NOT_PLACED:
            before = [AttemptStatus.DIALING, AttemptStatus.UNKNOWN]
        return frozenset(before)


_OVER = {
    AttemptStatus.NOT_PLACED,
    AttemptStatus.COMPLETED,
    AttemptStatus.BUSY,
    AttemptStatus.NO_ANSWER,
    AttemptStatus.FAILED,
    AttemptStatus.CANCELED,
}


class BuiltInTool(StrEnum):
    """What every agent may be allowed to do beside talking."""

    END_CALL = "end_call"
    TRANSFER_CALL = "transfer_call"
    SEND_DIGITS = "send_digits"
    SCHEDULE_CALLBACK = "schedule_callback"
    DO_NOT_CALL = "do_not_call"


class TransferKind(StrEnum):
    """How a caller is handed on."""

    COLD = "cold"
    WARM = "warm"


class TransferStatus(StrEnum):
    """Where a transfer is. It only moves down this list, and is over in one of the last three."""

    PENDING = "pending"
    """Cold: the destination is rung when the stream ends. Warm: a colleague is being called and told."""
    ACCEPTED = "accepted"
    """Warm: the colleague took the call."""
    CONNECTED = "connected"
    """The carrier was told to put the two together."""
    COMPLETED = "completed"
    FAILED = "failed"
    """Nobody took the caller, who is with the agent again."""
    CANCELED = "canceled"
    """The caller went first."""

    @property
    def is_open(self) -> bool:
        """Whether it is still to be decided."""
        return self in {TransferStatus.PENDING, TransferStatus.ACCEPTED, TransferStatus.CONNECTED}

    @property
    def earlier(self) -> frozenset["TransferStatus"]:
        """What a transfer may have been right before it is this."""
        if self is TransferStatus.ACCEPTED:
            return frozenset({TransferStatus.PENDING})
        if self is TransferStatus.COMPLETED:
            return frozenset({TransferStatus.CONNECTED})
        order = list(TransferStatus)
        return frozenset(status for status in order[: order.index(self)] if status.is_open)


class AttemptKind(StrEnum):
    """Whom a call through the carrier reaches."""

    CONTACT = "contact"
    COLLEAGUE = "colleague"
    """Somebody of ours, who is asked to take a caller: never suppressed, never counted as a contact."""


class OperatorOrder(StrEnum):
    """What an operator wants done with a call on the line."""

    HANG_UP = "hang_up"
    LEAVE_MESSAGE = "leave_message"
    """Say the agent's voicemail message and hang up."""


class Direction(StrEnum):
    """Who called whom."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"


class RecordingOrder(StrEnum):
    """What the carrier is to do with its own recording of a call."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


class LegFate(StrEnum):
    """What is to become of a call that the carrier has on the line."""

    LEAVE = "leave"
    GO_ON = "go_on"
    HANG_UP = "hang_up"


class DialRefusal(StrEnum):
    """Why a number is not dialled although somebody asked."""

    BAD_NUMBER = "bad_number"
    NO_CALLER_ID = "no_caller_id"
    NO_CARRIER = "no_carrier"
    MISSING_VARIABLES = "missing_variables"
    SUPPRESSED = "suppressed"
    ALREADY_CALLED = "already_called"


class SuppressionSource(StrEnum):
    """How somebody said that they want no calls."""

    OPERATOR = "operator"
    SPOKEN = "spoken"
    KEY = "key"


class EventKind(StrEnum):
    """The recorded events of a call that somebody acts on. Others are only shown, and named where they happen."""

    ANSWERED = "answered"
    NOTICE_PLAYED = "notice_played"
    OPTED_OUT = "opted_out"
    CALLBACK_REQUESTED = "callback_requested"
    RECORDING_STOPPED = "recording_stopped"
    """For good: somebody objected, or it could not be written."""
    RECORDING_ENDED = "recording_ended"
    """The caller was handed on."""
    RECORDING_RESUMED = "recording_resumed"
    """The caller, whom nobody took, is with the agent again."""


OBJECTION = "objection"
"""The reason of a recording that stopped because somebody did not want it."""


class ErrorCode(StrEnum):
    """The error codes of the ``/ws`` protocol."""

    INVALID_PAYLOAD = "INVALID_PAYLOAD"
    SESSION = "SESSION_ERROR"
    AUDIO = "AUDIO_ERROR"
    STT = "STT_ERROR"
    LLM = "LLM_ERROR"
    TTS = "TTS_ERROR"
    CONNECTION = "CONNECTION_ERROR"
    INTERNAL = "INTERNAL_ERROR"
    UNKNOWN = "UNKNOWN_ERROR"

    @property
    def short(self) -> str:
        """The code as event names spell it: ``STT_ERROR`` is ``stt``."""
        return self.value.lower().removesuffix("_error")


class Role(StrEnum):
    """What a provider does in a call."""

    STT = "stt"
    LLM = "llm"
    TTS = "tts"


class AudioEncoding(StrEnum):
    """How audio samples are written. PCM is signed 16 bit little-endian; all audio is mono."""

    PCM16 = "pcm16"
    MULAW = "mulaw"
    ALAW = "alaw"


def label(member: StrEnum) -> str:
    """Give the words an operator reads: ``caller_ended`` is ``Caller ended``."""
    return member.value.replace("_", " ").capitalize()
